"""Folders as users have them: splits of their own, stray files, odd names, later images."""

import os
import warnings

import numpy as np
import pytest
from PIL import Image

from dvae_tf import data
from dvae_tf.runs import Data

GREY = {"blue": 10, "green": 20, "red": 30}


def image(path, value=0):
    """Writes an image of a grey value that no other has, but for its class's."""
    path.parent.mkdir(parents=True, exist_ok=True)
    image.count += 1
    pixels = np.full((8, 8, 3), value, np.uint8)
    pixels[0, :3, 0] = [image.count % 256, image.count // 256 % 256, 7]
    Image.fromarray(pixels).save(path)
    return path


image.count = 0


def classes(base, *names, count=6):
    for name in names or GREY:
        for number in range(count):
            image(base / name / f"{number}.png", GREY.get(name, 99))
    return f"folder:{base}"


def right(name, split, **options):
    """The class names, after a check that each label is that of the image's grey value."""
    found, info = data.load_arrays(name, split, size=8, **options)
    values = [GREY[info.class_names[label]] for label in found.label]
    np.testing.assert_array_equal(found.x[:, 4, 4, 0], values)
    return info.class_names


SPLITS = [
    ("train", "test", None),
    ("train", "test", "val"),
    ("training", "testing", "validation"),
    ("Train", "Test", "Valid"),
    ("TRAIN", "TEST", "dev"),
]


@pytest.mark.parametrize(("train", "test", "validation"), SPLITS, ids=str)
def test_splits_by_any_name(train, test, validation, tmp_path):
    classes(tmp_path / train)
    name = classes(tmp_path / test, "blue", "red", count=2).removesuffix(f"/{test}")
    assert right(name, "train") == right(name, "test") == ("blue", "green", "red")
    if validation is None:
        with pytest.raises(ValueError, match="there is no split 'validation'"):
            data.load(name, "validation")
        return
    classes(tmp_path / validation, "green", "red", count=3)
    assert right(name, "validation") == ("blue", "green", "red")
    run = Data(arguments(name))
    assert (run.training, run.validating, run.info.count) == ("train", "validation", 18)
    assert sum(len(label) for _, label in run.validation) == 6
    assert len(run.arrays("test").label) == 4


def arguments(name):
    return {"dataset": name, "seed": 0, "size": 8, "labelled": 1.0, "batch_size": 4}


@pytest.mark.parametrize("others", [(), ("val",)], ids=["train alone", "train and val"])
def test_a_missing_test_split_is_carved_out_and_said(others, tmp_path):
    classes(tmp_path / "train", count=12)
    for other in others:
        classes(tmp_path / other, count=2)
    with pytest.warns(UserWarning, match="there is no test split; a fifth of train"):
        train, info = data.load_arrays(f"folder:{tmp_path}", "train", size=8)
    with pytest.warns(UserWarning, match="there is no test split"):
        test, _ = data.load_arrays(f"folder:{tmp_path}", "test", size=8)
    assert len(train.x) + len(test.x) == 36
    assert set(train.label) == set(test.label) == {0, 1, 2}
    assert info.class_names == ("blue", "green", "red")


def refused(tmp_path, *paths):
    for path in paths:
        if path.endswith("/"):
            (tmp_path / path).mkdir(parents=True)
        else:
            image(tmp_path / path)
    return f"folder:{tmp_path}"


CANNOT_BE_TOLD = {
    "a class beside splits": (["train/a/0.png", "train/b/0.png", "a/0.png"], "cannot tell which"),
    "splits of unknown names": (
        ["training_set/a/0.png", "training_set/b/0.png", "test_set/a/0.png", "test_set/b/0.png"],
        "cannot be told",
    ),
    "splits within classes": (["a/train/0.png", "a/test/0.png", "b/train/0.png"], "cannot be told"),
    "folds": (["1/a/0.png", "1/b/0.png", "2/a/0.png", "2/b/0.png"], "cannot be told"),
    "two trainings": (["train/a/0.png", "training/b/0.png"], "cannot tell which"),
    "an unknown split": (["train/a/0.png", "holdout/a/0.png"], "cannot tell which"),
    "splits without classes": (["train/0.png", "test/0.png"], "no images in class folders"),
    "a test split without classes": (
        ["train/a/0.png", "train/b/0.png", "test/0.png"],
        "test holds no folders; put its images into folders",
    ),
    "no train": (["val/a/0.png", "val/b/0.png", "test/a/0.png"], "there is no folder train"),
    "one level too deep": (["mine/a/0.png", "mine/b/0.png"], "mine, which itself holds folders"),
    "an unknown class": (
        ["train/a/0.png", "train/b/0.png", "test/a/1.png", "test/c/1.png"],
        "the class 'c' is not one of those that are trained",
    ),
    "another case": (
        ["train/a/0.png", "train/b/0.png", "test/A/1.png"],
        "the class 'A' is not one of those",
    ),
    "an empty class": (["a/0.png", "b/0.png", "c/"], "the class 'c' has no images"),
    "a class of hidden files": (["a/0.png", "b/.0.png"], "the class 'b' has no images"),
    "an empty class in test": (
        ["train/a/0.png", "train/b/0.png", "test/a/1.png", "test/b/"],
        "the class 'b' has no images",
    ),
}


@pytest.mark.parametrize("case", CANNOT_BE_TOLD)
def test_what_cannot_be_told_is_refused(case, tmp_path):
    paths, message = CANNOT_BE_TOLD[case]
    name = refused(tmp_path, *paths)
    with pytest.raises(ValueError, match=message):
        _ = [data.load(name, split) for split in ("train", "test")]


def test_a_class_may_be_called_train(tmp_path):
    names = data.load(classes(tmp_path, "train", "bus", "tram"))[1].class_names
    assert names == ("bus", "train", "tram")


def test_a_class_unknown_in_test_ends_a_training_before_it_begins(tmp_path):
    classes(tmp_path / "train", "blue", "red")
    classes(tmp_path / "test", "green")
    with pytest.raises(ValueError, match="the class 'green'"):
        _ = Data(arguments(f"folder:{tmp_path}")).train


STRAY = [
    ".ipynb_checkpoints/0-checkpoint.png",
    "__MACOSX/red/._0.png",
    ".thumbnails/0.png",
    "@eaDir/0.png",
    "red/.thumbnails/0.png",
    "red/._0.png",
    "red/@eaDir/0.png",
    "red/__MACOSX/0.png",
    "$RECYCLE.BIN/0.png",
    "lost+found/",
]


@pytest.mark.parametrize("stray", STRAY)
def test_what_systems_leave_is_ignored(stray, tmp_path):
    name = classes(tmp_path)
    refused(tmp_path, stray)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        infos = [data.load(name, split)[1] for split in ("train", "test")]
    assert infos[0].class_names == ("blue", "green", "red")
    assert sum(info.count for info in infos) == 18


@pytest.mark.parametrize(
    "suffix", [".tif", ".TIFF", ".jpg", ".JPEG", ".jfif", ".bmp", ".gif", ".webp", ".ppm", ".tga"]
)
def test_kinds_of_files(suffix, tmp_path):
    for number, name in enumerate(GREY):
        for index in range(5):
            path = tmp_path / name / f"{index}{suffix}"
            path.parent.mkdir(exist_ok=True)
            Image.new("L", (8 + index, 8), 10 * number + 10).save(path)
    found, info = data.load_arrays(f"folder:{tmp_path}", "train", size=8)
    assert info.class_names == ("blue", "green", "red")
    np.testing.assert_allclose(found.x[:, 4, 4, 0], 10.0 * found.label + 10, atol=2)


def test_files_that_are_not_read_are_named(tmp_path):
    name = classes(tmp_path)
    (tmp_path / "red" / "notes.txt").write_text("hello")
    image(tmp_path / "loose.png")
    with pytest.warns(UserWarning, match="Skipped 2 files .* the first .*loose.png"):
        data.load(name)


def contents(name, split):
    return {x.tobytes() for x in data.load_arrays(name, split, size=8)[0].x}


CHANGES = {
    "images are added": lambda root: [image(root / "red" / f"new{n}.png", 30) for n in range(9)],
    "an image is added in front": lambda root: image(root / "blue" / "!.png", 10),
    "a file is renamed": lambda root: (root / "red" / "0.png").rename(root / "red" / "zz.png"),
    "all files are renamed": lambda root: [
        file.rename(file.with_name(f"{number:03}.png"))
        for number, file in enumerate(sorted(root.rglob("*.png"), reverse=True))
    ],
    "a class is added": lambda root: classes(root, "white"),
    "an image is removed": lambda root: (root / "green" / "3.png").unlink(),
}


@pytest.mark.parametrize("case", CHANGES)
@pytest.mark.parametrize(("split", "other"), [
    ("train", "test"), ("train[:90%]", "train[90%:]"), ("test[:50%]", "test[50%:]"),
])  # fmt: skip
def test_no_image_moves_between_splits(split, other, case, tmp_path):
    name = classes(tmp_path, count=20)
    one, two = contents(name, split), contents(name, other)
    assert one
    assert two
    if split == "train":
        assert len(one | two) == 60
    CHANGES[case](tmp_path)
    assert not one & contents(name, other)
    assert not two & contents(name, split)


def test_slices_in_percent_have_about_that_share(tmp_path):
    name = classes(tmp_path, count=60)
    whole, part = contents(name, "train"), contents(name, "train[:70%]")
    assert part | contents(name, "train[70%:]") == whole
    assert 0.6 < len(part) / len(whole) < 0.8


def test_few_images_have_both_sides_of_a_cut_and_none_is_on_both(tmp_path):
    for count in range(2, 8):
        name = classes(tmp_path, "red", "blue", count=count)
        low, high = contents(name, "train[:98%]"), contents(name, "train[98%:]")
        assert low
        assert high
        assert not low & high


def test_duplicates_are_in_the_same_split_and_classes_in_both(tmp_path):
    name = classes(tmp_path, count=15)
    for file in sorted(tmp_path.rglob("*.png")):
        (file.parent / f"copy of {file.name}").write_bytes(file.read_bytes())
    train, test = (data.load_arrays(name, split, size=8)[0] for split in ("train", "test"))
    assert not {x.tobytes() for x in train.x} & {x.tobytes() for x in test.x}
    assert set(train.label) == set(test.label) == {0, 1, 2}
    assert 0.1 < len(test.x) / 90 < 0.3


@pytest.mark.parametrize("count", [1, 2, 3])
def test_tiny_classes_have_what_they_can_in_both_splits(count, tmp_path):
    name = classes(tmp_path, *"abcdefghijklmnop", count=count)
    found, _ = data.load_arrays(name, "train", size=8)
    assert set(found.label) == set(range(16))
    if count > 1:
        assert set(data.load_arrays(name, "test", size=8)[0].label) == set(range(16))


def test_links_to_nowhere_are_named(tmp_path):
    name = classes(tmp_path)
    for link, to in (("loop.png", "loop.png"), ("lost.png", "gone.png")):
        (tmp_path / "red" / link).symlink_to(to)
    with pytest.warns(UserWarning, match="Skipped 1 links out of .* or to nowhere, .*loop.png"):
        data.load(name, size=8)


def test_a_class_linked_to_another_is_no_class(tmp_path):
    name = classes(tmp_path)
    (tmp_path / "scarlet").symlink_to("red")
    with pytest.warns(UserWarning, match="to another class .*scarlet: copy these images"):
        _, info = data.load(name, size=8)
    assert "red" in info.class_names
    assert "scarlet" not in info.class_names


def latin(folder, name="caf\xe9.png"):
    return os.path.join(os.fsencode(folder), name.encode("latin-1"))


def test_a_file_with_a_latin_1_name_is_read(tmp_path):
    name = classes(tmp_path)
    os.rename(tmp_path / "red" / "0.png", latin(tmp_path / "red"))
    counts = [len(data.load_arrays(name, split, size=8)[0].x) for split in ("train", "test")]
    assert sum(counts) == 18


def test_a_damaged_file_with_a_latin_1_name_is_named(tmp_path):
    classes(tmp_path / "train")
    name = classes(tmp_path / "test").removesuffix("/test")
    with open(latin(tmp_path / "train" / "red"), "wb") as file:
        file.write(b"no image")
    with pytest.warns(UserWarning, match=r"Skipped .*caf\\xe9.png"):
        data.load_arrays(name, "train", size=8)


def test_a_class_with_a_latin_1_name_is_named(tmp_path):
    name = classes(tmp_path)
    os.rename(tmp_path / "red", latin(tmp_path, "caf\xe9"))
    with pytest.raises(ValueError, match=r"class name b'caf\\xe9' is not in UTF-8"):
        data.load(name)


@pytest.mark.parametrize("batch_size", [1, 4, 7])
def test_the_number_of_batches_is_known_although_files_cannot_be_read(batch_size, tmp_path):
    name = classes(tmp_path)
    for file in sorted(tmp_path.rglob("*.png"))[:3]:
        file.write_bytes(b"damaged")
    for split in ("train", "test"):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            dataset, _ = data.load(name, split, batch_size, size=8)
            sizes = [len(label) for _, label in dataset]
        assert dataset.cardinality() == len(sizes)
        assert min(sizes) > 0


def test_a_class_of_which_no_file_can_be_read_is_refused(tmp_path):
    name = classes(tmp_path)
    for file in (tmp_path / "red").iterdir():
        Image.fromarray(np.full((8, 8), 300.0, np.float32)).save(file, "TIFF")
    with pytest.raises(ValueError, match=r"class 'red' can be read; .* range from 300 to 300"):
        data.load(name)


MODEL = ("red", "violet", "blue", "green")


def test_a_models_classes_are_matched_by_name(tmp_path):
    name = classes(tmp_path, "blue", "red")
    assert right(name, "train", class_names=MODEL) == MODEL
    one = classes(tmp_path / "one", "green").removesuffix("/one") + "/one"
    assert right(one, "train", class_names=MODEL) == MODEL
    with pytest.raises(ValueError, match="the class 'green' is not one of those"):
        data.load(one, class_names=("red", "blue"))


def test_a_models_classes_hold_without_the_training_data(tmp_path):
    name = classes(tmp_path / "test", "red").removesuffix("/test")
    assert right(name, "test", class_names=MODEL) == MODEL


@pytest.mark.parametrize("size", ["8x20", (8, 20)], ids=str)
def test_images_that_are_not_square(size, tmp_path):
    name = classes(tmp_path)
    found, info = data.load_arrays(name, "train", size=size)
    assert found.x.shape[1:] == info.shape == (8, 20, 3)
    assert data.load(name)[1].shape == (64, 64, 3)
