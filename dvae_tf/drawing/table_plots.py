"""Plots of tables: the values of each column, real and drawn, and how they hang together."""

import math
import os

import numpy as np

from dvae_tf.data.columns import Columns
from dvae_tf.drawing.plots import figure_of

ACROSS = 4
BINS = 24
# The most frequent values of a column that are shown; all others are one bar.
MOST_VALUES = 8
# Of wide tables, so many columns are drawn, the first.
MOST_COLUMNS = 40
LONGEST_NAME = 14
REAL, DRAWN = "#9aa5b1", "#d9480f"


def marginals(path: str | os.PathLike, columns: Columns, real, drawn, title: str) -> None:
    """Draws the distribution of each of the first 40 columns, real beside drawn.

    Args:
        path: str or pathlib.Path of the file.
        columns: Columns.
        real, drawn: pandas.DataFrame of these columns.
        title: str, shown at the top.
    """
    shown = list(columns)[:MOST_COLUMNS]
    across = min(ACROSS, len(shown))
    down = math.ceil(len(shown) / across)
    with figure_of(path, 3.4 * across, 2.6 * down + 0.8, down, across) as (figure, axes):
        panels = list(axes.flat)
        for column, panel in zip(shown, panels, strict=False):
            draw = _histogram if column.kind == "numeric" else _bars
            draw(panel, real[column.name], drawn[column.name])
            panel.set(title=_short(column.name, 2 * LONGEST_NAME), yticks=[])
        for panel in panels[len(shown) :]:
            panel.set_axis_off()
        panels[0].legend(frameon=False)
        figure.suptitle(title)


def _histogram(panel, real, drawn):
    values = [part.dropna().to_numpy(float) for part in (real, drawn)]
    every = np.concatenate(values)
    # A few outliers would make all else small.
    bins = np.linspace(*np.quantile(every, [0.005, 0.995]), BINS + 1)
    if bins[0] == bins[-1]:
        bins = np.linspace(every.min(), every.max() + 1e-6, BINS + 1)
    for part, colour, name in zip(values, (REAL, DRAWN), ("real", "drawn"), strict=True):
        weights = np.full(len(part), 1.0 / max(len(part), 1))
        style = {"histtype": "stepfilled"} if name == "real" else {"histtype": "step"}
        panel.hist(part, bins, weights=weights, color=colour, label=name, linewidth=1.6, **style)


def _bars(panel, real, drawn):
    shares = [
        part.astype(object).where(part.notna(), "missing").value_counts(normalize=True)
        for part in (real, drawn)
    ]
    shown = list(shares[0].index[:MOST_VALUES])
    heights = [[float(share.get(value, 0.0)) for value in shown] for share in shares]
    if len(shares[0]) > MOST_VALUES:
        shown.append("others")
        heights = [[*part, 1.0 - sum(part)] for part in heights]
    place = np.arange(len(shown))
    panel.barh(place - 0.2, heights[0], 0.4, color=REAL, label="real")
    panel.barh(place + 0.2, heights[1], 0.4, color=DRAWN, label="drawn")
    panel.invert_yaxis()
    for at, value in zip(place, shown, strict=True):
        panel.text(0.01, at, _short(str(value), LONGEST_NAME), va="center", fontsize=7)


def _short(text, length):
    return text if len(text) <= length else f"{text[: length - 1]}…"


def correlations(
    path: str | os.PathLike, columns: Columns, real: np.ndarray, drawn: np.ndarray, title: str
) -> None:
    """Draws the correlations of wide rows, real beside drawn.

    Args:
        path: str or pathlib.Path of the file.
        columns: Columns.
        real, drawn: float arrays [n, width] and [m, width].
        title: str, shown at the top.
    """
    with figure_of(path, 12.0, 6.0, 1, 2) as (figure, axes):
        for panel, (name, rows) in zip(
            axes[0], {"real": real, "drawn": drawn}.items(), strict=True
        ):
            with np.errstate(invalid="ignore", divide="ignore"):
                found = np.nan_to_num(np.corrcoef(rows.T))
            image = panel.imshow(np.atleast_2d(found), cmap="RdBu_r", vmin=-1, vmax=1)
            middles = [(block.start + block.stop - 1) / 2 for block in columns.blocks()]
            names = [_short(name, LONGEST_NAME) for name in columns.names]
            few = len(names) <= MOST_COLUMNS
            panel.set_xticks(middles if few else [], names if few else [], rotation=90, fontsize=7)
            panel.set_yticks(middles if few else [], names if few else [], fontsize=7)
            panel.set_title(name)
        figure.colorbar(image, ax=list(axes[0]), shrink=0.8)
        figure.suptitle(title)
