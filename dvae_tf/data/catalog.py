"""Data sets by name."""

import dataclasses
from collections.abc import Callable

import numpy as np

from dvae_tf.data.digits import digits
from dvae_tf.data.examples import Arrays, Info, Stream, check_arrays
from dvae_tf.data.folder import folder
from dvae_tf.data.npz import npz
from dvae_tf.data.pipeline import batches, damage_named, without_labels
from dvae_tf.data.shapes import shapes
from dvae_tf.data.splits import parse_split
from dvae_tf.data.tensorflow_datasets import tensorflow_dataset
from dvae_tf.data.three_moons import three_moons


@dataclasses.dataclass(frozen=True)
class Source:
    """Where examples come from.

    Args:
        read: function of "train" or "test" that returns (Arrays or Stream, Info).
        options: tuple of str, which of the arguments `size`, `count` and `seed` of `load` it takes.
            Defaults to none.
        at_path: bool, whether the name is followed by a path, which it takes first. Defaults to
            False.
    """

    read: Callable
    options: tuple[str, ...] = ()
    at_path: bool = False


SOURCES = {
    "three_moons": Source(three_moons, ("count", "seed")),
    "shapes": Source(shapes, ("count", "seed")),
    "digits": Source(digits),
    "folder": Source(folder, ("size",), at_path=True),
    "npz": Source(npz, at_path=True),
}


def load(
    name: str,
    split: str = "train",
    batch_size: int = 96,
    shuffle: bool | None = None,
    seed: int = 0,
    size: int | None = None,
    count: int | None = None,
    factors: bool = False,
    labelled: float = 1.0,
):
    """Loads a data set as batches that go straight into `model.fit`.

    Args:
        name: str, one of
            "three_moons", "shapes": generated; the factors behind each example are known;
            "digits": scikit-learn's handwritten digits, bundled;
            "mnist", "fashion_mnist", "svhn_cropped", "cifar10" and any other name of TensorFlow
            Datasets with an image and a label;
            "folder:PATH": a folder of images for each class;
            "npz:PATH": a NumPy file with the arrays `x` and `label`.
        split: str, "train" or "test", or a slice: "train[:90%]", "test[100:200]". Defaults to
            "train".
        batch_size: int, examples per batch. Defaults to 96, as published.
        shuffle: bool, whether each pass has a new random order. Defaults to True for (slices of)
            the train split, False for the test split.
        seed: int, for that order and for generated data. Defaults to 0. Same seed, same batches.
        size: int, side in pixels that images of "folder:" and of TensorFlow Datasets are resized
            to. Defaults to the data's own (64 for folders).
        count: int, number of generated examples. Defaults to 6,000 and 1,500 (three moons),
            40,000 and 10,000 (shapes) for train and test.
        factors: bool, whether the ground-truth factors follow x and label. Defaults to False.
        labelled: float in (0, 1], the share of examples, drawn with the seed, that keep their
            label; the others get -1. Defaults to 1.

    Returns:
        (tf.data.Dataset, Info): batches of x float32 [batch, *shape], images in [-1, 1], and label
        int32 [batch]; with `factors`, also factors float32 [batch, factors].

    Raises:
        ValueError: if the name, the split or the data is invalid; the message says what was found,
            what was expected and how to fix it.

    Examples:
        >>> train, info = load("digits", "train")
        >>> info.shape, info.num_classes
        ((16, 16, 1), 10)
        >>> x, label = next(iter(train))
        >>> x.shape, label.dtype
        (TensorShape([96, 16, 16, 1]), tf.int32)
    """
    if batch_size < 1:
        raise ValueError(f"batch_size is {batch_size}; give at least 1.")
    examples, info = _examples(name, split, seed=seed, size=size, count=count)
    if factors and not info.factor_names:
        raise ValueError(f"{name}: the factors are not known; give factors=False.")
    if not 0.0 < labelled <= 1.0:
        raise ValueError(f"labelled is {labelled}; give a share above 0, at most 1.")
    if labelled < 1.0:
        examples = without_labels(examples, labelled, seed)
    if shuffle is None:
        shuffle = split.startswith("train")
    return batches(examples, batch_size, shuffle, seed, factors), info


def load_arrays(name, split="test", seed=0, size=None, count=None) -> tuple[Arrays, Info]:
    """Loads a whole split into memory, in its fixed order.

    Args:
        name, split, seed, size, count: as in `load`; `split` defaults to "test".

    Returns:
        (Arrays, Info): x float32 [n, *shape], images in [-1, 1]; label int32 [n]; factors float32
        [n, factors] or None.

    Raises:
        ValueError: as `load`.

    Examples:
        >>> examples, info = load_arrays("three_moons", "test", count=6)
        >>> examples.label.tolist()
        [0, 1, 2, 0, 1, 2]
    """
    examples, info = _examples(name, split, seed=seed, size=size, count=count)
    with damage_named():
        columns = list(zip(*batches(examples, 500, False, seed).as_numpy_iterator(), strict=True))
    x, label = (np.concatenate(column) for column in columns)
    return Arrays(x, label, getattr(examples, "factors", None)), info


def from_arrays(
    x: np.ndarray,
    label: np.ndarray,
    batch_size: int = 96,
    shuffle: bool = True,
    seed: int = 0,
):
    """Makes a data set from arrays.

    Args:
        x: array [n, *shape], uint8 images in [0, 255], or floats (images in [-1, 1]).
        label: int array [n], each in [0, C), or -1 for no label.
        batch_size: int. Defaults to 96.
        shuffle: bool, whether each pass has a new random order. Defaults to True.
        seed: int. Defaults to 0.

    Returns:
        (tf.data.Dataset, Info), as `load`.

    Raises:
        ValueError: if the arrays do not fit (see `check_arrays`).

    Examples:
        >>> dataset, info = from_arrays([[0.0], [1.0]], [0, 1])
        >>> info.shape
        (1,)
    """
    x, label = check_arrays("arrays", x, label)
    class_names = tuple(str(value) for value in range(label.max() + 1))
    info = Info("arrays", "train", tuple(x.shape[1:]), class_names, len(x))
    return batches(Arrays(x, label), batch_size, shuffle, seed), info


def _examples(name, split, **options):
    whole, start, stop = parse_split(split)
    kind, _, path = name.partition(":")
    source = SOURCES.get(kind)
    if source is None and ":" not in name:
        return tensorflow_dataset(name, split, options["size"])
    if source is None or bool(path) != source.at_path:
        with_path = " or ".join(f"{kind}:PATH" for kind in SOURCES if SOURCES[kind].at_path)
        raise ValueError(f"{name!r} names no data; give {with_path}.")
    taken = {option: options[option] for option in source.options}
    found = source.read(*([path] if path else []), whole, **taken)
    return _part(*found, split, start, stop)


def _part(examples, info, split, start, stop):
    first, last = start(info.count), stop(info.count)
    if first >= last:
        raise ValueError(
            f"{info.name}: split {split!r} is empty; the whole has {info.count} examples."
        )
    values = vars(info) | {"split": split, "count": last - first}
    if isinstance(examples, Stream):
        part = Stream(examples.dataset.skip(first).take(last - first), last - first)
    else:
        part = Arrays(*(None if column is None else column[first:last] for column in examples))
    return part, Info(**values)
