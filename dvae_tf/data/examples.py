"""What every data source returns: examples and a description of them."""

import collections
import dataclasses
import operator
import warnings

import numpy as np

from dvae_tf.data.columns import Column, Columns

# The label of an unlabelled example.
NO_LABEL = -1
# Labels are kept as int32.
LABELS = 2**31
# Float images lie in [-1, 1]; resizing and half precision overshoot by less than this.
ROUNDING = 1e-3
# The largest value of data that are no images: standardised columns with heavy tails stay below it.
LARGEST = 50.0
# Data of at least so many rows and columns may be meant as images.
LEAST_SIDE = 8
# The channels of colours with transparency; no image has so few rows.
WITH_ALPHA = 4
SCALE = "scale them to [-1, 1] (pixel / 127.5 - 1), or give uint8 images in [0, 255]."
STANDARDISE = (
    "standardise every column with the mean and deviation of the training data: "
    "(x - mean) / deviation."
)

Arrays = collections.namedtuple("Arrays", ["x", "label", "factors"], defaults=[None])
Arrays.__doc__ = """Examples in memory.

x: array [n, *shape], uint8 images in [0, 255] or float32; of tables packed rows [n, columns] (see
`dvae_tf.data.columns`) until they are batched or handed out. label: int32 array [n]. factors:
float32 array [n, factors] or None.
"""

Stream = collections.namedtuple("Stream", ["dataset", "count", "of_batch"], defaults=[None])
Stream.__doc__ = """Examples that are read when needed.

dataset: tf.data.Dataset of (uint8 image, int32 label, ...). count: int, how many there are at most.
of_batch: function of a batch of the dataset that returns (images, labels), without those that could
not be read; None where a batch is just that.
"""

Stored = collections.namedtuple("Stored", ["read", "count"])
Stored.__doc__ = """Examples that are somewhere else, in the order of their split.

read: function of the first index and the index after the last that returns a Stream. count: int.
"""


@dataclasses.dataclass(frozen=True)
class Info:
    """The description of a data set.

    Args:
        name: str, as given to `load`.
        split: str, as given to `load`.
        shape: tuple of int, the shape of one x.
        class_names: tuple of str, in the order of the labels.
        count: int, number of examples in the split (an upper bound where corrupt files may be
            skipped).
        factor_names: tuple of str, the known factors of variation; empty if none is known.
        factor_kinds: tuple of str, for each factor "continuous", "cyclic" (in radians) or
            "categorical". Defaults to all continuous.
        splits: tuple of str, the splits that can be loaded. Defaults to "train" and "test".
        places: float array [count], rising in [0, 1): of whole splits that are ordered by content,
            the place of each example, by which slices in percent are cut. Defaults to None.
        columns: Columns of a table. Defaults to None.
        label_column: Column, its column of the classes; its `values` turns labels back. Defaults to
            None.
    """

    name: str
    split: str
    shape: tuple
    class_names: tuple
    count: int
    factor_names: tuple = ()
    factor_kinds: tuple = ()
    splits: tuple = ("train", "test")
    places: np.ndarray | None = dataclasses.field(default=None, compare=False, repr=False)
    columns: Columns | None = None
    label_column: Column | None = None

    def __post_init__(self):
        if not self.factor_kinds:
            object.__setattr__(self, "factor_kinds", ("continuous",) * len(self.factor_names))

    @property
    def num_classes(self):
        """int, the number of classes C."""
        return len(self.class_names)

    @property
    def is_image(self):
        """bool, whether one x is an image (height, width, channels)."""
        return len(self.shape) == 3


def check_arrays(source: str, x: np.ndarray, label: np.ndarray, num_classes: int | None = None):
    """Checks a user's arrays against the contract of the package.

    Args:
        source: str, where they come from, for error messages.
        x: array [n, *shape], uint8 images (grey ones with or without a channel axis) or floats
            (images in [-1, 1]).
        label: int array [n] or [n, 1].
        num_classes: int, C. Defaults to any number.

    Returns:
        (x as uint8 or float32, label as int32 [n]), NumPy arrays.

    Raises:
        ValueError: if lengths, shapes, types or ranges do not fit; the message says what was found,
            what was expected and how to fix it.

    Examples:
        >>> x, label = check_arrays("mine", [[0.5], [1.5]], [0, 1])
        >>> x.dtype, label.dtype
        (dtype('float32'), dtype('int32'))
    """
    x, label = plain_array(source, "x", x), plain_array(source, "label", label)
    if x.ndim < 2 or label.shape not in ((len(x),), (len(x), 1)):
        raise ValueError(
            f"{source}: x has shape {x.shape} and label has shape {label.shape}; expected "
            "[n, ...] and [n], one label per example."
        )
    _expect_channels_last(source, x)
    x = check_x(source, x)
    return x, check_label(source, label, num_classes)


def whole_number(name: str, value: int, least: int, most: int | None = None) -> int:
    """Checks a whole number.

    Args:
        name: str, what errors call it.
        value: int.
        least: int.
        most: int. Defaults to no bound.

    Returns:
        int, the number.

    Raises:
        ValueError: if it is no whole number, or out of its bounds.

    Examples:
        >>> whole_number("steps", 3, 2)
        3
    """
    bounds = f"at least {least}" if most is None else f"{least} to {most}"
    try:
        number = operator.index(value)
    except TypeError:
        raise ValueError(f"{name} is {value!r}; give a whole number, {bounds}.") from None
    if isinstance(value, bool) or number < least or (most is not None and number > most):
        raise ValueError(f"{name} is {value!r}; give a whole number, {bounds}.")
    return number


def expect_unmasked(name: str, values) -> None:
    """Refuses masked arrays, whose mask NumPy and TensorFlow drop.

    Args:
        name: str, what errors call it.
        values: what a user gave.

    Raises:
        ValueError: if values are masked.
    """
    if np.ma.is_masked(values):
        raise ValueError(
            f"{name} is a masked array, whose mask would be lost; take the masked examples out, or "
            "give a masked label as -1."
        )


def plain_array(source: str, name: str, values) -> np.ndarray:
    """Reads an array, or what becomes one.

    Args:
        source: str, where it comes from, for error messages.
        name: str, what it is called there.
        values: array, tensor or nested sequence of numbers.

    Returns:
        NumPy array.

    Raises:
        ValueError: if it is masked, sparse or ragged, or holds other objects than numbers.

    Examples:
        >>> plain_array("mine", "x", [1, 2]).tolist()
        [1, 2]
    """
    expect_unmasked(f"{source}: {name}", values)
    array = np.asarray(values)
    if array.dtype == object:
        kind = type(array.flat[0] if array.ndim and array.size else values).__name__
        raise ValueError(f"{source}: {name} holds objects ({kind}); give a dense array of numbers.")
    return array


def _expect_channels_last(source, x):
    """Refuses images with the channels first; says what else may be meant in another way."""
    if x.ndim == 3 and x.dtype != np.uint8 and min(x.shape[1:]) >= LEAST_SIDE:
        warnings.warn(
            f"{source}: examples of type {x.dtype} and shape {x.shape[1:]} are taken for data that "
            "are no images; if they are grey images, give uint8, or floats in [-1, 1] of shape "
            "[n, height, width, 1].",
            stacklevel=3,
        )
    if x.ndim == 4 and x.shape[3] == WITH_ALPHA and x.dtype == np.uint8:
        warnings.warn(
            f"{source}: images have 4 channels, which are all kept; if the fourth is transparency, "
            "put the images on a background and give 3 channels.",
            stacklevel=3,
        )
    if x.ndim == 4 and x.shape[1] <= WITH_ALPHA < x.shape[3]:
        raise ValueError(
            f"{source}: images have the shape {x.shape[1:]}, the channels first; put them last: "
            "x.transpose(0, 2, 3, 1)."
        )


def check_x(source: str, x: np.ndarray):
    """Checks a user's examples against the contract of the package.

    Args:
        source: str, where they come from, for error messages.
        x: array [n, *shape], uint8 images (grey ones with or without a channel axis) or floats:
            images in [-1, 1], other data with standardised columns, at most 50 in size.

    Returns:
        NumPy array [n, *shape], uint8 images with a channel axis, or float32.

    Raises:
        ValueError: if shape, type or range do not fit; the message says what was found, what was
            expected and how to fix it.

    Examples:
        >>> check_x("mine", [[0.5], [1.5]]).dtype
        dtype('float32')
    """
    x = plain_array(source, "x", x)
    if x.ndim < 2:
        raise ValueError(f"{source}: x has shape {x.shape}; expected [n, ...], n examples.")
    if not x.size:
        raise ValueError(
            f"{source}: x has shape {x.shape}: there are no "
            f"{'values in the examples' if len(x) else 'examples'}; give at least one."
        )
    if x.dtype == np.uint8 and x.ndim == 3 and x.shape[2] < LEAST_SIDE:
        raise ValueError(
            f"{source}: x has shape {x.shape}, which may be one image; give [n, height, width, "
            "channels]: x[np.newaxis] for one alone."
        )
    if x.dtype == np.uint8 and x.ndim in (3, 4):
        return x if x.ndim == 4 else x[..., np.newaxis]
    if not (np.issubdtype(x.dtype, np.floating) or (x.ndim != 4 and x.dtype.kind in "iub")):
        raise ValueError(
            f"{source}: x has dtype {x.dtype}; give uint8 images in [0, 255] or floats (images in "
            "[-1, 1])."
        )
    x = x.astype(np.float32)
    finite = np.isfinite(x).reshape(len(x), -1).all(axis=1)
    if not finite.all():
        raise ValueError(
            f"{source}: x holds NaN or infinite values in {np.sum(~finite)} of {len(x)} examples, "
            f"the first at index {np.argmin(finite)}; remove or repair them."
        )
    if x.ndim == 4 and (x.min() < -1.0 - ROUNDING or x.max() > 1.0 + ROUNDING):
        raise ValueError(f"{source}: float images range from {x.min():g} to {x.max():g}; {SCALE}")
    if x.ndim != 4:
        _check_columns(source, x.reshape(len(x), -1))
    return x


def _check_columns(source, x):
    largest = np.abs(x).max(axis=0)
    if largest.size and largest.max() > LARGEST:
        at = int(np.argmax(largest > LARGEST))
        raise ValueError(
            f"{source}: column {at} of x ranges from {x[:, at].min():g} to {x[:, at].max():g}; "
            f"{STANDARDISE} If these are images, {SCALE}"
        )


def check_count(source: str, count: int, num_classes: int) -> None:
    """Checks that a data set to be generated has at least one example of each class.

    Args:
        source: str, the name of the data set.
        count: int, number of examples.
        num_classes: int, C.

    Raises:
        ValueError: if it has fewer.
    """
    if count < num_classes:
        raise ValueError(
            f"{source}: count is {count}; give at least {num_classes}, one of each class."
        )


def check_seed(seed: int, bits: int = 32) -> int:
    """Checks a seed, so that no two seeds mean the same numbers.

    Args:
        seed: int.
        bits: int; the seed must be below 2 to this power. Defaults to 32.

    Returns:
        int, the seed.

    Raises:
        ValueError: if it is not an integer, is negative, or has more bits.

    Examples:
        >>> check_seed(7)
        7
    """
    try:
        number = -1 if isinstance(seed, bool) else operator.index(seed)
    except TypeError:
        number = -1
    if not 0 <= number < 2**bits:
        raise ValueError(f"seed is {seed!r}; give an integer from 0 to 2**{bits} - 1.")
    return number


def check_label(source: str, label: np.ndarray, num_classes: int | None = None) -> np.ndarray:
    """Checks labels. Bounds are checked before the cast, which would wrap around.

    Args:
        source: str, where they come from, for error messages.
        label: int array [n] or, as in keras.datasets.cifar10, [n, 1].
        num_classes: int, C. Defaults to any number.

    Returns:
        int32 array [n].

    Raises:
        ValueError: if they are no integers, or outside [0, C), but for -1, which means no label.

    Examples:
        >>> check_label("mine", [[3], [-1]]).tolist()
        [3, -1]
    """
    label = plain_array(source, "label", label).reshape(len(label))
    if not np.issubdtype(label.dtype, np.integer):
        raise ValueError(f"{source}: label has dtype {label.dtype}; give integers in [0, C).")
    outside = (label < NO_LABEL) | (label >= (num_classes or LABELS))
    if outside.any():
        at = int(np.argmax(outside))
        raise ValueError(
            f"{source}: label {label[at]} at index {at} is outside [0, {num_classes or 'C'}); "
            "number the classes from 0, below 2^31 (-1 means no label)."
        )
    return label.astype(np.int32)
