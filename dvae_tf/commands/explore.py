"""What a trained model does with images: one function a picture of `dvae explore`.

Each makes a grid of images with what its rows and columns are; its keyword arguments are the
settings that it takes, and their defaults.
"""

import dataclasses
import inspect
import os
import pathlib
from collections.abc import Sequence

import numpy as np
from rich.console import Console

from dvae_tf import runs, tasks
from dvae_tf.commands import outputs
from dvae_tf.commands.images import opened
from dvae_tf.commands.settings import ExplorationSettings
from dvae_tf.data.pixels import as_pixels
from dvae_tf.drawing import plots


@dataclasses.dataclass(frozen=True)
class Grid:
    """Rows of images.

    Args:
        images: array [rows, columns, *shape].
        row_names, column_names: sequences of str.
        title: str.
        donors: (x_s [rows, *shape], x_u [columns, *shape]) of swaps, drawn at the edges.
    """

    images: np.ndarray
    row_names: list
    column_names: list
    title: str
    donors: tuple[np.ndarray, np.ndarray] | None = None


class Album:
    """A trained model with images to show it on.

    Args:
        run: str or pathlib.Path, folder of the run. Defaults to the newest.
        files: sequence of str or pathlib.Path, images to take in place of the data set's test
            split. Defaults to none.
        seed: int, of the choice of test images and of samples. Defaults to 0.
        data: str, where the run's data lies now. Defaults to the examples that the run keeps, and
            for `nearest` to the data that it was trained on.

    Raises:
        ValueError: if there is no such run, or its model has no codes.
    """

    def __init__(
        self,
        run: str | os.PathLike | None = None,
        files: Sequence[str | os.PathLike] = (),
        seed: int = 0,
        data: str | None = None,
    ):
        self.folder = runs.find(run)
        runs.expect_no_table(self.folder)
        self.model = runs.load(self.folder)
        if not self.model.has_codes:
            raise ValueError(
                f"{self.folder} holds a {type(self.model).__name__}, which has no codes; give a "
                "run of disentangled_vae or disentangled_vae_gan."
            )
        self.class_names = runs.class_names(self.folder)
        self.seed, self.files, self.data = seed, files, data

    @property
    def is_image(self):
        """bool, whether the model is of images."""
        return len(self.model.sample_shape) == 3

    def test(self):
        """Returns examples of the test split, Arrays."""
        if self.data:
            return runs.Data.of(self.folder, self.data).arrays("test")
        return runs.kept_examples(self.folder, "test")

    def pick(self, count: int):
        """Chooses images, the classes of the test split in turn.

        Args:
            count: int.

        Returns:
            (x [count, *shape], names: list of str, the classes or the files' names).
        """
        if self.files:
            files = self.files[:count]
            names = [pathlib.Path(file).stem for file in files]
            return np.stack([opened(self.model, file) for file in files]), names
        test = self.test()
        random = np.random.default_rng(self.seed)
        order = random.permutation(len(test.label))
        turn = np.zeros(len(order))
        for label in np.unique(test.label):
            rows = np.flatnonzero(test.label[order] == label)
            turn[rows] = np.arange(len(rows)) + label / len(self.class_names)
        chosen = order[np.argsort(turn)[:count]]
        return test.x[chosen], [self.class_names[label] for label in test.label[chosen]]

    def class_number(self, name):
        """Returns the number of a class, given by number or name."""
        return runs.class_number(name, self.class_names)


def reconstruct(album, count=10):
    """Images above their reconstructions."""
    x, names = album.pick(count)
    images = np.stack([as_pixels(x), tasks.reconstruct(album.model, x)])
    return Grid(images, ["image", "reconstruction"], names, "Reconstructions")


def classify(album, count=10):
    """Images with the class that the mixture posterior predicts."""
    x, names = album.pick(count)
    probabilities = tasks.classify(album.model, x)
    predicted = [
        f"{name}\n→ {album.class_names[row.argmax()]}\n{row.max():.0%}"
        for name, row in zip(names, probabilities, strict=True)
    ]
    title = "Classes that the mixture posterior predicts"
    return Grid(as_pixels(x)[np.newaxis], [""], predicted, title)


def swap(album, count=8, columns=8):
    """Swaps: z_s of the rows' images with z_u of the columns'."""
    x, names = album.pick(count + columns)
    if len(x) < 2:
        raise ValueError("Only one image came; swaps need at least 2.")
    if len(x) < count + columns:  # Half of them give z_s.
        count = min(count, len(x) // 2)
    x_s, x_u = x[:count], x[count:]
    images = tasks.swap(album.model, x_s, x_u)
    return Grid(images, names[:count], names[count:], "Swaps", (x_s, x_u))


def interpolate_class(album, count=6, steps=8, path="straight", to=None):
    """z_s from the mean of each image's predicted class to another's, by default the next."""
    x, _ = album.pick(count)
    start = tasks.classify(album.model, x).argmax(axis=-1)
    following = (start + 1) % len(album.class_names)
    stop = following if to is None else np.full(len(x), album.class_number(to))
    images = tasks.interpolate_class(album.model, start, stop, x, steps, path)
    ends = zip(start, stop, strict=True)
    names = [f"{album.class_names[one]} → {album.class_names[other]}" for one, other in ends]
    return Grid(images, names, _shares(steps), f"Class code z_s on a {path} path, z_u fixed")


def interpolate_style(album, count=6, steps=8, path="straight"):
    """z_u from one image to another, z_s fixed."""
    x, names = album.pick(2 * count)
    half = len(x) // 2
    if not half:
        raise ValueError("Only one image came; an interpolation needs two.")
    images = tasks.interpolate_style(album.model, x[:half], x[half : 2 * half], steps, path)
    ends = zip(names[:half], names[half : 2 * half], strict=True)
    names = [f"{one}, style to {other}" for one, other in ends]
    return Grid(images, names, _shares(steps), f"Style code z_u on a {path} path, z_s fixed")


def traverse(album, count=6, dimension=None, steps=7, extent=3.0):
    """One dimension of z_u from -extent to extent; by default the most active one."""
    x, names = album.pick(count)
    if dimension is None:
        dimension = int(np.var(tasks.encode(album.model, album.test().x).z_u_mean, axis=0).argmax())
    values = np.linspace(-extent, extent, steps)
    images = tasks.traverse(album.model, x, dimension, values)
    title = f"Dimension {dimension} of z_u"
    return Grid(images, names, [f"{value:+.1f}" for value in values], title)


def inpaint(album, count=10, hole=None, mask=None, iterations=10):
    """Images, with a hole, and with the hole filled; by default a square of half the side."""
    x, names = album.pick(count)
    sides = album.model.sample_shape[:2]
    if mask is None:
        hole = min(sides) // 2 if hole is None else hole
        if not 0 < hole <= min(sides):
            raise ValueError(f"hole is {hole}; give 1 to {min(sides)} pixels.")
        mask = np.zeros(sides, bool)
        mask[tuple(slice((side - hole) // 2, (side + hole) // 2) for side in sides)] = True
    else:
        mask = opened(album.model, mask).mean(axis=-1) > 127.5
    shown = as_pixels(x)
    images = np.stack(
        [
            shown,
            np.where(mask[..., np.newaxis], np.uint8(127), shown),
            tasks.inpaint(album.model, x, mask, iterations),
        ]
    )
    return Grid(images, ["image", "with a hole", "filled"], names, "Inpainting")


def nearest(album, count=6, neighbours=5):
    """Samples beside the training images that come nearest."""
    if album.files:
        raise ValueError("nearest takes no images: it looks among those of the training.")
    label = tasks.labels_in_turn(count, len(album.class_names))
    samples = tasks.sample(album.model, label, seed=album.seed)
    train = runs.Data.of(album.folder, album.data).arrays("train")
    found = tasks.nearest(samples, train.x, neighbours)
    images = np.concatenate([samples[:, np.newaxis], as_pixels(train.x)[found.index]], axis=1)
    columns = ["sample", *(f"nearest {rank}" for rank in range(1, neighbours + 1))]
    names = [album.class_names[number] for number in label]
    return Grid(images, names, columns, "Samples and the training images nearest to them")


def _shares(steps):
    """What the columns of an interpolation are called."""
    return [f"{t:.2f}" for t in np.linspace(0.0, 1.0, steps)]


PICTURES = {
    function.__name__.replace("_", "-"): function
    for function in (
        reconstruct,
        classify,
        swap,
        interpolate_class,
        interpolate_style,
        traverse,
        inpaint,
        nearest,
    )
}
# Settings that are not of the picture, but of the model, its images and the file.
OF_ALL = ("picture", "run", "images", "data", "output", "seed")


def explore(settings: ExplorationSettings, console: Console | None = None) -> pathlib.Path:
    """Makes the grid of one picture and writes it.

    A .png, .jpg, .webp, .pdf or .svg file is a picture; a .npy file the array
    [rows, columns, *shape] (images uint8), a .npz file the same as `images`, with `row_names` and
    `column_names`.

    Args:
        settings: ExplorationSettings.
        console: rich.console.Console for what is printed. Defaults to standard output.

    Returns:
        pathlib.Path of the file.

    Raises:
        ValueError: if there is no such run, or a setting does not fit or is not one of the picture.
    """
    options = _options(settings)
    output = outputs.checked(
        settings.output or f"{settings.picture}.png", *outputs.PICTURES, *outputs.ARRAYS
    )
    is_picture = outputs.suffix_of(output) in outputs.PICTURES
    album = Album(settings.run, settings.images, settings.seed, settings.data)
    if is_picture and not album.is_image:
        raise ValueError(f"{output} would be a picture, but the data is vectors; give a .npy file.")
    grid = PICTURES[settings.picture](album, **options)
    if is_picture:
        draw(grid, output)
    else:
        names = {"row_names": grid.row_names, "column_names": grid.column_names}
        outputs.write_arrays(
            output, images=grid.images, **{k: np.array(v) for k, v in names.items()}
        )
    line = f"{output}: {grid.title} ({album.folder})"
    (console or Console()).print(line, soft_wrap=True, markup=False)
    return output


def _options(settings):
    """The settings of the picture itself that were given; refuses those that it does not take."""
    of_one = (field.name for field in dataclasses.fields(settings) if field.name not in OF_ALL)
    given = {name: getattr(settings, name) for name in of_one}
    given = {name: value for name, value in given.items() if value is not None}
    _, *takes = inspect.signature(PICTURES[settings.picture]).parameters
    unknown = [name for name in given if name not in takes]
    if unknown:
        raise ValueError(
            f"{settings.picture} takes no {unknown[0]}; its settings are {', '.join(takes)}."
        )
    return given


def draw(grid, output: str | os.PathLike) -> None:
    """Draws a grid.

    Args:
        grid: Grid.
        output: str or pathlib.Path of the file.
    """
    if grid.donors:
        x_s, x_u = grid.donors
        plots.swap_grid(output, x_s, x_u, grid.images, grid.row_names, grid.column_names)
    else:
        plots.image_grid(output, grid.images, grid.row_names, grid.title, grid.column_names)
