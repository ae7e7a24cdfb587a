import numpy as np
import pytest
import scipy.stats

from dvae_tf.evaluation.bench import kinds_of_z_u
from dvae_tf.evaluation.metrics.density_bound import (
    density_bound,
    gaussian_log_density,
    mixture_log_density,
    tempered,
)
from dvae_tf.models import Codes

RANDOM = np.random.default_rng(0)


def codes(mean, stddev=0.3):
    return Codes(np.zeros((len(mean), 1)), mean, np.full_like(mean, stddev))


def bound(mean, label, test_mean, test_label):
    known, asked = codes(mean), codes(test_mean)
    z_u, asked_z_u = kinds_of_z_u(known, 1)["sample"], kinds_of_z_u(asked, 2)["sample"]
    found = density_bound(known, z_u, label, asked_z_u, test_label, label.max() + 1)
    return found["optimal"].value, found["reached"].value


def two_gaussians(count, apart):
    label = RANDOM.integers(0, 2, count)
    mean = RANDOM.normal(size=(count, 3))
    mean[:, 0] += apart * label
    return mean, label


def test_mixture_is_that_of_scipy():
    mean, stddev = RANDOM.normal(size=(5, 2)), RANDOM.uniform(0.5, 2.0, (5, 2))
    label, z = np.array([0, 0, 1, 1, 1]), RANDOM.normal(size=(7, 2))
    found = mixture_log_density(z, mean, stddev**2, label, 3)
    for value in range(2):
        own = label == value
        parts = [
            scipy.stats.norm(m, s).pdf(z).prod(axis=-1)
            for m, s in zip(mean[own], stddev[own], strict=True)
        ]
        np.testing.assert_allclose(found[:, value], np.log(np.mean(parts, axis=0)))
    assert np.all(found[:, 2] == -np.inf)


def test_gaussian_is_that_of_its_moments():
    samples, label = RANDOM.normal(size=(400, 2)) * [1.0, 3.0], np.zeros(400, int)
    z = np.array([[0.0, 0.0], [1.0, 3.0]])
    expected = scipy.stats.norm(0.0, [1.0, 3.0]).logpdf(z).sum(axis=-1)
    np.testing.assert_allclose(gaussian_log_density(z, samples, label, 1)[:, 0], expected, atol=0.3)


@pytest.mark.parametrize("apart", [0.0, 1.5, 6.0])
def test_the_bound_of_two_gaussians_is_the_closed_form(apart):
    # Bayes' rule cuts halfway; samples have the variance 1 + 0.3^2.
    expected = scipy.stats.norm.cdf(apart / 2 / np.sqrt(1.09))
    optimal, reached = bound(*two_gaussians(1200, apart), *two_gaussians(1000, apart))
    assert optimal == pytest.approx(expected, abs=0.05)
    assert reached == pytest.approx(expected, abs=0.05)


@pytest.mark.parametrize("dimensions", [8, 32])
def test_of_codes_that_are_independent_of_the_class_it_says_chance(dimensions):
    """So few densities in so many dimensions are all but sure of every class."""
    random = np.random.default_rng(1)
    mean, test_mean = random.normal(size=(1300, dimensions)), random.normal(size=(400, dimensions))
    label, test_label = random.integers(0, 10, 1300), random.integers(0, 10, 400)
    optimal, reached = bound(mean, label, test_mean, test_label)
    assert optimal == pytest.approx(0.1, abs=0.04)
    assert reached == pytest.approx(0.1, abs=0.05)


def test_an_infinite_temperature_leaves_the_shares():
    log_density = np.array([[-1e4, 0.0], [-np.inf, 3.0]])
    found = tempered(log_density, np.array([0.2, 0.8]), np.inf)
    np.testing.assert_allclose(found, [[0.2, 0.8], [0.0, 1.0]])


def test_codes_without_noise_have_a_bound_too():
    label = np.arange(200) % 2
    z_u = RANDOM.normal(size=(200, 2)) + 9.0 * label[:, np.newaxis]
    codes = Codes(z_u, z_u, np.zeros_like(z_u))
    found = density_bound(codes, z_u, label, z_u, label, 2)
    assert found["optimal"].value > 0.99
    assert found["reached"].value == 1.0


def test_a_class_inside_another_is_found_although_the_means_agree():
    label = RANDOM.integers(0, 2, 1500)
    mean = RANDOM.normal(size=(1500, 3)) * np.where(label, 4.0, 0.2)[:, np.newaxis]
    optimal, reached = bound(mean[:1000], label[:1000], mean[1000:], label[1000:])
    assert min(optimal, reached) > 0.93
