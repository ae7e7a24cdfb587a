"""The one reader of image files."""

import io
import os
import warnings
from typing import IO

import numpy as np
from PIL import Image, ImageColor, ImageOps

SUFFIXES = (
    *(".png", ".jpg", ".jpeg", ".jpe", ".jfif", ".bmp", ".gif", ".webp", ".tif", ".tiff"),
    *(".ppm", ".pgm", ".pbm", ".pnm", ".tga", ".jp2", ".avif"),
)
BACKGROUND = "white"
# The largest value of each kind of grey with more than 8 bits.
_SIXTEEN_BITS = 2**16 - 1
# Pillow's layouts of greys with fewer bits, and the distance of two neighbouring greys of 8 bits.
_GREY_STEPS = {"L;2": 85, "L;4": 17}
# The tag of a TIFF file that says whether 0 is white (0) or black (1).
_PHOTOMETRIC = 262
# The tag that says of what kind values are, and its value for signed integers.
_SAMPLE_FORMAT, _SIGNED = 339, 2


def open_image(
    source: str | os.PathLike | bytes | IO[bytes],
    height: int,
    width: int,
    channels: int = 3,
    background: str = BACKGROUND,
) -> np.ndarray:
    """Reads an image, turns it upright, crops it to the wanted proportions and resizes it.

    Transparent parts show the background. Of animations, and of files with several pages, the first
    picture is read. Grey values of 16 bits and floats are scaled by their
    type: 0 to 65,535, or 0 to 1, become 0 to 255.

    Args:
        source: str or pathlib.Path of a file that Pillow reads, its content as bytes, or an open
            file.
        height, width: int, in pixels.
        channels: int, 3 for colour, 1 for greyscale. Defaults to 3.
        background: str, a colour by name or as "#rrggbb". Defaults to "white".

    Returns:
        uint8 array [height, width, channels].

    Raises:
        OSError: if the file is missing, not a readable image, or larger than Pillow's limit.
        ValueError: if its values are outside the range of their type, or `channels` is neither 1
            nor 3.
    """
    if channels not in (1, 3):
        raise ValueError(f"channels is {channels}; give 3 for colour or 1 for grey.")
    try:
        with Image.open(io.BytesIO(source) if isinstance(source, bytes) else source) as image:
            _expect_readable(image)
            _scale_transparent_colour(image)
            upright = ImageOps.exif_transpose(image)
            inverted = image.format == "TIFF" and image.getexif().get(_PHOTOMETRIC) == 0
            shown = _on(background, _eight_bits(upright, image.format, inverted))
    except Image.DecompressionBombError as error:
        raise OSError(f"the image is too large: {error}") from error
    fitted = ImageOps.fit(
        shown.convert("RGB" if channels == 3 else "L"), (width, height), Image.Resampling.BICUBIC
    )
    return np.asarray(fitted).reshape(height, width, channels)


def _expect_readable(image):
    """Refuses signed values, whose range is not known; says what of an animation is read."""
    if image.format == "TIFF" and _SIGNED in np.atleast_1d(image.getexif().get(_SAMPLE_FORMAT)):
        raise ValueError("its values are signed, and their range is not known; save it unsigned")
    # Photographs of telephones (MPO) hold a small copy as well.
    if image.format != "MPO" and getattr(image, "is_animated", False):
        warnings.warn(
            f"Of a {image.format} file of several pictures, the first is read.", stacklevel=4
        )


def _scale_transparent_colour(image):
    """Of other than 8 bits, Pillow scales the values of a PNG, but not the transparent one."""
    layout = image.tile[0].args if image.format == "PNG" and image.tile else None
    transparent = image.info.get("transparency")
    if layout in _GREY_STEPS and isinstance(transparent, int):
        image.info["transparency"] = transparent * _GREY_STEPS[layout]
    if layout == "RGB;16B" and isinstance(transparent, tuple):
        image.info["transparency"] = tuple(value >> 8 for value in transparent)


def _eight_bits(image, file_format, inverted):
    """The image with 8 bits a channel; Pillow itself would cut off what is above 255.

    Pillow inverts TIFF files whose 0 is white, but not those of 16 bits and of floats.
    """
    if not image.mode.startswith(("I", "F")):
        return image
    values = np.asarray(image, np.float64)
    if image.mode == "I" and file_format == "TIFF":
        raise ValueError(
            "its values are integers of 32 bits, whose range is not known; save it with 8 or 16"
        )
    largest = 1.0 if image.mode == "F" else _SIXTEEN_BITS
    # Written so that NaN is refused as well.
    if not (values.min() >= 0.0 and values.max() <= largest):
        raise ValueError(
            f"its values range from {values.min():g} to {values.max():g}; expected 0 to {largest:g}"
        )
    if inverted:
        values = largest - values
    grey = Image.fromarray(np.rint(values * (255.0 / largest)).astype(np.uint8))
    transparent = image.info.get("transparency")
    if isinstance(transparent, int):
        grey.putalpha(Image.fromarray(np.where(values == transparent, 0, 255).astype(np.uint8)))
    return grey


def _on(background, image):
    if not image.has_transparency_data:
        return image
    image = image.convert("RGBA")
    return Image.alpha_composite(Image.new("RGBA", image.size, opaque(background)), image)


def opaque(background: str) -> tuple[int, int, int, int]:
    """Reads a colour.

    Args:
        background: str, a colour by name or as "#rrggbb".

    Returns:
        (red, green, blue, 255).

    Examples:
        >>> opaque("red")
        (255, 0, 0, 255)
    """
    return (*ImageColor.getrgb(background)[:3], 255)


def check_background(background: str) -> None:
    """Checks the colour that shows behind transparent parts.

    Args:
        background: str, a colour by name or as "#rrggbb".

    Raises:
        ValueError: if it is no colour.

    Examples:
        >>> check_background("#00ff00")
    """
    try:
        opaque(background)
    except (ValueError, TypeError) as error:
        raise ValueError(
            f"background is {background!r}; give a colour such as white or #ffffff."
        ) from error


def height_and_width(size) -> tuple[int, int] | None:
    """Reads the size that images are resized to.

    Args:
        size: int, the side of squares; a pair (height, width); text "HEIGHT" or "HEIGHTxWIDTH"; or
            None.

    Returns:
        (height, width), or None for None.

    Raises:
        ValueError: if it is something else, or below 1.

    Examples:
        >>> height_and_width(64), height_and_width("48x64"), height_and_width((48, 64))
        ((64, 64), (48, 64), (48, 64))
    """
    if size is None:
        return None
    sides = size.split("x") if isinstance(size, str) else np.atleast_1d(size).tolist()
    if isinstance(size, str) and all(side.isdecimal() for side in sides):
        sides = [int(side) for side in sides]
    if len(sides) not in (1, 2) or not all(type(side) is int and side >= 1 for side in sides):
        raise ValueError(
            f"size is {size}; give the side of squares, or height and width, of at least 1 pixel."
        )
    return int(sides[0]), int(sides[-1])
