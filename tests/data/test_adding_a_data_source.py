"""CONTRIBUTING.md, "Add a data source", followed with a toy."""

import numpy as np
import pytest

from dvae_tf import data
from dvae_tf.commands.command_line import parsed
from dvae_tf.commands.settings import recorded
from dvae_tf.data import catalog
from dvae_tf.data.examples import Arrays, Info
from dvae_tf.runs import Data


def bars(split, count=None, seed=0):
    """1. A file of its own: images with a horizontal or a vertical bar."""
    count = count or {"train": 40, "test": 10}[split]
    random = np.random.default_rng([seed, split == "test"])
    label = np.arange(count, dtype=np.int32) % 2
    x = np.zeros((count, 8, 8, 1), np.uint8)
    for image, vertical, place in zip(x, label, random.integers(0, 8, count), strict=True):
        bar = np.s_[:, place] if vertical else np.s_[place]
        image[bar] = 255
    return Arrays(x, label), Info("bars", split, (8, 8, 1), ("horizontal", "vertical"), count)


@pytest.fixture(autouse=True)
def added(monkeypatch):
    """2. A line in the catalog."""
    source = catalog.Source(bars, ("count", "seed"))
    monkeypatch.setitem(catalog.SOURCES, "bars", source)


def test_it_gives_batches_that_a_model_takes():
    dataset, info = data.load("bars", "train", batch_size=16)
    assert (info.shape, info.class_names, info.count) == ((8, 8, 1), ("horizontal", "vertical"), 40)
    x, label = next(dataset.as_numpy_iterator())
    assert x.shape == (16, 8, 8, 1)
    assert x.dtype == np.float32
    assert set(np.unique(x)) == {-1.0, 1.0}
    assert set(label) == {0, 1}


def test_the_same_seed_gives_the_same_examples_and_splits_differ():
    first, again, other = (data.load_arrays("bars", "train", seed)[0].x for seed in (0, 0, 1))
    np.testing.assert_array_equal(first, again)
    assert (first != other).any()
    assert (first[:10] != data.load_arrays("bars", "test")[0].x).any()


def test_it_is_cut_into_slices():
    whole, _ = data.load_arrays("bars", "train")
    part, info = data.load_arrays("bars", "train[90%:]")
    assert info.count == 4
    np.testing.assert_array_equal(part.x, whole.x[36:])


def test_a_run_can_be_trained_on_it():
    _, settings = parsed(["train", "--dataset", "bars", "--batch-size", "8"])
    of_run = Data(recorded(settings))
    assert of_run.info.count == 36
    assert len(of_run.arrays("test").label) == 10
