"""Whether a model copies its training data."""

import numpy as np

from dvae_tf.evaluation.estimate import mean_estimate
from dvae_tf.tasks import nearest

CLOSEST_SHARE = 0.05


def copies(samples: np.ndarray, held_out: np.ndarray, train: np.ndarray) -> dict:
    """Compares how near samples and held-out examples are to the training set.

    Samples of a model that generalises are as near as held-out examples; copies are nearer.

    Args:
        samples: array [n, *shape] of the model.
        held_out: array [m, *shape] that the model has not seen.
        train: array [k, *shape] that it was trained on.

    Returns:
        dict of Estimate: "samples" and "held_out", the root mean squared difference, values in the
        package's range, to the nearest training example; "suspect_share", the share of samples
        that are nearer than the nearest 5 % of held-out examples: 0.05 if nothing is copied, 1 if
        everything is.

    Examples:
        >>> train = np.arange(20.0)[:, np.newaxis]
        >>> copies(train[:5], train + 0.4, train)["suspect_share"].value
        1.0
    """
    near, near_held_out = (nearest(x, train).distance[:, 0] for x in (samples, held_out))
    threshold = np.quantile(near_held_out, CLOSEST_SHARE)
    return {
        "samples": mean_estimate(near),
        "held_out": mean_estimate(near_held_out),
        "suspect_share": mean_estimate(near < threshold),
    }
