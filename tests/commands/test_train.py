import keras
import numpy as np
import pytest
import tensorflow as tf

from dvae_tf import losses, runs
from dvae_tf.commands import callbacks
from dvae_tf.commands import train as module
from dvae_tf.commands.settings import TrainingSettings
from dvae_tf.commands.train import train
from dvae_tf.files import read_json, write_json
from dvae_tf.models import DisentangledVAE


def train_moons(folder, epochs, evaluate=False, **settings):
    settings = {"dataset": "three_moons", "preset": "toy", "model": "disentangled_vae"} | settings
    settings = TrainingSettings(**settings, epochs=epochs, output=str(folder))
    return train(settings, evaluate=evaluate)


def resume(folder, epochs=None):
    settings = TrainingSettings(resume=True, epochs=epochs, output=str(folder))
    return train(settings, evaluate=False)


def test_a_run_keeps_everything(moons_run):
    folder, report = moons_run, read_json(moons_run / "report.json")
    names = {path.name for path in folder.iterdir()}
    assert names == {
        "model.keras", "best.keras", "history.csv", "run.json", "report.json", "tensorboard",
        "samples.png", "swap.png", "reconstruction.png", "codes.png", "history.png",
        "progress", "progress.png", "report.html", "examples.npz",
    }  # fmt: skip
    assert {"zs_accuracy", "sample_consistency", "swap_consistency"} <= set(report)
    description = read_json(folder / "run.json")
    assert description["arguments"]["dataset"] == "three_moons"
    assert description["data"]["passes_per_epoch"] == 2
    assert description["versions"]["keras"]
    assert description["trained_epochs"] == 2
    assert description["flow_fit"]["steps"] > 0
    rows = runs.read_history(folder / "history.csv")
    assert [row["epoch"] for row in rows] == [1, 2]
    assert {"loss", "val_loss", "val_accuracy"} <= set(rows[0])
    assert runs.class_names(folder) == ["left", "middle", "right"]
    assert int(runs.load(folder).passes_trained) == 4  # What recipes count in passes.


def assert_same_run(folder, other):
    ours, theirs = runs.load(folder), runs.load(other)
    for one, two in zip(ours.variables, theirs.variables, strict=True):
        np.testing.assert_array_equal(one, two, err_msg=one.path)
    histories = [
        [{key: row[key] for key in row if key != "saved"} for row in rows]
        for rows in (runs.read_history(run / "history.csv") for run in (folder, other))
    ]
    assert histories[0] == histories[1]


@pytest.mark.slow
def test_stopping_after_an_epoch_and_going_on_changes_nothing(short_epochs, tmp_path, monkeypatch):
    with monkeypatch.context() as patch:
        requested = property(lambda stop: True, lambda stop, value: None)
        patch.setattr(callbacks.GracefulStop, "requested", requested, raising=False)
        with pytest.raises(KeyboardInterrupt):
            train_moons(tmp_path / "stopped", 2, model="cvae")
    assert len(runs.read_history(tmp_path / "stopped" / "history.csv")) == 1
    resume(tmp_path / "stopped")
    train_moons(tmp_path / "straight", 2, model="cvae")
    assert_same_run(tmp_path / "straight", tmp_path / "stopped")


@pytest.mark.slow
def test_stopping_while_the_flow_is_fitted_and_going_on_changes_nothing(
    moons_run, short_epochs, tmp_path, monkeypatch
):
    def interrupted(*_, **__):
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(DisentangledVAE, "fit_flow", interrupted)
        with pytest.raises(KeyboardInterrupt):
            train_moons(tmp_path / "stopped", 2)
    assert runs.load(tmp_path / "stopped").needs_flow_fit
    resume(tmp_path / "stopped")
    assert_same_run(moons_run, tmp_path / "stopped")


def test_a_run_of_another_version_is_not_gone_on_with(moons_run, tmp_path):
    description = read_json(moons_run / "run.json")
    description["arguments"]["loss_weights"] = {}
    write_json(tmp_path / "run.json", description)
    with pytest.raises(ValueError, match=r"was begun by another version .*loss_weights"):
        resume(tmp_path)


def test_a_run_is_not_overwritten(moons_run):
    with pytest.raises(ValueError, match="holds a run already"):
        train_moons(moons_run, 2)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"epochs": 0}, "epochs is 0"),
        ({"epochs": 1, "batch_size": 0}, "batch_size is 0"),
        ({"epochs": 1, "dataset": "npz:none.npz"}, "there is no such file"),
        ({"epochs": 1, "preset": "none"}, "No preset is called 'none'"),
        ({"epochs": 1, "recipe": "none"}, "No recipe is called 'none'"),
        ({"epochs": 1, "model": "none"}, "No model is called 'none'; choose one of disent"),
        ({"epochs": 1, "changes": {"salt": 1}}, "A recipe has no 'salt'"),
        ({"epochs": 1, "width": 0.0}, "width is 0.0"),
    ],
)
def test_nothing_is_written_before_the_arguments_are_checked(options, message, tmp_path):
    with pytest.raises(ValueError, match=message):
        train_moons(tmp_path / "new", **options)
    assert not (tmp_path / "new").exists()


def test_a_lost_worker_is_named():
    gone = tf.errors.UnavailableError(None, None, "failed to connect to all addresses")
    advice = "Start all of them again as before, with --resume --output run"
    with pytest.raises(ConnectionError, match=advice), module._worker_lost("run"):
        raise gone


@pytest.mark.slow
def test_a_dtype_policy_holds_for_all_networks_and_for_this_run_alone(short_epochs, tmp_path):
    train_moons(tmp_path / "run", 1, model="cvae", dtype_policy="mixed_bfloat16")
    assert keras.config.dtype_policy().name == "float32"
    for epochs in (1, 2):
        model = runs.load(tmp_path / "run")
        assert int(model.epochs_trained) == epochs
        assert model.decoder.body.compute_dtype == "bfloat16"
        resume(tmp_path / "run", epochs=2)


@pytest.mark.parametrize("setting", [{"seed": 7}, {"batch_size": 5}, {"preset": "paper"}], ids=str)
def test_a_resumed_run_keeps_its_settings_and_refuses_others(setting, moons_run):
    [(name, value)] = setting.items()
    settings = TrainingSettings(resume=True, output=str(moons_run), **setting)
    with pytest.raises(ValueError, match=f"{name} is {value}, but a resumed run keeps its own"):
        train(settings)


@pytest.mark.slow
def test_a_loss_that_is_not_finite_ends_the_run_and_keeps_what_was_saved(
    short_epochs, tmp_path, monkeypatch
):
    folder = tmp_path / "run"
    train_moons(folder, 1, model="cvae")
    before = (folder / "model.keras").read_bytes()
    monkeypatch.setattr(losses, "kl", lambda *_: tf.fill([96], np.nan))
    told = r"kl is nan.* at step 1 of epoch 2; .*model\.keras"
    with pytest.raises(FloatingPointError, match=told):
        resume(folder, epochs=2)
    assert (folder / "model.keras").read_bytes() == before
