import numpy as np
import pytest
import tensorflow as tf
import tensorflow_probability as tfp
from scipy import stats

from dvae_tf.priors import GaussianMixturePrior, draw, gaussian, noise, standard_normal

tfd = tfp.distributions


def make_prior(num_classes, latent_dim, seed=0, log_variance=(-1.0, 1.0), precisions=False):
    random = np.random.default_rng(seed)
    prior = GaussianMixturePrior(num_classes, latent_dim, precisions)
    variances = np.exp(random.uniform(*log_variance, (num_classes, latent_dim)))
    prior.means.assign(random.normal(size=(num_classes, latent_dim)))
    trained = 1.0 / variances if precisions else variances
    prior.raw_spreads.assign(tfp.math.softplus_inverse(trained))
    return prior, variances


def reference_log_prob(prior, variances, z_s):
    """The same densities by scipy in float64."""
    means = prior.means.numpy().astype(np.float64)
    z_s = np.asarray(z_s, np.float64)[:, np.newaxis]
    return stats.norm.logpdf(z_s, means, np.sqrt(variances)).sum(axis=-1)


def test_variances_start_at_one_and_means_within_glorot_limits():
    prior = GaussianMixturePrior(10, 16)
    np.testing.assert_allclose(prior.variances(), 1.0, rtol=1e-6)
    np.testing.assert_allclose(GaussianMixturePrior(3, 2, True).variances(), 1.0, rtol=1e-6)
    assert 0.3 < np.abs(prior.means.numpy()).max() <= np.sqrt(6 / (10 + 16))


@pytest.mark.parametrize("precisions", [False, True])
@pytest.mark.parametrize("direct_weights", [GaussianMixturePrior.DIRECT_WEIGHTS, 0])
def test_log_prob_agrees_with_scipy_and_tfd(direct_weights, precisions, monkeypatch):
    monkeypatch.setattr(GaussianMixturePrior, "DIRECT_WEIGHTS", direct_weights)
    prior, variances = make_prior(7, 5, precisions=precisions)
    z_s = np.random.default_rng(1).normal(scale=2.0, size=(11, 5)).astype(np.float32)
    expected = reference_log_prob(prior, variances, z_s)
    np.testing.assert_allclose(prior.log_prob(z_s), expected, rtol=1e-5, atol=1e-5)
    own = tfd.MultivariateNormalDiag(prior.means.numpy()[3], np.sqrt(variances[3]).astype("f4"))
    np.testing.assert_allclose(prior.log_prob(z_s)[:, 3], own.log_prob(z_s), rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("direct_weights", [GaussianMixturePrior.DIRECT_WEIGHTS, 0])
def test_gradients_agree_with_the_closed_form(direct_weights, monkeypatch):
    monkeypatch.setattr(GaussianMixturePrior, "DIRECT_WEIGHTS", direct_weights)
    prior, variances = make_prior(4, 3)
    z_s = tf.constant(np.random.default_rng(1).normal(size=(6, 3)), tf.float32)
    with tf.GradientTape() as tape:
        tape.watch(z_s)
        total = tf.reduce_sum(prior.log_prob(z_s)[:, 2])
    gradient_z, gradient_mean = tape.gradient(total, [z_s, prior.means.value])
    score = (prior.means.numpy()[2] - z_s.numpy()) / variances[2]
    np.testing.assert_allclose(gradient_z, score, rtol=1e-4, atol=1e-5)
    np.testing.assert_allclose(
        tf.convert_to_tensor(gradient_mean)[2], -score.sum(axis=0), rtol=1e-4, atol=1e-4
    )


@pytest.mark.parametrize("precisions", [False, True])
def test_the_gradient_of_the_spreads_is_that_of_variances_or_of_precisions(precisions):
    prior, variances = make_prior(4, 3, precisions=precisions)
    z_s = np.random.default_rng(1).normal(size=(6, 3)).astype(np.float32)
    with tf.GradientTape() as tape:
        total = tf.reduce_sum(prior.log_prob(z_s)[:, 2])
    found = tf.convert_to_tensor(tape.gradient(total, prior.raw_spreads.value))[2]
    squares = ((z_s - prior.means.numpy()[2]) ** 2).sum(axis=0)
    variance, slope = variances[2], 1.0 / (1.0 + np.exp(-prior.raw_spreads.numpy()[2]))
    # log N = (log p - p squares) / 2 + constant, of the precision p or of the variance 1 / p.
    by_precision = 0.5 * (len(z_s) * variance - squares)
    by_variance = 0.5 * (squares / variance**2 - len(z_s) / variance)
    expected = slope * (by_precision if precisions else by_variance)
    np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-4)


def test_mixture_is_the_marginal():
    prior, _ = make_prior(5, 4)
    z_s = np.random.default_rng(1).normal(size=(9, 4)).astype(np.float32)
    marginal = tf.reduce_logsumexp(prior.log_prob(z_s), axis=-1) - np.log(5)
    np.testing.assert_allclose(prior.mixture().log_prob(z_s), marginal, rtol=1e-5)


def test_posterior_follows_bayes():
    prior, variances = make_prior(5, 4)
    z_s = np.random.default_rng(1).normal(size=(9, 4)).astype(np.float32)
    density = np.exp(reference_log_prob(prior, variances, z_s))
    expected = density / density.sum(axis=-1, keepdims=True)
    np.testing.assert_allclose(prior.posterior(z_s).probs_parameter(), expected, atol=1e-5)


@pytest.mark.parametrize("precisions", [False, True])
def test_sample_has_the_moments_of_its_class_and_obeys_seed_and_temperature(precisions):
    prior, variances = make_prior(3, 2, precisions=precisions)
    label = np.full(20_000, 1)
    z_s = prior.sample(label, seed=(1, 2)).numpy()
    np.testing.assert_allclose(z_s.mean(axis=0), prior.means.numpy()[1], atol=0.03)
    np.testing.assert_allclose(z_s.var(axis=0), variances[1], rtol=0.05)
    np.testing.assert_array_equal(z_s, prior.sample(label, seed=(1, 2)))
    assert not np.array_equal(z_s, prior.sample(label, seed=(1, 3)))
    still = prior.sample([0, 2], seed=(1, 2), temperature=0.0)
    np.testing.assert_allclose(still, prior.means.numpy()[[0, 2]], rtol=1e-6)


def test_large_mixture_is_exact_and_needs_no_array_of_all_differences():
    prior, variances = make_prior(10_000, 256)
    z_s = np.random.default_rng(1).normal(size=(256, 256)).astype(np.float32)
    log_prob = prior.log_prob(z_s).numpy()
    some = slice(0, 10_000, 997)
    np.testing.assert_allclose(
        log_prob[:, some],
        stats.norm.logpdf(
            z_s.astype(np.float64)[:, np.newaxis],
            prior.means.numpy()[some],
            np.sqrt(variances[some]),
        ).sum(axis=-1),
        rtol=1e-5,
    )
    graph = tf.function(prior.log_prob).get_concrete_function(tf.TensorSpec((256, 256))).graph
    largest = max(
        (tensor.shape.num_elements() or 0)
        for operation in graph.get_operations()
        for tensor in operation.outputs
    )
    assert largest == 256 * 10_000  # [batch, C]; C * D is the same here


def test_sampled_components_stand_for_all():
    prior, _ = make_prior(40, 3)
    z_s = tf.constant(np.random.default_rng(1).normal(size=(4, 3)), tf.float32)
    label = tf.constant([3, 17, 3, -1])
    complete = prior.log_prob(z_s).numpy()
    sums = []
    sampled = tf.function(lambda seed: prior.sampled_log_prob(z_s, label, 10, seed))
    for seed in range(400):
        log_prob, position = sampled(tf.constant([seed, 0]))
        own = log_prob.numpy()[[0, 1, 2], position[:3]]
        np.testing.assert_allclose(own, complete[[0, 1, 2], [3, 17, 3]], rtol=1e-5)
        sums.append(np.exp(log_prob).sum(axis=1))
    np.testing.assert_allclose(np.mean(sums, axis=0), np.exp(complete).sum(axis=1), rtol=0.05)


def test_all_components_drawn_are_all():
    prior, _ = make_prior(12, 3)
    z_s = tf.constant(np.random.default_rng(1).normal(size=(2, 3)), tf.float32)
    log_prob, _ = prior.sampled_log_prob(z_s, tf.constant([5, 0]), 12, (0, 0))
    np.testing.assert_allclose(np.sort(log_prob), np.sort(prior.log_prob(z_s)), rtol=1e-5)


def test_fewer_components_than_the_batch_has_classes_is_an_error():
    prior, _ = make_prior(12, 3)
    with pytest.raises(tf.errors.InvalidArgumentError, match="sampled_classes"):
        prior.sampled_log_prob(tf.zeros((3, 3)), tf.constant([0, 1, 2]), 2, (0, 0))


@pytest.mark.parametrize("num_classes", [3, 1000])
@pytest.mark.parametrize("variance", [1e-6, 1.0, 1e6])
def test_finite_for_far_codes_and_extreme_variances(num_classes, variance):
    prior = GaussianMixturePrior(num_classes, 256)
    prior.raw_spreads.assign(tf.fill((num_classes, 256), tfp.math.softplus_inverse(variance)))
    np.testing.assert_allclose(prior.variances(), variance, rtol=1e-3)
    z_s = tf.fill((2, 256), 1e3)
    with tf.GradientTape() as tape:
        tape.watch(z_s)
        log_prob = prior.log_prob(z_s)
    assert np.isfinite(log_prob).all()
    assert np.isfinite(tape.gradient(log_prob, z_s)).all()
    own = prior.component([0, 1]).log_prob(z_s)
    np.testing.assert_allclose(log_prob.numpy()[[0, 1], [0, 1]], own, rtol=1e-5)


def test_narrow_component_is_exact_next_to_its_mean():
    prior = GaussianMixturePrior(1000, 64)
    prior.means.assign(tf.fill((1000, 64), 1e3))
    prior.raw_spreads.assign(tf.fill((1000, 64), tfp.math.softplus_inverse(1e-6)))
    z_s = tf.fill((1, 64), 1e3 + 2.0**-12)
    own = prior.component([0]).log_prob(z_s)
    np.testing.assert_allclose(prior.log_prob(z_s)[:, 0], own, rtol=1e-4)


def test_gaussians_are_tfd():
    assert isinstance(gaussian([0.0], [1.0]), tfd.Independent)
    assert standard_normal(4).event_shape == (4,)


def test_impossible_sizes_are_named():
    with pytest.raises(ValueError, match="num_classes is 0"):
        GaussianMixturePrior(0, 4)


def test_noise_is_standard_normal():
    values = noise((500, 400), seed=(0, 4)).numpy().ravel()
    assert stats.kstest(values, "norm").pvalue > 0.01
    assert np.isfinite(values).all()
    assert not np.array_equal(values, noise((500, 400), seed=(0, 5)).numpy().ravel())


def test_noise_is_the_same_under_xla():
    plain = noise((50, 40), seed=(3, 4))
    compiled = tf.function(lambda: noise((50, 40), seed=(3, 4)), jit_compile=True)()
    np.testing.assert_allclose(compiled, plain, atol=1e-4)


def test_draw_passes_the_gradient_to_mean_and_deviation():
    mean, stddev = tf.constant([[1.0, 2.0]]), tf.constant([[3.0, 4.0]])
    with tf.GradientTape() as tape:
        tape.watch([mean, stddev])
        z = draw(gaussian(mean, stddev), seed=(3, 4))
    by_mean, by_stddev = tape.gradient(z, [mean, stddev])
    np.testing.assert_allclose(by_mean, [[1.0, 1.0]])
    np.testing.assert_allclose(by_stddev, noise((1, 2), seed=(3, 4)), rtol=1e-6)
