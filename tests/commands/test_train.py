import keras
import numpy as np
import pytest
import tensorflow as tf

from dvae_tf import losses, runs
from dvae_tf.commands import callbacks
from dvae_tf.commands import train as training
from dvae_tf.files import read_json


def train_moons(folder, epochs, **options):
    options = {"dataset": "three_moons", "preset": "toy", "model": "disentangled_vae"} | options
    return training.train(epochs=epochs, output=folder, **options)


def test_a_run_keeps_everything(moons_run):
    folder, report = moons_run, read_json(moons_run / "report.json")
    names = {path.name for path in folder.iterdir()}
    assert names == {
        "model.keras", "best.keras", "history.csv", "run.json", "report.json", "tensorboard",
        "samples.png", "swap.png", "reconstruction.png", "codes.png", "history.png",
        "progress", "progress.png", "report.html",
    }  # fmt: skip
    assert {"zs_accuracy", "sample_consistency", "swap_consistency"} <= set(report)
    description = read_json(folder / "run.json")
    assert description["arguments"]["dataset"] == "three_moons"
    assert description["data"]["passes_per_epoch"] == 2
    assert description["versions"]["keras"]
    rows = callbacks.read_history(folder / "history.csv")
    assert [row["epoch"] for row in rows] == [1, 2]
    assert {"loss", "val_loss", "val_accuracy"} <= set(rows[0])
    assert runs.class_names(folder) == ["left", "middle", "right"]


def test_stopping_and_going_on_changes_nothing(moons_run, short_epochs, tmp_path, monkeypatch):
    folder = moons_run

    def stop(callback, epoch, logs=None):
        callback.model.stop_training = True

    with monkeypatch.context() as patch:
        patch.setattr(callbacks.GracefulStop, "on_epoch_end", stop, raising=False)
        assert train_moons(tmp_path / "stopped", 2) is None
    training.resume(tmp_path / "stopped")
    ours, theirs = runs.load(folder), runs.load(tmp_path / "stopped")
    for one, other in zip(ours.variables, theirs.variables, strict=True):
        np.testing.assert_array_equal(one, other, err_msg=one.path)
    history = callbacks.read_history(folder / "history.csv")
    resumed = callbacks.read_history(tmp_path / "stopped" / "history.csv")
    without = [{key: row[key] for key in row if key != "saved"} for row in resumed]
    assert without == [{key: row[key] for key in row if key != "saved"} for row in history]


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
        ({"epochs": 1, "model": "none"}, "No model is called 'none'; choose one of cvae, cgan"),
    ],
)
def test_nothing_is_written_before_the_arguments_are_checked(options, message, tmp_path):
    with pytest.raises(ValueError, match=message):
        train_moons(tmp_path / "new", **options)
    assert not (tmp_path / "new").exists()


def test_a_lost_worker_is_named():
    gone = tf.errors.UnavailableError(None, None, "failed to connect to all addresses")
    advice = "Start all of them again as before, with --resume --output run"
    with pytest.raises(ConnectionError, match=advice), training._worker_lost("run"):
        raise gone


def test_a_dtype_policy_holds_for_all_networks_and_for_this_run_alone(short_epochs, tmp_path):
    train_moons(tmp_path / "run", 1, dtype_policy="mixed_bfloat16", measure=False)
    assert keras.config.dtype_policy().name == "float32"
    for epochs in (1, 2):
        model = runs.load(tmp_path / "run")
        assert int(model.epochs_trained) == epochs
        assert model.decoder.body.compute_dtype == "bfloat16"
        training.resume(tmp_path / "run", epochs=2, measure=False)


def test_a_loss_that_is_not_finite_ends_the_run_and_keeps_what_was_saved(
    short_epochs, tmp_path, monkeypatch
):
    folder = tmp_path / "run"
    train_moons(folder, 1, measure=False)
    before = (folder / "model.keras").read_bytes()
    monkeypatch.setattr(losses, "kl_of_draw", lambda *_: tf.fill([96], np.nan))
    told = r"kl is nan.* at step 1 of epoch 2; .*model\.keras"
    with pytest.raises(FloatingPointError, match=told):
        training.resume(folder, epochs=2, measure=False)
    assert (folder / "model.keras").read_bytes() == before
