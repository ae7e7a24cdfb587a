"""The inception-style score of generated examples."""

import numpy as np

from dvae_tf.evaluation.estimate import Estimate, resampled_estimate


def inception_score(probabilities: np.ndarray) -> Estimate:
    """How certain a classifier is of each example, and how many classes it predicts in all.

    exp(E KL(p(y | x) : p(y))) (Salimans et al., "Improved Techniques for Training GANs", NeurIPS
    2016, section 4): from 1 to the number of classes. It says nothing of diversity within a class.

    Args:
        probabilities: float array [n, C], of a classifier on generated examples.

    Returns:
        Estimate.

    Examples:
        >>> round(inception_score(np.eye(4)).value, 3)
        4.0
    """
    probabilities = np.asarray(probabilities, np.float64)
    negative_entropy = np.sum(_times_log(probabilities), axis=-1)

    def score(index):
        marginal = probabilities[index].mean(axis=0)
        return np.exp(negative_entropy[index].mean() - _times_log(marginal).sum())

    return resampled_estimate(score, len(probabilities))


def _times_log(p):
    return p * np.log(np.maximum(p, np.finfo(np.float64).tiny))
