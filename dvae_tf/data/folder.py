"""A folder of images for each class."""

import itertools
import pathlib
import warnings

import numpy as np
import tensorflow as tf

from dvae_tf.data.examples import Info, Stream
from dvae_tf.data.pixels import open_image
from dvae_tf.data.splits import SPLITS, split_by_class

SUFFIXES = (".png", ".jpg", ".jpeg", ".bmp", ".gif", ".webp")
DEFAULT_SIZE = 64


def folder(path: str, name: str, size: int | None = None):
    """Streams the images of a folder that holds one folder for each class.

    The classes are the folders' names in alphabetical order. If the folder holds `train` and
    `test`, each with the classes inside, these are the splits; otherwise a fifth of each class is
    the test split. Images are cropped to the central square, resized and read as RGB. Unreadable
    files, and links that lead out of the folder, are skipped with a warning that names them.

    Args:
        path: str, the folder.
        name: str, "train" or "test".
        size: int, side of the images in pixels. Defaults to 64.

    Returns:
        (Stream, Info), images uint8 [size, size, 3].

    Raises:
        ValueError: if the folder is missing, holds no images or fewer than 2 classes.
    """
    size = size or DEFAULT_SIZE
    source = f"folder:{path}"
    root = pathlib.Path(path)
    if not root.is_dir():
        raise ValueError(f"{source}: there is no such folder; give one that holds class folders.")
    has_splits = all((root / split).is_dir() for split in SPLITS)
    base = root / name if has_splits else root
    class_names, files, label = _list_images(source, base)
    # In random order, so that a slice of a split contains all classes.
    whole, _ = split_by_class(label, test_share=0.0)
    train, test = split_by_class(label)
    chosen = whole if has_splits else train if name == "train" else test
    files, label = [files[i] for i in chosen], label[chosen]
    info = Info(source, name, (size, size, 3), class_names, len(files))
    return Stream(_read_images(files, label, size), len(files)), info


def _list_images(source, base):
    class_names, files, label = [], [], []
    inside = base.resolve()
    for directory in sorted(entry for entry in base.iterdir() if entry.is_dir()):
        found = sorted(file for file in directory.rglob("*") if file.suffix.lower() in SUFFIXES)
        leads_out = [not file.resolve().is_relative_to(inside) for file in found]
        outside = list(itertools.compress(found, leads_out))
        images = [file for file, out in zip(found, leads_out, strict=True) if not out]
        if outside:
            warnings.warn(
                f"Skipped {len(outside)} links out of {base}, the first {outside[0]}: copy these "
                "images into the folder.",
                stacklevel=2,
            )
        if images:
            files += images
            label += [len(class_names)] * len(images)
            class_names.append(directory.name)
    if len(class_names) < 2:
        found = f"images of one class, {class_names[0]}" if class_names else "no images"
        raise ValueError(
            f"{source}: found {found} in {base}; expected at least 2 folders, one for each class, "
            f"with {', '.join(SUFFIXES)} files inside."
        )
    return tuple(class_names), files, np.array(label, np.int32)


def _read_images(files, label, size):
    """Returns a tf.data.Dataset of (uint8 image, int32 label) without the unreadable files."""
    warned = set()

    def read(path):
        path = path.decode()
        try:
            return open_image(path, size), True
        except (OSError, SyntaxError, ValueError) as error:
            if path not in warned:
                warned.add(path)
                warnings.warn(
                    f"Skipped {path}, which cannot be read as an image: {error}", stacklevel=2
                )
            return np.zeros((size, size, 3), np.uint8), False

    def load(path, label):
        image, readable = tf.numpy_function(read, [path], (tf.uint8, tf.bool))
        return tf.ensure_shape(image, (size, size, 3)), label, tf.ensure_shape(readable, ())

    paths = tf.constant([str(file) for file in files])
    return (
        tf.data.Dataset.from_tensor_slices((paths, label))
        .map(load, tf.data.AUTOTUNE, deterministic=True)
        .filter(lambda image, label, readable: readable)
        .map(lambda image, label, readable: (image, label))
    )
