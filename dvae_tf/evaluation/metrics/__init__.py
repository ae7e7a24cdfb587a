"""The metrics of the report, one file each, in the order of the report.

The other files in this folder contain formulas that `generation` uses.
"""

from dvae_tf.evaluation.metrics import (
    activity,
    classification,
    factors,
    generation,
    judge,
    leakage,
    reconstruction,
    samples,
    swap,
)

METRICS = (
    judge.METRIC,
    classification.METRIC,
    reconstruction.METRIC,
    samples.METRIC,
    swap.METRIC,
    leakage.METRIC,
    activity.METRIC,
    factors.METRIC,
    generation.METRIC,
)
