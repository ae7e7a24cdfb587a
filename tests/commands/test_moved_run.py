"""A run without its data, or seen from another folder, is used; measuring says what it needs."""

import functools
import os

import numpy as np
import pytest
from PIL import Image
from rich.console import Console
from toys import untrained_run

from dvae_tf import runs
from dvae_tf.commands.evaluate import evaluate
from dvae_tf.commands.explore import PICTURES, Album, explore
from dvae_tf.commands.export import export
from dvae_tf.commands.gallery import CAPTIONS, gallery
from dvae_tf.commands.settings import (
    EvaluationSettings,
    ExplorationSettings,
    ExportSettings,
    GallerySettings,
)
from dvae_tf.data import Arrays, Info
from dvae_tf.files import read_json, write_json
from dvae_tf.runs import examples

QUIET = Console(quiet=True)


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """A run whose data is nowhere."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(runs, "load", functools.cache(runs.load))
        yield untrained_run(tmp_path_factory.mktemp("runs") / "run")


@pytest.fixture(autouse=True)
def elsewhere(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


@pytest.mark.parametrize("picture", [name for name in PICTURES if name != "nearest"])
def test_explore_needs_no_data(picture, run):
    options = {"count": 2, "output": "out.npy"}
    explore(ExplorationSettings(picture, str(run), **options), QUIET)
    assert np.load("out.npy").shape[-3:] == (8, 8, 1)


def test_explore_takes_own_images_without_data(run):
    Image.fromarray(np.full((20, 30), 90, np.uint8)).save("one.png")
    x, names = Album(run, ["one.png"]).pick(1)
    assert (x.shape, names) == ((1, 8, 8, 1), ["one"])


@pytest.mark.slow
def test_the_gallery_leaves_out_what_needs_the_data_and_says_so(run):
    console = Console(width=500)
    with console.capture() as printed:
        gallery(GallerySettings((str(run),), "page.html"), console)
    with open("page.html") as page:
        assert page.read().count("<figure>") == len(CAPTIONS) - 1
    assert f"Left out: nearest of {run}. folder:gone" in printed.get()


@pytest.mark.slow
def test_int8_is_calibrated_with_what_the_run_keeps(run, monkeypatch):
    monkeypatch.setattr("dvae_tf.export.tflite.CALIBRATION_EXAMPLES", 3)
    monkeypatch.setattr("dvae_tf.export.parity.LEAST_AGREEMENT", 0.0)
    monkeypatch.setattr("dvae_tf.export.parity.MOST_CONSISTENCY_LOST", 1.0)
    settings = ExportSettings(str(run), tflite=True, numbers=("int8",), output="export")
    (row,) = export(settings, QUIET)
    assert row["file"] == "model_int8.tflite"


@pytest.mark.parametrize(
    "use",
    [
        lambda run: evaluate(EvaluationSettings(str(run)), QUIET),
        lambda run: explore(ExplorationSettings("nearest", str(run), output="a.png"), QUIET),
    ],
    ids=["evaluate", "nearest"],
)
def test_what_needs_the_data_asks_where_it_lies(use, run):
    with pytest.raises(
        ValueError, match=r"folder:gone.* if it lies elsewhere now, say where: --data"
    ):
        use(run)


@pytest.mark.slow
def test_the_data_may_lie_elsewhere(run):
    x, label = examples.kept_examples(run, "test")[:2]
    np.savez("mine.npz", x=x, label=label, class_names=runs.class_names(run))
    settings = EvaluationSettings(str(run), ("classification",), "npz:mine.npz")
    assert 0.0 <= evaluate(settings, QUIET)["zs_accuracy"] <= 1.0
    options = {"count": 2, "output": "near.npy", "data": "npz:mine.npz", "neighbours": 2}
    explore(ExplorationSettings("nearest", str(run), **options), QUIET)
    assert np.load("near.npy").shape == (2, 3, 8, 8, 1)


@pytest.mark.parametrize(
    ("names", "side", "message"),
    [
        (("cat", "cow", "dog"), 8, "the class 'cow' is not one of those that are trained"),
        (("cat", "dog", "owl"), 9, r"\(9, 9, 1\), not the height and width \(8, 8\)"),
    ],
    ids=["other classes", "another shape"],
)
def test_other_data_is_refused(names, side, message, run):
    x = np.random.default_rng(0).integers(0, 256, (30, side, side, 1), np.uint8)
    np.savez("mine.npz", x=x, label=np.arange(30) % 3, class_names=names)
    with pytest.raises(ValueError, match=message):
        evaluate(EvaluationSettings(str(run), data="npz:mine.npz"), QUIET)


def test_images_and_data_are_not_both_taken():
    with pytest.raises(ValueError, match="Both images and data came"):
        ExplorationSettings("swap", images=("a.png",), data="digits")


class LargeData:
    """Data of a run with 5,000 images of a size in both splits; notes the parts that are read."""

    def __init__(self, side):
        self.info = Info("large", "train", (side, side, 3), ("a", "b"), 5000)
        self.read = []

    def arrays(self, split):
        self.read.append(split)
        count = min(int(split.partition(":")[2][:-1]), 5000)
        x = np.zeros((count, *self.info.shape), np.float32)
        return Arrays(x, np.zeros(count, np.int32))


@pytest.mark.parametrize(("side", "count"), [(8, 1000), (128, 341), (512, 32)])
def test_a_bounded_number_is_kept(side, count, tmp_path):
    data = LargeData(side)
    runs.keep_examples(tmp_path, data)
    assert data.read == [f"train[:{count}]", f"test[:{count}]"]
    with np.load(tmp_path / "examples.npz") as kept:
        assert kept["x_test"].shape == (count, side, side, 3)
        assert kept["x_train"].dtype == np.uint8
        assert kept["x_train"].max() == 128
    assert os.listdir(tmp_path) == ["examples.npz"]


def test_a_damaged_file_of_examples_is_named(run, tmp_path):
    (tmp_path / "examples.npz").write_bytes(b"hello")
    with pytest.raises(ValueError, match=r"examples.npz is damaged .*; remove it"):
        runs.kept_examples(tmp_path, "test")


def test_a_run_of_an_earlier_version_takes_its_data(tmp_path):
    arguments = {"dataset": "three_moons", "seed": 0, "size": None, "labelled": 1.0}
    data = {"shape": [2], "class_names": ["left", "middle", "right"]}
    write_json(tmp_path / "run.json", {"arguments": arguments | {"batch_size": 96}, "data": data})
    assert runs.kept_examples(tmp_path, "test").x.shape == (1500, 2)
    assert read_json(tmp_path / "run.json")["data"] == data
