"""One image from a file."""

import os

import numpy as np


def open_image(path: str | os.PathLike, size: int, channels: int = 3) -> np.ndarray:
    """Reads an image upright, cut to a square about its centre and resized.

    Args:
        path: str or pathlib.Path of a file that Pillow reads.
        size: int, side in pixels.
        channels: int, 3 for colour, 1 for grey. Defaults to 3.

    Returns:
        uint8 array [size, size, channels].

    Raises:
        OSError: if the file is missing, no readable image, or larger than Pillow's limit.
    """
    from PIL import Image, ImageOps

    try:
        with Image.open(path) as image:
            upright = ImageOps.exif_transpose(image.convert("RGB" if channels == 3 else "L"))
            fitted = ImageOps.fit(upright, (size, size), Image.Resampling.BICUBIC)
    except Image.DecompressionBombError as error:
        raise OSError(f"{path} is too large: {error}") from error
    return np.asarray(fitted).reshape(size, size, channels)
