"""All plots. Each function draws one and writes it to a file."""

import contextlib
import itertools
import os
from collections.abc import Sequence

import matplotlib
import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from sklearn.manifold import TSNE

from dvae_tf.data.pixels import as_pixels
from dvae_tf.drawing.text import LITERAL, draw_literally, in_lines, in_one_line, width
from dvae_tf.files import written

COLOURS = matplotlib.color_sequences["tab10"] + matplotlib.color_sequences["Dark2"]
DOTS_PER_INCH = 120
# In inches: an image in a grid, the margins around it, a letter of the names beside and above it.
CELL, MARGIN, LETTER = 0.75, 0.4, 0.08


@contextlib.contextmanager
def figure_of(path, width, height, rows=1, columns=1, **grid):
    """Makes a figure, and writes it at the end of the block.

    The picture is as large as all that is on it, so that no title is cut off.

    Args:
        path: str or pathlib.Path of the file.
        width, height: float, in inches.
        rows, columns: int, of the grid of axes. Default to 1.
        **grid: of `matplotlib.figure.Figure.subplots`.

    Yields:
        (matplotlib.figure.Figure, array [rows, columns] of its axes).
    """
    with matplotlib.rc_context(LITERAL):
        figure = Figure(figsize=(width, height), dpi=DOTS_PER_INCH, layout="constrained")
        FigureCanvasAgg(figure)
        yield figure, figure.subplots(rows, columns, squeeze=False, **grid)
        draw_literally(figure)
        with written(path) as temporary:
            figure.savefig(temporary, bbox_inches="tight")


def _cell(images, names):
    """Width and height of a grid's cell in inches: images in their proportions, names whole."""
    rows, columns = images.shape[-3:-1]
    longest = max(map(width, names), default=0)
    return max(CELL * np.clip(columns / rows, 0.25, 4.0), LETTER * longest), CELL


def _legend(axes, handles, names, place="center left", anchor=(1, 0.5)):
    """Draws a legend of all names, also of those that begin with an underscore."""
    axes.legend(handles, names, loc=place, bbox_to_anchor=anchor, frameon=False, markerscale=2)


def _show(axes, image):
    """Shows one image, uint8 or float in [-1, 1], without ticks; the mean of odd channels."""
    image = as_pixels(np.asarray(image)[np.newaxis])[0]
    grey = image.shape[-1] not in (3, 4)
    shown = image.mean(axis=-1) if grey else image
    axes.imshow(shown, cmap="gray" if grey else None, vmin=0, vmax=255)
    axes.set_xticks([])
    axes.set_yticks([])
    for spine in axes.spines.values():
        spine.set_visible(False)


def image_grid(
    path: str | os.PathLike,
    images: np.ndarray,
    row_names: Sequence[str],
    title: str,
    column_names: Sequence[str] = (),
) -> None:
    """Draws rows of images.

    Args:
        path: str or pathlib.Path of the file.
        images: array [rows, columns, height, width, channels], uint8 or float in [-1, 1].
        row_names: sequence of str, shown beside each row.
        title: str, shown at the top.
        column_names: sequence of str, shown above each column. Defaults to none.
    """
    rows, columns = images.shape[:2]
    row_names, column_names = [*map(in_one_line, row_names)], [*map(in_lines, column_names)]
    across, down = _cell(images, column_names)
    margin = MARGIN + LETTER * max(map(width, row_names), default=0)
    size = (across * columns + margin, down * rows + 0.6, rows, columns)
    with figure_of(path, *size) as (figure, axes):
        for row in range(rows):
            for column in range(columns):
                _show(axes[row, column], images[row, column])
            axes[row, 0].set_ylabel(row_names[row], rotation=0, ha="right", va="center", fontsize=9)
        for column, name in enumerate(column_names):
            axes[0, column].set_title(name, fontsize=9)
        figure.suptitle(title, fontsize=11)


def swap_grid(path: str | os.PathLike, x_s, x_u, swaps, names_s, names_u) -> None:
    """Draws a grid of swaps with their donors at the left and at the top.

    Args:
        path: str or pathlib.Path of the file.
        x_s: images [n, height, width, channels], donors of z_s, one per row.
        x_u: images [m, height, width, channels], donors of z_u, one per column.
        swaps: images [n, m, height, width, channels].
        names_s, names_u: sequences of str, the classes of the donors.
    """
    rows, columns = swaps.shape[:2]
    names_s, names_u = [*map(in_one_line, names_s)], [*map(in_lines, names_u)]
    across, down = _cell(swaps, names_u)
    margin = MARGIN + LETTER * max(map(width, names_s))
    size = (across * (columns + 1) + margin, down * (rows + 1) + 0.8, rows + 1, columns + 1)
    with figure_of(path, *size) as (figure, axes):
        axes[0, 0].axis("off")
        for column in range(columns):
            _show(axes[0, column + 1], x_u[column])
            axes[0, column + 1].set_title(names_u[column], fontsize=8, color="tab:blue")
        for row in range(rows):
            _show(axes[row + 1, 0], x_s[row])
            axes[row + 1, 0].set_ylabel(
                names_s[row], rotation=0, ha="right", va="center", fontsize=8, color="tab:red"
            )
            for column in range(columns):
                _show(axes[row + 1, column + 1], swaps[row, column])
        figure.suptitle(
            "Swap: class code z_s of the row's image (red), style code z_u of the column's (blue)",
            fontsize=10,
        )


def scatter(
    path: str | os.PathLike,
    groups: dict,
    class_names: Sequence[str],
    title: str,
    axis_names=("x", "y"),
) -> None:
    """Draws points in the plane: one panel per group, one colour per class, equal scales.

    Args:
        path: str or pathlib.Path of the file.
        groups: dict of panel title to (points [n, 2], label [n]).
        class_names: sequence of str.
        title: str, shown at the top.
        axis_names: two str. Default to "x" and "y".
    """
    width, height = np.ptp(np.concatenate([points for points, _ in groups.values()]), axis=0)
    panel_height = np.clip(4.6 * height / max(width, 1e-6), 1.5, 6.0)
    shape = (4.6 * len(groups) + 1.5, panel_height + 1.3, 1, len(groups))
    with figure_of(path, *shape, sharex=True, sharey=True) as (figure, axes):
        for panel, (name, (points, label)) in zip(axes[0], groups.items(), strict=True):
            classes = _scatter_classes(panel, points, label, class_names)
            panel.set(title=name, xlabel=axis_names[0], aspect="equal")
        axes[0, 0].set_ylabel(axis_names[1])
        _legend(axes[0, -1], classes, [*map(in_one_line, class_names)])
        figure.suptitle(title)


def scatter_grid(
    path: str | os.PathLike,
    rows: dict,
    class_names: Sequence[str],
    title: str,
    axis_names=("x", "y"),
) -> None:
    """Draws a grid of small panels with points in the plane, all with equal scales.

    Args:
        path: str or pathlib.Path of the file.
        rows: dict of row title to dict of column title to (points [n, 2], label [n]). The columns
            of the first row are the titles for all rows.
        class_names: sequence of str.
        title: str, shown at the top.
        axis_names: two str. Default to "x" and "y".
    """
    columns = list(next(iter(rows.values())))
    every = np.concatenate([points for row in rows.values() for points, _ in row.values()])
    # A few outliers would make all else small.
    low, high = np.quantile(every, [0.002, 0.998], axis=0)
    height = 2.1 * float(np.clip((high[1] - low[1]) / max(high[0] - low[0], 1e-6), 0.3, 2.0))
    size = (2.3 * len(columns) + 1.2, (height + 0.35) * len(rows) + 0.9, len(rows), len(columns))
    with figure_of(path, *size, sharex=True, sharey=True) as (figure, axes):
        for line, (name, row) in zip(axes, rows.items(), strict=True):
            for panel, (points, label) in zip(line, row.values(), strict=True):
                classes = _scatter_classes(panel, points, label, class_names)
                panel.set(aspect="equal", xlim=(low[0], high[0]), ylim=(low[1], high[1]))
            line[0].set_ylabel(f"{name}\n{axis_names[1]}" if name else axis_names[1])
        for panel, column in zip(axes[0], columns, strict=True):
            panel.set_title(column, fontsize=10)
        for panel in axes[-1]:
            panel.set_xlabel(axis_names[0])
        _legend(axes[0, -1], classes, [*map(in_one_line, class_names)])
        figure.suptitle(title)


def codes(
    path: str | os.PathLike,
    z_s: np.ndarray,
    z_u: np.ndarray,
    means: np.ndarray,
    label: np.ndarray,
    class_names: Sequence[str],
    seed: int = 0,
) -> None:
    """Draws z_s and z_u side by side, by t-SNE if they have more than two dimensions.

    Args:
        path: str or pathlib.Path of the file.
        z_s, z_u: float arrays [n, latent].
        means: float array [C, latent of z_s], the means of the mixture, drawn as stars.
        label: int array [n].
        class_names: sequence of str.
        seed: int, for t-SNE. Defaults to 0.
    """
    plane_s = _plane(np.concatenate([z_s, means]), seed)
    plane_u = _plane(z_u, seed)
    method = "t-SNE" if z_s.shape[1] > 2 or z_u.shape[1] > 2 else "both dimensions"
    with figure_of(path, 11, 5, 1, 2) as (figure, axes):
        left, right = axes[0]
        classes = _scatter_classes(left, plane_s[: len(z_s)], label, class_names)
        mean = left.scatter(
            *plane_s[len(z_s) :].T, marker="*", s=130, c="black", edgecolors="white"
        )
        _scatter_classes(right, plane_u, label, class_names)
        left.set_title("z_s: one cluster per class is wanted")
        right.set_title("z_u: one cloud, classes mixed, is wanted")
        for panel in (left, right):
            panel.set(xticks=[], yticks=[], aspect="equal", adjustable="datalim")
        names = [*map(in_one_line, class_names), "mean"]
        _legend(left, [*classes, mean], names, "center right", (0, 0.5))
        figure.suptitle(f"Codes of {len(z_s)} held-out examples ({method})")


def history(path: str | os.PathLike, rows, names: Sequence[str]) -> None:
    """Draws losses over the epochs, one panel per name, for training and validation.

    Args:
        path: str or pathlib.Path of the file.
        rows: list of dict, one per epoch, with "epoch" and the metrics of `fit`.
        names: sequence of str, the metrics to draw.
    """
    columns = min(4, len(names))
    lines = -(-len(names) // columns)
    epochs = [row["epoch"] for row in rows]
    with figure_of(path, 3.2 * columns, 2.5 * lines, lines, columns) as (_, axes):
        for panel in axes.flat[len(names) :]:
            panel.axis("off")
        for panel, name in zip(axes.flat, names, strict=False):
            panel.plot(epochs, [row[name] for row in rows], label="training")
            if f"val_{name}" in rows[0]:
                panel.plot(epochs, [row[f"val_{name}"] for row in rows], label="validation")
            panel.set(title=name, xlabel="epoch")
        axes[0, 0].legend(frameon=False)


def bars(
    path: str | os.PathLike, series: dict, title: str, axis_name: str, lines: dict | None = None
) -> None:
    """Draws grouped bars with their intervals.

    Args:
        path: str or pathlib.Path of the file.
        series: dict of a series' name to (values, intervals), both dicts with the names of the
            bars as keys; an interval is a dict with "low" and "high".
        title: str, shown at the top.
        axis_name: str, shown beside the value axis.
        lines: dict of str to float, dashed horizontal lines. Defaults to none.
    """
    names = list(next(iter(series.values()))[0])
    with figure_of(path, max(6.0, 1.1 * len(names) * len(series) ** 0.5 + 2.5), 3.6) as (_, axes):
        panel = axes[0, 0]
        _grouped_bars(panel, series)
        for number, (name, value) in enumerate((lines or {}).items()):
            panel.axhline(value, ls=("--", ":")[number % 2], color="black", lw=1, label=name)
        panel.set(title=title, ylabel=axis_name)
        panel.legend(loc="center left", bbox_to_anchor=(1, 0.5), frameon=False)


def activity(path: str | os.PathLike, kl_per_dimension, errors: dict, intervals: dict) -> None:
    """Draws the KL of each dimension of z_u, and the reconstruction error without z_u.

    Args:
        path: str or pathlib.Path of the file.
        kl_per_dimension: sequence of float, in nats.
        errors: dict of float, the mean squared error with the "true" z_u, with z_u from the
            "prior", with that of an "other" image.
        intervals: dict of dict with "low" and "high", of the same keys.
    """
    names = {"true": "its own z_u", "prior": "z_u from N(0, I)", "other": "z_u of another"}
    with figure_of(path, 10, 3.6, 1, 2) as (_, axes):
        left, right = axes[0]
        left.bar(range(len(kl_per_dimension)), sorted(kl_per_dimension, reverse=True))
        left.set(
            title="KL(q(z_u | x) : N(0, I)) per dimension",
            xlabel="dimension, most active first",
            ylabel="nats",
        )
        values = {names[key]: errors[key] for key in names}
        ends = {names[key]: intervals[key] for key in names}
        _grouped_bars(right, {"": (values, ends)})
        right.set(title="Reconstruction with z_s and ...", ylabel="mean squared error")


def _grouped_bars(axes, series):
    names = list(next(iter(series.values()))[0])
    width = 0.8 / len(series)
    for number, (label, (values, intervals)) in enumerate(series.items()):
        height = np.array([values[name] for name in names])
        ends = np.array([[intervals[name]["low"], intervals[name]["high"]] for name in names]).T
        place = np.arange(len(names)) + (number - (len(series) - 1) / 2) * width
        axes.bar(place, height, width, label=label, color=COLOURS[number])
        reach = np.maximum([height - ends[0], ends[1] - height], 0.0)
        axes.errorbar(place, height, reach, fmt="none", ecolor="black", capsize=2, lw=1)
    axes.set_xticks(range(len(names)), names)


def _scatter_classes(axes, points, label, class_names):
    """Draws the points of each class in its colour; returns what the legend names."""
    return [
        axes.scatter(*points[label == number].T, s=9, color=colour, alpha=0.7, linewidths=0)
        for number, colour in zip(range(len(class_names)), itertools.cycle(COLOURS), strict=False)
    ]


def _plane(codes, seed):
    if codes.shape[1] <= 2:
        return codes
    perplexity = min(30.0, (len(codes) - 1) / 3)
    # Its default of 1,000 steps shows the same clusters and takes as long as a judge.
    tsne = TSNE(perplexity=perplexity, init="pca", max_iter=400, random_state=seed)
    return tsne.fit_transform(codes)
