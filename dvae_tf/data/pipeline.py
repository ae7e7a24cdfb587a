"""From examples to batches that `model.fit` takes."""

import contextlib
import math
import re

import numpy as np
import tensorflow as tf

from dvae_tf.data.columns import Columns
from dvae_tf.data.examples import NO_LABEL, Arrays
from dvae_tf.data.pixels import to_float

# Streamed images that wait to be shuffled: at most so many, and so many values.
SHUFFLE_BUFFER, SHUFFLED_VALUES = 20_000, 2**30
# Streamed images of at most so many values in all are kept in memory after the first pass.
CACHED_VALUES = 2**31
IN_MEMORY_BATCH = 64
OUT_OF_RANGE = "A float image of the data set is outside [0, 1], the range of its type:"


@contextlib.contextmanager
def damage_named():
    """Turns TensorFlow's error on wrong data in a data set into a one-sentence error.

    Raises:
        ValueError: if a file that is read inside the block is damaged, or an image out of range.
    """
    try:
        yield
    except tf.errors.DataLossError as error:
        record = re.search("(corrupted|truncated) record.*", error.message)
        found = record[0] if record else error.message
        raise ValueError(
            f"A file of the data set is damaged ({found}); remove the data set's folder and "
            "prepare it anew."
        ) from error
    except tf.errors.InvalidArgumentError as error:
        if OUT_OF_RANGE not in error.message:
            raise
        lowest, highest = re.findall(r"\[([^\[\]]*)\]", error.message.partition(OUT_OF_RANGE)[2])[
            :2
        ]
        raise ValueError(
            f"{OUT_OF_RANGE} it goes from {lowest} to {highest}; scale the images."
        ) from error


def without_labels(examples: Arrays, labelled: float, seed: int):
    """Removes the labels of all but a random share of the examples.

    Args:
        examples: Arrays or Stream.
        labelled: float in (0, 1), the share that keeps its label.
        seed: int, for the choice of these.

    Returns:
        Arrays or Stream, of the type of `examples`, with -1 in place of the removed labels.

    Examples:
        >>> examples = Arrays(np.zeros((4, 2)), np.arange(4, dtype=np.int32))
        >>> without_labels(examples, 0.5, seed=0).label.tolist()
        [-1, 1, 2, 3]
    """
    count = len(examples.label) if isinstance(examples, Arrays) else examples.count
    kept = np.random.default_rng(seed).random(count) < labelled
    if isinstance(examples, Arrays):
        return examples._replace(label=np.where(kept, examples.label, NO_LABEL).astype(np.int32))
    keeps = tf.constant(kept)

    def hide(index, example):
        x, label, *rest = example
        return (x, tf.where(keeps[index], label, NO_LABEL), *rest)

    return examples._replace(dataset=examples.dataset.enumerate().map(hide))


def in_memory(examples):
    """Reads all of a stream.

    Nothing else of its size is held meanwhile.

    Args:
        examples: Stream.

    Returns:
        Arrays, images as the stream gives them, without those that could not be read.
    """
    batches = _batches_of_stream(examples, IN_MEMORY_BATCH)
    shape, dtype = batches.element_spec[0].shape[1:], batches.element_spec[0].dtype
    x = np.empty((examples.count, *shape), dtype.as_numpy_dtype)
    label = np.empty(examples.count, np.int32)
    filled = 0
    with damage_named():
        for images, labels in batches.as_numpy_iterator():
            x[filled : filled + len(labels)] = images
            label[filled : filled + len(labels)] = labels
            filled += len(labels)
    return Arrays(x[:filled], label[:filled])


def as_wide(examples: Arrays, columns: Columns | None) -> Arrays:
    """Turns packed rows of a table into what the networks take.

    Args:
        examples: Arrays.
        columns: Columns, or None: x is no table.

    Returns:
        Arrays.
    """
    return examples._replace(x=columns.wide(examples.x).numpy()) if columns else examples


def batches(
    examples: Arrays,
    batch_size: int,
    shuffle: bool,
    seed: int,
    factors: bool = False,
    pairs: bool = False,
    columns: Columns | None = None,
):
    """Makes a dataset of batches.

    Args:
        examples: Arrays or Stream.
        batch_size: int, examples per batch; the last batch may be smaller.
        shuffle: bool, whether each pass has a new random order (streams: within a buffer of
            20,000 examples).
        seed: int, for the orders: datasets made with the same arguments have the same k-th pass.
            As everywhere in tf.data, TensorFlow's global seed, if one is set, counts as well.
        factors: bool, whether the ground-truth factors follow. Defaults to False.
        pairs: bool, whether examples come in pairs of one class. Defaults to False.
        columns: Columns of packed rows, which become wide. Defaults to None: x is no table.

    Returns:
        tf.data.Dataset of (x float32 [batch, *shape], label int32 [batch]), and
        factors float32 [batch, factors] if requested. Images are in [-1, 1].
    """
    if isinstance(examples, Arrays):
        dataset = _batches_from_memory(examples, batch_size, shuffle, seed, factors, pairs)
    else:
        values = math.prod(examples.dataset.element_spec[0].shape)
        images = examples.dataset
        if examples.count * values <= CACHED_VALUES:
            images = images.cache()
        if shuffle:
            buffer = min(examples.count, SHUFFLE_BUFFER, max(1, SHUFFLED_VALUES // values))
            images = images.shuffle(buffer, seed=seed, reshuffle_each_iteration=True)
        if pairs:
            images = _in_pairs(images, examples.count, lambda *example: example[1])
        dataset = _batches_of_stream(examples._replace(dataset=images), batch_size)
    options = tf.data.Options()
    options.deterministic = True

    def as_taken(x, label, *factors):
        x = columns.wide(x) if columns else to_float(x) if x.dtype == tf.uint8 else x
        return (x, tf.cast(label, tf.int32), *factors)

    return dataset.map(as_taken, tf.data.AUTOTUNE).prefetch(2).with_options(options)


def _batches_of_stream(examples, batch_size):
    dataset = examples.dataset.batch(batch_size)
    return dataset.map(examples.of_batch) if examples.of_batch else dataset


def _in_pairs(dataset, count, label_of):
    """Each example is followed by the next of its class; at the end come those without another.

    Examples without a label keep their places.
    """

    def key(*example):
        return tf.cast(label_of(*example), tf.int64)

    pairs = dataset.group_by_window(
        key,
        lambda _, window: window.batch(2),
        window_size_func=lambda label: tf.where(label == NO_LABEL, tf.constant(1, tf.int64), 2),
    )
    # Without the number of examples `fit` does not know how far it is in an epoch.
    return pairs.unbatch().apply(tf.data.experimental.assert_cardinality(count))


def _batches_from_memory(examples, batch_size, shuffle, seed, factors, pairs):
    """Gathers whole batches by index, which is faster than handling single examples."""
    columns = [tf.convert_to_tensor(examples.x), tf.convert_to_tensor(examples.label)]
    if factors:
        columns.append(tf.convert_to_tensor(examples.factors))
    index = tf.data.Dataset.range(len(examples.label))
    if shuffle:
        index = index.shuffle(max(len(examples.label), 1), seed=seed, reshuffle_each_iteration=True)
    if pairs:
        index = _in_pairs(index, len(examples.label), lambda i: columns[1][i])
    return index.batch(batch_size).map(lambda i: tuple(tf.gather(column, i) for column in columns))
