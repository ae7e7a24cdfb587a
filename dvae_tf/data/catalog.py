"""Data sets by name."""

import dataclasses
import functools
from collections.abc import Callable, Sequence

import numpy as np

from dvae_tf.data.columns import Columns
from dvae_tf.data.digits import digits
from dvae_tf.data.examples import (
    Arrays,
    Info,
    Stored,
    Stream,
    check_arrays,
    check_seed,
    whole_number,
)
from dvae_tf.data.folder import folder
from dvae_tf.data.image_files import BACKGROUND, check_background, height_and_width
from dvae_tf.data.labels import class_names_of, matched, numbered
from dvae_tf.data.npz import npz
from dvae_tf.data.pipeline import as_wide, batches, in_memory, without_labels
from dvae_tf.data.shapes import shapes
from dvae_tf.data.splits import holder, parse_split
from dvae_tf.data.table import SUFFIXES, of_frame, table
from dvae_tf.data.tensorflow_datasets import is_version, tensorflow_dataset
from dvae_tf.data.three_moons import three_moons
from dvae_tf.extras import pandas_of_extra


@dataclasses.dataclass(frozen=True)
class Source:
    """Where examples come from.

    Args:
        read: function of a split's name that returns (Arrays or Stored, Info).
        options: tuple of str, which of the arguments `size`, `count`, `seed`, `class_names`,
            `background`, `label`, `drop`, `targets` and `columns` of `load` it takes. Defaults
            to none.
        at_path: bool, whether the name is followed by a path, which it takes first. Defaults
            to False.
        own_splits: bool, whether it may have other splits than "train" and "test", and tells.
            Defaults to False.
    """

    read: Callable
    options: tuple[str, ...] = ()
    at_path: bool = False
    own_splits: bool = False


SOURCES = {
    "three_moons": Source(three_moons, ("count", "seed")),
    "shapes": Source(shapes, ("count", "seed")),
    "digits": Source(digits),
    "folder": Source(folder, ("size", "class_names", "background"), True, True),
    "npz": Source(npz, ("class_names",), True, True),
    "table": Source(table, ("label", "drop", "targets", "columns", "class_names"), True, True),
}
_NAMES = [f"{name}:PATH" if source.at_path else name for name, source in SOURCES.items()]
OF_TABLES = ("label", "drop", "targets", "columns")
# Any other name.
TENSORFLOW_DATASETS = Source(
    functools.partial(tensorflow_dataset, others=_NAMES), ("size", "background"), own_splits=True
)


def load(
    name: str,
    split: str = "train",
    batch_size: int = 96,
    shuffle: bool | None = None,
    seed: int = 0,
    size: int | tuple[int, int] | str | None = None,
    count: int | None = None,
    factors: bool = False,
    labelled: float = 1.0,
    class_names: Sequence[str] | None = None,
    background: str = BACKGROUND,
    pairs: bool = False,
    label: str | None = None,
    drop: Sequence[str] = (),
    targets: Sequence[str] = (),
    columns: Columns | None = None,
):
    """Loads a data set as batches that go straight into `model.fit`.

    Args:
        name: str, one of
            "three_moons", "shapes": generated; the factors behind each example are known;
            "digits": scikit-learn's handwritten digits, bundled;
            "mnist", "fashion_mnist", "svhn_cropped", "cifar10" and any other name of TensorFlow
            Datasets with an image and a label, such as "mnist:3.0.1" or "emnist/letters";
            "folder:PATH": a folder of images for each class, perhaps below train, validation and
            test;
            "npz:PATH": a NumPy file with the arrays `x` and `label`, perhaps with `split`, or
            `x_train`, `label_train` and so on;
            "table:PATH": a .csv, .csv.gz or .parquet file, whose column `label` holds the classes,
            perhaps with a column `split`.
        split: str, "train" or "test", or a slice: "train[:90%]", "test[100:200]"; "validation"
            where the data comes with that split. Defaults to "train". Of folders and .npz files, a
            slice in percent is cut by the content of the examples, as the random test split is: it
            has about that share, and no example moves when others are added.
        batch_size: int, examples per batch. Defaults to 96, as published.
        shuffle: bool, whether each pass has a new random order. Defaults to True for (slices of)
            the train split, False for the test split.
        seed: int, for that order and for generated data. Defaults to 0. Same seed, same batches.
        size: int, side in pixels that images of "folder:" and of TensorFlow Datasets are resized
            to, or (height, width) or "HEIGHTxWIDTH". Defaults to the data's own (64 for folders).
        count: int, number of generated examples. Defaults to 6,000 and 1,500 (three moons),
            40,000 and 10,000 (shapes) for train and test.
        factors: bool, whether the ground-truth factors follow x and label. Defaults to False.
        labelled: float in (0, 1], the share of examples, drawn with the seed, that keep their
            label; the others get -1. Defaults to 1.
        class_names: sequence of str, a model's (`model.class_names`), for data to ask it about: the
            classes of the data get the numbers that they have in the model, by name, and there may
            be fewer. Defaults to the data's own.
        background: str, the colour behind transparent parts of images, by name or as "#rrggbb".
            Defaults to "white".
        pairs: bool, whether examples come in pairs of one class, so that a batch has two of each
            class even where classes are many: for a recipe with `exemplars`. Defaults to False.
        label: str, the column of a table that holds the classes.
        drop: sequence of str, columns of a table that are not used. Defaults to none.
        targets: sequence of str, columns of a table that are no part of x: they become its factors,
            for probes to predict. Defaults to none.
        columns: Columns, a model's (`model.columns`), for a table to ask it about. Defaults to what
            the training rows hold.

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
    whole_number("batch_size", batch_size, 1)
    examples, info = _examples(
        name,
        split,
        seed=seed,
        size=size,
        count=count,
        class_names=class_names,
        background=background,
        label=label,
        drop=drop,
        targets=targets,
        columns=columns,
    )
    if factors and not info.factor_names:
        raise ValueError(f"{name}: the factors are not known; give factors=False.")
    if not 0.0 < labelled <= 1.0:
        raise ValueError(f"labelled is {labelled}; give a share above 0, at most 1.")
    if labelled < 1.0:
        examples = without_labels(examples, labelled, seed)
    if shuffle is None:
        shuffle = split.startswith("train")
    return batches(examples, batch_size, shuffle, seed, factors, pairs, info.columns), info


def load_arrays(
    name: str,
    split: str = "test",
    seed: int = 0,
    size: int | tuple[int, int] | str | None = None,
    count: int | None = None,
    class_names: Sequence[str] | None = None,
    background: str = BACKGROUND,
    most: int | None = None,
    label: str | None = None,
    drop: Sequence[str] = (),
    targets: Sequence[str] = (),
    columns: Columns | None = None,
) -> tuple[Arrays, Info]:
    """Loads a whole split into memory, in its fixed, random order.

    Args:
        name, split, seed, size, count, class_names, background: as in `load`; `split` defaults to
            "test".
        most: int, at most so many examples, the first. Defaults to all.
        label, drop, targets, columns: as in `load`.

    Returns:
        (Arrays, Info): x, images uint8 [n, height, width, channels] in [0, 255], a quarter of the
        memory of floats, else float32 [n, *shape]; label int32 [n]; factors float32 [n, factors] or
        None. All of the package takes such images; `dvae_tf.data.pixels.to_float` makes floats in
        [-1, 1] of them.

    Raises:
        ValueError: as `load`.

    Examples:
        >>> examples, info = load_arrays("three_moons", "test", count=6)
        >>> examples.label.tolist()
        [0, 1, 2, 0, 1, 2]
    """
    examples, info = _examples(
        name,
        split,
        most,
        seed=seed,
        size=size,
        count=count,
        class_names=class_names,
        background=background,
        label=label,
        drop=drop,
        targets=targets,
        columns=columns,
    )
    if isinstance(examples, Stream):
        return in_memory(examples), info
    return as_wide(examples, info.columns), info


def from_arrays(
    x: np.ndarray,
    label: np.ndarray,
    batch_size: int = 96,
    shuffle: bool = True,
    seed: int = 0,
    class_names: Sequence[str] | None = None,
):
    """Makes a data set from arrays.

    For splits of your own, call it for each, with the class names of the first:

        train, info = from_arrays(x_train, y_train)
        test, _ = from_arrays(x_test, y_test, shuffle=False, class_names=info.class_names)

    Args:
        x: array [n, *shape], uint8 images in [0, 255] (grey ones with or without a channel axis),
            or floats (images in [-1, 1]).
        label: int array [n] or [n, 1]; -1 for no label.
        batch_size: int. Defaults to 96.
        shuffle: bool, whether each pass has a new random order. Defaults to True.
        seed: int. Defaults to 0.
        class_names: sequence of str, the names of all classes. Labels are these names, where all
            of them are (such as "7"), else indices of them. Defaults to the labels' values in
            ascending order, whatever they are.

    Returns:
        (tf.data.Dataset, Info), as `load`.

    Raises:
        ValueError: if the arrays do not fit (see `check_arrays`).

    Examples:
        >>> dataset, info = from_arrays([[0.0], [1.0]], [0, 1])
        >>> info.shape
        (1,)
    """
    check_seed(seed)
    whole_number("batch_size", batch_size, 1)
    x, label = check_arrays("arrays", x, label)
    names = None if class_names is None else class_names_of("arrays", class_names)
    label, names = numbered("arrays", label, names)
    info = Info("arrays", "train", tuple(x.shape[1:]), names, len(x))
    return batches(Arrays(x, label), batch_size, shuffle, seed), info


def from_table(
    frame,
    label: str,
    drop: Sequence[str] = (),
    targets: Sequence[str] = (),
    batch_size: int = 96,
    shuffle: bool = True,
    seed: int = 0,
    class_names: Sequence[str] | None = None,
    columns: Columns | None = None,
):
    """Makes a data set from a pandas.DataFrame.

    For splits of your own, call it for each, with classes and columns of the first:

        train, info = from_table(train_frame, "sex")
        test, _ = from_table(
            test_frame, "sex", shuffle=False, class_names=info.class_names, columns=info.columns
        )

    Args:
        frame: pandas.DataFrame of numbers, text, truth values and missing values.
        label: str, the column of the classes; a missing value means no label.
        drop: sequence of str, columns that are not used. Defaults to none.
        targets: sequence of str, columns that are no part of x. Defaults to none.
        batch_size: int. Defaults to 96.
        shuffle: bool, whether each pass has a new random order. Defaults to True.
        seed: int. Defaults to 0.
        class_names: sequence of str, the names of all classes. Defaults to the label's values in
            ascending order.
        columns: Columns. Defaults to what the rows hold.

    Returns:
        (tf.data.Dataset, Info), as `load`; give `info.columns` to the model.

    Raises:
        ValueError: if a column is missing or holds what cannot be learnt from, or there are fewer
            than two classes.

    Examples:
        >>> import pandas as pd
        >>> frame = pd.DataFrame({"age": [30, 50], "job": ["baker", "smith"], "sex": ["f", "m"]})
        >>> dataset, info = from_table(frame, "sex")
        >>> info.shape, info.class_names
        ((2,), ('f', 'm'))
    """
    check_seed(seed)
    whole_number("batch_size", batch_size, 1)
    if not isinstance(frame, pandas_of_extra().DataFrame):
        raise ValueError(f"frame is a {type(frame).__name__}; give a pandas.DataFrame.")
    options = (label, drop, targets, columns, class_names)
    examples, info = of_frame("table", frame, None, None, *options)
    return batches(examples, batch_size, shuffle, seed, columns=info.columns), info


def expect_split(name: str, split: str, **options) -> None:
    """Checks that a split can be loaded, without reading its images.

    Args:
        name, split: as in `load`.
        **options: seed, size, class_names, background and those of tables, as in `load`.

    Raises:
        ValueError: if it cannot be loaded.
    """
    if _source(name)[0].own_splits:  # What is generated has all splits, but takes its time.
        _examples(name, split, **options)


def _examples(name, split, most=None, **options):
    """What a split holds: (Arrays or Stream, Info)."""
    whole, start, stop = parse_split(split)
    check_seed(options["seed"])
    check_background(options["background"])
    if options["class_names"] is not None:
        options["class_names"] = class_names_of("class_names", options["class_names"])
    source, arguments = _source(name)
    if not source.own_splits:
        holder(name, whole, ("train", "test"))
    if options.get("count") is not None and "count" not in source.options:
        raise ValueError(
            f"{name}: count is {options['count']}, but this data is not generated; leave it out, "
            "and take a slice such as 'train[:500]'."
        )
    for option in OF_TABLES:
        if options.get(option) and option not in source.options:
            raise ValueError(
                f"{name}: {option} is {options[option]!r}, but this data is no table; leave it out."
            )
    taken = {option: options[option] for option in source.options if option in options}
    examples, info = source.read(*arguments, whole, **taken)
    examples, info = _part(examples, info, split, start, stop, most)
    if options["class_names"] is not None:
        examples, info = matched(examples, info, options["class_names"])
    size = height_and_width(options["size"])
    if size is not None and info.shape[:2] != size:
        raise ValueError(
            f"{name}: examples have the shape {info.shape}, not the height and width {size} that "
            "were asked for, and this data is not resized; give other data, or leave out the size."
        )
    return examples, info


def _source(name):
    """Where the data of a name comes from: (Source, what it takes before the split)."""
    if not isinstance(name, str):
        raise ValueError(f"{name!r} names no data; give text, such as 'folder:PATH' or 'digits'.")
    kind, colon, path = name.partition(":")
    source = SOURCES.get(kind)
    if source is None and not colon and name.lower().endswith(SUFFIXES):
        raise ValueError(f"{name!r} is the path of a table; give table:{name}.")
    if source is None and (not colon or is_version(path)):
        return TENSORFLOW_DATASETS, [name]
    if source is None or bool(path) != source.at_path:
        with_path = " or ".join(f"{kind}:PATH" for kind in SOURCES if SOURCES[kind].at_path)
        raise ValueError(f"{name!r} names no data; give {with_path}.")
    return source, [path] if path else []


def _part(examples, info, split, start, stop, most):
    first, last = (at(info.count, info.places) for at in (start, stop))
    if first >= last:
        raise ValueError(
            f"{info.name}: the split {split!r} is empty, of {info.count} examples in all of that "
            "split; take a larger part, or add examples so that some fall into it."
        )
    last = last if most is None else min(last, first + most)
    info = dataclasses.replace(info, split=split, count=last - first, places=None)
    if isinstance(examples, Stored):
        return examples.read(first, last), info
    return Arrays(*(None if column is None else column[first:last] for column in examples)), info
