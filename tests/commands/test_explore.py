import dataclasses
import functools
import inspect

import numpy as np
import pytest
from matplotlib.image import imread
from PIL import Image
from rich.console import Console

from dvae_tf import runs
from dvae_tf.commands.explore import OF_ALL, PICTURES, Album, explore
from dvae_tf.commands.settings import ExplorationSettings


@pytest.fixture(scope="module", autouse=True)
def models_are_loaded_once():
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(runs, "load", functools.cache(runs.load))
        yield


def draw(picture, run, output, **options):
    console = Console(width=500)
    with console.capture() as printed:
        settings = ExplorationSettings(picture, str(run), output=str(output), **options)
        assert explore(settings, console) == output
    return printed.get()


@pytest.mark.parametrize("picture", PICTURES)
def test_every_picture_is_drawn(picture, digits_run, tmp_path):
    line = draw(picture, digits_run, tmp_path / "out.png", count=3)
    assert line.startswith(f"{tmp_path}/out.png: ")
    drawn = imread(tmp_path / "out.png")
    assert len(np.unique(drawn[..., 0])) > 10


@pytest.mark.parametrize(
    ("picture", "options", "shape"),
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
def test_every_picture_can_be_an_array(picture, options, shape, digits_run, tmp_path):
    draw(picture, digits_run, tmp_path / "out.npy", **options)
    images = np.load(tmp_path / "out.npy")
    assert images.shape == (*shape, 16, 16, 1)
    assert images.dtype == np.uint8


def test_the_settings_are_those_of_the_pictures():
    fields = {field.name: field for field in dataclasses.fields(ExplorationSettings)}
    assert fields["picture"].metadata["choices"] == tuple(PICTURES)
    taken = {
        name
        for function in PICTURES.values()
        for name in list(inspect.signature(function).parameters)[1:]
    }
    assert taken == set(fields) - set(OF_ALL)
    assert all(fields[name].default is None for name in taken)


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
    draw("inpaint", digits_run, tmp_path / "out.npy", mask=str(tmp_path / "mask.png"))
    image, hole, filled = np.load(tmp_path / "out.npy")
    np.testing.assert_array_equal(image[:, 4:], filled[:, 4:])
    assert np.all(hole[:, :4] == 127)


@pytest.mark.parametrize(
    ("picture", "options", "message"),
    [
        ("swap", {"count": 0}, "count is 0; give at least 1"),
        ("swap", {"hole": 4}, "swap takes no hole; its settings are count, columns"),
        ("nearest", {"images": ("one.png",)}, "nearest takes no images"),
        ("swap", {"output": "out.bmp"}, "nothing is written as .bmp"),
        ("inpaint", {"hole": 17}, "hole is 17; give 1 to 16 pixels"),
        ("traverse", {"dimension": 2}, "dimension is 2"),
        ("interpolate-class", {"to": "ten"}, "There is no class 'ten'"),
        ("interpolate-class", {"steps": 1}, "steps is 1"),
        ("interpolate-style", {"path": "crooked"}, "No path is called 'crooked'"),
        ("reconstruct", {"images": ("none.png",)}, "none.png is no readable image"),
    ],
)
def test_wrong_settings_are_named_and_nothing_is_written(
    picture, options, message, digits_run, tmp_path, monkeypatch
):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ValueError, match=message):
        explore(ExplorationSettings(picture, str(digits_run), **options))
    assert list(tmp_path.iterdir()) == []


def test_vectors_are_written_as_arrays_only(moons_run, tmp_path):
    with pytest.raises(ValueError, match="the data is vectors; give a"):
        draw("swap", moons_run, tmp_path / "out.png")
    draw("swap", moons_run, tmp_path / "out.npy", count=2, columns=3)
    assert np.load(tmp_path / "out.npy").shape == (2, 3, 2)


@pytest.mark.parametrize(("count", "shape"), [(2, (1, 1)), (3, (1, 2)), (5, (2, 3))])
def test_few_images_are_swapped_with_each_other(count, shape, digits_run, tmp_path):
    files = []
    for number in range(count):
        files.append(str(tmp_path / f"{number}.png"))
        Image.fromarray(np.full((8, 8), 60 * number, np.uint8)).save(files[-1])
    album = Album(digits_run, files)
    assert PICTURES["swap"](album).images.shape[:2] == shape
    with pytest.raises(ValueError, match="Only one image came; swaps need at least 2"):
        PICTURES["swap"](Album(digits_run, files[:1]))
