"""A measured number with its confidence interval."""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import scipy.stats

MEAN_RESAMPLES = 1000
RESAMPLES = 200
NORMAL_QUANTILE = 1.96


class Estimate(NamedTuple):
    """A measured number with its confidence interval.

    Args:
        value: float.
        low, high: floats, the ends of its 95 % bootstrap confidence interval.
        examples: int, how many examples it was computed from.
    """

    value: float
    low: float
    high: float
    examples: int

    def within(self, least: float, most: float) -> "Estimate":
        """The same, its interval cut to the values that the number can have.

        Args:
            least, most: floats.

        Returns:
            Estimate.
        """
        return self._replace(low=max(self.low, least), high=min(self.high, most))


def mean_estimate(values: npt.ArrayLike, seed: int = 0) -> Estimate:
    """The mean of one value per example, with the bootstrap's percentile interval.

    Args:
        values: float array [n].
        seed: int, for the resampling. Defaults to 0.

    Returns:
        Estimate.

    Examples:
        >>> estimate = mean_estimate([0.0, 1.0, 1.0, 1.0])
        >>> estimate.value, estimate.low < 0.75 < estimate.high, estimate.examples
        (0.75, True, 4)
    """
    values = np.asarray(values, np.float64)
    value = float(np.mean(values))
    if len(values) < 2:
        return Estimate(value, value, value, len(values))
    interval = scipy.stats.bootstrap(
        (values,),
        np.mean,
        n_resamples=MEAN_RESAMPLES,
        batch=100,
        method="percentile",
        rng=np.random.default_rng(seed),
    ).confidence_interval
    return Estimate(value, float(interval.low), float(interval.high), len(values))


def resampled_estimate(
    statistic: Callable, *counts: int, seed: int = 0, paired: bool = False
) -> Estimate:
    """Any statistic, with an interval of 1.96 bootstrap standard errors on each side.

    For statistics that are biased on a resample, such as a Frechet distance: there the percentile
    interval need not contain the value.

    Args:
        statistic: function of one int array of indices for each of `counts` that returns a float.
        *counts: int, sizes of the samples.
        seed: int, for the resampling. Defaults to 0.
        paired: bool, whether all samples are resampled with the same indices. Defaults to False.

    Returns:
        Estimate; its `examples` is the smallest of `counts`.

    Examples:
        >>> values = np.arange(101.0)
        >>> resampled_estimate(lambda index: np.median(values[index]), 101).value
        50.0
    """
    samples = tuple(np.arange(count) for count in counts)
    value = float(statistic(*samples))
    if min(counts) < 2:
        return Estimate(value, value, value, min(counts))
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
    return Estimate(value, value - margin, value + margin, min(counts))
