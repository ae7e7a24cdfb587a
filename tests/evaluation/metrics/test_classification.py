import numpy as np
import pytest

from dvae_tf.evaluation.metrics.classification import (
    accuracy,
    calibration_error,
    mutual_information,
)

RANDOM = np.random.default_rng(0)


def test_accuracy():
    probabilities = np.array([[0.6, 0.4], [0.4, 0.6], [0.9, 0.1], [0.2, 0.8]])
    assert accuracy(probabilities, np.array([0, 1, 1, 1])).value == 0.75


def test_calibrated_probabilities_have_no_error_and_sure_mistakes_have_all():
    confidence = RANDOM.uniform(0.5, 1.0, 20_000)
    probabilities = np.stack([confidence, 1.0 - confidence], axis=-1)
    label = (RANDOM.uniform(size=20_000) > confidence).astype(int)
    assert calibration_error(probabilities, label).value < 0.02
    assert calibration_error(np.eye(2)[[0] * 50], np.ones(50, int)).value == 1.0


def test_error_of_one_bin_is_the_gap():
    probabilities = np.tile([0.7, 0.3], (100, 1))
    label = (np.arange(100) >= 50).astype(int)  # right half of the time
    assert calibration_error(probabilities, label).value == pytest.approx(0.2)


def test_mutual_information_of_certainty_is_the_entropy_and_of_ignorance_none():
    label = np.arange(300) % 3
    sure, blind = np.eye(3)[label], np.full((300, 3), 1 / 3)
    assert mutual_information(sure, label).value == pytest.approx(np.log(3))
    assert mutual_information(blind, label).value == pytest.approx(0.0, abs=1e-9)


def test_mutual_information_of_a_noisy_channel_is_its_closed_form():
    label = np.repeat([0, 1], 500)
    seen = np.where(np.arange(1000) % 10 == 0, 1 - label, label)  # one in ten flipped
    probabilities = np.where(np.eye(2)[seen] == 1, 0.9, 0.1)
    expected = np.log(2) + 0.9 * np.log(0.9) + 0.1 * np.log(0.1)
    assert mutual_information(probabilities, label).value == pytest.approx(expected)


def test_a_sure_mistake_costs_much_but_not_everything():
    assert -90 < mutual_information(np.array([[1.0, 0.0]]), np.array([1])).value < -80
