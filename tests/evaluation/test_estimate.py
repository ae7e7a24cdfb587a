import numpy as np
import pytest

from dvae_tf.evaluation.estimate import mean_estimate, resampled_estimate


def test_interval_of_a_share_is_that_of_the_binomial():
    values = np.arange(1000) < 300
    estimate = mean_estimate(values)
    assert estimate.value == 0.3
    half = 1.96 * np.sqrt(0.3 * 0.7 / 1000)
    assert estimate.low == pytest.approx(0.3 - half, abs=0.004)
    assert estimate.high == pytest.approx(0.3 + half, abs=0.004)
    assert estimate.examples == 1000


def test_interval_of_a_statistic_is_its_standard_error():
    values = np.random.default_rng(0).normal(size=400)
    estimate = resampled_estimate(lambda index: values[index].mean(), 400)
    half = 1.96 * values.std() / np.sqrt(400)
    assert estimate.high - estimate.value == pytest.approx(half, rel=0.15)
    assert estimate.value - estimate.low == pytest.approx(estimate.high - estimate.value)


def test_one_example_has_no_interval():
    assert mean_estimate([0.5]) == (0.5, 0.5, 0.5, 1)


def test_same_seed_same_interval():
    values = np.random.default_rng(0).normal(size=50)
    assert mean_estimate(values, seed=3) == mean_estimate(values, seed=3)
