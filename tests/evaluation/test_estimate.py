import numpy as np
import pytest

from dvae_tf.evaluation.estimate import mean_figure, resampled_figure


def test_interval_of_a_share_is_that_of_the_binomial():
    values = np.arange(1000) < 300
    figure = mean_figure(values)
    assert figure.value == 0.3
    half = 1.96 * np.sqrt(0.3 * 0.7 / 1000)
    assert figure.low == pytest.approx(0.3 - half, abs=0.004)
    assert figure.high == pytest.approx(0.3 + half, abs=0.004)
    assert figure.examples == 1000


def test_interval_of_a_statistic_is_its_standard_error():
    values = np.random.default_rng(0).normal(size=400)
    figure = resampled_figure(lambda index: values[index].mean(), 400)
    half = 1.96 * values.std() / np.sqrt(400)
    assert figure.high - figure.value == pytest.approx(half, rel=0.15)
    assert figure.value - figure.low == pytest.approx(figure.high - figure.value)


def test_one_example_has_no_interval():
    assert mean_figure([0.5]) == (0.5, 0.5, 0.5, 1)


def test_same_seed_same_interval():
    values = np.random.default_rng(0).normal(size=50)
    assert mean_figure(values, seed=3) == mean_figure(values, seed=3)
