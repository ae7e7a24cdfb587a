"""How different examples of one class are from one another."""

import numpy as np
import tensorflow as tf

from dvae_tf.data.pixels import as_floats
from dvae_tf.evaluation.estimate import Estimate, mean_estimate
from dvae_tf.evaluation.metrics.reconstruction import CHUNK, FILTER_SIZE, FULL_RANGE

# Wang, Simoncelli & Bovik (2003), section 3.2: finest scale first.
SCALE_WEIGHTS = (0.0448, 0.2856, 0.3001, 0.2363, 0.1333)


def pairs_of_one_class(label: np.ndarray, count: int, seed: int = 0):
    """Draws pairs of different examples of the same class, with classes in proportion.

    Args:
        label: int array [n].
        count: int, number of pairs.
        seed: int. Defaults to 0.

    Returns:
        (int array [count], int array [count]): indices of the first and the second of each pair.

    Raises:
        ValueError: if no class has two examples.

    Examples:
        >>> first, second = pairs_of_one_class(np.array([0, 0, 1, 1]), 10)
        >>> bool(np.all(first // 2 == second // 2) and np.all(first != second))
        True
    """
    random = np.random.default_rng(seed)
    members = [np.flatnonzero(label == value) for value in np.unique(label)]
    members = [rows for rows in members if len(rows) > 1]
    if not members:
        raise ValueError("No class has two examples; diversity within a class needs pairs.")
    share = np.array([len(rows) for rows in members], float)
    chosen = random.choice(len(members), count, p=share / share.sum())
    pairs = [random.choice(members[number], 2, replace=False) for number in chosen]
    first, second = np.array(pairs).T
    return first, second


def structural_diversity(first: np.ndarray, second: np.ndarray) -> Estimate:
    """1 - MS-SSIM of pairs of images: 0 for copies.

    Multi-scale structural similarity of Wang, Simoncelli & Bovik, "Multi-Scale Structural
    Similarity for Image Quality Assessment" (2003), over as many of its five scales, finest first,
    as the image holds with a window of 11 pixels, their weights scaled to sum to 1. As a measure of
    diversity: Odena, Olah & Shlens, "Conditional Image Synthesis with Auxiliary Classifier GANs"
    (ICML 2017), section 4.2.

    Args:
        first, second: arrays [n, height, width, channels], uint8 or floats in [-1, 1].

    Returns:
        Estimate.

    Examples:
        >>> images = np.random.default_rng(0).integers(0, 256, (4, 28, 28, 1)).astype(np.uint8)
        >>> abs(structural_diversity(images, images).value) < 1e-6
        True
    """
    first, second = as_floats(first), as_floats(second)
    side = min(first.shape[1:3])
    window = min(FILTER_SIZE, side)
    weights = np.array([w for scale, w in enumerate(SCALE_WEIGHTS) if side >> scale >= window])
    similarity = [
        tf.image.ssim_multiscale(
            first[at : at + CHUNK],
            second[at : at + CHUNK],
            FULL_RANGE,
            tuple(weights / weights.sum()),
            window,
        ).numpy()
        for at in range(0, len(first), CHUNK)
    ]
    return mean_estimate(1.0 - np.concatenate(similarity))


def feature_diversity(first: np.ndarray, second: np.ndarray) -> Estimate:
    """The Euclidean distance of pairs of features: 0 for copies.

    Args:
        first, second: float arrays [n, features].

    Returns:
        Estimate.

    Examples:
        >>> feature_diversity(np.zeros((2, 2)), np.array([[3.0, 4.0], [0.0, 0.0]])).value
        2.5
    """
    return mean_estimate(np.linalg.norm(np.asarray(first) - np.asarray(second), axis=-1))
