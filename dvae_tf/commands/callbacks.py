"""Callbacks for training: progress, checkpoints, image grids, a graceful stop."""

import contextlib
import pathlib
import shutil
import signal
import time

import keras
import numpy as np
import tensorflow as tf
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

from dvae_tf import tasks
from dvae_tf.data.pixels import as_pixels
from dvae_tf.files import written
from dvae_tf.runs import write_history


class ProgressBar(keras.callbacks.Callback):
    """Shows one bar for all epochs, with the time left and the losses.

    If the output is not a terminal, it prints a line after every tenth of the epochs instead.

    Args:
        names: sequence of str, the metrics to show.
        console: rich.console.Console. Defaults to standard output.
        what: str, the name of an epoch. Defaults to "epoch".
    """

    SECONDS_BETWEEN_LOSSES = 1.0

    def __init__(self, names, console=None, what="epoch"):
        super().__init__()
        self.names = names
        self.what = what
        self.console = console or Console()
        self.progress = Progress(
            TextColumn("{task.description}"),
            BarColumn(bar_width=24),
            TimeElapsedColumn(),
            TextColumn("left"),
            TimeRemainingColumn(elapsed_when_finished=False),
            TextColumn("{task.fields[losses]}"),
            console=self.console,
            disable=not self.console.is_terminal,
        )
        self.task = None

    def on_epoch_begin(self, epoch, logs=None):
        self.epoch, self.epochs, self.batches = epoch, self.params["epochs"], self.params["steps"]
        if self.task is None:
            self.task = self.progress.add_task(
                "", losses="the first steps take longer: TensorFlow traces them"
            )
            self.shown = time.monotonic()
            self.progress.start()
        self.progress.update(
            self.task,
            total=self.epochs * self.batches,
            completed=epoch * self.batches,
            description=f"{self.what} {epoch + 1}/{self.epochs}",
        )

    def on_train_batch_end(self, batch, logs=None):
        self.progress.update(self.task, completed=self.epoch * self.batches + batch + 1)
        if time.monotonic() - self.shown > self.SECONDS_BETWEEN_LOSSES:
            self.shown = time.monotonic()
            self.progress.update(self.task, losses=self._text(logs))

    def on_epoch_end(self, epoch, logs=None):
        self.progress.update(self.task, losses=self._text(logs))
        tenth = max(self.epochs // 10, 1)
        if self.progress.disable and ((epoch + 1) % tenth == 0 or epoch + 1 == self.epochs):
            self.console.print(
                f"{self.what} {epoch + 1}/{self.epochs}  {self._text(logs)}", soft_wrap=True
            )

    def on_train_end(self, logs=None):
        self.progress.stop()

    def _text(self, logs):
        return "  ".join(f"{name} {float(logs[name]):.3f}" for name in self.names if name in logs)


class Checkpoint(keras.callbacks.Callback):
    """Saves history.csv, model.keras (the last epoch) and best.keras in a folder.

    Models are saved at the end of an epoch if some seconds have passed since the last time, so that
    short epochs do not spend their time on saving, and always at the end of training. A run resumed
    from model.keras is the same, bit for bit, as one that was never stopped. best.keras is the
    epoch with the lowest validation loss among those that were saved.

    Args:
        folder: str or pathlib.Path.
        rows: list of dict, the rows of history.csv so far. Defaults to none.
        stop: GracefulStop; when it is requested, the current epoch is saved. Defaults to none.
        seconds: float, the least time between two models. Defaults to 20.
    """

    def __init__(self, folder, rows=(), stop=None, seconds=20.0):
        super().__init__()
        self.folder = pathlib.Path(folder)
        self.rows = list(rows)
        self.stop = stop
        self.seconds = seconds
        self.written = time.monotonic()
        self.waiting = False

    @property
    def epochs(self):
        """int, the last epoch that is saved."""
        return max((row["epoch"] for row in self.rows if row["saved"]), default=0)

    def on_epoch_end(self, epoch, logs=None):
        metrics = {name: float(value) for name, value in (logs or {}).items()}
        self.rows.append({"epoch": epoch + 1, **metrics, "saved": 0})
        self.waiting = True
        stopping = self.model.stop_training or (self.stop and self.stop.requested)
        if stopping or time.monotonic() - self.written >= self.seconds:
            self.write()

    def on_train_end(self, logs=None):
        if self.waiting:
            self.write()

    def write(self):
        """Saves model and history as they are now."""
        self.rows[-1]["saved"] = 1
        write_history(self.folder / "history.csv", self.rows)
        with written(self.folder / "model.keras") as temporary:
            self.model.save(temporary)
        losses = [row.get("val_loss", row["loss"]) for row in self.rows if row["saved"]]
        if losses[-1] == min(losses):
            with written(self.folder / "best.keras") as temporary:
                shutil.copyfile(self.folder / "model.keras", temporary)
        self.written = time.monotonic()
        self.waiting = False


class FiniteLosses(keras.callbacks.Callback):
    """Ends the training with an error as soon as a loss is not finite.

    Args:
        folder: str or pathlib.Path of the run, named in the message.
    """

    def __init__(self, folder):
        super().__init__()
        self.folder = pathlib.Path(folder)

    def on_epoch_begin(self, epoch, logs=None):
        self.epoch = epoch

    def on_train_batch_end(self, batch, logs=None):
        """Raises FloatingPointError, which names the losses, the step and what is saved."""
        if not logs or np.isfinite(tf.add_n([tf.reduce_sum(value) for value in logs.values()])):
            return
        broken = [f"{name} is {float(v)}" for name, v in logs.items() if not np.isfinite(float(v))]
        saved = self.folder / "model.keras"
        kept = f"{saved} is the last epoch that was saved" if saved.exists() else "nothing is saved"
        raise FloatingPointError(
            f"{', '.join(broken)} at step {batch + 1} of epoch {self.epoch + 1}; {kept}. Look for "
            "odd values in the data, or try a smaller weight or learning rate."
        )


class TensorBoardLogs(keras.callbacks.Callback):
    """Writes the metrics of every epoch to TensorBoard, and grids of images every few epochs.

    (Keras's own callback also writes at every batch, which took a fifth of a small model's time.)

    Args:
        folder: str or pathlib.Path of the logs; `train`, `validation` and `images` come below.
        images: array [n, height, width, channels], held-out images to reconstruct. Defaults to
            none. There are no grids if the data is not images.
        every: int, epochs between two grids. Defaults to 1.
        samples: int, samples per class. Defaults to 8.
    """

    MOST_CLASSES = 20

    def __init__(self, folder, images=None, every=1, samples=8):
        super().__init__()
        self.folder = pathlib.Path(folder)
        self.images = images
        self.every = every
        self.samples = samples

    def on_epoch_end(self, epoch, logs=None):
        for part, prefix in (("train", ""), ("validation", "val_")):
            with self._writer(part, epoch):
                for name, value in (logs or {}).items():
                    if name.startswith("val_") == bool(prefix):
                        tf.summary.scalar(f"epoch_{name.removeprefix(prefix)}", value)
        if len(self.model.sample_shape) == 3 and (epoch + 1) % self.every == 0:
            with self._writer("images", epoch):
                self._write_grids()

    @contextlib.contextmanager
    def _writer(self, part, epoch):
        writer = tf.summary.create_file_writer(str(self.folder / part))
        with writer.as_default(step=epoch + 1):
            yield
        writer.close()

    def _write_grids(self):
        classes = min(self.model.num_classes, self.MOST_CLASSES)
        drawn = tasks.sample(self.model, np.repeat(np.arange(classes), self.samples))
        tf.summary.image("samples", tile(drawn.reshape(classes, -1, *drawn.shape[1:])))
        if self.images is not None:
            decoded = tasks.reconstruct(self.model, self.images)
            pairs = np.stack([as_pixels(self.images), decoded])
            tf.summary.image("images above their reconstructions", tile(pairs))


def tile(images):
    """Joins a grid of images into one image.

    Args:
        images: array [rows, columns, height, width, channels].

    Returns:
        array [1, rows * height, columns * width, channels].

    Examples:
        >>> tile(np.zeros((2, 3, 4, 5, 1))).shape
        (1, 8, 15, 1)
    """
    rows, columns, height, width, channels = images.shape
    return images.transpose(0, 2, 1, 3, 4).reshape(1, rows * height, columns * width, channels)


class Snapshots(keras.callbacks.Callback):
    """Saves samples of the model before training and after every `every` epochs.

    Args:
        folder: str or pathlib.Path; the samples after 20 epochs are in epoch_0020.npy.
        every: int, epochs between two snapshots.
        count: int, number of samples, with the classes in turn. Defaults to 600.
    """

    def __init__(self, folder, every, count=600):
        super().__init__()
        self.folder = pathlib.Path(folder)
        self.every = every
        self.count = count

    def on_train_begin(self, logs=None):
        if int(self.model.epochs_trained.numpy()) == 0:
            self._keep(0)

    def on_epoch_end(self, epoch, logs=None):
        if (epoch + 1) % self.every == 0:
            self._keep(epoch + 1)

    def _keep(self, epoch):
        with written(self.folder / f"epoch_{epoch:04d}.npy") as temporary:
            label = tasks.labels_in_turn(self.count, self.model.num_classes)
            np.save(temporary, tasks.sample(self.model, label))


class GracefulStop(keras.callbacks.Callback):
    """Lets Ctrl-C end training after the current epoch; a second Ctrl-C ends it at once.

    It must be the last of the callbacks, so that the others have finished the epoch.

    Args:
        console: rich.console.Console for the message.

    Attributes:
        requested: bool, whether Ctrl-C was pressed.
    """

    def __init__(self, console):
        super().__init__()
        self.console = console
        self.requested = False
        self.previous = signal.getsignal(signal.SIGINT)

    def on_train_begin(self, logs=None):
        # Only now: before training there is nothing to save.
        self.previous = signal.signal(signal.SIGINT, self._on_interrupt)

    def on_epoch_end(self, epoch, logs=None):
        """Raises KeyboardInterrupt if Ctrl-C was pressed during the epoch."""
        if self.requested:
            raise KeyboardInterrupt

    def on_train_end(self, logs=None):
        self.restore()

    def restore(self):
        """Restores the previous effect of Ctrl-C."""
        signal.signal(signal.SIGINT, self.previous)

    def _on_interrupt(self, number, frame):
        if self.requested:
            self.restore()
            raise KeyboardInterrupt
        self.requested = True
        self.console.print(
            "Stopping when this epoch ends. Press Ctrl-C again to fall back to the last saved one."
        )
