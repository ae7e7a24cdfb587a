import json

import numpy as np
import pytest

from dvae_tf import callbacks, runs
from dvae_tf.generate import generate


@pytest.fixture(scope="module")
def small():
    """Makes epochs of small data short."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(runs, "LEAST_STEPS", 110)  # two passes over three moons
        yield


def train(folder, epochs, **options):
    options = {"dataset": "three_moons", "preset": "toy", "gan": False} | options
    return runs.train(epochs=epochs, output=folder, **options)


@pytest.fixture(scope="module")
def run(small, tmp_path_factory):
    folder = tmp_path_factory.mktemp("runs") / "moons"
    report = train(folder, 2)
    return folder, report


def test_a_run_keeps_everything(run):
    folder, report = run
    names = {path.name for path in folder.iterdir()}
    assert names == {
        "model.keras", "best.keras", "history.csv", "run.json", "report.json", "tensorboard",
        "samples.png", "swap.png", "reconstruction.png", "codes.png", "history.png",
    }  # fmt: skip
    assert json.loads((folder / "report.json").read_text()) == report
    assert {"zs_accuracy", "sample_consistency", "swap_consistency"} <= set(report)
    description = json.loads((folder / "run.json").read_text())
    assert description["arguments"]["dataset"] == "three_moons"
    assert description["data"]["passes_per_epoch"] == 2
    assert description["versions"]["keras"]
    rows = callbacks.read_history(folder / "history.csv")
    assert [row["epoch"] for row in rows] == [1, 2]
    assert {"loss", "val_loss", "val_accuracy"} <= set(rows[0])
    assert runs.class_names(folder) == ["left", "middle", "right"]


def test_stopping_and_going_on_changes_nothing(run, small, tmp_path):
    folder, _ = run
    train(tmp_path / "stopped", 1)
    runs.resume(tmp_path / "stopped", epochs=2)
    ours, theirs = runs.load(folder), runs.load(tmp_path / "stopped")
    for one, other in zip(ours.variables, theirs.variables, strict=True):
        np.testing.assert_array_equal(one, other, err_msg=one.path)
    history = callbacks.read_history(folder / "history.csv")
    resumed = callbacks.read_history(tmp_path / "stopped" / "history.csv")
    without = [{key: row[key] for key in row if key != "saved"} for row in resumed]
    assert without == [{key: row[key] for key in row if key != "saved"} for row in history]


def test_a_run_is_not_overwritten(run):
    with pytest.raises(ValueError, match="holds a run already"):
        train(run[0], 2)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"epochs": 0}, "epochs is 0"),
        ({"epochs": 1, "batch_size": 0}, "batch_size is 0"),
        ({"epochs": 1, "dataset": "npz:none.npz"}, "there is no such file"),
        ({"epochs": 1, "preset": "none"}, "No preset is called 'none'"),
        ({"epochs": 1, "recipe": "none"}, "No recipe is called 'none'"),
    ],
)
def test_nothing_is_written_before_the_arguments_are_checked(options, message, tmp_path):
    with pytest.raises(ValueError, match=message):
        train(tmp_path / "new", **options)
    assert not (tmp_path / "new").exists()


def test_newest_run_is_found(run, tmp_path, monkeypatch):
    monkeypatch.setattr(runs, "ROOT", tmp_path)
    with pytest.raises(ValueError, match="There is no run below"):
        runs.find()
    monkeypatch.setattr(runs, "ROOT", run[0].parent)
    assert runs.find() == run[0]


def test_missing_and_damaged_runs_are_named(run, tmp_path):
    with pytest.raises(ValueError, match="holds no run"):
        runs.load(tmp_path)
    (tmp_path / "run.json").write_text((run[0] / "run.json").read_text())
    with pytest.raises(ValueError, match=r"model\.keras is missing"):
        runs.load(tmp_path)
    (tmp_path / "model.keras").write_bytes((run[0] / "model.keras").read_bytes()[:2000])
    with pytest.raises(ValueError, match=r"model\.keras is damaged"):
        runs.load(tmp_path)


def test_generate_writes_an_array(run, tmp_path):
    line = generate(run[0], ["middle", "2"], 5, tmp_path / "out.npy", seed=1)
    samples = np.load(tmp_path / "out.npy")
    assert samples.shape == (10, 2)
    assert line.startswith("10 samples of ")
    generate(run[0], ["1", "right"], 5, tmp_path / "again.npy", seed=1)
    np.testing.assert_array_equal(samples, np.load(tmp_path / "again.npy"))


def test_generate_draws_points(run, tmp_path):
    generate(run[0], output=tmp_path / "out.png")
    assert (tmp_path / "out.png").stat().st_size > 5000


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"label": ["top"]}, "There is no class 'top'; give a name or a number: 0 left, 1 middle"),
        ({"label": ["3"]}, "There is no class '3'"),
        ({"count": 0}, "count is 0"),
        ({"temperature": -1.0}, "temperature is -1"),
        ({"output": "folder"}, "the model makes vectors; give a .npy file"),
    ],
)
def test_generate_names_what_is_wrong_and_writes_nothing(
    run, options, message, tmp_path, monkeypatch
):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ValueError, match=message):
        generate(run[0], **options)
    assert list(tmp_path.iterdir()) == []
