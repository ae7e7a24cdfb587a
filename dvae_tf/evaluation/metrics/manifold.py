"""How much of the real data's support is covered, and which share of the samples lies in it.

The support of a set is the union of balls around its examples, each as wide as the distance to the
example's k-th neighbour. Only the means over examples are resampled, not the balls: a resample
contains some examples twice, and the balls of these would shrink to nothing.
"""

import numpy as np
from sklearn.metrics import pairwise_distances

from dvae_tf.evaluation.estimate import mean_estimate

NEIGHBOURS_OF_PRECISION = 3
NEIGHBOURS_OF_DENSITY = 5


def manifold(real: np.ndarray, generated: np.ndarray) -> dict:
    """Measures the overlap of two sets of features.

    Precision and recall: the share of generated examples in any ball of a real one, and the
    reverse, k = 3 (Kynkaanniemi et al., "Improved Precision and Recall Metric", NeurIPS 2019,
    equation 2). Density: in how many balls of real examples a generated one lies, over k; coverage:
    the share of real examples whose ball holds a generated one, k = 5 (Naeem et al., "Reliable
    Fidelity and Diversity Metrics", ICML 2020, equations 4 and 5).

    Args:
        real, generated: float arrays [n, features], [m, features].

    Returns:
        dict of "precision", "recall", "density", "coverage" to Estimate. Equal sets have precision
        and recall 1.

    Examples:
        >>> far = np.random.default_rng(0).normal(size=(20, 2)) + 100.0
        >>> overlap = manifold(np.random.default_rng(1).normal(size=(20, 2)), far)
        >>> overlap["precision"].value, overlap["coverage"].value
        (0.0, 0.0)
    """
    distance = _distances(real, generated)
    real_to_real, own = _distances(real, real), _distances(generated, generated)
    ball, generated_ball = (
        _reach(real_to_real, NEIGHBOURS_OF_PRECISION),
        _reach(own, NEIGHBOURS_OF_PRECISION),
    )
    wide_ball = _reach(real_to_real, NEIGHBOURS_OF_DENSITY)
    inside = distance <= wide_ball[:, np.newaxis]
    return {
        "precision": mean_estimate((distance <= ball[:, np.newaxis]).any(axis=0)),
        "recall": mean_estimate((distance <= generated_ball[np.newaxis]).any(axis=1)),
        "density": mean_estimate(inside.sum(axis=0) / NEIGHBOURS_OF_DENSITY),
        "coverage": mean_estimate(inside.any(axis=1)),
    }


def _distances(one, other):
    return pairwise_distances(np.asarray(one, np.float32), np.asarray(other, np.float32))


def _reach(distance, neighbours):
    """The distance of each example to its k-th neighbour besides itself."""
    neighbours = min(neighbours, len(distance) - 1)
    return np.partition(distance, neighbours, axis=1)[:, neighbours]
