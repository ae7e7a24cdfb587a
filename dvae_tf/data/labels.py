"""Labels and names of classes: from a user's values to numbers in [0, C)."""

import dataclasses
import unicodedata
import warnings
from collections.abc import Sequence

import numpy as np
import tensorflow as tf

from dvae_tf.data.examples import NO_LABEL, Arrays

# Of the values that are named in a message.
MOST_NAMED = 3


def class_names_of(source: str, values) -> tuple[str, ...]:
    """Reads the names of classes.

    Args:
        source: str, where they come from, for error messages.
        values: sequence of str, bytes (UTF-8) or numbers, in the order of the labels.

    Returns:
        tuple of str.

    Raises:
        ValueError: if they are no list, no text, or two are the same.

    Examples:
        >>> class_names_of("mine", [b"cat", "dog"])
        ('cat', 'dog')
    """
    if np.ndim(values) != 1:
        raise ValueError(
            f"{source}: class_names has shape {np.shape(values)}; expected [C], a name a class."
        )
    names = tuple(_text(source, value) for value in values)
    for name in names:
        if names.count(name) > 1:
            raise ValueError(
                f"{source}: two classes are called {name!r}; give each a name of its own."
            )
    return names


def _text(source, value):
    try:
        name = value.decode() if isinstance(value, bytes) else str(value)
        name.encode()
    except UnicodeError as error:
        raise ValueError(
            f"{source}: the class name {value!r} is not in UTF-8; write it anew or rename it."
        ) from error
    # macOS writes "é" as two characters, others as one.
    return unicodedata.normalize("NFC", name)


def numbered(source: str, label: np.ndarray, class_names: Sequence[str] | None = None):
    """Numbers the classes from 0.

    Args:
        source: str, where the labels come from, for messages.
        label: int array [n], from `check_arrays`.
        class_names: sequence of str, the names of all classes: the labels are these names, if all
            of them are, else indices of them. Defaults to the labels' values in ascending order; a
            warning says it where they are not 0 to C - 1.

    Returns:
        (label int32 [n] in [0, C), or -1 for none; class names: tuple of str).

    Raises:
        ValueError: if there are fewer than 2 classes, or more than names.

    Examples:
        >>> label, names = numbered("mine", np.array([3, 1, -1]), ["1", "2", "3"])
        >>> label.tolist(), names
        ([2, 0, -1], ('1', '2', '3'))
    """
    values = np.unique(label[label != NO_LABEL])
    called = [str(value) for value in values]
    if class_names is None:
        class_names, numbers = called, np.arange(len(values))
        _expect_two(source, label, values)
        if values[-1] != len(values) - 1:
            warnings.warn(
                f"{source}: the labels {_shortened(called)} become the classes 0 to "
                f"{len(values) - 1}; their values are the classes' names.",
                stacklevel=3,
            )
    elif set(called) <= set(class_names):
        number_of = {name: number for number, name in enumerate(class_names)}
        numbers = np.array([number_of[name] for name in called], np.int64)
        if called and values[-1] < len(class_names) and not np.array_equal(numbers, values):
            at = int(np.argmax(numbers != values))
            warnings.warn(
                f"{source}: the labels {_shortened(called)} are taken for the names of classes, "
                f"not for their indices: label {called[at]} is class {numbers[at]}. If they are "
                "indices, give class_names that are no numbers.",
                stacklevel=3,
            )
    else:
        numbers = values
        _expect_below(source, label, len(class_names))
    new = numbers[np.minimum(np.searchsorted(values, label), len(values) - 1)] if called else label
    return np.where(label == NO_LABEL, NO_LABEL, new).astype(np.int32), tuple(class_names)


def _expect_two(source, label, values):
    if not len(values):
        raise ValueError(f"{source}: no example has a label; label at least some of each class.")
    if len(values) == 1:
        known = np.sum(label != NO_LABEL)
        raise ValueError(
            f"{source}: all {known} examples have the label {values[0]}; disentangling needs "
            "at least 2 classes."
        )


def _expect_below(source, label, num_classes):
    outside = label >= num_classes
    if outside.any():
        at = int(np.argmax(outside))
        raise ValueError(
            f"{source}: label {label[at]} at index {at} is outside [0, {num_classes}) and is no "
            "class's name; number the classes from 0 without gaps (-1 means no label)."
        )


def _shortened(names):
    if len(names) <= MOST_NAMED:
        return ", ".join(names)
    return f"{', '.join(names[: MOST_NAMED - 1])}, ..., {names[-1]}"


def expect_known(source: str, names: Sequence[str], known: Sequence[str]) -> None:
    """Refuses classes that are none of the known ones.

    Args:
        source: str, the name of the data.
        names: sequence of str, its classes.
        known: sequence of str, the classes of the training data or of the model.

    Raises:
        ValueError: if a class is not known; names it.
    """
    unknown = [name for name in names if name not in set(known)]
    if unknown:
        raise ValueError(
            f"{source}: the class {unknown[0]!r} is not one of those that are trained "
            f"({_shortened(list(known))}); remove it, or give the classes these names."
        )


def matched(examples, info, class_names: Sequence[str]):
    """Gives examples the numbers that their classes have in a model.

    Args:
        examples: Arrays or Stream.
        info: Info of them.
        class_names: tuple of str, the model's.

    Returns:
        (Arrays or Stream, Info), with the model's class names.

    Raises:
        ValueError: if the data has a class that the model does not know.
    """
    if info.class_names == class_names:
        return examples, info
    expect_known(info.name, info.class_names, class_names)
    numbers = [class_names.index(name) for name in info.class_names]
    # The last entry is for the label -1.
    table = np.array([*numbers, NO_LABEL], np.int32)
    if isinstance(examples, Arrays):
        examples = examples._replace(label=table[examples.label])
    else:
        last = len(numbers)

        def renumber(x, label, *rest):
            return (x, tf.gather(table, tf.where(label < 0, last, tf.cast(label, tf.int32))), *rest)

        examples = examples._replace(dataset=examples.dataset.map(renumber))
    return examples, dataclasses.replace(info, class_names=class_names)
