"""The one reader of image files: transparency, more than 8 bits, orientation, proportions."""

import io
import struct
import zlib

import numpy as np
import pytest
from PIL import Image

from dvae_tf.data.image_files import check_background, height_and_width, open_image

WHITE, INK = 255, 0


def encoded(image, kind="PNG", **options):
    content = io.BytesIO()
    image.save(content, kind, **options)
    return content.getvalue()


def drawing(mode):
    """A black dot on nothing, where the hidden colour is black too."""
    image = Image.new("RGBA", (9, 9), (0, 0, 0, 0))
    image.putpixel((4, 4), (0, 0, 0, 255))
    if mode == "P":
        palette = Image.new("P", (9, 9), 0)
        palette.putpalette([0, 0, 0] * 2)
        palette.putpixel((4, 4), 1)
        return encoded(palette, transparency=0)
    if mode in ("RGB", "L"):  # One colour counts as transparent.
        hidden = Image.new(mode, (9, 9), (7, 7, 7) if mode == "RGB" else 7)
        hidden.putpixel((4, 4), (0, 0, 0) if mode == "RGB" else 0)
        return encoded(hidden, transparency=(7, 7, 7) if mode == "RGB" else 7)
    if mode == "I;16":
        values = np.full((9, 9), 7, np.uint16)
        values[4, 4] = 0
        return encoded(Image.fromarray(values), transparency=7)
    return encoded(image.convert(mode))


@pytest.mark.parametrize("mode", ["RGBA", "LA", "P", "RGB", "L", "I;16"])
@pytest.mark.parametrize("channels", [1, 3])
def test_transparent_parts_show_the_background(mode, channels):
    image = open_image(drawing(mode), 9, 9, channels)
    assert image.shape == (9, 9, channels)
    assert (image[0, 0] == WHITE).all()
    assert (image[4, 4] == INK).all()
    red = open_image(drawing(mode), 9, 9, 3, background="#ff0000")
    assert red[0, 0].tolist() == [255, 0, 0]


def grey_png(bits, transparent, channels=1):
    """Two rows of the least and of the largest value, one of which is transparent."""
    largest = 2**bits - 1
    rows = b"".join(b"\0" + bytes([255 * (row > 0)] * bits * channels) for row in range(2))
    kind = 0 if channels == 1 else 2
    chunks = {
        b"IHDR": struct.pack(">IIBBBBB", 8, 2, bits, kind, 0, 0, 0),
        b"tRNS": struct.pack(">H", largest if transparent else 0) * channels,
        b"IDAT": zlib.compress(rows),
        b"IEND": b"",
    }
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(content))
        + kind
        + content
        + struct.pack(">I", zlib.crc32(kind + content))
        for kind, content in chunks.items()
    )


@pytest.mark.parametrize(
    ("bits", "channels"), [(1, 1), (2, 1), (4, 1), (8, 1), (16, 1), (8, 3), (16, 3)]
)
def test_a_transparent_value_shows_the_background_whatever_its_bits(bits, channels):
    read = [
        open_image(grey_png(bits, end, channels), 2, 8, 3, "red")[:, 0].tolist() for end in range(2)
    ]
    black, white, red = [0, 0, 0], [255, 255, 255], [255, 0, 0]
    assert read == [[red, white], [black, red]]


def test_half_transparent_parts_are_mixed_with_the_background():
    image = Image.new("RGBA", (8, 8), (0, 0, 0, 128))
    assert abs(int(open_image(encoded(image), 8, 8)[0, 0, 0]) - 127) <= 1


RAMP = np.linspace(0.0, 1.0, 64).reshape(8, 8)
DEEP = {
    "16-bit PNG": ((RAMP * 65535).astype(np.uint16), "PNG"),
    "16-bit TIFF": ((RAMP * 65535).astype(np.uint16), "TIFF"),
    "16-bit PGM": ((RAMP * 65535).astype(np.uint16), "PPM"),
    "float TIFF": (RAMP.astype(np.float32), "TIFF"),
    "8-bit TIFF": (np.rint(RAMP * 255).astype(np.uint8), "TIFF"),
}


@pytest.mark.parametrize("case", DEEP)
@pytest.mark.parametrize("side", [8, 16], ids=["as it is", "resized"])
def test_values_are_scaled_by_their_type(case, side):
    values, kind = DEEP[case]
    found = open_image(encoded(Image.fromarray(values), kind), side, side, 1)
    plain = Image.fromarray(np.rint(RAMP * 255).astype(np.uint8))
    wanted = open_image(encoded(plain), side, side, 1)
    np.testing.assert_allclose(found.astype(int), wanted.astype(int), atol=1)


OUTSIDE = {
    "floats up to 255": (RAMP * 255, "range from 0 to 255; expected 0 to 1"),
    "floats below 0": (RAMP - 0.5, "range from -0.5 to 0.5"),
    "NaN": (np.full((8, 8), np.nan), "nan"),
    "infinity": (np.full((8, 8), np.inf), "inf"),
    "integers of 32 bits": ((RAMP * 1000).astype(np.int32), "its values are signed"),
}


@pytest.mark.parametrize("case", OUTSIDE)
def test_values_out_of_the_range_of_their_type_are_refused(case):
    values, message = OUTSIDE[case]
    values = values if values.dtype == np.int32 else values.astype(np.float32)
    with pytest.raises(ValueError, match=message):
        open_image(encoded(Image.fromarray(values), "TIFF"), 8, 8)


PHOTOMETRIC, SAMPLE_FORMAT = 262, 339


@pytest.mark.parametrize(
    ("values", "white"),
    [(np.uint16(64 * 257), 191), (np.float32(0.25), 191)],
    ids=["16 bits", "floats"],
)
def test_a_tiff_whose_0_is_white_is_turned_round(values, white):
    image = Image.fromarray(np.full((8, 8), values))
    found = open_image(encoded(image, "TIFF", tiffinfo={PHOTOMETRIC: 0}), 8, 8, 1)
    assert abs(int(found[0, 0, 0]) - white) <= 1


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_signed_values_are_refused(dtype):
    content = encoded(
        Image.fromarray(np.full((8, 8), 9, dtype)), "TIFF", tiffinfo={SAMPLE_FORMAT: 2}
    )
    with pytest.raises(ValueError, match="its values are signed"):
        open_image(content, 8, 8)


@pytest.mark.parametrize("kind", ["GIF", "PNG", "WEBP", "TIFF"])
def test_of_several_pictures_the_first_is_read_and_that_is_said(kind):
    first, second = Image.new("RGB", (8, 8), "red"), Image.new("RGB", (8, 8), "blue")
    content = encoded(first, kind, save_all=True, append_images=[second])
    with pytest.warns(UserWarning, match=f"Of a {kind} file of several pictures, the first"):
        found = open_image(content, 8, 8)
    assert found[0, 0, 0] > 200


def test_other_channels_than_grey_and_colour_are_refused():
    with pytest.raises(ValueError, match="channels is 4; give 3 for colour or 1 for grey"):
        open_image(encoded(Image.new("RGB", (8, 8))), 8, 8, 4)


@pytest.mark.parametrize("kind", ["path", "text", "bytes", "file"])
def test_a_path_bytes_and_an_open_file_are_read(kind, tmp_path):
    content = encoded(Image.new("RGB", (20, 10), (9, 99, 200)))
    (tmp_path / "a.png").write_bytes(content)
    source = {
        "path": tmp_path / "a.png",
        "text": str(tmp_path / "a.png"),
        "bytes": content,
        "file": io.BytesIO(content),
    }[kind]
    assert open_image(source, 4, 6)[0, 0].tolist() == [9, 99, 200]


@pytest.mark.parametrize(("mode", "kind"), [("CMYK", "JPEG"), ("YCbCr", "JPEG"), ("1", "PNG")])
def test_other_kinds_of_colour_are_read(mode, kind):
    image = Image.new("RGB", (8, 8), (255, 255, 255)).convert(mode)
    assert open_image(encoded(image, kind), 8, 8).min() >= 254


def test_the_image_is_turned_upright_and_cropped_to_the_proportions():
    stripes = np.zeros((10, 30, 3), np.uint8)
    stripes[:, 5:25] = 255
    assert (open_image(encoded(Image.fromarray(stripes)), 10, 20) == 255).all()
    exif = Image.Exif()
    exif[0x0112] = 6  # To be turned by a quarter.
    turned = encoded(Image.fromarray(stripes), "JPEG", exif=exif)
    assert open_image(turned, 20, 10).min() > 240
    assert open_image(turned, 30, 10)[0].max() < 30


@pytest.mark.parametrize("content", [b"", b"no image", encoded(Image.new("L", (99, 99)))[:60]])
def test_what_is_no_image_is_an_oserror(content):
    with pytest.raises(OSError, match=r"image|truncated|cannot"):
        open_image(content, 8, 8)


@pytest.mark.parametrize(
    ("size", "wanted"),
    [(None, None), (64, (64, 64)), ((48, 64), (48, 64)), ("48x64", (48, 64)), ([9, 8], (9, 8))],
    ids=str,
)
def test_sizes(size, wanted):
    assert height_and_width(size) == wanted


@pytest.mark.parametrize("size", [0, -3, (8, 0), (8, 8, 3), "8x", "x", "8x8x8", 8.5, "big", True])
def test_sizes_that_are_none(size):
    with pytest.raises(ValueError, match=r"size is .*; give the side of squares"):
        height_and_width(size)


@pytest.mark.parametrize("background", ["whit", "", "#12", None, 255])
def test_a_background_that_is_no_colour(background):
    with pytest.raises(ValueError, match=r"background is .*; give a colour"):
        check_background(background)


@pytest.mark.parametrize(("dtype", "white"), [(np.uint8, 255), (np.uint16, 65535)])
def test_tiff_files_whose_0_is_white(dtype, white):
    image = Image.fromarray(np.full((8, 8), white, dtype))
    content = encoded(image, "TIFF", tiffinfo={262: 0})
    # Pillow inverts what it writes with 8 bits, and neither writes nor reads 16 bits inverted.
    expected = 255 if dtype == np.uint8 else 0
    assert open_image(content, 8, 8, 1).mean() == expected
