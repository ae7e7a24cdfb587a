"""Samples of a trained model as files."""

import pathlib

import numpy as np
import tensorflow as tf
from rich.console import Console

from dvae_tf import runs, tasks
from dvae_tf.commands.settings import GenerationSettings
from dvae_tf.drawing import plots
from dvae_tf.files import written

COUNT_OF_ONE, COUNT_OF_ALL = 16, 4
COLUMNS = 8


def generate(settings: GenerationSettings, console: Console | None = None) -> pathlib.Path:
    """Draws samples of chosen classes and writes them.

    A .png file is one picture, a .npy file an array [n, *shape] (images uint8), anything else a
    folder with a PNG file for each image.

    Args:
        settings: GenerationSettings.
        console: rich.console.Console for what is printed. Defaults to standard output.

    Returns:
        pathlib.Path of what was written.

    Raises:
        ValueError: if there is no such run or class, or a setting does not fit.
    """
    folder, output = runs.find(settings.run), pathlib.Path(settings.output)
    names = runs.class_names(folder)
    chosen = [runs.class_number(value, names) for value in settings.label]
    count = settings.count or (COUNT_OF_ONE if chosen else COUNT_OF_ALL)
    labels = np.repeat(np.array(chosen or range(len(names))), count)
    samples = tasks.sample(runs.load(folder), labels, settings.temperature, settings.seed)
    if output.suffix == ".npy":
        with written(output) as temporary:
            np.save(temporary, samples)
    elif output.suffix == ".png":
        _write_picture(output, samples, labels, count, names)
    else:
        _write_images(output, samples, labels, names)
    line = f"{len(samples)} samples of {folder} are in {output}"
    (console or Console()).print(line, soft_wrap=True, markup=False)
    return output


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
        name = "".join(c if c.isalnum() else "_" for c in names[label])
        with written(output / f"{number:04d}_{name}.png") as temporary:
            temporary.write_bytes(tf.io.encode_png(image).numpy())
