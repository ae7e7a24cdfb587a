import numpy as np
import pytest
from matplotlib.image import imread

from dvae_tf.drawing import plots

IMAGES = np.random.default_rng(0).integers(0, 256, (3, 4, 8, 8, 3)).astype(np.uint8)


def assert_picture(path):
    picture = imread(path)
    assert picture.shape[0] > 100
    assert picture.shape[1] > 100
    assert len(np.unique(picture[..., 0])) > 10


@pytest.mark.parametrize("channels", [1, 3])
def test_image_grid(channels, tmp_path):
    path = tmp_path / "grid.png"
    plots.image_grid(path, IMAGES[..., :channels], ["a", "b", "c"], "title", list("wxyz"))
    assert_picture(path)


def test_swap_grid(tmp_path):
    path = tmp_path / "swap.png"
    plots.swap_grid(path, IMAGES[:, 0], IMAGES[0], IMAGES, list("abc"), list("wxyz"))
    assert_picture(path)


def test_scatter(tmp_path, points):
    path = tmp_path / "points.png"
    plots.scatter(path, {"one": points, "two": points}, list("abc"), "title")
    assert_picture(path)


def test_scatter_grid(tmp_path, points):
    path = tmp_path / "points.png"
    row = {"0 epochs": points, "10 epochs": points}
    plots.scatter_grid(path, {"one": row, "two": row}, list("abc"), "title")
    assert_picture(path)


def test_bars(tmp_path):
    path = tmp_path / "bars.png"
    values = {"one": 0.5, "two": 0.25}
    intervals = {name: {"low": v - 0.1, "high": v + 0.1} for name, v in values.items()}
    series = {"mean": (values, intervals), "sample": (values, intervals)}
    plots.bars(path, series, "title", "accuracy", {"chance": 0.1})
    assert_picture(path)


def test_activity(tmp_path):
    path = tmp_path / "activity.png"
    errors = {"true": 0.1, "prior": 0.5, "other": 0.6}
    intervals = {name: {"low": v - 0.1, "high": v + 0.1} for name, v in errors.items()}
    plots.activity(path, [0.1, 2.0, 0.0], errors, intervals)
    assert_picture(path)


@pytest.mark.parametrize("dtype", [np.uint8, np.float32])
def test_bytes_and_floats_look_the_same(dtype, tmp_path):
    white = np.full((1, 1, 8, 8, 1), 255 if dtype is np.uint8 else 1.0, dtype)
    dark = np.full((1, 1, 8, 8, 1), 51 if dtype is np.uint8 else 51 / 127.5 - 1, dtype)
    path = tmp_path / "two.png"
    plots.image_grid(path, np.concatenate([white, dark], axis=1), [""], "")
    greys, counts = np.unique(np.rint(imread(path)[..., 0] * 255), return_counts=True)
    assert greys[np.argsort(counts)[-2]] == 51


@pytest.mark.parametrize("latent_dim", [2, 5])
def test_codes(latent_dim, tmp_path):
    path = tmp_path / "codes.png"
    z = np.random.default_rng(0).normal(size=(30, latent_dim)).astype(np.float32)
    plots.codes(path, z, z, z[:3], np.arange(30) % 3, list("abc"))
    assert_picture(path)


def test_history(tmp_path):
    path = tmp_path / "history.png"
    rows = [{"epoch": n, "kl": 1 / n, "val_kl": 2 / n, "reconstruction": 3 / n} for n in (1, 2, 3)]
    plots.history(path, rows, ["kl", "reconstruction"])
    assert_picture(path)


def test_nothing_is_left_of_a_picture_that_fails(tmp_path):
    with pytest.raises(IndexError):
        plots.image_grid(tmp_path / "bad.png", IMAGES, ["one name for three rows"], "title")
    assert list(tmp_path.iterdir()) == []
