"""The only place that converts between uint8 and [-1, 1]."""

import numpy as np
import numpy.typing as npt
import tensorflow as tf

from dvae_tf.data.examples import check_x


def to_float(image: npt.ArrayLike) -> tf.Tensor:
    """Converts uint8 images to the package's float32.

    Args:
        image: uint8 array or tensor, values in [0, 255].

    Returns:
        float32 tensor of the same shape, values in [-1, 1].

    Examples:
        >>> to_float([0, 255]).numpy().tolist()
        [-1.0, 1.0]
    """
    return tf.cast(image, tf.float32) / 127.5 - 1.0


def to_uint8(image: np.ndarray):
    """Converts the package's float images to uint8, rounding and clipping.

    Args:
        image: float array or tensor, values in [-1, 1].

    Returns:
        uint8 NumPy array of the same shape, values in [0, 255].

    Examples:
        >>> to_uint8([-1.0, 0.0, 1.0]).tolist()
        [0, 128, 255]
    """
    scaled = (np.asarray(image, np.float32) + 1.0) * 127.5
    return np.clip(np.rint(scaled), 0, 255).astype(np.uint8)


def as_floats(x: np.ndarray) -> np.ndarray:
    """Converts a user's examples to the package's range.

    Args:
        x: array [n, *shape], uint8 images in [0, 255] or floats (images in [-1, 1]).

    Returns:
        float32 array [n, *shape], images in [-1, 1].

    Raises:
        ValueError: if shape, type or range do not fit.
    """
    x = check_x("the input", x)
    return to_float(x).numpy() if x.dtype == np.uint8 else x


def as_pixels(x: np.ndarray) -> np.ndarray:
    """Converts images to the range that users see; other data is returned unchanged.

    Args:
        x: array [..., height, width, channels], floats in [-1, 1] or uint8; or other data of fewer
            axes.

    Returns:
        uint8 array of the same shape, or x itself if it is uint8 or not an image.
    """
    return to_uint8(x) if x.ndim >= 4 and x.dtype != np.uint8 else x
