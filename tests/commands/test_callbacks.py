import io

import numpy as np
import pytest
import tensorflow as tf
from rich.console import Console

from dvae_tf import DisentangledVAE, runs
from dvae_tf.commands import callbacks


class Recorder:
    """Stands in for a model: counts how often it is saved."""

    stop_training = False

    def __init__(self):
        self.saves = []

    def save(self, path):
        self.saves.append(path)
        path.write_text(str(len(self.saves)))


def run_checkpoint(folder, losses, **options):
    checkpoint, model = callbacks.Checkpoint(folder, **options), Recorder()
    checkpoint.set_model(model)
    for epoch, loss in enumerate(losses):
        checkpoint.on_epoch_end(epoch, {"loss": 9.0, "val_loss": loss})
    checkpoint.on_train_end()
    return model


def test_best_is_the_lowest_validation_loss(tmp_path):
    run_checkpoint(tmp_path, [3.0, 1.0, 2.0], seconds=0.0)
    assert (tmp_path / "model.keras").read_text() == "3"
    assert (tmp_path / "best.keras").read_text() == "2"


def test_short_epochs_are_not_all_written_but_the_last_is(tmp_path):
    model = run_checkpoint(tmp_path, [3.0, 1.0, 2.0], seconds=1000.0)
    assert len(model.saves) == 1
    rows = runs.read_history(tmp_path / "history.csv")
    assert [row["saved"] for row in rows] == [0, 0, 1]


def progress_of(is_terminal):
    text = io.StringIO()
    console = Console(file=text, force_terminal=is_terminal, width=120)
    bar = callbacks.ProgressBar(("loss",), console)
    bar.set_params({"epochs": 2, "steps": 1})
    for epoch in range(2):
        bar.on_epoch_begin(epoch)
        bar.on_train_batch_end(0, {"loss": 0.5})
        bar.on_epoch_end(epoch, {"loss": 0.5})
    bar.on_train_end()
    return text.getvalue()


def test_progress_shows_losses_on_a_terminal_and_in_a_file():
    assert progress_of(False).splitlines() == ["epoch 1/2  loss 0.500", "epoch 2/2  loss 0.500"]
    assert "loss 0.500" in progress_of(True)


def logged(folder):
    """What a folder of TensorBoard logs holds: [(tag, step)]."""
    return [
        (value.tag, event.step)
        for log in sorted(folder.iterdir(), key=lambda file: file.stat().st_mtime_ns)
        for record in tf.data.TFRecordDataset(str(log))
        if (event := tf.compat.v1.Event.FromString(record.numpy())).HasField("summary")
        for value in event.summary.value
    ]


def test_scalars_and_image_grids_reach_tensorboard(tmp_path):
    images = np.zeros((4, 8, 8, 1), np.float32)
    logs = callbacks.TensorBoardLogs(tmp_path, images, every=2, samples=3)
    logs.set_model(DisentangledVAE((8, 8, 1), 3))
    logs.on_epoch_end(0, {"kl": 0.5, "val_kl": 0.6})
    assert logged(tmp_path / "train") == logged(tmp_path / "validation") == [("epoch_kl", 1)]
    assert not (tmp_path / "images").exists()
    logs.on_epoch_end(1, {"kl": 0.4, "val_kl": 0.6})
    grids = ["samples", "images above their reconstructions"]
    assert logged(tmp_path / "images") == [(name, 2) for name in grids]


def test_the_first_interrupt_waits_for_the_epoch_and_its_checkpoint(tmp_path):
    stop = callbacks.GracefulStop(Console(file=io.StringIO()))
    checkpoint, model = callbacks.Checkpoint(tmp_path, stop=stop, seconds=1000.0), Recorder()
    checkpoint.set_model(model)
    stop.on_train_begin()
    try:
        stop._on_interrupt(2, None)
        checkpoint.on_epoch_end(0, {"loss": 1.0})
        with pytest.raises(KeyboardInterrupt):
            stop.on_epoch_end(0)
    finally:
        stop.restore()
    assert checkpoint.epochs == len(model.saves) == 1


def test_the_second_interrupt_stops_at_once():
    stop = callbacks.GracefulStop(Console(file=io.StringIO()))
    stop.on_train_begin()
    try:
        stop._on_interrupt(2, None)
        with pytest.raises(KeyboardInterrupt):
            stop._on_interrupt(2, None)
    finally:
        stop.restore()
