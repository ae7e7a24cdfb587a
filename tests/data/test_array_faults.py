"""Arrays as users have them, in memory and in .npz files: layouts, labels, names, own splits."""

import subprocess
import sys

import numpy as np
import pytest
import scipy.sparse

from dvae_tf import data
from dvae_tf.data.pixels import to_uint8
from dvae_tf.runs import Data

RANDOM = np.random.default_rng(0)
IMAGES = RANDOM.integers(0, 256, (60, 8, 10), np.uint8)
LABEL = np.arange(60) % 3


def saved(folder, **arrays):
    np.savez(folder / "own.npz", **arrays)
    return f"npz:{folder / 'own.npz'}"


def opened(door, folder, x, label):
    if door == "npz":
        return data.load(saved(folder, x=x, label=label))
    return data.from_arrays(x, label)


@pytest.mark.parametrize("door", ["from_arrays", "npz"])
@pytest.mark.parametrize(
    "label", [LABEL, LABEL[:, np.newaxis], LABEL.astype(np.uint8)], ids=["[n]", "[n, 1]", "uint8"]
)
def test_what_keras_datasets_gives_is_read_as_grey_images(door, label, tmp_path):
    dataset, info = opened(door, tmp_path, IMAGES, label)
    assert (info.shape, info.num_classes) == ((8, 10, 1), 3)
    x, _ = next(iter(dataset))
    assert -1.0 <= np.min(x) < np.max(x) <= 1.0


@pytest.mark.parametrize("shape", [(60, 3, 8, 10), (60, 1, 28, 28), (60, 4, 8, 8)], ids=str)
@pytest.mark.parametrize("dtype", [np.uint8, np.float32])
def test_channels_first_are_refused(shape, dtype):
    with pytest.raises(ValueError, match="the channels first; put them last"):
        data.from_arrays(np.zeros(shape, dtype), LABEL)


WRONG_KINDS = {
    "a masked label": (IMAGES, np.ma.masked_array(LABEL, LABEL == 0), "label is a masked array"),
    "masked images": (np.ma.masked_array(IMAGES, IMAGES > 9), LABEL, "x is a masked array"),
    "no columns": (np.zeros((60, 0), np.float32), LABEL, "no values in the examples"),
    "no rows": (IMAGES[:0], LABEL[:0], "there are no examples"),
    "sparse": (scipy.sparse.eye(60).tocsr(), LABEL, "x holds objects .csr_"),
    "objects": (IMAGES, np.array([None, "b"] * 30), "label holds objects"),
    "uint16": (IMAGES.astype(np.uint16) * 257, LABEL, "If these are images, scale them"),
}


@pytest.mark.filterwarnings("ignore:.*are taken for data:UserWarning")
@pytest.mark.parametrize("case", WRONG_KINDS)
def test_arrays_of_a_wrong_kind_are_named(case):
    x, label, message = WRONG_KINDS[case]
    with pytest.raises(ValueError, match=message):
        data.from_arrays(x, label)


@pytest.mark.parametrize("batch_size", [0, -1, 1.5, None])
def test_a_batch_has_a_whole_number_of_examples(batch_size):
    with pytest.raises(ValueError, match=r"batch_size is .*; give a whole number, at least 1"):
        data.from_arrays(IMAGES, LABEL, batch_size=batch_size)


def test_an_array_of_objects_in_a_file_is_named(tmp_path):
    name = saved(tmp_path, x=IMAGES, label=np.array(["a", "b"] * 30, object))
    with pytest.raises(ValueError, match="an array holds Python objects; save numbers"):
        data.load(name)


VALUES = {
    "from 1": np.array([1, 2, 3]),
    "a gap": np.array([0, 5, 7]),
    "millions": np.array([17, 2_000_790, 1_000_000]),
    "uint64": np.array([1, 2, 3], np.uint64),
    "the largest that there may be": np.array([0, 1, 2**31 - 1]),
}


@pytest.mark.parametrize("case", VALUES)
@pytest.mark.parametrize("door", ["from_arrays", "npz"])
def test_labels_become_0_to_c_with_their_values_as_names(case, door, tmp_path):
    label = VALUES[case][LABEL]
    with pytest.warns(UserWarning, match="become the classes 0 to 2"):
        batches, info = opened(door, tmp_path, IMAGES, label)
    assert info.class_names == tuple(str(value) for value in sorted(VALUES[case].tolist()))
    value_of = {x.tobytes(): value for x, value in zip(IMAGES, label.tolist(), strict=True)}
    for x, number in batches.unbatch().as_numpy_iterator():
        assert int(info.class_names[number]) == value_of[to_uint8(x).tobytes()]


def test_labels_without_gaps_say_nothing(recwarn):
    _, info = data.from_arrays(IMAGES, np.where(np.arange(60) == 4, -1, LABEL))
    assert info.class_names == ("0", "1", "2")
    assert not [found for found in recwarn.list if found.category is UserWarning]


OUTSIDE = {
    "2^31": np.array([0, 1, 2**31]),
    "2^32 + 1": np.array([0, 1, 2**32 + 1]),
    "the largest uint64": np.array([0, 1, 2**64 - 1], np.uint64),
    "the smallest int64": np.array([0, 1, -(2**63)]),
    "-2": np.array([0, 1, -2], np.int8),
    "3.7": np.array([0.0, 1.0, 3.7]),
    "NaN": np.array([0.0, 1.0, np.nan]),
    "text": np.array(["a", "b", "c"]),
    "None": np.array([0, 1, None]),
}


@pytest.mark.parametrize("case", OUTSIDE)
@pytest.mark.parametrize("door", ["from_arrays", "npz"])
def test_labels_that_no_class_can_have_are_refused(case, door, tmp_path):
    label = OUTSIDE[case][LABEL]
    with pytest.raises(ValueError, match=r"is outside|give integers|not a readable|objects"):
        opened(door, tmp_path, IMAGES, label)


@pytest.mark.parametrize("seed", [-1, 2**32, 2**64, 0.5, "1", None, True])
def test_seeds_that_are_none_are_refused(seed):
    with pytest.raises(ValueError, match=r"seed is .*; give an integer from 0 to"):
        data.load("three_moons", seed=seed)
    with pytest.raises(ValueError, match="seed is"):
        data.from_arrays(IMAGES, LABEL, seed=seed)


def test_labels_that_may_be_names_or_indices_are_told_apart_in_a_sentence(recwarn):
    with pytest.warns(UserWarning, match="names of classes, not for their indices: label 1 is"):
        _, info = data.from_arrays(IMAGES, LABEL % 2 + 1, class_names=["1", "2", "3"])
    assert info.class_names == ("1", "2", "3")
    recwarn.clear()
    data.from_arrays(IMAGES, LABEL, class_names=["0", "1", "2"])
    assert not recwarn.list


def test_the_labels_of_all_splits_are_read_in_one_way(tmp_path):
    train = {"x_train": IMAGES, "label_train": LABEL}  # 0 is no name: these are indices.
    test = {"x_test": IMAGES[:8], "label_test": LABEL[:8] % 2 + 1}
    name = saved(tmp_path, **train, **test, class_names=["1", "2", "3"])
    found, _ = data.load_arrays(name, "test")
    assert sorted(found.label) == sorted(LABEL[:8] % 2 + 1)
    train, test = {"x_train": IMAGES, "label_train": LABEL + 1}, {"x_test": IMAGES[:9]}
    name = saved(tmp_path, **train, **test, label_test=LABEL[:9] % 3, class_names=["1", "2", "3"])
    with pytest.raises(ValueError, match=r"label 3 at index .* is outside"):
        data.load(name, "train")  # Of indices, 3 is too large; of names, 0 is none.


NAMES = {
    "byte strings": (np.array([b"cat", b"dog", "Jürgen".encode()]), ("cat", "dog", "Jürgen")),
    "numbers": (np.array([10, 20, 30]), ("10", "20", "30")),
    "signs": (np.array(["$a$", "b_c", "猫"]), ("$a$", "b_c", "猫")),
    "e and an accent": (np.array(["cafe\u0301", "b", "c"]), ("caf\xe9", "b", "c")),
}


@pytest.mark.parametrize("case", NAMES)
def test_class_names_are_text(case, tmp_path):
    given, wanted = NAMES[case]
    name = saved(tmp_path, x=IMAGES, label=LABEL, class_names=given)
    assert data.load(name)[1].class_names == wanted
    assert data.from_arrays(IMAGES, LABEL, class_names=given)[1].class_names == wanted


WRONG_NAMES = {
    "Latin-1": (np.array([b"a", b"b", b"\xe9"]), "is not in UTF-8"),
    "twice the same": (np.array(["a", "b", "a"]), "two classes are called 'a'"),
    "a table": (np.array([["a", "b", "c"]]), r"class_names has shape \(1, 3\)"),
    "one too many": (np.array(["a", "b", "c", "d"]), "'d' has no training example"),
    "one too few": (np.array(["a", "b"]), r"label 2 at index 2 is outside \[0, 2\)"),
}


@pytest.mark.parametrize("case", WRONG_NAMES)
def test_class_names_that_do_not_fit(case, tmp_path):
    given, message = WRONG_NAMES[case]
    with pytest.raises(ValueError, match=message):
        data.load(saved(tmp_path, x=IMAGES, label=LABEL, class_names=given))


PARTS = np.where(np.arange(60) < 36, "train", np.where(np.arange(60) < 48, "val", "test"))


def own_splits(kind, label=LABEL):
    if kind == "split":
        return {"x": IMAGES, "label": label, "split": PARTS}
    if kind == "bytes":
        return {"x": IMAGES, "y": label, "split": PARTS.astype("S")}
    stem, called = ("label", "val") if kind == "label_train" else ("y", "validation")
    arrays = {}
    for split, ending in (("train", "train"), ("val", called), ("test", "test")):
        arrays[f"x_{ending}"] = IMAGES[split == PARTS]
        arrays[f"{stem}_{ending}"] = label[split == PARTS]
    return arrays


@pytest.mark.filterwarnings("ignore:.*become the classes")
@pytest.mark.parametrize("kind", ["split", "bytes", "label_train", "y_train"])
def test_own_splits(kind, tmp_path):
    name = saved(tmp_path, **own_splits(kind, LABEL + 4))
    for split, part in (("train", "train"), ("validation", "val"), ("test", "test")):
        found, info = data.load_arrays(name, split)
        assert {x.tobytes() for x in found.x} == {x.tobytes() for x in IMAGES[part == PARTS]}
        label_of = {x.tobytes(): label for x, label in zip(IMAGES, LABEL, strict=True)}
        assert [label_of[x.tobytes()] for x in found.x] == found.label.tolist()
        assert info.class_names == ("4", "5", "6")
    run = Data({"dataset": name, "seed": 0, "size": None, "labelled": 1.0, "batch_size": 5})
    assert (run.training, run.validating, run.info.count) == ("train", "validation", 36)
    assert len(run.arrays("test").label) == 12


def without(arrays, *names):
    return {key: value for key, value in arrays.items() if key not in names}


SPLITS = own_splits("y_train")
WRONG_SPLITS = {
    "a class that train lacks": (
        SPLITS | {"y_test": SPLITS["y_test"] + 9},
        "the class '9' is not one of those that are trained",
    ),
    "labels are missing": (without(SPLITS, "y_test"), "label_test is missing"),
    "no train": (without(SPLITS, "x_train", "y_train"), "there is no split 'train'"),
    "x twice": (SPLITS | {"x": IMAGES, "y": LABEL}, "give either x and label or"),
    "labels twice": (SPLITS | {"label_test": LABEL}, "the second of its kind"),
    "an unknown split": (
        {"x": IMAGES, "label": LABEL, "split": np.where(LABEL, "train", "holdout")},
        "split holds 'holdout'",
    ),
    "splits of others": (
        {"x": IMAGES, "label": LABEL, "split": PARTS[:9]},
        r"split has shape \(9,\)",
    ),
}


@pytest.mark.parametrize("case", WRONG_SPLITS)
def test_own_splits_that_do_not_fit(case, tmp_path):
    arrays, message = WRONG_SPLITS[case]
    name = saved(tmp_path, **arrays)
    with pytest.raises(ValueError, match=message):
        _ = [data.load(name, split) for split in ("train", "test")]


def test_a_missing_test_split_is_carved_out_and_said(tmp_path):
    name = saved(tmp_path, **without(SPLITS, "x_test", "y_test"))
    with pytest.warns(UserWarning, match="there is no test split; a fifth of train"):
        train, test = (data.load_arrays(name, split)[0] for split in ("train", "test"))
    assert len(train.x) + len(test.x) == 36
    assert set(train.label) == set(test.label) == {0, 1, 2}


def test_arrays_that_are_not_used_are_named(tmp_path):
    with pytest.warns(UserWarning, match="the arrays x_trian are not used"):
        data.load(saved(tmp_path, x=IMAGES, label=LABEL, x_trian=IMAGES))


@pytest.mark.parametrize("change", ["added in front", "in another order"])
def test_no_example_moves_between_train_and_test(change, tmp_path):
    def contents(order):
        name = saved(tmp_path, x=IMAGES[order], label=LABEL[order])
        parts = (data.load_arrays(name, split)[0].x for split in ("train", "test"))
        return [{x.tobytes() for x in part} for part in parts]

    train, test = contents(np.arange(20, 60))
    order = np.arange(60) if change == "added in front" else RANDOM.permutation(np.arange(20, 60))
    later = contents(order)
    assert len(train | test) == 40
    assert train <= later[0]
    assert test <= later[1]


def test_own_splits_of_arrays_in_memory_have_the_numbers_of_the_first():
    with pytest.warns(UserWarning, match="become the classes"):
        _, info = data.from_arrays(IMAGES, LABEL + 4)
    some, other = data.from_arrays(
        IMAGES[:4], [6, 4, 6, 6], shuffle=False, class_names=info.class_names
    )
    assert next(iter(some))[1].numpy().tolist() == [2, 0, 2, 2]
    assert other.class_names == info.class_names


def test_a_models_classes_are_matched_by_name(tmp_path):
    name = saved(tmp_path, x=IMAGES, label=LABEL, class_names=["cat", "dog", "owl"])
    model = ("owl", "emu", "cat", "dog")
    found, info = data.load_arrays(name, class_names=model)
    own, _ = data.load_arrays(name)
    np.testing.assert_array_equal(found.label, np.array([2, 3, 0])[own.label])
    batched, _ = data.load(name, "test", class_names=model)
    np.testing.assert_array_equal(next(iter(batched))[1], found.label)
    assert info.class_names == model
    with pytest.raises(ValueError, match="the class 'owl' is not one of those"):
        data.load(name, class_names=("cat", "dog"))


PEAK = """
import pathlib, sys
import numpy as np
from dvae_tf import data
def most_resident():  # That of the module resource counts the parent's as well.
    status = pathlib.Path("/proc/self/status").read_text()
    return 1024 * int(status.partition("VmHWM:")[2].split()[0])
data.load_arrays("three_moons", "test", count=9)
before = most_resident()
found, _ = data.load_arrays(sys.argv[1], "train")
print(most_resident() - before)
"""


@pytest.mark.slow
def test_loading_takes_hardly_more_memory_than_the_data(tmp_path):
    x = np.zeros((8000, 64, 64, 3), np.uint8)
    x[:, 0, :2, 0] = np.arange(16_000).reshape(8000, 2) % 251
    name = saved(tmp_path, x=x, label=np.arange(8000) % 5)
    call = [sys.executable, "-c", PEAK, name]
    used = int(subprocess.run(call, check=True, capture_output=True, text=True).stdout)
    assert 0.7 * x.nbytes < used < 1.5 * x.nbytes


def test_floats_that_may_be_grey_images_are_asked_about():
    with pytest.warns(UserWarning, match="taken for data that are no images"):
        _, info = data.from_arrays(np.zeros((6, 28, 28)), np.arange(6) % 2)
    assert not info.is_image


def test_a_fourth_channel_is_asked_about():
    with pytest.warns(UserWarning, match="if the fourth is transparency"):
        data.from_arrays(np.zeros((6, 8, 8, 4), np.uint8), np.arange(6) % 2)


DIFFERENT = {"size": np.zeros((6, 9, 9, 1), np.uint8), "type": np.zeros((6, 8, 8, 1), np.float32)}


@pytest.mark.parametrize("kind", DIFFERENT)
def test_splits_of_different_kinds_are_refused(kind, tmp_path):
    x, label = np.zeros((6, 8, 8, 1), np.uint8), np.arange(6) % 2
    name = saved(tmp_path, x_train=x, y_train=label, x_test=DIFFERENT[kind], y_test=label)
    with pytest.raises(ValueError, match="examples differ from split to split: uint8"):
        data.load(name)


def test_an_npy_file_is_no_npz_file(tmp_path):
    np.save(tmp_path / "x.npy", np.zeros(3))
    with pytest.raises(ValueError, match=r"not a readable \.npz file"):
        data.load(f"npz:{tmp_path / 'x.npy'}")


def test_slices_beyond_the_whole_are_refused():
    with pytest.raises(ValueError, match="cannot be read"):
        data.load("digits", "train[:150%]")
