"""Small data and what a step changed, for the tests of all models."""

import numpy as np
import tensorflow as tf

from dvae_tf import DisentangledVAE
from dvae_tf.commands.settings import TrainingSettings, recorded
from dvae_tf.data import three_moons
from dvae_tf.files import write_json
from dvae_tf.models import Recipe


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


def untrained_run(folder, class_names=("cat", "dog", "owl"), dataset="folder:gone", **recipe):
    """A run as training leaves it, of an untrained model of 8x8 images; returns its folder."""
    recipe = Recipe.named("balanced").replace(flow=False, **recipe)
    model = DisentangledVAE((8, 8, 1), len(class_names), preset="toy", recipe=recipe)
    settings = TrainingSettings(dataset, preset="toy", model="disentangled_vae", size=8)
    description = {
        "arguments": recorded(settings),
        "data": {"shape": [8, 8, 1], "class_names": class_names, "training_examples": 60},
        "versions": {"dvae_tf": "0"},
        "training_seconds": 1.0,
    }
    write_json(folder / "run.json", description)
    model.save(folder / "model.keras")
    x = np.random.default_rng(0).integers(0, 256, (60, 8, 8, 1), np.uint8)
    label = np.arange(60, dtype=np.int32) % len(class_names)
    kept = {f"{name}_{split}": values for split in ("train", "test")
            for name, values in (("x", x), ("label", label))}  # fmt: skip
    np.savez(folder / "examples.npz", **kept)
    return folder
