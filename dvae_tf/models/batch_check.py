"""Checks that a batch fits a model."""

import contextlib
import re
from collections.abc import Sequence

import keras
import tensorflow as tf

VALUE_MESSAGE = re.compile(r"\[(The batch holds [^\]]*)\]")
SHAPE_MESSAGE = re.compile(
    r"Shape of tensor \S+ (\[[^\]]*\]) is not .* expected shape (\[[^\]]*\])"
)


def check_batch(data, shape: Sequence[int], num_classes: int, values: bool = True):
    """Unpacks a batch and checks it against what the model takes.

    Args:
        data: (x, label), as `fit` passes it to a step.
        shape: sequence of int, the shape of one x.
        num_classes: int, C.
        values: bool, whether values are checked too, not only shapes and types. Defaults to True.
            XLA cannot compile checks of values.

    Returns:
        (float32 tensor [batch, *shape], int32 tensor [batch]).

    Raises:
        ValueError: if shapes or types do not fit.
        tf.errors.InvalidArgumentError: in the step, if a label is outside [-1, C) or x is not
            finite; `plain_errors` turns it into a ValueError.
    """
    x, label, more = keras.utils.unpack_x_y_sample_weight(data)
    if label is None or more is not None:
        found = "only x" if label is None else "a third element (sample weights or factors)"
        raise ValueError(f"The batches hold {found}; give (x, label), one label per example.")
    x, label = tf.convert_to_tensor(x), tf.convert_to_tensor(label)
    if not x.dtype.is_floating:
        raise ValueError(
            f"x has dtype {x.dtype.name}; give floats, images in [-1, 1], as "
            "dvae_tf.data.from_arrays does."
        )
    if not x.shape.is_compatible_with((None, *shape)):
        raise ValueError(f"x has shape {x.shape}; the model takes [batch, {_sides(shape)}].")
    if not label.dtype.is_integer:
        raise ValueError(f"label has dtype {label.dtype.name}; give integers in [0, C).")
    if label.shape.rank not in (None, 1) and label.shape[1:] != (1,):
        raise ValueError(
            f"label has shape {label.shape}; give [batch], one class number per example."
        )
    x = tf.ensure_shape(tf.cast(x, tf.float32), (None, *shape))
    label = tf.reshape(tf.cast(label, tf.int32), [-1])
    return _with_checked_values(x, label, num_classes) if values else (x, label)


def _with_checked_values(x, label, num_classes):
    outside = (label < -1) | (label >= num_classes)
    first = tf.strings.as_string(tf.gather(label, tf.argmax(outside)))
    takes = f"; the model takes 0 to {num_classes - 1}, and -1 for a missing label."
    of_label = tf.debugging.Assert(
        tf.logical_not(tf.reduce_any(outside)),
        [tf.strings.join(["The batch holds the label ", first, takes])],
    )
    of_x = tf.debugging.Assert(
        tf.reduce_all(tf.math.is_finite(x)),
        ["The batch holds NaN or infinite values in x; remove or repair them."],
    )
    # The checks run first. In eager mode they are done already, and Assert returned None.
    with tf.control_dependencies([check for check in (of_label, of_x) if check is not None]):
        return tf.identity(x), tf.identity(label)


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
