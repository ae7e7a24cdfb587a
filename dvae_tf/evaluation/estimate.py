"""A measured number with its 95 % bootstrap interval."""

import collections

import numpy as np
import scipy.stats

MEAN_RESAMPLES = 1000
RESAMPLES = 200
NORMAL_QUANTILE = 1.96

Figure = collections.namedtuple("Figure", ["value", "low", "high", "examples"])
Figure.__doc__ = """A measured number.

value: float. low, high: floats, the ends of its 95 % bootstrap interval. examples: int, how many
examples it rests on.
"""


def mean_figure(values: np.ndarray, seed: int = 0):
    """The mean of one value an example; the interval holds the bootstrap's percentiles.

    Args:
        values: float array [n].
        seed: int, of the resampling. Defaults to 0.

    Returns:
        Figure.

    Examples:
        >>> figure = mean_figure([0.0, 1.0, 1.0, 1.0])
        >>> figure.value, figure.low < 0.75 < figure.high, figure.examples
        (0.75, True, 4)
    """
    values = np.asarray(values, np.float64)
    value = float(np.mean(values))
    if len(values) < 2:
        return Figure(value, value, value, len(values))
    interval = scipy.stats.bootstrap(
        (values,),
        np.mean,
        n_resamples=MEAN_RESAMPLES,
        batch=100,
        method="percentile",
        rng=np.random.default_rng(seed),
    ).confidence_interval
    return Figure(value, float(interval.low), float(interval.high), len(values))


def resampled_figure(statistic, *counts, seed: int = 0, paired: bool = False):
    """Any statistic; the interval is 1.96 bootstrap standard errors to each side.

    For statistics such as a Frechet distance, of which a resample gives a biased value: the
    bootstrap's percentiles would lie beside the value.

    Args:
        statistic: function of one int array of indices for each of `counts`, returns float.
        *counts: int, sizes of the samples.
        seed: int, of the resampling. Defaults to 0.
        paired: bool, whether all samples are resampled alike. Defaults to False.

    Returns:
        Figure; its examples are the smallest of `counts`.

    Examples:
        >>> values = np.arange(101.0)
        >>> resampled_figure(lambda index: np.median(values[index]), 101).value
        50.0
    """
    samples = tuple(np.arange(count) for count in counts)
    value = float(statistic(*samples))
    if min(counts) < 2:
        return Figure(value, value, value, min(counts))
    error = scipy.stats.bootstrap(
        samples,
        lambda *index: float(statistic(*index)),
        n_resamples=RESAMPLES,
        vectorized=False,
        paired=paired,
        method="basic",
        rng=np.random.default_rng(seed),
    ).standard_error
    margin = NORMAL_QUANTILE * float(error)
    return Figure(value, value - margin, value + margin, min(counts))
