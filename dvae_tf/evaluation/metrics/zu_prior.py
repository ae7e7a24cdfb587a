"""Whether z_u is distributed as its prior N(0, I), on data that the flow has seen and has not.

A flow that has learnt its training codes by heart maps these onto N(0, I) and others elsewhere.
"""

import math

import numpy as np
import scipy.stats

from dvae_tf.evaluation.bench import Bench
from dvae_tf.evaluation.estimate import Estimate, mean_estimate, resampled_estimate
from dvae_tf.evaluation.metric import Metric, Row

BALL = 0.99
# So many codes of a split, drawn at random, are enough for these figures.
MOST_CODES = 10_000


def prior_fit(z_u: np.ndarray, log_det: np.ndarray | None = None, seed: int = 0) -> dict:
    """Compares codes with N(0, I).

    Args:
        z_u: float array [n, D].
        log_det: float array [n], the logarithm of the absolute determinant of the flow's Jacobian
            at each code. Defaults to 0, that of no flow.
        seed: int, for the intervals. Defaults to 0.

    Returns:
        dict of Estimate: "norm", the mean of |z_u|^2 / D, 1 for N(0, I); "median", the median of
        |z_u|^2 by that of N(0, I), which a few codes far out do not change; "nll", minus the flow's
        log-density of the code before it, (|z_u|^2 / 2 + D log(2 pi) / 2 - log_det) / D, in nats a
        dimension (Dinh, Sohl-Dickstein & Bengio, "Density estimation using Real NVP", ICLR 2017,
        equation 2); "outside", the share outside the ball that holds 99 % of N(0, I), whose
        squared radius is a quantile of the chi-squared distribution with D degrees of freedom; and,
        where D is above 1, "correlation", the largest absolute correlation of two dimensions.

    Examples:
        >>> z_u = np.random.default_rng(0).normal(size=(2000, 4))
        >>> found = prior_fit(z_u)
        >>> abs(found["norm"].value - 1.0) < 0.05, abs(found["outside"].value - 0.01) < 0.01
        (True, True)
    """
    z_u = np.asarray(z_u, np.float64)
    dimensions = z_u.shape[1]
    square = np.sum(z_u**2, axis=-1)
    volume = 0.0 if log_det is None else np.asarray(log_det, np.float64)
    typical = square / scipy.stats.chi2.ppf(0.5, dimensions)
    nll = 0.5 * square + 0.5 * dimensions * math.log(2.0 * math.pi) - volume
    found = {
        "norm": mean_estimate(square / dimensions, seed),
        "median": resampled_estimate(lambda rows: np.median(typical[rows]), len(square), seed=seed),
        "nll": mean_estimate(nll / dimensions, seed),
        "outside": mean_estimate(square > scipy.stats.chi2.ppf(BALL, dimensions), seed),
    }
    if dimensions > 1:
        found["correlation"] = largest_correlation(z_u, seed)
    return found


def largest_correlation(z_u: np.ndarray, seed: int = 0) -> Estimate:
    """The largest absolute correlation of two dimensions of a code.

    Independent dimensions do not give 0 either: of n codes, about sqrt(2 log(D^2 / 2) / n).

    Args:
        z_u: float array [n, D], D > 1.
        seed: int, for the interval. Defaults to 0.

    Returns:
        Estimate in [0, 1]. A dimension that does not vary correlates with none.

    Examples:
        >>> found = largest_correlation(np.array([[0.0, 0.0], [1.0, -2.0], [2.0, -4.0]]))
        >>> round(found.value, 6)
        1.0
    """

    def largest(index):
        chosen = z_u[index] - z_u[index].mean(axis=0)
        chosen = chosen / np.maximum(np.linalg.norm(chosen, axis=0), 1e-12)
        correlation = np.abs(chosen.T @ chosen)
        np.fill_diagonal(correlation, 0.0)
        return min(float(correlation.max()), 1.0)

    return resampled_estimate(largest, len(z_u), seed=seed)


def _measure(bench: Bench) -> dict:
    found = {}
    random = np.random.default_rng(bench.seed)
    few = {
        split: random.permutation(len(codes.z_s))[:MOST_CODES]
        for split, codes in (("train", bench.learnt_codes), ("test", bench.codes))
    }
    for kind in bench.z_u:
        splits = {
            "train": (bench.learnt_z_u[kind], bench.learnt_codes),
            "test": (bench.z_u[kind], bench.codes),
        }
        found[kind] = {
            split: _of_split(bench, z_u[few[split]], codes.z_s[few[split]])
            for split, (z_u, codes) in splits.items()
        }
    return {"zu_prior": found}


def _of_split(bench, z_u, z_s):
    log_det = bench.subject.log_det and bench.subject.log_det(z_u, z_s)
    return prior_fit(z_u, log_det, bench.seed)


METRIC = Metric(
    name="zu_prior",
    group="Whether z_u is distributed as its prior",
    needs=("encode",),
    measure=_measure,
    meanings={
        "zu_prior.mean.*.norm": "|z_u|^2 / D of posterior means, D the dimensions of z_u; 1 for "
        "N(0, I). Where test codes have more than training codes, the flow knows its training "
        "codes by heart",
        "zu_prior.sample.*.norm": "the same of posterior samples; 1 is best",
        "zu_prior.*.median": "the median of |z_u|^2, by that of N(0, I); 1 is best. A few codes "
        "far out do not change it",
        "zu_prior.*.nll": "minus the log-density that the flow gives the codes before it, in nats "
        "a dimension. Compare the test codes' with the training codes'",
        "zu_prior.*.outside": "share of codes outside the ball that holds 99 % of N(0, I); 0.01 is "
        "best",
        "zu_prior.*.correlation": "largest absolute correlation of two dimensions; 0 for N(0, I)",
    },
    rows=(
        Row("zu_prior.mean.train.norm", "size of means of z_u, ‖z_u‖² / D, training codes"),
        Row("zu_prior.mean.test.norm", "the same of test codes (1 wanted)"),
        Row("zu_prior.sample.test.outside", "samples of z_u outside N(0, I)'s 99 % ball ↓"),
    ),
)
