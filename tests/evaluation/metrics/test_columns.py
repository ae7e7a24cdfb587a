import numpy as np
import pytest
import scipy.stats

from dvae_tf.data import Column
from dvae_tf.evaluation.metrics.columns import (
    correlation_error,
    marginal_distance,
    reconstruction_of,
)

RANDOM = np.random.default_rng(0)
AGE = Column("age", "numeric", "float64", missing=True)
JOB = Column("job", "categorical", "str", categories=("a", "b", "c"))


def test_always_saying_the_median_is_an_error_of_1():
    real = np.column_stack([RANDOM.exponential(size=500), np.zeros(500)])
    ignorant = np.column_stack([np.full(500, np.median(real[:, 0])), np.zeros(500)])
    assert reconstruction_of(AGE, real, ignorant)["error"].value == pytest.approx(1.0)
    assert reconstruction_of(AGE, real, real)["error"].value == 0.0


def test_missing_values_do_not_count_as_errors():
    real = np.array([[1.0, 0.0], [0.0, 1.0], [3.0, 0.0], [2.0, 0.0]])
    decoded = real.copy()
    decoded[1, 0] = 9.0
    assert reconstruction_of(AGE, real, decoded)["error"].value == 0.0
    assert reconstruction_of(AGE, np.ones((3, 2)), np.ones((3, 2))) == {}


def test_categories_are_right_or_not():
    real, decoded = np.eye(3)[[0, 0, 1, 2]], np.eye(3)[[0, 1, 1, 2]]
    found = reconstruction_of(JOB, real, decoded)
    assert (found["right"].value, found["majority"].value) == (0.75, 0.5)


def test_marginal_distances_are_those_of_scipy():
    real = np.column_stack([RANDOM.normal(size=400), RANDOM.random(400) < 0.2])
    drawn = np.column_stack([RANDOM.normal(0.5, size=400), np.zeros(400)])
    expected = scipy.stats.ks_2samp(real[real[:, 1] == 0, 0], drawn[:, 0]).statistic
    assert marginal_distance(AGE, real, drawn).value == pytest.approx(expected)
    one, other = np.eye(3)[[0, 0, 1, 2]], np.eye(3)[[0, 1, 1, 1]]
    assert marginal_distance(JOB, one, other).value == pytest.approx(0.5)


def test_columns_drawn_one_by_one_lose_their_correlation():
    rows = RANDOM.multivariate_normal([0, 0], [[1, 0.8], [0.8, 1]], 2000)
    apart = np.column_stack([rows[:, 0], RANDOM.permutation(rows[:, 1])])
    assert correlation_error(rows, apart).value == pytest.approx(0.8, abs=0.05)
