"""Checks that a batch fits a model: shapes and types at once, values where they are computed."""

import contextlib
import re
from collections.abc import Mapping, Sequence

import keras
import numpy as np
import tensorflow as tf

from dvae_tf.data.examples import (
    LARGEST,
    NO_LABEL,
    ROUNDING,
    SCALE,
    STANDARDISE,
    expect_unmasked,
)
from dvae_tf.data.pixels import to_float

# What a check within a graph says, between marks that no other error of TensorFlow has.
VALUE_MESSAGE = re.compile(r"<<(.*?)>>", re.DOTALL)
SHAPE_MESSAGE = re.compile(
    r"Shape of tensor \S+ (\[[^\]]*\]) is not .* expected shape (\[[^\]]*\])"
)
# Columns of training data: the largest mean size, and the least deviation unless they are constant
# or as wide as a column of zeros and ones. Fewer examples than this tell nothing of a column.
LARGEST_MEAN = 10.0
LEAST_DEVIATION = 0.05
LEAST_WIDTH = 0.5
FEWEST_EXAMPLES = 8


def check_batch(data, shape: Sequence[int], num_classes: int, values: bool = True):
    """Unpacks a batch and checks it against what the model takes.

    Args:
        data: (x, label) or (x, label, weight), as `fit` passes it to a step.
        shape: sequence of int, the shape of one x.
        num_classes: int, C.
        values: bool, whether values are checked too, not only shapes and types. Defaults to True.
            XLA cannot compile checks of values.

    Returns:
        (float32 tensor [batch, *shape], int32 tensor [batch]).

    Raises:
        ValueError: if shapes or types do not fit.
        tf.errors.InvalidArgumentError: in the step, if a label is outside [-1, C) or x is not
            finite or out of range; `plain_errors` turns it into a ValueError.
    """
    x, label, _ = keras.utils.unpack_x_y_sample_weight(data)
    if label is None:
        raise ValueError("The batches hold only x; give (x, label), one label per example.")
    label = tf.convert_to_tensor(label)
    if not label.dtype.is_integer:
        raise ValueError(f"label has dtype {label.dtype.name}; give integers in [0, C).")
    if label.shape.rank not in (None, 1) and label.shape[1:] != (1,):
        raise ValueError(
            f"label has shape {label.shape}; give [batch], one class number per example."
        )
    _expect_as_many(x, label=label)
    x, label = checked_x(x, shape, values=values), tf.reshape(label, [-1])
    if values:
        takes = f"; the model takes 0 to {num_classes - 1}, and -1 for a missing label."
        label = checked_label(label, NO_LABEL, num_classes, "The batch holds the label ", takes)
    return x, tf.cast(label, tf.int32)


def expect_examples(name: str, values) -> None:
    """Refuses what Keras's verbs would take for something else, or for nothing.

    Args:
        name: str, "x", "y" or "sample_weight".
        values: what a user gave as that.

    Raises:
        ValueError: if it is empty, masked, sparse, ragged or a dict.
    """
    kind = type(values).__name__
    if isinstance(values, tf.SparseTensor | tf.RaggedTensor | Mapping):
        raise ValueError(f"{name} is a {kind}; give a dense array.")
    expect_unmasked(name, values)
    empty = isinstance(values, np.ndarray | tf.Tensor) and 0 in values.shape[:1]
    if isinstance(values, tf.data.Dataset):
        empty = values.cardinality() == 0
    elif isinstance(values, list):
        empty = not values
    if empty:
        raise ValueError(f"{name} holds no example; give at least one.")


def checked_x(x, shape: Sequence[int], name: str = "x", values: bool = True) -> tf.Tensor:
    """Checks inputs of a model and converts them to its range.

    Args:
        x: array or tensor [batch, *shape]: images in uint8 or in floats in [-1, 1], or other data.
        shape: sequence of int, the shape of one x.
        name: str, what errors call it. Defaults to "x".
        values: bool, as in `check_batch`. Defaults to True.

    Returns:
        float32 tensor [batch, *shape].

    Raises:
        ValueError, tf.errors.InvalidArgumentError: as `check_batch`.
    """
    x = tf.convert_to_tensor(x)
    if not x.shape.is_compatible_with((None, *shape)):
        raise ValueError(f"{name} has shape {x.shape}; give [batch, {_sides(shape)}].")
    is_image = len(shape) == 3
    if is_image and x.dtype == tf.uint8:
        return tf.ensure_shape(to_float(x), (None, *shape))
    if not x.dtype.is_floating and (is_image or not x.dtype.is_integer):
        raise ValueError(
            f"{name} has dtype {x.dtype.name}; give floats, images in [-1, 1], or uint8 images."
        )
    x = tf.ensure_shape(tf.cast(x, tf.float32), (None, *shape))
    if not values:
        return x
    check = _check_of_image if is_image else _check_of_columns
    finite = "The batch holds NaN or infinite values in x; remove or repair them."
    return _required(x, [(tf.reduce_all(tf.math.is_finite(x)), finite), check(x, name)])


def checked_columns(x: tf.Tensor, unless: tf.Tensor) -> tf.Tensor:
    """Checks that the columns of training data which are no images are standardised.

    Args:
        x: float32 tensor [batch, *shape].
        unless: bool scalar, whether nothing is checked.

    Returns:
        float32 tensor, x.

    Raises:
        ValueError, tf.errors.InvalidArgumentError: as `check_batch`.
    """
    flat = tf.reshape(x, [tf.shape(x)[0], -1])
    far = tf.reduce_mean(tf.abs(flat), axis=0) > LARGEST_MEAN
    width = tf.reduce_max(flat, axis=0) - tf.reduce_min(flat, axis=0)
    deviation = tf.math.reduce_std(flat, axis=0)
    narrow = (width > 0.0) & (width < LEAST_WIDTH) & (deviation < LEAST_DEVIATION)
    passed = unless | (tf.shape(flat)[0] < FEWEST_EXAMPLES)
    return _required(x, [_column_check(flat, far | narrow, passed, "x")])


def checked_label(label, lowest: int, num_classes: int, before: str, after: str) -> tf.Tensor:
    """Checks the range of labels in their own type, so that none is cast into the range.

    Args:
        label: int tensor [n].
        lowest: int, the least label.
        num_classes: int, C; the labels are below it.
        before, after: str, what the error says around the first label that is outside.

    Returns:
        int32 tensor [n].

    Raises:
        ValueError, tf.errors.InvalidArgumentError: as `check_batch`.
    """
    wide = tf.cast(label, tf.int64)
    outside = (wide < lowest) | (wide >= num_classes)
    if label.dtype == tf.uint64:  # The upper half of these would be negative.
        outside |= label >= tf.constant(num_classes, tf.uint64)
    checks = [(~tf.reduce_any(outside), _first_outside(label, outside, before, after))]
    return tf.cast(_required(label, checks), tf.int32)


def _first_outside(label, outside, before, after):
    # An empty batch has no first label.
    at = tf.argmax(tf.concat([outside, [True]], axis=0))
    shown = tf.concat([tf.strings.as_string(label), [""]], axis=0)
    return tf.strings.join([before, shown[at], after])


def checked_weight(data, label: tf.Tensor, values: bool = True) -> tf.Tensor:
    """The weights of the examples in the means of the losses that need a label.

    Args:
        data: as in `check_batch`.
        label: int32 tensor [batch].
        values: bool, as in `check_batch`. Defaults to True.

    Returns:
        float32 tensor [batch]: the given weight or 1, and 0 for a missing label.

    Raises:
        ValueError, tf.errors.InvalidArgumentError: as `check_batch`.
    """
    known = tf.cast(label >= 0, tf.float32)
    weight = keras.utils.unpack_x_y_sample_weight(data)[2]
    if weight is None:
        return known
    weight = tf.convert_to_tensor(weight)
    if weight.shape.rank not in (None, 1) and weight.shape[1:] != (1,):
        raise ValueError(
            f"sample_weight has shape {weight.shape}; give [batch], one weight per example."
        )
    _expect_as_many(label, sample_weight=weight)
    weight = tf.reshape(tf.cast(weight, tf.float32), [-1])
    if values:
        fits = tf.reduce_all(tf.math.is_finite(weight) & (weight >= 0.0))
        message = "The batch holds weights that are negative or not finite; give 0 or more."
        weight = _required(weight, [(fits, message)])
    return known * weight


def _expect_as_many(of_batch, **column):
    """Refuses a column of another length than the batch, where both are known."""
    [(name, values)] = column.items()
    found, wanted = values.shape[:1], of_batch.shape[:1]
    if not tf.TensorShape(found).is_compatible_with(wanted):
        raise ValueError(f"There are {found[0]} values in {name} for {wanted[0]} examples.")


def _check_of_image(x, name):
    lowest, highest = tf.reduce_min(x), tf.reduce_max(x)
    fits = (lowest >= -1.0 - ROUNDING) & (highest <= 1.0 + ROUNDING)
    return fits, _ranging(f"{name} ranges from ", lowest, highest, f"; {SCALE}")


def _check_of_columns(x, name):
    flat = tf.reshape(x, [tf.shape(x)[0], -1])
    return _column_check(flat, tf.reduce_any(tf.abs(flat) > LARGEST, axis=0), False, name)


def _column_check(flat, wrong, passed, name):
    """Whether no column is wrong, and the range of the first one that is."""
    at = tf.argmax(wrong, output_type=tf.int32)
    column = flat[:, at]
    before = tf.strings.join(["Column ", tf.strings.as_string(at), f" of {name} ranges from "])
    message = _ranging(before, tf.reduce_min(column), tf.reduce_max(column), f"; {STANDARDISE}")
    return passed | ~tf.reduce_any(wrong), message


def _ranging(before, lowest, highest, after):
    low, high = (tf.strings.as_string(value, shortest=True) for value in (lowest, highest))
    return tf.strings.join([before, low, " to ", high, after])


def _required(value, checks):
    """The value, once every check (condition, message) has passed."""
    if tf.executing_eagerly():
        for fits, message in checks:
            if not fits:
                raise ValueError(tf.constant(message).numpy().decode())
        return value
    asserts = [
        tf.debugging.Assert(fits, [tf.strings.join(["<<", message, ">>"])])
        for fits, message in checks
    ]
    with tf.control_dependencies(asserts):
        return tf.identity(value)


@contextlib.contextmanager
def plain_errors():
    """Turns the error of a step that found a wrong batch into a one-sentence ValueError."""
    try:
        yield
    except tf.errors.InvalidArgumentError as error:
        if values := VALUE_MESSAGE.search(error.message):
            raise ValueError(values[1]) from error
        if shapes := SHAPE_MESSAGE.search(error.message):
            raise ValueError(f"x has shape {shapes[1]}; the model takes {shapes[2]}.") from error
        raise


def _sides(shape):
    return ", ".join(map(str, shape))
