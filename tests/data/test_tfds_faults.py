"""Data sets of TensorFlow Datasets that are not like MNIST: splits, names, types, labels."""

import numpy as np
import pytest
import tensorflow as tf

from dvae_tf import data

tfds = pytest.importorskip("tensorflow_datasets")
COUNT = 20
GREY = np.linspace(0.0, 1.0, COUNT)


@pytest.fixture(scope="module")
def stored(tmp_path_factory):
    """A function that writes a data set and gives its folder."""

    def store(name, splits=("train", "test"), dtype=np.uint8, label=None, channels=1, scale=None):
        folder = tmp_path_factory.mktemp("tfds")
        features = tfds.features.FeaturesDict(
            {
                "image": tfds.features.Image(shape=(8, 10, channels), dtype=dtype),
                "label": label or tfds.features.ClassLabel(names=["cat", "dog"]),
            }
        )
        largest = scale or (1.0 if dtype == np.float32 else np.iinfo(dtype).max)

        def examples():
            for number, grey in enumerate(GREY):
                image = np.full((8, 10, channels), grey * largest).astype(dtype)
                yield {"image": image, "label": number % 2}

        tfds.dataset_builders.store_as_tfds_dataset(
            name=name,
            version="1.2.3",
            config="small",
            features=features,
            data_dir=folder,
            split_datasets={
                split: tf.data.Dataset.from_generator(
                    examples, output_signature=features.get_tensor_spec()
                )
                for split in splits
            },
            disable_shuffling=True,
        )
        return folder

    return store


def use(monkeypatch, folder):
    read = tfds.builder
    monkeypatch.setattr(tfds, "builder", lambda name: read(name, data_dir=folder))


@pytest.mark.parametrize("splits", [("train",), ("train", "validation")], ids=str)
def test_a_missing_test_split_is_carved_out_and_said(splits, stored, monkeypatch):
    use(monkeypatch, stored("alone", splits))
    with pytest.warns(UserWarning, match="there is no test split; a fifth of train"):
        parts = [data.load_arrays("alone", split)[0] for split in ("train", "test")]
    assert [len(part.x) for part in parts] == [16, 4]
    greys = np.sort(np.concatenate([part.x[:, 0, 0, 0] for part in parts]))
    np.testing.assert_array_equal(greys, np.floor(255 * GREY))
    with pytest.warns(UserWarning, match="there is no test split"):
        assert data.load("alone", "train[90%:]")[1].count == 2
    if "validation" in splits:
        assert data.load("alone", "validation")[1].count == COUNT


@pytest.mark.parametrize("name", ["named", "named:1.2.3", "named:1.*.*", "named/small"])
def test_names_with_versions_and_configurations(name, stored, monkeypatch):
    use(monkeypatch, stored("named"))
    _, info = data.load(name, "test")
    assert (info.shape, info.class_names, info.count) == ((8, 10, 1), ("cat", "dog"), COUNT)


@pytest.mark.parametrize("name", ["named:9.9.9", "named/other", "nowhere:1.0.0", "zip:a", "named:"])
def test_names_that_there_are_none_of(name, stored, monkeypatch):
    use(monkeypatch, stored("named"))
    with pytest.raises(ValueError, match=r"No data set is called|names no data"):
        data.load(name)


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.float32])
@pytest.mark.parametrize("size", [None, (4, 5), 8], ids=str)
def test_values_are_scaled_by_their_type(dtype, size, stored, monkeypatch):
    use(monkeypatch, stored("deep", dtype=dtype))
    found, info = data.load_arrays("deep", "test", size=size)
    assert found.x.shape[1:] == info.shape
    assert found.x.dtype == np.uint8
    np.testing.assert_allclose(found.x[:, 2, 2, 0].astype(float), 255 * GREY, atol=1)


def test_floats_out_of_range_are_refused_at_the_start(stored, monkeypatch):
    use(monkeypatch, stored("bright", dtype=np.float32, scale=255.0))
    with pytest.raises(ValueError, match=r"outside \[0, 1\].*; scale the images"):
        data.load("bright")


def test_transparent_images_show_the_background(stored, monkeypatch):
    use(monkeypatch, stored("clear", channels=4))
    found, info = data.load_arrays("clear", "test")
    assert info.shape == (8, 10, 3)
    assert (found.x[0] == 255).all()  # Black, and transparent.


@pytest.mark.parametrize("scalar", [np.float32, np.int64])
def test_labels_that_are_no_classes_are_refused(scalar, stored, monkeypatch):
    use(monkeypatch, stored("scalar", label=tfds.features.Scalar(dtype=scalar)))
    with pytest.raises(ValueError, match="which is no class; needs a ClassLabel"):
        data.load("scalar")


def test_a_models_classes_are_matched_by_name(stored, monkeypatch):
    use(monkeypatch, stored("matched"))
    found, _ = data.load_arrays("matched", "test", class_names=["dog", "emu", "cat"])
    own, _ = data.load_arrays("matched", "test")
    np.testing.assert_array_equal(found.label, np.array([2, 0])[own.label])
