"""The inputs of a request: checked against their signature before anything is cast."""

import numpy as np
import tensorflow as tf

from dvae_tf.serving.protocol import RequestError

MOST_EXAMPLES = 1024
IMAGE_RANK = 4
# How much of a value that does not fit is told.
MOST_TOLD = 40
# What JSON may hold for a kind of numbers; a bool is neither.
KINDS = {"b": {bool}, "i": {int}, "u": {int}, "f": {int, float}, "O": {str, bytes}}


def as_tensor(name: str, value, spec: tf.TensorSpec) -> tf.Tensor:
    """Converts one input of a request to what its signature wants.

    Args:
        name: str, of the input.
        value: array of exactly the signature's type (gRPC), or what JSON gives: a number, text,
            bytes or nested lists of them (REST).
        spec: tf.TensorSpec.

    Returns:
        tf.Tensor.

    Raises:
        RequestError: if type, range, shape or number of examples do not fit.

    Examples:
        >>> as_tensor("label", [3], tf.TensorSpec([None], tf.int32)).numpy().tolist()
        [3]
        >>> as_tensor("label", [2**32 + 3], tf.TensorSpec([None], tf.int32))
        Traceback (most recent call last):
        dvae_tf.serving.protocol.RequestError: input 'label' is no int32 tensor: 4294967299 is \
out of its range
    """
    exact = np.dtype(spec.dtype.as_numpy_dtype)
    if isinstance(value, np.ndarray) and value.dtype != exact:
        raise _refused(f"input {name!r} is no {spec.dtype.name} tensor: it is {value.dtype}")
    array = value if isinstance(value, np.ndarray) else _of_json(name, value, spec, exact)
    if not spec.shape.is_compatible_with(array.shape):
        raise _refused(
            f"input {name!r} has shape {list(array.shape)}; expected {spec.shape.as_list()}"
        )
    if spec.shape.rank and spec.shape[0] is None and not 1 <= len(array) <= MOST_EXAMPLES:
        raise _refused(
            f"input {name!r} has {len(array)} examples; give at least 1 and at most "
            f"{MOST_EXAMPLES} a request"
        )
    if spec.dtype.is_floating:
        _check_floats(name, array, spec)
    return tf.constant(array, spec.dtype)


def example(spec: tf.TensorSpec) -> np.ndarray:
    """Makes an input that fits a signature: zeros, or PNG files of one black pixel.

    Args:
        spec: tf.TensorSpec.

    Returns:
        array with one example.
    """
    shape = [1 if side is None else side for side in spec.shape]
    if spec.dtype == tf.string:
        return np.full(shape, tf.io.encode_png(tf.zeros([1, 1, 1], tf.uint8)).numpy(), object)
    return np.zeros(shape, spec.dtype.as_numpy_dtype)


def _refused(message):
    return RequestError("INVALID_ARGUMENT", message)


def _of_json(name, value, spec, exact):
    """Numbers or texts of JSON as an array; nothing is rounded, wrapped or taken for another."""
    array = np.array(value, object)  # Every number as it came, of any size.
    kind = f"input {name!r} is no {spec.dtype.name} tensor"
    odd = [one for one in array.flat if type(one) not in KINDS.get(exact.kind, ())]
    if odd:
        raise _refused(f"{kind}: it holds {_told(odd[0])}")
    if exact.kind in "iuf":
        limits = np.iinfo(exact) if exact.kind in "iu" else np.finfo(exact)
        least, most = int(limits.min), int(limits.max)
        outside = [one for one in array.flat if one < least or one > most]
        if outside:
            raise _refused(f"{kind}: {_told(outside[0])} is out of its range")
    return array.astype(exact)


def _told(value):
    text = repr(value)
    return text if len(text) <= MOST_TOLD else f"{text[:MOST_TOLD]}..."


def _check_floats(name, array, spec):
    """Refuses values that would give meaningless outputs: NaN, and images outside [0, 1]."""
    if not np.isfinite(array).all():
        raise _refused(f"input {name!r} holds NaN or infinity")
    if spec.shape.rank == IMAGE_RANK and (array.min() < 0.0 or array.max() > 1.0):
        raise _refused(
            f"input {name!r} ranges from {array.min():.3g} to {array.max():.3g}; images are in "
            "[0, 1]"
        )
