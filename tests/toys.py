"""Small data and what a step changed, for the tests of all models."""

import numpy as np
import tensorflow as tf

from dvae_tf.data import three_moons


def moons(count=96):
    examples, _ = three_moons.three_moons("train", count)
    return examples.x, examples.label


def batches(count=96, batch_size=16):
    return tf.data.Dataset.from_tensor_slices(moons(count)).batch(batch_size)


def snapshot(model):
    return {
        name: [np.array(variable) for variable in variables]
        for name, variables in model.weight_groups().items()
    }


def changed(model, before):
    """The names of the groups of weights that are no longer what `snapshot` saw."""
    return {
        name
        for name, variables in model.weight_groups().items()
        if not all(map(np.array_equal, variables, before[name]))
    }
