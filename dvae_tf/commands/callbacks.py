"""What happens around the training step: progress, checkpoints, image grids, a graceful stop."""

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

    Where the output is no terminal, it prints a line at every tenth of the way instead.

    Args:
        names: sequence of str, the metrics to show.
        console: rich.console.Console. Defaults to standard output.
        what: str, what is counted. Defaults to "epoch".
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
    """Keeps history.csv, model.keras (the last epoch) and best.keras in a folder.

    Models are written at the end of an epoch, and only if some seconds have passed since the last
    time, so that short epochs are not spent on saving; always at the end of training. A run that
    goes on from model.keras is the same, bit for bit, as one that was never stopped. best.keras is
    the epoch with the lowest validation loss among those that were written.

    Args:
        folder: str or pathlib.Path.
        rows: list of dict, the rows of history.csv so far. Defaults to none.
        stop: GracefulStop, after whose request the epoch under way is written. Defaults to none.
        seconds: float, least time between two models. Defaults to 20.
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
        """int, the epochs that are saved."""
        return max((row["epoch"] for row in self.rows if row["saved"]), default=0)

    def on_epoch_end(self, epoch, logs=None):
        figures = {name: float(value) for name, value in (logs or {}).items()}
        self.rows.append({"epoch": epoch + 1, **figures, "saved": 0})
        self.waiting = True
        asked = self.model.stop_training or (self.stop and self.stop.asked)
        if asked or time.monotonic() - self.written >= self.seconds:
            self.write()

    def on_train_end(self, logs=None):
        if self.waiting:
            self.write()

    def write(self):
        """Writes model and history as they are now."""
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
    """Ends the training with an error once a loss is no finite number any more.

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
    """Writes the metrics of every epoch to TensorBoard, and now and then grids of images.

    (Keras's own callback also writes at every batch, which took a fifth of a small model's time.)

    Args:
        folder: str or pathlib.Path of the logs; `train`, `validation` and `images` come below.
        images: array [n, height, width, channels], held-out images to reconstruct. Defaults to
            none. Models of other data than images have no grids.
        every: int, epochs between two grids. Defaults to 1.
        samples: int, samples a class. Defaults to 8.
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
    """Puts a grid of images into one.

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
    """Keeps samples of the model as training goes on: before it and after every so many epochs.

    Args:
        folder: str or pathlib.Path; the samples after 20 epochs are in epoch_0020.npy.
        every: int, epochs between two.
        count: int, samples, the classes in turn. Defaults to 600.
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
    """Lets Ctrl-C end training after the epoch under way; a second Ctrl-C ends it at once.

    It comes last among the callbacks, so that the others have done with the epoch.

    Args:
        console: rich.console.Console that the message goes to.

    Attributes:
        asked: bool, whether Ctrl-C was pressed.
    """

    def __init__(self, console):
        super().__init__()
        self.console = console
        self.asked = False
        self.previous = signal.getsignal(signal.SIGINT)

    def on_train_begin(self, logs=None):
        # Only now: what happens before training has nothing to save.
        self.previous = signal.signal(signal.SIGINT, self._on_interrupt)

    def on_epoch_end(self, epoch, logs=None):
        """Raises KeyboardInterrupt, if Ctrl-C was pressed during the epoch."""
        if self.asked:
            raise KeyboardInterrupt

    def on_train_end(self, logs=None):
        self.restore()

    def restore(self):
        """Gives Ctrl-C its former meaning back."""
        signal.signal(signal.SIGINT, self.previous)

    def _on_interrupt(self, number, frame):
        if self.asked:
            self.restore()
            raise KeyboardInterrupt
        self.asked = True
        self.console.print(
            "Stopping when this epoch ends. Press Ctrl-C again to fall back to the last saved one."
        )
