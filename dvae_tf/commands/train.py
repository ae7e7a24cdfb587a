"""Training of a run, from the first epoch or from where it was stopped."""

import contextlib
import importlib.metadata
import math
import os
import pathlib
import platform
import time

from rich.console import Console

from dvae_tf import runs
from dvae_tf.commands.devices import by_example, is_chief, make_strategy
from dvae_tf.files import read_json, write_json

# The published ten epochs, after which the rate of the mixture's variances falls, are at least as
# many steps (MNIST in batches of 96). With fewer the variances freeze near their start and samples
# of neighbouring classes overlap.
VARIANCE_DECAY_STEPS = 6250
# Points of the plane show how samples come into shape: so often are they kept.
PROGRESS = 5
MODEL_OPTIONS = ("preset", "recipe", "seed", "loss_weights", "latent_dim_s", "latent_dim_u")
PACKAGES = ("tensorflow", "keras", "tensorflow-probability", "numpy")


def train(
    dataset: str = "digits",
    model: str = "disentangled_vae_gan",
    preset: str = "compact",
    recipe: str = "balanced",
    epochs: int = 40,
    batch_size: int = 96,
    seed: int = 0,
    size: int | None = None,
    loss_weights: dict | None = None,
    variance_decay_epochs: int | None = None,
    latent_dim_s: int | None = None,
    latent_dim_u: int | None = None,
    labelled: float = 1.0,
    dtype_policy: str | None = None,
    output: str | os.PathLike | None = None,
    console: Console | None = None,
    measure: bool = True,
    strategy=None,
) -> dict | None:
    """Trains a model, keeps it in a folder and measures it.

    Args:
        dataset: str, a name that `dvae_tf.data.load` takes. Defaults to "digits".
        model: str, a key of `dvae_tf.models.MODELS`. Defaults to "disentangled_vae_gan".
        preset: str, the family of networks. Defaults to "compact".
        recipe: str or dict, the training recipe, as `dvae_tf.models.recipe` takes it; what a file
            holds is kept in run.json. Defaults to "balanced".
        epochs: int. One goes once through the training data, or, where that has fewer than 100
            batches, as often as makes 100. Defaults to 40.
        batch_size: int. Defaults to 96.
        seed: int, of everything random. Defaults to 0.
        size: int, side of the images in pixels, where the data set leaves it open.
        loss_weights: dict of loss name to float or schedule, in place of some of the recipe's.
        variance_decay_epochs: int, epochs after which the learning rate of the mixture's variances
            falls tenfold, again and again. Defaults to the recipe's: never, and for "paper" 10,
            or as many more as make 6,250 steps.
        latent_dim_s, latent_dim_u: int, sizes of the codes. Default to the preset's.
        labelled: float in (0, 1], the share of training examples that keep their label. Defaults
            to 1.
        dtype_policy: str, Keras's dtype policy of all networks, such as "mixed_bfloat16". Defaults
            to the one that is set, "float32".
        output: str or pathlib.Path, the folder. Defaults to runs/ and the data set's name.
        console: rich.console.Console for what is printed. Defaults to standard output.
        measure: bool, whether the trained model is measured and drawn. Defaults to True.
        strategy: tf.distribute.Strategy of `dvae_tf.commands.devices`. Defaults to one device. Of
            several workers the first alone writes files and measures.

    Returns:
        dict, what report.json holds (empty without `measure`, and for other workers than the
        first); None if the user stopped the run.

    Raises:
        ValueError: if an argument does not fit, or the folder holds a run already.
        FloatingPointError: if a loss is no finite number any more; what was saved stays.
        ConnectionError: if another worker has gone away.
    """
    from dvae_tf.models.recipe import recipe_config

    arguments = {
        "dataset": dataset,
        "model": model,
        "preset": preset,
        "recipe": recipe_config(recipe),
        "epochs": epochs,
        "batch_size": batch_size,
        "seed": seed,
        "size": size,
        "loss_weights": loss_weights or {},
        "variance_decay_epochs": variance_decay_epochs,
        "latent_dim_s": latent_dim_s,
        "latent_dim_u": latent_dim_u,
        "labelled": labelled,
        "dtype_policy": dtype_policy,
    }
    for name, number in (("epochs", epochs), ("batch_size", batch_size)):
        if number < 1:
            raise ValueError(f"{name} is {number}; give at least 1.")
    folder = pathlib.Path(output) if output else runs.ROOT / folder_name(dataset)
    strategy = strategy or make_strategy()
    if is_chief(strategy) and (folder / "run.json").exists():
        raise ValueError(
            f"{folder} holds a run already. Go on with it (--resume), give another folder "
            "(--output), or remove it."
        )
    data = runs.Data(arguments)
    with strategy.scope():
        new = _new_model(arguments, data)
    if is_chief(strategy):
        write_json(folder / "run.json", _describe(arguments, data))
    return _train(folder, arguments, data, new, strategy, console, measure)


def resume(
    folder: str | os.PathLike | None = None,
    epochs: int | None = None,
    console: Console | None = None,
    measure: bool = True,
    strategy=None,
) -> dict | None:
    """Goes on with a run that was stopped, as if it never had been.

    Args:
        folder: str or pathlib.Path. Defaults to the newest run.
        epochs: int, in place of the number that the run was started with. Defaults to that.
        console: rich.console.Console for what is printed. Defaults to standard output.
        measure: bool, as in `train`.
        strategy: tf.distribute.Strategy, as in `train`; it may be another one than before.

    Returns:
        dict, as `train`.

    Raises:
        ValueError: if the folder holds no run.
    """
    strategy = strategy or make_strategy()
    folder = runs.find(folder)
    description = read_json(folder / "run.json")
    arguments = description["arguments"]
    if epochs:
        arguments["epochs"] = epochs
        if is_chief(strategy):
            write_json(folder / "run.json", description)
    data = runs.Data(arguments)
    with strategy.scope():
        begun = (folder / "model.keras").exists()
        model = runs.load(folder) if begun else _new_model(arguments, data)
    return _train(folder, arguments, data, model, strategy, console, measure)


def folder_name(dataset):
    """Returns the name of a data set without what a folder's name cannot hold, a str."""
    return pathlib.PurePath(dataset.partition(":")[2] or dataset).stem


def _new_model(arguments, data):
    from dvae_tf.models import MODELS, DisentangledVAE
    from dvae_tf.models.recipe import recipe

    if arguments["model"] not in MODELS:
        raise ValueError(
            f"No model is called {arguments['model']!r}; choose one of {', '.join(MODELS)}."
        )
    model = MODELS[arguments["model"]]
    options = {name: arguments[name] for name in MODEL_OPTIONS}
    if issubclass(model, DisentangledVAE):
        decay_epochs = recipe(arguments["recipe"]).variance_decay_epochs
        if decay_epochs:
            least = math.ceil(VARIANCE_DECAY_STEPS / data.steps_per_epoch)
            decay_epochs = max(decay_epochs, least)
        options["variance_decay_epochs"] = arguments["variance_decay_epochs"] or decay_epochs
    with _dtype_policy(arguments.get("dtype_policy")):
        return model(data.info.shape, data.info.num_classes, **options)


@contextlib.contextmanager
def _dtype_policy(name):
    """Sets Keras's dtype policy, where one is given, for what is made inside."""
    import keras

    before = keras.config.dtype_policy()
    try:
        keras.config.set_dtype_policy(name or before)
        yield
    finally:
        keras.config.set_dtype_policy(before)


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


def _train(folder, arguments, data, model, strategy, console, measure):
    console = console or Console(quiet=not is_chief(strategy))
    done = int(model.epochs_trained.numpy())
    # Learning rates fall over all epochs, also over those that a resumed run is given in addition.
    model.training_steps.assign(arguments["epochs"] * data.steps_per_epoch)
    if done < arguments["epochs"]:
        with _worker_lost(folder):
            done = _fit(folder, arguments, data, model, strategy, console)
    if done < arguments["epochs"]:
        console.print(
            f"Stopped. {done} of {arguments['epochs']} epochs are saved in {folder}; go on with:\n"
            f"    python scripts/train.py --resume --output {folder}",
            soft_wrap=True,
        )
        return None
    if not measure or not is_chief(strategy):
        return {}
    from dvae_tf.commands.evaluate import measure_model
    from dvae_tf.evaluation import QUICK_PARTS

    if strategy.num_replicas_in_sync > 1:
        model = runs.load(folder)  # On one device: the other workers do not measure.
    return measure_model(folder, data, model, console, QUICK_PARTS)


@contextlib.contextmanager
def _worker_lost(folder):
    """Says what to do where another worker has gone away."""
    import tensorflow as tf

    try:
        yield
    except tf.errors.UnavailableError as error:
        raise ConnectionError(
            "Another worker is gone. Start all of them again as before, with --resume --output "
            f"{folder}: they go on from the last epoch that was saved."
        ) from error


def _fit(folder, arguments, data, model, strategy, console):
    """Trains to the last epoch or until the user stops it.

    Returns:
        int, the epochs that are saved.
    """
    from dvae_tf.commands import callbacks

    done = int(model.epochs_trained.numpy())
    # One endless stream of batches, the same for the same seed: a resumed run skips what was used.
    batches = data.train.repeat().skip(done * data.steps_per_epoch)
    training = {
        "steps_per_epoch": data.steps_per_epoch,
        "epochs": arguments["epochs"],
        "initial_epoch": done,
        "validation_data": by_example(data.validation),
        "verbose": 0,
    }
    if not is_chief(strategy):
        model.fit(by_example(batches), **training)
        return int(model.epochs_trained.numpy())
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
    observers = [callbacks.FiniteLosses(folder), *_observers(folder, arguments, data, model)]
    try:
        with contextlib.suppress(KeyboardInterrupt):
            model.fit(
                by_example(batches), callbacks=[progress, stop, *observers, checkpoint], **training
            )
    finally:
        progress.on_train_end()
        stop.restore()
        _add_training_seconds(folder, time.monotonic() - started)
    return max((row["epoch"] for row in checkpoint.rows if row["saved"]), default=0)


def _observers(folder, arguments, data, model):
    from dvae_tf.commands.callbacks import Snapshots, TensorBoardLogs
    from dvae_tf.models import DisentangledVAE

    images, epochs = None, arguments["epochs"]
    if data.info.is_image and isinstance(model, DisentangledVAE):
        images = next(iter(data.validation))[0][:8].numpy()
    logs = TensorBoardLogs(folder / "tensorboard", images, every=max(epochs // 10, 1))
    if data.info.is_image:
        return [logs]
    return [logs, Snapshots(folder / "progress", every=max(epochs // PROGRESS, 1))]


def _add_training_seconds(folder, seconds):
    description = read_json(folder / "run.json")
    description["training_seconds"] += seconds
    write_json(folder / "run.json", description)
