import numpy as np
import pytest
from matplotlib.image import imread
from PIL import Image

from dvae_tf.commands.explore import VERBS, Album, explore


@pytest.mark.parametrize("verb", VERBS)
def test_every_verb_draws_a_picture(verb, digits_run, tmp_path):
    line = explore(verb, digits_run, tmp_path / "out.png", count=3)
    assert line.startswith(f"{tmp_path}/out.png: ")
    picture = imread(tmp_path / "out.png")
    assert len(np.unique(picture[..., 0])) > 10


@pytest.mark.parametrize(
    ("verb", "options", "shape"),
    [
        ("reconstruct", {"count": 4}, (2, 4)),
        ("classify", {"count": 4}, (1, 4)),
        ("swap", {"count": 2, "columns": 3}, (2, 3)),
        ("interpolate-class", {"count": 2, "steps": 5, "to": "7", "path": "spherical"}, (2, 5)),
        ("interpolate-style", {"count": 2, "steps": 5}, (2, 5)),
        ("traverse", {"count": 2, "steps": 5, "dimension": 1}, (2, 5)),
        ("inpaint", {"count": 4, "hole": 6}, (3, 4)),
        ("nearest", {"count": 4, "neighbours": 2}, (4, 3)),
    ],
)
def test_every_verb_writes_an_array(verb, options, shape, digits_run, tmp_path):
    explore(verb, digits_run, tmp_path / "out.npy", **options)
    images = np.load(tmp_path / "out.npy")
    assert images.shape == (*shape, 16, 16, 1)
    assert images.dtype == np.uint8


def test_images_of_the_test_split_come_class_by_class(digits_run):
    x, names = Album(digits_run).pick(20)
    assert names == [str(digit) for digit in range(10)] * 2
    again, _ = Album(digits_run).pick(20)
    np.testing.assert_array_equal(x, again)
    assert not np.array_equal(x, Album(digits_run, seed=1).pick(20)[0])


def test_own_images_are_taken_in_the_shape_of_the_model(digits_run, tmp_path):
    wide = np.zeros((40, 60, 3), np.uint8)
    wide[:, 20:40] = 255
    Image.fromarray(wide).save(tmp_path / "bar.png")
    x, names = Album(digits_run, [tmp_path / "bar.png"]).pick(5)
    assert (x.shape, names) == ((1, 16, 16, 1), ["bar"])
    assert x[0, 8, 8, 0] == 255
    assert x[0, 8, 1, 0] == 0


def test_own_mask_says_where_the_hole_is(digits_run, tmp_path):
    mask = np.zeros((16, 16), np.uint8)
    mask[:4] = 255
    Image.fromarray(mask).save(tmp_path / "mask.png")
    explore("inpaint", digits_run, tmp_path / "out.npy", mask=tmp_path / "mask.png")
    image, hole, filled = np.load(tmp_path / "out.npy")
    np.testing.assert_array_equal(image[:, 4:], filled[:, 4:])
    assert np.all(hole[:, :4] == 127)


@pytest.mark.parametrize(
    ("verb", "options", "message"),
    [
        ("swap", {"count": 0}, "count is 0; give at least 1"),
        ("swap", {"output": "out.jpg"}, "give a .png or a .npy file"),
        ("inpaint", {"hole": 17}, "hole is 17; give 1 to 16 pixels"),
        ("traverse", {"dimension": 2}, r"dimension 2 is outside \[0, 2\)"),
        ("interpolate-class", {"to": "ten"}, "There is no class 'ten'"),
        ("interpolate-class", {"steps": 1}, "steps is 1"),
        ("reconstruct", {"files": ["none.png"]}, "none.png is no readable image"),
    ],
)
def test_wrong_arguments_are_named_and_nothing_is_written(
    verb, options, message, digits_run, tmp_path, monkeypatch
):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ValueError, match=message):
        explore(verb, digits_run, **options)
    assert list(tmp_path.iterdir()) == []


def test_vectors_are_written_as_arrays_only(moons_run, tmp_path):
    with pytest.raises(ValueError, match="the data is vectors; give a"):
        explore("swap", moons_run, tmp_path / "out.png")
    explore("swap", moons_run, tmp_path / "out.npy", count=2, columns=3)
    assert np.load(tmp_path / "out.npy").shape == (2, 3, 2)
