import numpy as np
import pytest
import tensorflow as tf

from dvae_tf import data


def save_npz(path, count=20, **arrays):
    values = {"x": np.zeros((count, 4), np.float32), "label": np.arange(count) % 2} | arrays
    np.savez(path, **{name: value for name, value in values.items() if value is not None})
    return f"npz:{path}"


@pytest.mark.parametrize("name", ["three_moons", "shapes", "digits"])
@pytest.mark.parametrize("split", ["train", "test"])
def test_batches_keep_the_contract(name, split):
    count = None if name == "digits" else 40
    dataset, info = data.load(name, split, batch_size=16, count=count)
    x, label = next(iter(dataset))
    assert x.dtype == tf.float32
    assert x.shape == (16, *info.shape)
    assert label.dtype == tf.int32
    assert label.shape == (16,)
    if info.is_image:
        assert -1.0 <= np.min(x) < np.max(x) <= 1.0
    total = sum(len(label) for _, label in dataset)
    assert total == info.count
    everything = np.concatenate([label for _, label in dataset.as_numpy_iterator()])
    assert set(everything) == set(range(info.num_classes))


def test_train_and_test_share_nothing():
    train, test = (data.load_arrays("digits", split)[0].x for split in ("train", "test"))
    assert len(train) + len(test) == 1797
    known = {image.tobytes() for image in train}
    shared = sum(image.tobytes() in known for image in test)
    assert shared <= 1  # two of the 1,797 images may be the same; splits are not


def test_every_pass_has_a_new_order_and_the_same_seed_the_same_orders():
    def orders(seed):
        dataset, _ = data.load("three_moons", count=50, batch_size=50, seed=seed)
        return [next(iter(dataset))[1].numpy().tolist() for _ in range(3)]

    assert orders(1) == orders(1)
    assert orders(1)[0] != orders(1)[1]
    test, _ = data.load("three_moons", "test", count=50, batch_size=50)
    assert next(iter(test))[1].numpy().tolist() == next(iter(test))[1].numpy().tolist()


def test_slices_are_parts_of_the_whole():
    whole, _ = data.load_arrays("digits", "train")
    first, info = data.load_arrays("digits", "train[:90%]")
    rest, _ = data.load_arrays("digits", "train[90%:]")
    assert info.count == len(first.label) == round(0.9 * len(whole.label))
    np.testing.assert_array_equal(np.concatenate([first.x, rest.x]), whole.x)
    some, _ = data.load_arrays("three_moons", "test[3:7]", count=20)
    np.testing.assert_array_equal(some.label, [0, 1, 2, 0])


def test_factors_follow_where_asked_for():
    dataset, info = data.load("shapes", count=12, batch_size=12, shuffle=False, factors=True)
    _, _, factors = next(iter(dataset))
    assert factors.shape == (12, 6)
    assert info.factor_names == ("hue", "scale", "rotation", "x", "y", "background")
    examples, _ = data.load_arrays("shapes", "train", count=12)
    np.testing.assert_array_equal(factors, examples.factors)


def test_npz(tmp_path):
    x = np.random.default_rng(0).normal(size=(20, 4)).astype(np.float32)
    name = save_npz(tmp_path / "my.npz", x=x, class_names=np.array(["no", "yes"]))
    train, info = data.load_arrays(name, "train")
    test, _ = data.load_arrays(name, "test")
    assert info.class_names == ("no", "yes")
    assert set(train.label) == set(test.label) == {0, 1}
    np.testing.assert_array_equal(
        np.sort(np.concatenate([train.x, test.x]), axis=0), np.sort(x, axis=0)
    )


def test_images_are_uint8_in_memory_and_floats_in_batches(tmp_path):
    x = np.zeros((20, 8, 8, 1), np.uint8)
    x[..., 0, 0] = 255
    name = save_npz(tmp_path / "my.npz", x=x)
    assert set(np.unique(data.load_arrays(name, "train")[0].x)) == {0, 255}
    batch, _ = next(data.load(name, "train")[0].as_numpy_iterator())
    assert batch.dtype == np.float32
    assert set(np.unique(batch)) == {-1.0, 1.0}


def test_from_arrays():
    dataset, info = data.from_arrays(np.zeros((6, 5)), [0, 1, 2, 0, 1, 2], batch_size=4)
    assert (info.shape, info.num_classes, len(list(dataset))) == ((5,), 3, 2)


NAN = np.zeros((20, 4))
NAN[7, 1] = np.nan


@pytest.mark.parametrize(
    ("arrays", "message"),
    [
        ({"x": None}, "found the arrays label, but x is missing"),
        ({"label": None}, "found the arrays x, but label is missing"),
        ({"x": np.zeros((19, 4))}, r"x has shape \(19, 4\) and label has shape \(20,\)"),
        ({"x": np.zeros(20)}, r"expected \[n, ...\] and \[n\]"),
        ({"x": NAN}, "NaN or infinite values in 1 of 20 examples, the first at index 7"),
        ({"x": np.full((20, 8, 8, 1), 3.0)}, r"range from 3 to 3; scale them to \[-1, 1\]"),
        ({"x": np.zeros((20, 8, 8, 1), np.int64)}, "dtype int64; give uint8 images"),
        ({"x": np.array([["a"]] * 20)}, "dtype <U1"),
        ({"label": np.zeros(20)}, "label has dtype float64; give integers"),
        ({"label": np.zeros(20, int)}, "all 20 examples have the label 0"),
        ({"label": np.arange(20) - 2}, r"label -2 at index 0 is outside \[0, C\)"),
        ({"label": np.full(20, -1)}, "no example has a label"),
        (
            {"label": np.arange(20) % 3, "class_names": np.array(["a", "b"])},
            r"label 2 at index 2 is outside \[0, 2\)",
        ),
        ({"x": np.zeros((0, 4)), "label": np.zeros(0, int)}, "there are no examples"),
    ],
)
def test_unfit_arrays_are_named(arrays, message, tmp_path):
    with pytest.raises(ValueError, match=message):
        data.load(save_npz(tmp_path / "my.npz", **arrays))


def test_broken_npz_is_named(tmp_path):
    (tmp_path / "broken.npz").write_bytes(b"no archive")
    with pytest.raises(ValueError, match="this is not a readable"):
        data.load(f"npz:{tmp_path / 'broken.npz'}")
    np.savez(tmp_path / "objects.npz", x=np.array([{}, {}], object), label=[0, 1])
    with pytest.raises(ValueError, match="an array holds Python objects"):
        data.load(f"npz:{tmp_path / 'objects.npz'}")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"name": "digts"}, "No data set is called 'digts'. Give three_moons, shapes, digits"),
        ({"name": "npz:missing.npz"}, "there is no such file"),
        ({"name": "npz:"}, "names no data; give folder:PATH or npz:PATH"),
        ({"name": "zip:a"}, "names no data; give folder:PATH or npz:PATH"),
        (
            {"name": "digits", "size": 32},
            r"\(16, 16, 1\), not the height and width \(32, 32\)",
        ),
        ({"name": "digits", "count": 50}, "count is 50, but this data is not generated"),
        ({"name": "digits", "split": "validation"}, "give 'train', 'test' or a slice"),
        ({"name": "digits", "split": "train[:"}, "give 'train', 'test' or a slice"),
        ({"name": "digits", "split": "train[9999:]"}, "is empty, of 1438 examples"),
        ({"name": "digits", "batch_size": 0}, "batch_size is 0"),
        ({"name": "digits", "factors": True}, "the factors are not known"),
    ],
)
def test_wrong_arguments_are_named(arguments, message):
    with pytest.raises(ValueError, match=message):
        data.load(**arguments)
