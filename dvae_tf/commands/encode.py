"""Codes, class probabilities and labels of data as a file."""

import csv
import pathlib

import numpy as np
from rich.console import Console

from dvae_tf import data, runs, tasks
from dvae_tf.commands import outputs
from dvae_tf.commands.settings import EncodingSettings
from dvae_tf.data.image_files import BACKGROUND
from dvae_tf.extras import pandas_of_extra
from dvae_tf.files import read_json, written


def encode(settings: EncodingSettings, console: Console | None = None) -> pathlib.Path:
    """Encodes data with a trained model and writes what it finds.

    A .npz file holds the arrays z_s [n, latent_dim_s], z_u_mean and z_u_stddev
    [n, latent_dim_u], probabilities [n, classes], label [n] (-1 where it is unknown),
    predicted_class [n] and class_names [classes]. A .csv or .parquet file has one row an example
    and the columns label, predicted_class (numbers of classes), probability_NAME for each class,
    z_s_0, z_s_1 and so on, z_u_mean_0, ... and z_u_stddev_0, ....

    Args:
        settings: EncodingSettings.
        console: rich.console.Console for what is printed. Defaults to standard output.

    Returns:
        pathlib.Path of the file.

    Raises:
        ValueError: if there is no such run or data, the model has no codes, the data has another
            shape or other classes than the model's, or the file's suffix is unknown.
        ModuleNotFoundError: if pyarrow is missing for a .parquet file; names the extra to install.
    """
    output = pathlib.Path(settings.output)
    write = _writer(output)
    folder = runs.find(settings.run)
    names = runs.class_names(folder)
    model = runs.load(folder)
    if not model.has_codes:
        raise ValueError(
            f"{folder} holds a {type(model).__name__}, which has no codes; give a run of "
            "disentangled_vae or disentangled_vae_gan."
        )
    examples, info = _examples(settings, folder, model, names)
    found = _encoded(model, examples, settings.use_labels)
    with written(output) as temporary:
        write(temporary, found, names)
    line = f"{info.count} examples of {info.name} ({info.split}), encoded by {folder}: {output}"
    (console or Console()).print(line, soft_wrap=True, markup=False)
    return output


def _examples(settings, folder, model, names):
    """The data, its images in the model's size and its classes numbered as the model's."""
    arguments = read_json(folder / "run.json")["arguments"]
    if model.columns and settings.data and not settings.split:
        path = settings.data.removeprefix("table:")
        return data.rows_of_table(path, arguments["label"], model.columns, names)
    examples, info = data.load_arrays(
        settings.data or arguments["dataset"],
        settings.split or "test",
        arguments["seed"],
        model.sample_shape[:2] if len(model.sample_shape) == 3 else None,
        class_names=names,
        background=arguments.get("background", BACKGROUND),
        label=arguments.get("label"),
        columns=model.columns,
    )
    if info.shape != model.sample_shape:
        raise ValueError(
            f"{info.name} has examples of shape {info.shape}, but the model takes "
            f"{model.sample_shape}; give data of that shape. (Folders are read in colour; write "
            "grey images to a .npz file.)"
        )
    return examples, info


def _encoded(model, examples, use_labels):
    """What the file holds: {name: array}."""
    codes = tasks.encode(model, examples.x, examples.label if use_labels else None)
    probabilities = tasks.classify(model, examples.x)
    return {
        "label": examples.label,
        "predicted_class": probabilities.argmax(axis=-1).astype(np.int32),
        "probabilities": probabilities,
        **codes._asdict(),
    }


def _writer(output):
    """The function (path, found, class names) that writes files of a suffix."""
    kind = outputs.suffix_of(outputs.checked(output, ".npz", ".csv", ".parquet"))
    if kind == ".npz":
        return _write_npz
    if kind == ".csv":
        return _write_csv
    pandas = pandas_of_extra()  # Before anything is encoded.

    def write(path, found, names):
        pandas.DataFrame(dict(_columns(found, names))).to_parquet(path, index=False)

    return write


def _write_npz(path, found, names):
    with path.open("wb") as file:  # NumPy would add a suffix to ".NPZ".
        np.savez(file, **found, class_names=np.array(names))


def _write_csv(path, found, names):
    titles, columns = zip(*_columns(found, names), strict=True)
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(titles)
        writer.writerows(zip(*columns, strict=True))


def _columns(found, names):
    """The columns of a table: pairs of title and array [n]."""
    for name, values in found.items():
        if values.ndim == 1:
            yield name, values
            continue
        titles = (
            [f"probability_{each}" for each in names]
            if name == "probabilities"
            else [f"{name}_{number}" for number in range(values.shape[1])]
        )
        yield from zip(titles, values.T, strict=True)
