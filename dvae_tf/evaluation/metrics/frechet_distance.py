"""The Frechet distance of two sets of features."""

import numpy as np

from dvae_tf.evaluation.estimate import Estimate, resampled_estimate


def frechet_distance(real: np.ndarray, generated: np.ndarray) -> Estimate:
    """The Frechet distance of the Gaussians with the two sets' means and covariances.

    |m_1 - m_2|^2 + tr(S_1 + S_2 - 2 (S_1 S_2)^(1/2)) (Heusel et al., "GANs Trained by a Two
    Time-Scale Update Rule", NeurIPS 2017, equation 6). Called FID where the features are those of
    Inception. Only values on the same features and the same number of examples can be compared.

    Args:
        real, generated: float arrays [n, features], [m, features].

    Returns:
        Estimate, 0 for equal sets.

    Examples:
        >>> features = np.random.default_rng(0).normal(size=(50, 3))
        >>> round(frechet_distance(features, features).value, 6) + 0.0
        0.0
    """
    real, generated = np.asarray(real, np.float64), np.asarray(generated, np.float64)
    return resampled_estimate(
        lambda one, other: gaussian_distance(
            *_moments(real[one]),
            *_moments(generated[other]),
        ),
        len(real),
        len(generated),
    )


def gaussian_distance(
    mean: np.ndarray,
    covariance: np.ndarray,
    other_mean: np.ndarray,
    other_covariance: np.ndarray,
) -> float:
    """The Frechet distance of two Gaussians.

    Args:
        mean, other_mean: float arrays [features].
        covariance, other_covariance: float arrays [features, features].

    Returns:
        float.

    Examples:
        >>> gaussian_distance(np.zeros(1), np.eye(1), np.array([3.0]), 4.0 * np.eye(1))
        10.0
    """
    # tr (S_1 S_2)^(1/2) = tr (S_1^(1/2) S_2 S_1^(1/2))^(1/2), whose argument is symmetric: no
    # complex eigenvalues from round-off, as the square root of S_1 S_2 itself can have.
    root = _square_root(covariance)
    inner = np.linalg.eigvalsh(root @ other_covariance @ root)
    cross = np.sqrt(np.maximum(inner, 0.0)).sum()
    traces = np.trace(covariance) + np.trace(other_covariance)
    return float(np.sum((mean - other_mean) ** 2) + traces - 2.0 * cross)


def _moments(features):
    covariance = np.cov(features, rowvar=False)
    return features.mean(axis=0), np.atleast_2d(covariance)


def _square_root(matrix):
    values, vectors = np.linalg.eigh(matrix)
    return (vectors * np.sqrt(np.maximum(values, 0.0))) @ vectors.T
