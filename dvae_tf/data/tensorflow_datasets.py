"""Image data sets from TensorFlow Datasets, by name."""

import os
import re
from collections.abc import Sequence

import numpy as np
import tensorflow as tf

from dvae_tf.data.examples import Info, Stored, Stream
from dvae_tf.data.image_files import BACKGROUND, height_and_width, opaque
from dvae_tf.data.labels import class_names_of
from dvae_tf.data.pipeline import OUT_OF_RANGE, damage_named
from dvae_tf.data.splits import SPLITS, TEST_SHARE, carves, holder, split_called

_VERSION = re.compile(r"\d+\.(\d+|\*)\.(\d+|\*)")
# How many images are looked at before the first step, where their type does not tell their range.
_LOOKED_AT = 16


def is_version(text: str) -> bool:
    """Whether what follows the colon in a name is a version, as in "mnist:3.0.1".

    Args:
        text: str.

    Returns:
        bool.

    Examples:
        >>> is_version("3.*.*"), is_version("my/folder")
        (True, False)
    """
    return bool(_VERSION.fullmatch(text))


def tensorflow_dataset(
    name: str, whole: str, size=None, background: str = BACKGROUND, others: Sequence[str] = ()
):
    """Reads a data set with the features `image` and `label`.

    It is read from $TFDS_DATA_DIR, by default ~/tensorflow_datasets, and downloaded if it is not
    there yet. Where it has no test split, the last fifth of train becomes one.

    Args:
        name: str, a name that `tfds.load` knows, such as "mnist", "cifar10", "mnist:3.0.1" or
            "emnist/letters".
        whole: str, "train", "validation" or "test".
        size: int, side in pixels that images are resized to after their centre was cropped to that
            shape, or (height, width). Defaults to the size of the data set's images, if all have
            the same.
        background: str, the colour behind transparent parts. Defaults to "white".
        others: sequence of str, other names of data, for error messages. Defaults to none.

    Returns:
        (Stored, Info), images uint8.

    Raises:
        ValueError: if TFDS does not know the name, if the data set has no image and class label,
            lacks the split or cannot be downloaded, if its images have no common size and `size`
            is not given, or if values are outside the range of their type.
    """
    import tensorflow_datasets as tfds

    builder = _builder(tfds, name, others)
    features = builder.info.features
    _check_features(tfds, name, features)
    *own_size, channels = features["image"].shape
    height, width = height_and_width(size) or own_size
    if height is None or width is None:
        raise ValueError(
            f"{name}: images have the shape {features['image'].shape}; give `size`, the side, or "
            "height and width, in pixels that they are cropped and resized to."
        )
    _prepare(builder, name)
    given = {called: key for key in builder.info.splits if (called := split_called(key))}
    base = given.get(holder(name, whole, given) or "")
    if base is None:
        raise ValueError(
            f"{name}: there is no split 'train'; found {', '.join(builder.info.splits) or 'none'}."
        )
    first, last = 0, builder.info.splits[base].num_examples
    if carves(whole, given):
        cut = round((1 - TEST_SHARE) * last)
        first, last = (cut, last) if whole == "test" else (0, cut)
    convert = _converter(features["image"].dtype, channels, (height, width), own_size, background)

    def read(start, stop):
        part = f"{base}[{first + start}:{first + stop}]"
        dataset = builder.as_dataset(split=part, shuffle_files=False)
        images = dataset.map(
            lambda example: (convert(example["image"]), tf.cast(example["label"], tf.int32)),
            tf.data.AUTOTUNE,
            deterministic=True,
        )
        if features["image"].dtype == np.float32:
            _look_at(images)
        return Stream(images, stop - start)

    class_names = class_names_of(name, features["label"].names)
    shape = (height, width, 1 if channels == 1 else 3)
    splits = tuple(split for split in SPLITS if split in given or split != "validation")
    info = Info(name, whole, shape, class_names, last - first, splits=splits)
    return Stored(read, last - first), info


def _builder(tfds, name, others):
    try:
        return tfds.builder(name)
    except (tfds.core.DatasetNotFoundError, ValueError, AssertionError) as error:
        first = next(iter(str(error).splitlines()), type(error).__name__)
        raise ValueError(
            f"No data set is called {name!r}. Give {''.join(f'{other}, ' for other in others)}or a "
            "name of TensorFlow Datasets, such as mnist, fashion_mnist, svhn_cropped or cifar10. "
            f"({first[:200]})"
        ) from error


def _check_features(tfds, name, features):
    if features is None or not {"image", "label"} <= set(features):
        found = ", ".join(features or ()) or "none"
        raise ValueError(f"{name}: the data set has the features {found}; needs image and label.")
    image, label = features["image"], features["label"]
    if not isinstance(label, tfds.features.ClassLabel):
        raise ValueError(
            f"{name}: its label is {label!r}, which is no class; needs a ClassLabel. Write the "
            "images with classes of your choice to a .npz file, and give npz:PATH."
        )
    dtype = tf.as_dtype(image.dtype)
    if len(image.shape or ()) != 3 or dtype not in (tf.uint8, tf.uint16, tf.float32):
        raise ValueError(
            f"{name}: its image has shape {image.shape} and type {dtype.name}; needs [height, "
            "width, channels] in uint8, uint16 or float32."
        )


def _prepare(builder, name):
    try:
        builder.download_and_prepare()
    except Exception as error:  # TFDS's downloaders raise many kinds of errors.
        folder = os.environ.get("TFDS_DATA_DIR", "~/tensorflow_datasets")
        raise ValueError(
            f"{name}: the data set is not in {folder} and could not be downloaded "
            f"({type(error).__name__}: {str(error)[:200]}). Connect to the internet, or point "
            "TFDS_DATA_DIR to a folder that holds it."
        ) from error


def _converter(dtype, channels, size, own_size, background):
    """A function of an image as TFDS gives it that returns uint8 [*size, 1 or 3]."""
    behind = tf.constant(np.array(opaque(background)[:3]) / 255.0, tf.float32)

    def convert(image):
        if dtype == np.uint8 and list(size) == list(own_size) and channels in (1, 3):
            return image
        # By their type: integers up to their largest value, floats up to 1.
        image = tf.image.convert_image_dtype(image, tf.float32)
        image = _in_range(image)
        if channels == 4:
            image = image[..., :3] * image[..., 3:] + behind * (1.0 - image[..., 3:])
        if list(size) != list(own_size):
            image = _fitted(image, size)
        return tf.cast(tf.round(255.0 * tf.clip_by_value(image, 0.0, 1.0)), tf.uint8)

    return convert


def _in_range(image):
    lowest, highest = tf.reduce_min(image), tf.reduce_max(image)
    # Written so that NaN is refused as well.
    inside = (lowest >= 0.0) & (highest <= 1.0)
    found = [OUT_OF_RANGE, lowest, highest]
    with tf.control_dependencies([tf.debugging.Assert(inside, found)]):
        return tf.identity(image)


def _fitted(image, size):
    """The central part that has the proportions of the size, resized."""
    shape, size = tf.shape(image)[:2], tf.constant(size)
    scale = tf.reduce_min(tf.cast(shape, tf.float32) / tf.cast(size, tf.float32))
    cropped = tf.minimum(tf.cast(tf.round(scale * tf.cast(size, tf.float32)), tf.int32), shape)
    cropped = tf.maximum(cropped, 1)
    image = tf.image.resize_with_crop_or_pad(image, cropped[0], cropped[1])
    return tf.image.resize(image, size, antialias=True)


def _look_at(images):
    """Refuses images out of range before a training begins."""
    with damage_named():
        for _ in images.take(_LOOKED_AT):
            pass
