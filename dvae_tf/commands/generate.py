"""Samples of a trained model as files."""

import os
import pathlib
from collections.abc import Sequence

import numpy as np

from dvae_tf import runs, tasks
from dvae_tf.drawing import plots
from dvae_tf.files import written

COUNT_OF_ONE, COUNT_OF_ALL = 16, 4
COLUMNS = 8


def generate(
    run: str | os.PathLike | None = None,
    label: Sequence[int | str] | None = None,
    count: int | None = None,
    output: str | os.PathLike = "samples.png",
    temperature: float = 1.0,
    seed: int = 0,
) -> str:
    """Draws samples of chosen classes and writes them.

    Args:
        run: str or pathlib.Path, folder of the run. Defaults to the newest.
        label: list of int or str, numbers or names of classes. Defaults to all classes.
        count: int, samples a class. Defaults to 16 where classes are chosen, 4 for all.
        output: str or pathlib.Path. A .png file is one picture, a .npy file an array [n, *shape]
            (images uint8), anything else a folder with a PNG file for each image. Defaults to
            "samples.png".
        temperature: float >= 0, factor on the standard deviations of both priors. Defaults to 1.
        seed: int. Defaults to 0: the same images every time.

    Returns:
        str, a line that says what was written.

    Raises:
        ValueError: if there is no such run or class, or an argument does not fit.
    """
    output = pathlib.Path(output)
    names = runs.class_names(run)
    chosen = [runs.class_number(value, names) for value in label] if label else range(len(names))
    count = (COUNT_OF_ONE if label else COUNT_OF_ALL) if count is None else count
    if count < 1:
        raise ValueError(f"count is {count}; give at least 1.")
    model = runs.load(run)
    labels = np.repeat(np.array(chosen), count)
    samples = tasks.sample(model, labels, temperature, seed)
    if output.suffix == ".npy":
        with written(output) as temporary:
            np.save(temporary, samples)
    elif output.suffix == ".png":
        _write_picture(output, samples, labels, count, names)
    else:
        _write_images(output, samples, labels, names)
    return f"{len(samples)} samples of {runs.find(run)} are in {output}"


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
    import tensorflow as tf

    if samples.ndim != 4:
        raise ValueError(
            f"{output} would be a folder of images, but the model makes vectors; give a .npy file."
        )
    for number, (image, label) in enumerate(zip(samples, labels, strict=True)):
        name = "".join(c if c.isalnum() else "_" for c in names[label])
        with written(output / f"{number:04d}_{name}.png") as temporary:
            temporary.write_bytes(tf.io.encode_png(image).numpy())
