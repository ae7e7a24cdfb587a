"""The columns of a table: how well each is reconstructed, and how well its values are drawn."""

from collections.abc import Iterable

import numpy as np
import scipy.stats

from dvae_tf.data.columns import Column
from dvae_tf.evaluation.bench import Bench
from dvae_tf.evaluation.estimate import Estimate, mean_estimate, resampled_estimate
from dvae_tf.evaluation.metric import Metric, Row

# Test rows that are reconstructed, and as many that are drawn.
MOST_ROWS = 5000


def reconstruction_of(column: Column, real: np.ndarray, decoded: np.ndarray) -> dict:
    """How well a column is reconstructed.

    Args:
        column: Column.
        real, decoded: float arrays [n, width], its blocks in wide rows.

    Returns:
        dict of Estimate: of numbers "error", the mean absolute error of the values that are known
        by that of always saying their median; of all else "right", the share of rows whose most
        likely value is the true one, and "majority", that of always saying the most frequent one.

    Examples:
        >>> real = np.array([[0.0], [1.0], [1.0]])
        >>> found = reconstruction_of(Column("x", "binary", "int64", categories=(0, 1)), real, real)
        >>> found["right"].value, round(found["majority"].value, 3)
        (1.0, 0.667)
    """
    if column.kind == "numeric":
        known = real[:, 1] < 0.5 if column.missing else np.ones(len(real), bool)
        values, wrong = real[known, 0], np.abs(decoded - real)[known, 0]
        ignorant = np.mean(np.abs(values - np.median(values))) if len(values) else 0.0
        if not ignorant:
            return {}
        return {"error": mean_estimate(wrong / ignorant)}
    truth = _values(column, real)
    frequent = scipy.stats.mode(truth).mode
    return {
        "right": mean_estimate(truth == _values(column, decoded)),
        "majority": mean_estimate(truth == frequent),
    }


def marginal_distance(column: Column, real: np.ndarray, drawn: np.ndarray) -> Estimate:
    """How far the values that a model draws are from real ones, as distributions.

    Of numbers the Kolmogorov-Smirnov distance, of all else the total variation distance.

    Args:
        column: Column.
        real, drawn: float arrays [n, width] and [m, width], its blocks in wide rows.

    Returns:
        Estimate in [0, 1]; 0 is best, but for the noise of finitely many rows.

    Examples:
        >>> column = Column("x", "binary", "int64", categories=(0, 1))
        >>> marginal_distance(column, np.zeros((4, 1)), np.ones((4, 1))).value
        1.0
    """
    one, other = _values(column, real), _values(column, drawn)
    if column.kind == "numeric":
        if column.missing:
            one, other = one[real[:, 1] < 0.5], other[drawn[:, 1] < 0.5]
        if not len(other) or not len(one):
            return mean_estimate(np.ones(2))

        return resampled_estimate(
            lambda rows: scipy.stats.ks_2samp(one, other[rows]).statistic, len(other)
        )

    def shares(values):
        return np.bincount(values, minlength=column.width + 1) / len(values)

    return resampled_estimate(
        lambda rows: 0.5 * np.abs(shares(one) - shares(other[rows])).sum(), len(other)
    )


def _values(column, block):
    """One number a row: of numbers themselves, else of the most likely value."""
    if column.kind == "numeric":
        return block[:, 0]
    if column.kind == "binary":
        return (block[:, 0] > 0.5).astype(int)
    return block.argmax(axis=-1)


def _measure(bench: Bench) -> dict:
    if not bench.info.columns:
        return {}
    rows = np.random.default_rng(bench.seed).permutation(len(bench.test.label))[:MOST_ROWS]
    real = bench.test.x[rows]
    decoded = bench.subject.decode(bench.codes.z_s[rows], bench.codes.z_u_mean[rows])
    drawn = bench.subject.generate(bench.test.label[rows], bench.seed)
    found: dict = {}
    columns = bench.info.columns
    for key, column, block in zip(keys_of(columns), columns, columns.blocks(), strict=True):
        found[key] = {
            **reconstruction_of(column, real[:, block], decoded[:, block]),
            "marginal": marginal_distance(column, real[:, block], drawn[:, block]),
        }
    return {"columns": found, "correlation_error": correlation_error(real, drawn)}


def keys_of(columns: Iterable[Column]) -> list[str]:
    """The keys of the columns' figures, whose parts have dots between them.

    Args:
        columns: iterable of Column.

    Returns:
        list of str, no two the same.

    Examples:
        >>> keys_of([Column("a.b", "numeric", "int64"), Column("a_b", "numeric", "int64")])
        ['a_b', 'a_b_']
    """
    keys: list[str] = []
    for column in columns:
        key = column.name.replace(".", "_")
        while key in keys:
            key += "_"
        keys.append(key)
    return keys


def correlation_error(real: np.ndarray, drawn: np.ndarray) -> Estimate:
    """How far the correlations of drawn rows are from those of real ones.

    Args:
        real, drawn: float arrays [n, width] and [m, width], wide rows.

    Returns:
        Estimate: the mean over all pairs of values of the absolute difference.

    Examples:
        >>> rows = np.random.default_rng(0).normal(size=(50, 3))
        >>> round(correlation_error(rows, rows).value, 6)
        0.0
    """
    varies = (real.std(axis=0) > 0.0) & (drawn.std(axis=0) > 0.0)
    real, drawn = real[:, varies], drawn[:, varies]
    above = np.triu_indices(real.shape[1], 1)
    if not len(above[0]):
        return mean_estimate(np.zeros(2))
    with np.errstate(invalid="ignore", divide="ignore"):
        own = np.nan_to_num(np.corrcoef(real.T)[above])

        def difference(rows):
            return np.mean(np.abs(np.nan_to_num(np.corrcoef(drawn[rows].T)[above]) - own))

        return resampled_estimate(difference, len(drawn))


METRIC = Metric(
    name="columns",
    group="The columns of a table",
    needs=("encode", "decode", "generate"),
    quick=True,
    measure=_measure,
    meanings={
        "columns.*.error": "of a column of numbers: mean absolute error of reconstructions, by "
        "that of always saying the median; 0 is best, 1 is no better than that",
        "columns.*.right": "of any other column: share of reconstructions whose most likely value "
        "is the true one",
        "columns.*.majority": "the share of always saying the most frequent value",
        "columns.*.marginal": "distance of drawn values from real ones: of numbers "
        "Kolmogorov-Smirnov, else total variation; 0 is best",
        "correlation_error": "mean absolute difference of the correlations of drawn and of real "
        "rows, over all pairs of values",
    },
    rows=(Row("correlation_error", "correlations of drawn rows, mean error ↓"),),
)
