"""Samples of a trained model as files."""

import pathlib

import numpy as np
import tensorflow as tf
from rich.console import Console

from dvae_tf import runs, tasks
from dvae_tf.commands import outputs
from dvae_tf.commands.images import opened
from dvae_tf.commands.settings import GenerationSettings
from dvae_tf.drawing import plots
from dvae_tf.files import file_name, written

COUNT_OF_ONE, COUNT_OF_ALL = 16, 4
COLUMNS = 8


def generate(settings: GenerationSettings, console: Console | None = None) -> pathlib.Path:
    """Draws samples of chosen classes and writes them.

    A .png, .jpg, .webp, .pdf or .svg file is one picture; a .npy file an array [n, *shape] (images
    uint8), a .npz file the same as `x`, with `label` [n] and `class_names` [classes]; a name
    without a suffix a folder with a PNG file for each image. A model of a table writes a .csv or
    .parquet file with the columns of the table, the label's first.

    Args:
        settings: GenerationSettings.
        console: rich.console.Console for what is printed. Defaults to standard output.

    Returns:
        pathlib.Path of what was written.

    Raises:
        ValueError: if there is no such run or class, a setting does not fit, or the output's suffix
            is unknown.
    """
    folder = runs.find(settings.run)
    columns = runs.columns(folder)
    default = "samples.csv" if columns else "samples.png"
    kinds = outputs.TABLES if columns else (*outputs.PICTURES, "")
    output = outputs.checked(settings.output or default, *kinds, *outputs.ARRAYS)
    draw = _like_files if settings.like else _of_classes
    samples, labels, count, names = draw(settings, folder)
    kind = outputs.suffix_of(output)
    if columns and kind in outputs.TABLES:
        frame = columns.frame(samples)
        column = runs.label_column(folder)
        frame.insert(0, column.name, column.values(labels))
        outputs.write_table(output, frame)
    elif kind in outputs.ARRAYS:
        outputs.write_arrays(output, x=samples, label=labels, class_names=np.array(names))
    elif kind in outputs.PICTURES:
        _write_picture(output, samples, labels, count, names)
    else:
        _write_images(output, samples, labels, names)
    line = f"{len(samples)} samples of {folder} are in {output}"
    (console or Console()).print(line, soft_wrap=True, markup=False)
    return output


def _of_classes(settings, folder):
    """Samples of chosen classes, their labels, how many there are of each, and the names."""
    names = runs.class_names(folder)
    chosen = [runs.class_number(value, names) for value in settings.label]
    count = settings.count or (COUNT_OF_ONE if chosen else COUNT_OF_ALL)
    labels = np.repeat(np.array(chosen or range(len(names))), count)
    samples = tasks.sample(runs.load(folder), labels, settings.temperature, settings.seed)
    return samples, labels, count, names


def _like_files(settings, folder):
    """The same of the class that image files show, whose name is the first file's."""
    model = runs.load(folder)
    if not model.has_codes:
        raise ValueError(f"{folder} holds a {type(model).__name__}, which has no codes of classes.")
    code = model.class_code(np.stack([opened(model, file) for file in settings.like]))
    count = settings.count or COUNT_OF_ONE
    z_s = np.repeat(code[np.newaxis], count, axis=0)
    samples = tasks.sample(model, None, settings.temperature, settings.seed, z_s)
    return samples, np.zeros(count, int), count, [pathlib.Path(settings.like[0]).stem]


def _write_picture(output, samples, labels, count, names):
    if samples.ndim != 4:
        points = samples.reshape(len(samples), -1)[:, :2]
        plots.scatter(output, {"samples": (points, labels)}, names, "Samples of the model")
        return
    columns = min(count, COLUMNS)
    rows_a_class = -(-count // columns)
    blank = rows_a_class * columns - count
    by_class = samples.reshape(-1, count, *samples.shape[1:])
    padding = np.full_like(by_class[:, :1], 255).repeat(blank, axis=1)
    grid = np.concatenate([by_class, padding], axis=1).reshape(-1, columns, *samples.shape[1:])
    row_names = [""] * len(grid)
    row_names[::rows_a_class] = [names[number] for number in labels[::count]]
    plots.image_grid(output, grid, row_names, "Samples of the model")


def _write_images(output, samples, labels, names):
    if samples.ndim != 4:
        raise ValueError(
            f"{output} would be a folder of images, but the model makes vectors; give a .npy file."
        )
    for number, (image, label) in enumerate(zip(samples, labels, strict=True)):
        with written(output / f"{number:04d}_{file_name(names[label])}.png") as temporary:
            temporary.write_bytes(tf.io.encode_png(image).numpy())
