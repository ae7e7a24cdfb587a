import numpy as np
import pytest
import tensorflow as tf
import tensorflow_probability as tfp
from scipy import special, stats

from dvae_tf import losses
from dvae_tf.priors import gaussian, standard_normal

tfd = tfp.distributions
LABEL = np.array([0, 2, 1, 2, 0])


@pytest.fixture
def log_prob():
    return np.random.default_rng(0).normal(size=(5, 3), scale=3.0).astype(np.float32)


def test_classification_is_minus_the_log_posterior(log_prob):
    expected = -special.log_softmax(log_prob.astype(np.float64), axis=-1)[np.arange(5), LABEL]
    np.testing.assert_allclose(losses.classification(log_prob, LABEL), expected, rtol=1e-5)


def test_likelihood_picks_the_true_class(log_prob):
    expected = -log_prob[np.arange(5), LABEL]
    np.testing.assert_array_equal(losses.likelihood(log_prob, LABEL), expected)


def test_kl_agrees_with_the_closed_form_and_with_tfd():
    random = np.random.default_rng(0)
    mean = random.normal(size=(5, 4)).astype(np.float32)
    stddev = random.uniform(0.1, 3.0, (5, 4)).astype(np.float32)
    actual = losses.kl(gaussian(mean, stddev), standard_normal(4))
    closed = 0.5 * (stddev**2 + mean**2 - 1.0 - 2.0 * np.log(stddev)).mean(axis=-1)
    np.testing.assert_allclose(actual, closed, rtol=1e-5)
    by_tfd = tfd.kl_divergence(tfd.Normal(mean, stddev), tfd.Normal(0.0, 1.0))
    np.testing.assert_allclose(actual, tf.reduce_mean(by_tfd, axis=-1), rtol=1e-5)


@pytest.mark.parametrize("shape", [(5, 3), (5, 8, 8, 3)])
def test_reconstruction_is_the_mean_over_an_example(shape):
    random = np.random.default_rng(0)
    x, decoded = random.normal(size=(2, *shape)).astype(np.float32)
    expected = ((x - decoded) ** 2).reshape(5, -1).mean(axis=-1)
    np.testing.assert_allclose(losses.reconstruction(x, decoded), expected, rtol=1e-5)


def test_latent_classification_is_the_cross_entropy(log_prob):
    expected = [
        stats.entropy(np.eye(3)[label], special.softmax(row.astype(np.float64)))
        for row, label in zip(log_prob, LABEL, strict=True)
    ]
    np.testing.assert_allclose(losses.latent_classification(log_prob, LABEL), expected, rtol=1e-4)


def test_latent_confusion_is_the_cross_entropy_with_the_uniform_distribution(log_prob):
    expected = [
        np.log(3) + stats.entropy(np.full(3, 1 / 3), special.softmax(row.astype(np.float64)))
        for row in log_prob
    ]
    np.testing.assert_allclose(losses.latent_confusion(log_prob), expected, rtol=1e-5)
    unsure = losses.latent_confusion(np.zeros((1, 3), np.float32))
    np.testing.assert_allclose(unsure, np.log(3), rtol=1e-6)


@pytest.mark.parametrize(
    ("real", "decoded", "sampled", "expected"),
    [(2.0, -3.0, -1.0, 0.0), (0.0, 0.0, 0.0, 3.0), (-1.0, 2.0, -0.5, 5.5)],
)
def test_discrimination_is_the_hinge(real, decoded, sampled, expected):
    logits = (tf.constant([value]) for value in (real, decoded, sampled))
    assert losses.discrimination(*logits).numpy().tolist() == [expected]


def test_generation_wants_high_logits():
    value = losses.generation(tf.constant([0.5, -1.0]), tf.constant([1.0, 3.0]))
    assert value.numpy().tolist() == [-1.5, -2.0]


def test_cycle_is_a_gaussian_log_density_but_for_a_constant():
    random = np.random.default_rng(0)
    z_u, encoded = random.normal(size=(2, 6, 4)).astype(np.float32)
    expected = -stats.norm(encoded, 1.0).logpdf(z_u).mean(axis=-1) - 0.5 * np.log(2 * np.pi)
    np.testing.assert_allclose(losses.cycle(z_u, encoded), expected, rtol=1e-4)
