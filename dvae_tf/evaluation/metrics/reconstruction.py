"""How close reconstructions are to their originals, and whether they show the same class."""

import numpy as np
import tensorflow as tf

from dvae_tf.data.pixels import as_floats
from dvae_tf.evaluation.bench import Bench
from dvae_tf.evaluation.estimate import mean_estimate
from dvae_tf.evaluation.metric import Metric, Row

CHUNK = 500
# Structural similarity costs more than all else here: that of so many images is enough.
MOST_COMPARED = 2000
FILTER_SIZE = 11
FULL_RANGE = 2.0


def squared_error(x: np.ndarray, decoded: np.ndarray) -> np.ndarray:
    """The mean squared error of each example, values in the package's range.

    Args:
        x, decoded: arrays [n, *shape], uint8 images or floats.

    Returns:
        float64 array [n].

    Examples:
        >>> squared_error(np.zeros((1, 2)), np.array([[1.0, 3.0]])).tolist()
        [5.0]
    """
    error = as_floats(x).astype(np.float64) - as_floats(decoded)
    return np.mean(error.reshape(len(error), -1) ** 2, axis=-1)


def structural_similarity(x: np.ndarray, decoded: np.ndarray) -> np.ndarray:
    """The SSIM of each pair of images.

    Wang et al., "Image Quality Assessment: From Error Visibility to Structural Similarity" (IEEE
    TIP 2004); the window is 11 pixels or, if smaller, the image.

    Args:
        x, decoded: arrays [n, height, width, channels], uint8 or floats in [-1, 1].

    Returns:
        float32 array [n], 1 for equal images.

    Examples:
        >>> image = np.random.default_rng(0).integers(0, 256, (1, 16, 16, 1)).astype(np.uint8)
        >>> structural_similarity(image, image).tolist()
        [1.0]
    """
    x, decoded = as_floats(x), as_floats(decoded)
    window = min(FILTER_SIZE, *x.shape[1:3])
    parts = [
        tf.image.ssim(x[at : at + CHUNK], decoded[at : at + CHUNK], FULL_RANGE, window).numpy()
        for at in range(0, len(x), CHUNK)
    ]
    return np.concatenate(parts)


def _measure(bench: Bench) -> dict:
    decoded = bench.subject.decode(bench.codes.z_s, bench.codes.z_u_mean)
    found = {
        "reconstruction_mse": mean_estimate(squared_error(bench.test.x, decoded)),
        "reconstruction_agreement": bench.judge.accuracy(decoded, bench.test.label),
    }
    if bench.info.is_image:
        few = slice(MOST_COMPARED)
        similarity = structural_similarity(bench.test.x[few], decoded[few])
        found["reconstruction_ssim"] = mean_estimate(similarity)
    return found


METRIC = Metric(
    name="reconstruction",
    group="Reconstructions and swaps",
    needs=("encode", "decode"),
    quick=True,
    measure=_measure,
    meanings={
        "reconstruction_mse": "mean squared error on test examples, values in [-1, 1]",
        "reconstruction_agreement": "share of reconstructions of test examples that the judge "
        "classifies as the true class; of the examples themselves it is `judge_accuracy`",
        "reconstruction_ssim": "structural similarity on test images; 1 for equal images",
    },
    rows=(
        Row("reconstruction_mse", "reconstruction error ↓"),
        Row("reconstruction_agreement", "reconstructions of the true class ↑"),
    ),
    card={
        "reconstruction_agreement": "reconstructions that the judge classifies as the true class",
        "reconstruction_mse": "mean squared error of reconstructions, values in [-1, 1]",
    },
)
