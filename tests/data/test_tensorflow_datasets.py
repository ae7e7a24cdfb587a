import os
import pathlib

import numpy as np
import pytest

from dvae_tf import data

FOLDER = pathlib.Path(os.environ.get("TFDS_DATA_DIR", "~/tensorflow_datasets")).expanduser()
SETS = [
    ("mnist", (28, 28, 1), 60_000),
    ("fashion_mnist", (28, 28, 1), 60_000),
    ("svhn_cropped", (32, 32, 3), 73_257),
    ("cifar10", (32, 32, 3), 50_000),
]


@pytest.mark.slow
@pytest.mark.parametrize(("name", "shape", "count"), SETS, ids=[name for name, _, _ in SETS])
def test_real_set(name, shape, count):
    if not (FOLDER / name).is_dir():
        pytest.skip(f"{name} is not in {FOLDER}")
    dataset, info = data.load(name, "train", batch_size=32)
    assert (info.shape, info.num_classes, info.count) == (shape, 10, count)
    x, label = next(iter(dataset))
    assert x.shape == (32, *shape)
    assert -1.0 <= np.min(x) < np.max(x) <= 1.0
    assert set(label.numpy()) <= set(range(10))
    part, _ = data.load_arrays(name, "test[:64]")
    assert part.x.shape == (64, *shape)


def test_images_are_resized_on_request():
    if not (FOLDER / "cifar10").is_dir():
        pytest.skip(f"cifar10 is not in {FOLDER}")
    examples, info = data.load_arrays("cifar10", "test[:8]", size=16)
    assert examples.x.shape == (8, 16, 16, 3)
    assert info.shape == (16, 16, 3)


def test_a_set_that_is_not_here_and_cannot_be_had_is_named(tmp_path, monkeypatch):
    import tensorflow_datasets as tfds

    def fail(self, *args, **kwargs):
        raise ConnectionError("no route")

    monkeypatch.setattr(tfds.core.DatasetBuilder, "download_and_prepare", fail)
    with pytest.raises(ValueError, match="could not be downloaded"):
        data.load("kmnist")


def test_a_set_without_image_and_label_is_named():
    with pytest.raises(ValueError, match="needs image and label"):
        data.load("imdb_reviews")
