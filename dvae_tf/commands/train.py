"""Trains a run, from the first epoch or from where it was stopped."""

import contextlib
import dataclasses
import importlib.metadata
import pathlib
import platform
import time

import keras
import tensorflow as tf
from rich.console import Console

import dvae_tf
from dvae_tf import runs
from dvae_tf.commands import callbacks
from dvae_tf.commands.devices import by_example, is_chief, make_strategy
from dvae_tf.commands.evaluate import measure
from dvae_tf.commands.settings import ModelSettings, TrainingSettings, recorded
from dvae_tf.evaluation import QUICK_PARTS
from dvae_tf.files import read_json, write_json
from dvae_tf.models import MODELS, Recipe

# How many times samples that are points are saved during a training.
SNAPSHOTS = 5
PACKAGES = ("tensorflow", "keras", "tensorflow-probability", "numpy")


def train(
    settings: TrainingSettings,
    console: Console | None = None,
    evaluate: bool = True,
    strategy=None,
) -> dict:
    """Trains a model, saves it in a folder and measures it.

    Args:
        settings: TrainingSettings.
        console: rich.console.Console for what is printed. Defaults to standard output.
        evaluate: bool, whether the trained model is measured and drawn. Defaults to True.
        strategy: tf.distribute.Strategy. Defaults to that of the settings. Of several workers, only
            the first writes files and measures.

    Returns:
        dict, the content of report.json; empty without `evaluate`, and for workers but the first.

    Raises:
        ValueError: if a setting is invalid, or the folder already holds a run, or holds none to
            resume.
        KeyboardInterrupt: if the user stopped the run; saved epochs are kept.
        FloatingPointError: if a loss is not finite; saved epochs are kept.
        ConnectionError: if another worker is gone.
    """
    strategy = strategy or make_strategy(settings.strategy, settings.workers, settings.worker_index)
    console = console or Console(quiet=not is_chief(strategy))
    begin = _resumed if settings.resume else _begun
    folder, arguments, data, model = begin(settings, strategy)
    model.passes_per_epoch = data.passes
    with _worker_lost(folder):
        _fit(folder, arguments, data, model, strategy, console)
    if is_chief(strategy):
        runs.keep_examples(folder, data)
    if not evaluate or not is_chief(strategy):
        return {}
    if strategy.num_replicas_in_sync > 1:
        model = runs.load(folder)  # On one device: the other workers do not measure.
    return measure(folder, data, model, console, QUICK_PARTS)


def _begun(settings, strategy):
    """A new run: (folder, arguments, data, model)."""
    folder = pathlib.Path(settings.output or runs.new_folder(settings.dataset))
    if is_chief(strategy) and (folder / "run.json").exists():
        raise ValueError(
            f"{folder} holds a run already. Resume it (--resume), give another folder (--output), "
            "or remove it."
        )
    data = runs.Data(recorded(settings))
    model = _new_model(settings, data, strategy)
    if is_chief(strategy):
        write_json(folder / "run.json", _description(settings, data))
    return folder, recorded(settings), data, model


def _resumed(settings, strategy):
    """A run that was stopped: (folder, arguments, data, model)."""
    folder = runs.find(settings.output)
    description = read_json(folder / "run.json")
    before = _settings_of(folder, description["arguments"])
    _expect_own_settings(settings, before)
    arguments = recorded(before)
    if settings.epochs:
        arguments["epochs"] = settings.epochs
        if is_chief(strategy):
            write_json(folder / "run.json", description | {"arguments": arguments})
    data = runs.Data(arguments, runs.class_names(folder), runs.columns(folder))
    if not (folder / "model.keras").exists():
        return folder, arguments, data, _new_model(before, data, strategy)
    with strategy.scope():
        return folder, arguments, data, runs.load(folder)


def _expect_own_settings(settings, before):
    """Refuses settings that would be ignored: a resumed run has its own.

    A setting at its default is not told from one that was not given.
    """
    default, own = recorded(TrainingSettings(resume=True)), recorded(before)
    for name, value in recorded(settings).items():
        if name != "epochs" and value not in (default[name], own[name]):
            raise ValueError(
                f"{name} is {value}, but a resumed run keeps its own settings ({own[name]}); leave "
                "it out, or start a new run in another folder."
            )


def _settings_of(folder, arguments):
    try:
        return TrainingSettings(**arguments)
    except TypeError as error:
        raise ValueError(
            f"{folder} was begun by another version of dvae_tf ({error}); its model can be used, "
            "but not trained further. Start a new run."
        ) from error


def recipe_of(settings: ModelSettings) -> Recipe:
    """The recipe that settings name, with their changes.

    Args:
        settings: ModelSettings.

    Returns:
        Recipe.

    Raises:
        ValueError: if there is no recipe of that name, or it has no such numbers.
    """
    assert settings.recipe  # Chosen when the settings were made.
    return Recipe.named(settings.recipe).replace(**settings.changes)


def _new_model(settings, data, strategy):
    recipe = recipe_of(settings)
    with strategy.scope(), _dtype_policy(settings.dtype_policy):
        return MODELS[settings.model](
            data.info.shape,
            data.info.num_classes,
            preset=settings.preset,
            recipe=recipe,
            width=settings.width,
            latent_dim_s=settings.latent_dim_s,
            latent_dim_u=settings.latent_dim_u,
            seed=settings.seed,
            class_names=data.info.class_names,
            background=settings.background,
            columns=data.info.columns,
        )


@contextlib.contextmanager
def _dtype_policy(name):
    """Sets Keras's dtype policy within the block, if one is given."""
    before = keras.config.dtype_policy()
    try:
        keras.config.set_dtype_policy(name or before)
        yield
    finally:
        keras.config.set_dtype_policy(before)


def _description(settings, data):
    """The content of run.json."""
    versions = {"python": platform.python_version(), "dvae_tf": dvae_tf.__version__}
    versions |= {package: importlib.metadata.version(package) for package in PACKAGES}
    found = {
        "shape": data.info.shape,
        "class_names": data.info.class_names,
        "training_examples": data.info.count,
        "passes_per_epoch": data.passes,
    }
    if data.info.columns:
        found["columns"] = data.info.columns.as_dicts()
        found["label_column"] = dataclasses.asdict(data.info.label_column)
    return {
        "arguments": recorded(settings),
        "data": found,
        "versions": versions,
        "training_seconds": 0.0,
    }


@contextlib.contextmanager
def _worker_lost(folder):
    """Says what to do if another worker is gone."""
    try:
        yield
    except tf.errors.UnavailableError as error:
        raise ConnectionError(
            "Another worker is gone. Start all of them again as before, with --resume --output "
            f"{folder}: they resume from the last epoch that was saved."
        ) from error


def _fit(folder, arguments, data, model, strategy, console):
    """Trains to the last epoch and fits the flow, unless the user stops it."""
    if not is_chief(strategy):
        _fit_epochs(arguments, data, model, [])
        _fit_flow(data, model, [])
        return
    done = int(model.epochs_trained.numpy())
    rows = runs.read_history(folder / "history.csv")[:done]
    stop = callbacks.GracefulStop(console)
    checkpoint = callbacks.Checkpoint(folder, rows, stop)
    checkpoint.set_model(model)  # Where the flow alone is left to fit, no epoch does it.
    progress = callbacks.ProgressBar(model.metrics_names, console)
    observers = [callbacks.FiniteLosses(folder), *_observers(folder, arguments, data, model)]
    started = time.monotonic()
    try:
        _fit_epochs(arguments, data, model, [progress, *observers, checkpoint, stop])
        of_flow = callbacks.ProgressBar(("loss", "val_loss"), console, "fitting the flow")
        flow_fit = _fit_flow(data, model, [of_flow])
    except KeyboardInterrupt:
        console.print(
            f"Stopped. {checkpoint.epochs} of {arguments['epochs']} epochs are saved in {folder}; "
            f"resume with:\n    {runs.invocation('train')} --resume --output {folder}",
            soft_wrap=True,
        )
        raise
    finally:
        progress.on_train_end()
        stop.restore()
        _describe(folder, seconds=time.monotonic() - started)
    if flow_fit:
        checkpoint.write()
        _describe(folder, flow_fit=flow_fit)
    _describe(folder, trained_epochs=arguments["epochs"])


def _fit_epochs(arguments, data, model, callbacks):
    done = int(model.epochs_trained.numpy())
    if done >= arguments["epochs"]:
        return
    # One endless stream of batches, the same for the same seed: a resumed run skips the used ones.
    batches = data.train.repeat().skip(done * data.steps_per_epoch)
    options = {"fit_flow": False} if model.has_codes else {}
    model.fit(
        by_example(batches),
        steps_per_epoch=data.steps_per_epoch,
        epochs=arguments["epochs"],
        initial_epoch=done,
        validation_data=by_example(data.validation),
        verbose=0,
        callbacks=callbacks,
        **options,
    )


def _fit_flow(data, model, callbacks):
    """Fits the flow to the final codes; returns the result, or None if there is nothing to do."""
    if not (model.has_codes and model.needs_flow_fit):
        return None
    return model.fit_flow(
        data.in_order(), validation_data=data.validation, callbacks=callbacks, verbose=0
    )


def _observers(folder, arguments, data, model):
    """The callbacks that observe: TensorBoard, and snapshots of samples that are points."""
    images, epochs = None, arguments["epochs"]
    if data.info.is_image and model.has_codes:
        images = next(iter(data.validation))[0][:8].numpy()
    logs = callbacks.TensorBoardLogs(folder / "tensorboard", images, every=max(epochs // 10, 1))
    if data.info.is_image:
        return [logs]
    return [logs, callbacks.Snapshots(folder / "progress", every=max(epochs // SNAPSHOTS, 1))]


def _describe(folder, seconds=0.0, **more):
    """Adds training time and other entries to run.json."""
    description = read_json(folder / "run.json")
    description["training_seconds"] += seconds
    write_json(folder / "run.json", description | more)
