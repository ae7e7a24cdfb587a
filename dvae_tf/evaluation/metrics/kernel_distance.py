"""The kernel distance of two sets of features."""

import numpy as np
from sklearn.metrics.pairwise import polynomial_kernel

from dvae_tf.evaluation.estimate import Estimate, resampled_estimate

DEGREE = 3


def kernel_distance(real: np.ndarray, generated: np.ndarray) -> Estimate:
    """The squared maximum mean discrepancy under the kernel (a . b / features + 1)^3, unbiased.

    Binkowski et al., "Demystifying MMD GANs" (ICLR 2018), section 4; called KID where the features
    are those of Inception. Unlike the Frechet distance, it is unbiased for any number of examples.

    Args:
        real, generated: float arrays [n, features], [m, features].

    Returns:
        Estimate, about 0 (of either sign) for sets from the same distribution.

    Examples:
        >>> random = np.random.default_rng(0)
        >>> far, near = random.normal(3.0, 1.0, (50, 4)), random.normal(0.0, 1.0, (50, 4))
        >>> kernel_distance(near, far).value > 1.0
        True
    """
    within, between = _kernel(real, real), _kernel(real, generated)
    others = _kernel(generated, generated)
    np.fill_diagonal(within, 0.0)
    np.fill_diagonal(others, 0.0)

    def discrepancy(one, other):
        # A resample is a count of each example, so that the kernels are computed once.
        count = np.bincount(one, minlength=len(within)).astype(np.float32)
        count_other = np.bincount(other, minlength=len(others)).astype(np.float32)
        return (
            _mean_of_pairs(within, count)
            + _mean_of_pairs(others, count_other)
            - 2.0 * (count @ between @ count_other) / (count.sum() * count_other.sum())
        )

    return resampled_estimate(discrepancy, len(real), len(generated))


def _kernel(one, other):
    one, other = np.asarray(one, np.float32), np.asarray(other, np.float32)
    return polynomial_kernel(one, other, degree=DEGREE, gamma=1.0 / one.shape[1], coef0=1.0)


def _mean_of_pairs(kernel, count):
    """The mean over pairs of different examples, each counted `count` times."""
    return (count @ kernel @ count) / (count.sum() ** 2 - np.sum(count**2))
