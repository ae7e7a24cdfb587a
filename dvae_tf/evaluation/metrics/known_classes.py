"""How well a score tells inputs of known classes from those of classes that were not trained on."""

from typing import NamedTuple

import numpy as np
from sklearn.metrics import roc_auc_score, roc_curve

from dvae_tf.evaluation.estimate import Estimate, resampled_estimate


class OperatingCurve(NamedTuple):
    """What each threshold of the score gives.

    Args:
        threshold: float array [k], falling; an input is taken for known from this score on.
        kept: float array [k], the share of inputs of known classes that are taken for known.
        let_in: float array [k], the share of inputs of other classes that are taken for known.
        area: Estimate, the area under `kept` over `let_in`: the probability that a known input has
            a higher score than another; 0.5 by guessing.
    """

    threshold: np.ndarray
    kept: np.ndarray
    let_in: np.ndarray
    area: Estimate


def operating_curve(known: np.ndarray, other: np.ndarray, seed: int = 0) -> OperatingCurve:
    """The receiver operating characteristic of a score.

    Args:
        known: float array [n], scores of inputs of known classes, as from
            `model.known_class_score`.
        other: float array [m], scores of inputs of other classes.
        seed: int, for the interval. Defaults to 0.

    Returns:
        OperatingCurve.

    Raises:
        ValueError: if there are no scores of one kind, or one is not finite.

    Examples:
        >>> curve = operating_curve(np.array([2.0, 3.0]), np.array([0.0, 1.0]))
        >>> curve.area.value, curve.kept.tolist(), curve.let_in.tolist()
        (1.0, [0.0, 0.5, 1.0, 1.0, 1.0], [0.0, 0.0, 0.0, 0.5, 1.0])
    """
    known, other = np.ravel(known).astype(np.float64), np.ravel(other).astype(np.float64)
    for name, scores in (("known", known), ("other", other)):
        if not scores.size or not np.isfinite(scores).all():
            raise ValueError(f"The {name} scores are {scores}; give finite ones, at least one.")

    def area(first, second):
        is_known = np.repeat([1, 0], [len(first), len(second)])
        return roc_auc_score(is_known, np.concatenate([known[first], other[second]]))

    is_known = np.repeat([1, 0], [len(known), len(other)])
    scores = np.concatenate([known, other])
    let_in, kept, threshold = roc_curve(is_known, scores, drop_intermediate=False)
    estimate = resampled_estimate(area, len(known), len(other), seed=seed).within(0.0, 1.0)
    return OperatingCurve(threshold, kept, let_in, estimate)
