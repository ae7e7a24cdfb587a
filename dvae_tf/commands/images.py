"""A user's image files as a model takes them."""

import os

import numpy as np

from dvae_tf.data.image_files import open_image


def opened(model, file: str | os.PathLike) -> np.ndarray:
    """Reads an image file in the shape, and on the background, that a model was trained with.

    Args:
        model: DisentangledVAE or a baseline.
        file: str or pathlib.Path.

    Returns:
        uint8 array [*shape].

    Raises:
        ValueError: if the model takes no images, or the file is no readable one.
    """
    if len(model.sample_shape) != 3:
        raise ValueError(f"{file}: the model was trained on vectors and takes no images.")
    height, width, channels = model.sample_shape
    try:
        return open_image(file, height, width, channels, model.background)
    except (OSError, ValueError) as error:
        raise ValueError(f"{file} is no readable image: {error}") from error
