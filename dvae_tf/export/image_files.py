"""PNG and JPEG files as a part of a graph, read as `dvae_tf.data` reads them.

What differs: TensorFlow knows no EXIF, so that a photo that a camera marked as turned stays turned.
Resized pixels may differ by 1 of 255, since Pillow calculates with whole numbers.
"""

from collections.abc import Sequence

import tensorflow as tf

# Larger files would be decoded into gigabytes.
MOST_PIXELS = 2**24
PNG, JPEG = b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff"
# Of the signature and the first chunk of a PNG file, which holds width, height and bits.
PNG_BEGIN = 33
WHITE = (255, 255, 255)
# ITU-R 601-2, as Pillow turns colours into greys.
GREY = (0.299, 0.587, 0.114)


def images_of_files(contents: tf.Tensor, shape: Sequence[int], background=WHITE) -> tf.Tensor:
    """Decodes files into images of one shape.

    Each is composited on the background, turned into greys if the shape has one channel, cropped
    around its centre to the shape's proportions, and resized. 16-bit PNG are scaled by their type.

    Args:
        contents: string tensor [n], PNG or JPEG files.
        shape: sequence of int, height, width, channels.
        background: three int in [0, 255], shown where an image is transparent. Defaults to white.

    Returns:
        float32 tensor [n, *shape] in [0, 1], of 256 steps as files have them.

    Raises:
        tf.errors.InvalidArgumentError: when run, if a file is neither PNG nor JPEG, is damaged, or
            has more than `MOST_PIXELS` pixels.

    Examples:
        >>> file = tf.io.encode_png(tf.fill([4, 6, 1], tf.constant(255, tf.uint8)))
        >>> images_of_files(file[tf.newaxis], (2, 2, 3))[0, 0].numpy().tolist()
        [[1.0, 1.0, 1.0], [1.0, 1.0, 1.0]]
    """
    return tf.map_fn(
        lambda content: _image(content, shape, background),
        contents,
        # One after another: decoded files take more room than what is made of them.
        parallel_iterations=1,
        fn_output_signature=tf.TensorSpec(shape, tf.float32),
    )


def _image(content, shape, background):
    height, width, channels = shape
    pixels = _decoded(content)
    colour, opacity = pixels[..., :3], pixels[..., 3:]
    colour = tf.round(colour * opacity + tf.constant(background, tf.float32) * (1.0 - opacity))
    if channels == 1:
        colour = tf.round(tf.tensordot(colour, tf.constant(GREY), 1)[..., tf.newaxis])
    return tf.ensure_shape(_fitted(colour, height, width), shape) / 255.0


def _decoded(content):
    """A file as float32 [height, width, 4]: whole numbers in [0, 255], and opacity in [0, 1]."""
    is_png = tf.strings.substr(content, 0, len(PNG)) == PNG
    is_png &= tf.strings.length(content) >= PNG_BEGIN
    is_jpeg = tf.strings.substr(content, 0, len(JPEG)) == JPEG
    known = tf.debugging.Assert(is_png | is_jpeg, ["a file is neither PNG nor JPEG"])
    with tf.control_dependencies([known]):
        return tf.cond(is_png, lambda: _of_png(content), lambda: _of_jpeg(content))


def _of_png(content):
    sides = tf.io.decode_raw(tf.strings.substr(content, 16, 8), tf.int32, little_endian=False)
    (bits,) = tf.unstack(tf.io.decode_raw(tf.strings.substr(content, 24, 1), tf.uint8), 1)
    with tf.control_dependencies([_bounded(sides)]):
        pixels = tf.io.decode_png(content, channels=4, dtype=tf.uint16)
    pixels = tf.cast(pixels, tf.float32)
    # Where less than 8 bits have no opacity of their own, TensorFlow fills in not 65535, but what
    # the bits could hold.
    filled = 257.0 * (2.0 ** tf.cast(bits, tf.float32) - 1.0)
    missing = (bits < 8) & (tf.reduce_max(pixels[..., 3]) <= filled)
    most = tf.where(missing, filled, 65535.0)
    opacity = tf.math.divide_no_nan(pixels[..., 3:], most)
    return tf.concat([tf.round(pixels[..., :3] / 257.0), opacity], axis=-1)


def _of_jpeg(content):
    with tf.control_dependencies([_bounded(tf.io.extract_jpeg_shape(content)[:2])]):
        pixels = tf.io.decode_jpeg(content, channels=3, dct_method="INTEGER_ACCURATE")
    pixels = tf.cast(pixels, tf.float32)
    return tf.concat([pixels, tf.ones_like(pixels[..., :1])], axis=-1)


def _bounded(sides):
    sides = tf.cast(sides, tf.float64)
    small = tf.reduce_all(sides > 0.0) & (tf.reduce_prod(sides) <= MOST_PIXELS)
    return tf.debugging.Assert(small, [f"a file has more than {MOST_PIXELS} pixels"])


def _fitted(image, height, width):
    """Crops around the centre and resizes, as Pillow's ImageOps.fit with BICUBIC."""
    size = tf.constant([height, width], tf.float32)
    sides = tf.cast(tf.shape(image)[:2], tf.float32)
    scale = tf.reduce_max(size / sides)
    offset = (size - sides * scale) / 2.0
    # Across first, then down, with whole numbers between, as Pillow does.
    across = _resized(image, [tf.shape(image)[0], width], [1.0, scale], [0.0, offset[1]])
    return _resized(across, [height, width], [scale, 1.0], [offset[0], 0.0])


def _resized(image, size, scale, offset):
    resized = tf.raw_ops.ScaleAndTranslate(
        images=image[tf.newaxis],
        size=size,
        scale=scale,
        translation=offset,
        kernel_type="keyscubic",
        antialias=True,
    )[0]
    return tf.round(tf.clip_by_value(resized, 0.0, 255.0))
