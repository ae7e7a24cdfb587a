import numpy as np
import pytest
from PIL import Image

from dvae_tf import data


def make_folder(root, classes=("cat", "dog"), count=10, size=(20, 14)):
    for number, name in enumerate(classes):
        (root / name).mkdir(parents=True)
        for index in range(count):
            colour = (40 * index, 100 * number, 7)
            Image.new("RGB", size, colour).save(root / name / f"{index}.png")
    return f"folder:{root}"


def test_streams_each_class_cropped_and_resized(tmp_path):
    name = make_folder(tmp_path)
    train, info = data.load_arrays(name, "train", size=16)
    test, _ = data.load_arrays(name, "test", size=16)
    assert info.class_names == ("cat", "dog")
    assert train.x.shape[1:] == (16, 16, 3)
    assert len(train.x) + len(test.x) == 20
    assert set(train.label) == set(test.label) == {0, 1}
    np.testing.assert_array_equal(train.x[:, 0, 0, 1], 100 * train.label)


def test_crop_is_the_central_square(tmp_path):
    make_folder(tmp_path)
    stripes = np.zeros((10, 30, 3), np.uint8)
    stripes[:, 10:20] = 255
    for file in tmp_path.glob("*/*.png"):
        Image.fromarray(stripes).save(file)
    examples, _ = data.load_arrays(f"folder:{tmp_path}", "train", size=10)
    np.testing.assert_array_equal(examples.x, 255)


def test_given_splits_are_used_and_mixed(tmp_path):
    make_folder(tmp_path / "train")
    make_folder(tmp_path / "test", count=2)
    train, _ = data.load_arrays(f"folder:{tmp_path}", "train[:50%]", size=8)
    assert set(train.label) == {0, 1}
    assert len(data.load_arrays(f"folder:{tmp_path}", "test", size=8)[0].label) == 4


def test_corrupt_file_is_named_once_and_skipped(tmp_path):
    make_folder(tmp_path / "train", count=5)
    name = make_folder(tmp_path / "test", count=1).removesuffix("/test")
    corrupt = tmp_path / "train" / "cat" / "3.png"
    corrupt.write_bytes(corrupt.read_bytes()[:30])
    (tmp_path / "train" / "dog" / "2.jpg").write_text("no image")
    dataset, _ = data.load(name, "train[:100%]", size=8, batch_size=4)
    with pytest.warns(UserWarning, match="Skipped") as record:
        passes = [sum(len(label) for _, label in dataset) for _ in range(2)]
    named = [str(warning.message) for warning in record if "Skipped" in str(warning.message)]
    assert len(named) == 2
    assert any(str(corrupt) in message for message in named)
    assert passes == [9, 9]


@pytest.mark.parametrize(
    ("classes", "message"),
    [((), "found no images"), (("cat",), "found images of one class, cat")],
)
def test_too_few_classes_are_named(classes, message, tmp_path):
    make_folder(tmp_path, classes)
    with pytest.raises(ValueError, match=message):
        data.load(f"folder:{tmp_path}")


def test_missing_folder_is_named(tmp_path):
    with pytest.raises(ValueError, match="there is no such folder"):
        data.load(f"folder:{tmp_path / 'missing'}")


def test_links_out_of_the_folder_are_skipped(tmp_path):
    name = make_folder(tmp_path / "mine")
    make_folder(tmp_path / "other", ["secret"])
    (tmp_path / "mine" / "bird").symlink_to(tmp_path / "other" / "secret")
    (tmp_path / "mine" / "cat" / "secret.png").symlink_to(tmp_path / "other" / "secret" / "0.png")
    with pytest.warns(UserWarning, match="Skipped .* links out of"):
        (_, train), (_, test) = (data.load(name, split) for split in ("train", "test"))
    assert train.class_names == ("cat", "dog")
    assert train.count + test.count == 20


def test_huge_image_is_named_and_skipped(tmp_path):
    name = make_folder(tmp_path)
    Image.new("1", (20_000, 20_000)).save(tmp_path / "cat" / "0.png")
    with pytest.warns(UserWarning, match="too large"):
        examples = [data.load_arrays(name, split, size=8)[0] for split in ("train", "test")]
    assert sum(len(part.label) for part in examples) == 19
