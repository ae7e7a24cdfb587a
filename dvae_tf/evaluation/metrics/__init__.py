"""The metrics of the report, one file each, in the order of the report.

The other files in this folder contain formulas that these use.
"""

from dvae_tf.evaluation.metrics import (
    activity,
    classification,
    columns,
    density_bound,
    factors,
    generation,
    judge,
    leakage,
    reconstruction,
    samples,
    swap,
    zu_prior,
)

METRICS = (
    judge.METRIC,
    classification.METRIC,
    reconstruction.METRIC,
    columns.METRIC,
    samples.METRIC,
    swap.METRIC,
    leakage.METRIC,
    density_bound.METRIC,
    zu_prior.METRIC,
    activity.METRIC,
    factors.METRIC,
    generation.METRIC,
)
