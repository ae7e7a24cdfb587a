"""A run: one trained model with everything that belongs to it, in one folder.

model.keras    the last epoch, with all optimisers: what the other scripts load
best.keras     the written epoch with the lowest validation loss
history.csv    one line an epoch
run.json       arguments, versions, data
report.json    the figures, measured on the test split
*.png          samples, swap, reconstruction, codes, history
tensorboard/   scalars and image grids
"""

import importlib.metadata
import math
import pathlib
import platform
import time

from dvae_tf.files import read_json, write_json

ROOT = pathlib.Path("runs")
# Small data is passed over several times an epoch, so that an epoch has at least so many steps and
# what happens between epochs stays a small part of the time.
LEAST_STEPS = 100
# The published ten epochs, after which the rate of the mixture's variances falls, are at least as
# many steps (MNIST in batches of 96). With fewer the variances freeze near their start and samples
# of neighbouring classes overlap.
VARIANCE_DECAY_STEPS = 6250
PACKAGES = ("tensorflow", "keras", "tensorflow-probability", "numpy")


def train(
    dataset="digits",
    preset="compact",
    recipe="paper",
    gan=True,
    epochs=40,
    batch_size=96,
    seed=0,
    size=None,
    loss_weights=None,
    variance_decay_epochs=None,
    output=None,
    console=None,
):
    """Trains a model, keeps it in a folder and measures it.

    Args:
        dataset: str, a name that `dvae_tf.data.load` takes. Defaults to "digits".
        preset: str, the family of networks. Defaults to "compact".
        recipe: str, the training recipe. Defaults to "paper".
        gan: bool, whether a discriminator sharpens the images. Defaults to True.
        epochs: int. One goes once through the training data, or, where that has fewer than 100
            batches, as often as makes 100. Defaults to 40.
        batch_size: int. Defaults to 96.
        seed: int, of everything random. Defaults to 0.
        size: int, side of the images in pixels, where the data set leaves it open.
        loss_weights: dict of loss name to float, in place of some of the recipe's.
        variance_decay_epochs: int, epochs after which the learning rate of the mixture's variances
            falls tenfold, again and again. Defaults to the recipe's 10, or as many more as make
            6,250 steps.
        output: str or pathlib.Path, the folder. Defaults to runs/ and the data set's name.
        console: rich.console.Console for what is printed. Defaults to standard output.

    Returns:
        dict, what report.json holds; None if the user stopped the run.

    Raises:
        ValueError: if an argument does not fit, or the folder holds a run already.
    """
    arguments = {
        "dataset": dataset,
        "preset": preset,
        "recipe": recipe,
        "gan": gan,
        "epochs": epochs,
        "batch_size": batch_size,
        "seed": seed,
        "size": size,
        "loss_weights": loss_weights or {},
        "variance_decay_epochs": variance_decay_epochs,
    }
    for name in ("epochs", "batch_size"):
        if arguments[name] < 1:
            raise ValueError(f"{name} is {arguments[name]}; give at least 1.")
    folder = pathlib.Path(output) if output else ROOT / _folder_name(dataset)
    if (folder / "run.json").exists():
        raise ValueError(
            f"{folder} holds a run already. Go on with it (--resume), give another folder "
            "(--output), or remove it."
        )
    data = _Data(arguments)
    model = _new_model(arguments, data)
    write_json(folder / "run.json", _describe(arguments, data))
    return _train(folder, arguments, data, model, console)


def resume(folder=None, epochs=None, console=None):
    """Goes on with a run that was stopped, as if it never had been.

    Args:
        folder: str or pathlib.Path. Defaults to the newest run.
        epochs: int, in place of the number that the run was started with. Defaults to that.
        console: rich.console.Console for what is printed. Defaults to standard output.

    Returns:
        dict, what report.json holds; None if the user stopped the run again.

    Raises:
        ValueError: if the folder holds no run.
    """
    folder = find(folder)
    description = read_json(folder / "run.json")
    arguments = description["arguments"]
    if epochs:
        arguments["epochs"] = epochs
        write_json(folder / "run.json", description)
    data = _Data(arguments)
    begun = (folder / "model.keras").exists()
    model = load(folder) if begun else _new_model(arguments, data)
    return _train(folder, arguments, data, model, console)


def find(folder=None):
    """Finds a run.

    Args:
        folder: str or pathlib.Path. Defaults to the newest below runs/.

    Returns:
        pathlib.Path.

    Raises:
        ValueError: if there is none.
    """
    if folder is not None:
        if not (pathlib.Path(folder) / "run.json").exists():
            raise ValueError(
                f"{folder} holds no run (no run.json); give the --output of scripts/train.py."
            )
        return pathlib.Path(folder)
    found = sorted(ROOT.glob("**/run.json"), key=lambda path: path.stat().st_mtime)
    if not found:
        raise ValueError("There is no run below runs/ yet; start with: python scripts/train.py")
    return found[-1].parent


def load(folder=None):
    """Loads the model of a run.

    Args:
        folder: str or pathlib.Path. Defaults to the newest run.

    Returns:
        DisentangledVAE or DisentangledVAEGAN.

    Raises:
        ValueError: if the folder holds no run or the run has no model yet, or a damaged one.
    """
    import keras

    import dvae_tf.models  # noqa: F401  Registers the classes that the file names.

    path = find(folder) / "model.keras"
    if not path.exists():
        raise ValueError(f"{path} is missing: no epoch of this run was finished; train it first.")
    try:
        return keras.saving.load_model(path)
    except (ValueError, TypeError, OSError, KeyError) as error:
        raise ValueError(f"{path} is damaged or of another version: {error}") from error


def class_names(folder=None):
    """The names of a run's classes, in the order of the labels.

    Args:
        folder: str or pathlib.Path. Defaults to the newest run.

    Returns:
        list of str.
    """
    return read_json(find(folder) / "run.json")["data"]["class_names"]


class _Data:
    """The splits of a run: nine tenths of train to train on, a tenth to choose by, test."""

    def __init__(self, arguments):
        from dvae_tf import data

        self.name = arguments["dataset"]
        self.options = {"seed": arguments["seed"], "size": arguments["size"]}
        self.train, self.info = data.load(
            self.name, "train[:90%]", arguments["batch_size"], **self.options
        )
        batches = math.ceil(self.info.count / arguments["batch_size"])
        self.passes = math.ceil(LEAST_STEPS / batches)
        self.steps_per_epoch = self.passes * batches
        self.validation, _ = data.load(self.name, "train[90%:]", shuffle=False, **self.options)

    def arrays(self, split):
        from dvae_tf import data

        return data.load_arrays(self.name, split, **self.options)[0]


def _folder_name(dataset):
    return pathlib.PurePath(dataset.partition(":")[2] or dataset).stem


def _new_model(arguments, data):
    from dvae_tf.models import DisentangledVAE, DisentangledVAEGAN
    from dvae_tf.models.recipes import recipe

    model = DisentangledVAEGAN if arguments["gan"] else DisentangledVAE
    decay_epochs = max(
        recipe(arguments["recipe"]).variance_decay_epochs,
        math.ceil(VARIANCE_DECAY_STEPS / data.steps_per_epoch),
    )
    return model(
        data.info.shape,
        data.info.num_classes,
        preset=arguments["preset"],
        recipe=arguments["recipe"],
        seed=arguments["seed"],
        loss_weights=arguments["loss_weights"],
        variance_decay_epochs=arguments["variance_decay_epochs"] or decay_epochs,
    )


def _describe(arguments, data):
    import dvae_tf

    versions = {"python": platform.python_version(), "dvae_tf": dvae_tf.__version__}
    versions |= {package: importlib.metadata.version(package) for package in PACKAGES}
    return {
        "arguments": arguments,
        "data": {
            "shape": data.info.shape,
            "class_names": data.info.class_names,
            "training_examples": data.info.count,
            "passes_per_epoch": data.passes,
        },
        "versions": versions,
        "training_seconds": 0.0,
    }


def _train(folder, arguments, data, model, console):
    from rich.console import Console

    console = console or Console()
    done = int(model.epochs_trained)
    if done < arguments["epochs"]:
        done = _fit(folder, arguments, data, model, console)
    if done < arguments["epochs"]:
        console.print(
            f"Stopped. {done} of {arguments['epochs']} epochs are saved in {folder}; go on with:\n"
            f"    python scripts/train.py --resume --output {folder}",
            soft_wrap=True,
        )
        return None
    return _measure(folder, data, model, console)


def _fit(folder, arguments, data, model, console):
    """Trains to the last epoch or until the user stops it.

    Returns:
        int, the epochs that are saved.
    """
    from dvae_tf import callbacks

    done = int(model.epochs_trained)
    # One endless stream of batches, the same for the same seed: a resumed run skips what was used.
    batches = data.train.repeat().skip(done * data.steps_per_epoch)
    checkpoint = callbacks.Checkpoint(folder, callbacks.read_history(folder / "history.csv")[:done])
    progress = callbacks.ProgressBar(
        arguments["epochs"],
        data.steps_per_epoch,
        ("loss", *(metric.name for metric in model.metrics)),
        first_epoch=done,
        console=console,
    )
    stop = callbacks.GracefulStop(console)
    started = time.monotonic()
    try:
        model.fit(
            batches,
            steps_per_epoch=data.steps_per_epoch,
            epochs=arguments["epochs"],
            initial_epoch=done,
            validation_data=data.validation,
            callbacks=[progress, stop, _tensorboard(folder, arguments, data), checkpoint],
            verbose=0,
        )
    except KeyboardInterrupt:
        progress.on_train_end()
    finally:
        stop.restore()
        _add_training_seconds(folder, time.monotonic() - started)
    return max((row["epoch"] for row in checkpoint.rows if row["saved"]), default=0)


def _tensorboard(folder, arguments, data):
    from dvae_tf.callbacks import TensorBoardLogs

    images = next(iter(data.validation))[0][:8].numpy() if data.info.is_image else None
    return TensorBoardLogs(folder / "tensorboard", images, every=max(arguments["epochs"] // 10, 1))


def _add_training_seconds(folder, seconds):
    description = read_json(folder / "run.json")
    description["training_seconds"] += seconds
    write_json(folder / "run.json", description)


def _measure(folder, data, model, console):
    from dvae_tf import evaluation, gallery

    with console.status("measuring and drawing"):
        test = data.arrays("test")
        figures = evaluation.report(model, data.arrays("train"), test, data.info)
        figures["training_seconds"] = round(read_json(folder / "run.json")["training_seconds"], 1)
        write_json(folder / "report.json", figures)
        pictures = gallery.draw(folder, model, test, data.info)
    for path in [*pictures, folder / "report.json"]:
        console.print(f"  {path}", soft_wrap=True)
    for name, value in figures.items():
        console.print(f"  {name:20s} {value:.4g}", highlight=False)
    return figures
