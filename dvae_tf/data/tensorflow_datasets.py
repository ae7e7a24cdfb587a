"""Image data sets from TensorFlow Datasets, by name."""

import os

import tensorflow as tf

from dvae_tf.data.examples import Info, Stream
from dvae_tf.data.splits import parse_split

# Decoded images up to this size are kept in memory after the first pass.
CACHE_BYTES = 2**31


def tensorflow_dataset(name: str, split: str, size: int | None = None):
    """Streams a data set with the features `image` and `label`.

    It is read from $TFDS_DATA_DIR, by default ~/tensorflow_datasets, and downloaded if it is not
    there yet.

    Args:
        name: str, a name that `tfds.load` knows, such as "mnist", "fashion_mnist", "svhn_cropped"
            or "cifar10".
        split: str, "train" or "test", or a slice of them.
        size: int, side in pixels to which the central square is resized. Defaults to the side of
            the data set's images, which must then be square and all of one size.

    Returns:
        (Stream, Info), images uint8.

    Raises:
        ValueError: if TFDS does not know the name, if the data set has no image and label, lacks
            the split or cannot be downloaded, or if its images have no common square shape and
            `size` is not given.
    """
    import tensorflow_datasets as tfds

    parse_split(split)
    builder = _builder(tfds, name)
    features = builder.info.features
    if features is None or not {"image", "label"} <= set(features):
        found = ", ".join(features or ()) or "none"
        raise ValueError(f"{name}: the data set has the features {found}; needs image and label.")
    height, width, channels = features["image"].shape
    if size is None and (height is None or height != width):
        raise ValueError(
            f"{name}: images have the shape {features['image'].shape}; give `size`, the side in "
            "pixels that they are cropped and resized to."
        )
    side = size or height
    _prepare(builder, name)
    if split.partition("[")[0] not in builder.info.splits:
        raise ValueError(
            f"{name}: there is no split {split!r}; found {', '.join(builder.info.splits)}."
        )
    count = builder.info.splits[split].num_examples
    dataset = _read(builder, split, None if side == height == width else side)
    if count * side * side * channels <= CACHE_BYTES:
        dataset = dataset.cache()
    class_names = tuple(features["label"].names)
    info = Info(name, split, (side, side, channels), class_names, count)
    return Stream(dataset, count), info


def _builder(tfds, name):
    try:
        return tfds.builder(name)
    except (tfds.core.DatasetNotFoundError, ValueError) as error:
        raise ValueError(
            f"No data set is called {name!r}. Give three_moons, shapes, digits, folder:PATH, "
            "npz:PATH or a name of TensorFlow Datasets, such as mnist, fashion_mnist, "
            "svhn_cropped or cifar10."
        ) from error


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


def _read(builder, split, side):
    def crop(image, label):
        if side is None:
            return image, label
        shape = tf.shape(image)
        smaller = tf.minimum(shape[0], shape[1])
        square = tf.image.resize_with_crop_or_pad(image, smaller, smaller)
        resized = tf.image.resize(square, (side, side), antialias=True)
        return tf.cast(tf.round(tf.clip_by_value(resized, 0.0, 255.0)), tf.uint8), label

    dataset = builder.as_dataset(split=split, shuffle_files=False)
    return dataset.map(
        lambda example: crop(example["image"], tf.cast(example["label"], tf.int32)),
        tf.data.AUTOTUNE,
        deterministic=True,
    )
