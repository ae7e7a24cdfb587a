"""What holds for whatever comes: densities, losses, conversions and tasks."""

import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from scipy import special, stats

from dvae_tf import DisentangledVAE, GaussianMixturePrior, losses, priors, tasks
from dvae_tf.data.pixels import to_float, to_uint8

# Examples are the same in every run; the first of a shape takes long: TensorFlow traces it.
fewer = settings(max_examples=25, deadline=None, derandomize=True)
sizes = st.integers(1, 5)
numbers = st.floats(-5.0, 5.0, width=32)
scales = st.floats(0.125, 4.0, width=32)


def rows(count, width, elements=numbers):
    return hnp.arrays(np.float32, (count, width), elements=elements)


@fewer
@given(st.data(), sizes, sizes)
def test_gaussian_densities_are_those_of_scipy(data, count, width):
    mean, x = data.draw(rows(count, width)), data.draw(rows(count, width))
    stddev = data.draw(rows(count, width, scales))
    expected = stats.norm.logpdf(x.astype(float), mean, stddev).sum(axis=-1)
    found = priors.gaussian(mean, stddev).log_prob(x)
    np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-3)


@fewer
@given(st.data(), sizes, st.integers(2, 6), st.integers(1, 4))
def test_the_mixtures_posterior_is_bayes_rule(data, count, classes, width):
    prior = GaussianMixturePrior(classes, width)
    prior.means.assign(data.draw(rows(classes, width)))
    z_s = data.draw(rows(count, width))
    log_prob = np.asarray(prior.log_prob(z_s), float)
    probabilities = np.asarray(prior.posterior(z_s).probs_parameter())
    np.testing.assert_allclose(probabilities.sum(axis=-1), 1.0, rtol=1e-4)
    np.testing.assert_allclose(probabilities, special.softmax(log_prob, axis=-1), atol=1e-4)


@fewer
@given(st.data(), sizes, sizes)
def test_kl_is_the_closed_form_and_never_negative(data, count, width):
    mean, stddev = data.draw(rows(count, width)), data.draw(rows(count, width, scales))
    found = np.asarray(
        losses.kl(priors.gaussian(mean, stddev), priors.standard_normal(width)), float
    )
    squares = mean.astype(float) ** 2 + stddev.astype(float) ** 2
    expected = (squares - 1.0 - 2.0 * np.log(stddev.astype(float))).mean(axis=-1) / 2.0
    np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-5)
    assert (found > -1e-6).all()


@fewer
@given(st.data(), sizes, st.integers(2, 6))
def test_classification_is_cross_entropy_of_any_log_densities(data, count, classes):
    log_prob = data.draw(rows(count, classes, st.floats(-100.0, 100.0, width=32)))
    label = data.draw(hnp.arrays(np.int32, count, elements=st.integers(0, classes - 1)))
    expected = -special.log_softmax(log_prob.astype(float), axis=-1)[np.arange(count), label]
    found = losses.classification(tf.constant(log_prob), tf.constant(label))
    np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-4)


@fewer
@given(hnp.arrays(np.uint8, hnp.array_shapes(min_dims=3, max_dims=4, max_side=6)))
def test_images_come_back_from_floats(image):
    there = np.asarray(to_float(image))
    assert there.min() >= -1.0
    assert there.max() <= 1.0
    np.testing.assert_array_equal(to_uint8(there), image)


@pytest.fixture(scope="module")
def model():
    return DisentangledVAE((2,), 3, preset="toy")


@fewer
@given(st.data(), st.integers(1, 4), st.integers(1, 4))
def test_swaps_have_the_class_code_of_their_row(model, data, count_s, count_u):
    x_s, x_u = data.draw(rows(count_s, 2)), data.draw(rows(count_u, 2))
    grid = tasks.swap(model, x_s, x_u)
    assert grid.shape == (count_s, count_u, 2)
    for row, donor in zip(grid, x_s, strict=True):
        own = tasks.swap_pairs(model, np.repeat(donor[np.newaxis], count_u, axis=0), x_u)
        np.testing.assert_allclose(row, own, rtol=1e-4, atol=1e-4)


@fewer
@given(st.lists(st.integers(0, 2), min_size=1, max_size=6), st.integers(0, 1000))
def test_samples_are_the_same_for_a_seed_and_finite(model, label, seed):
    drawn = tasks.sample(model, label, seed=seed)
    assert drawn.shape == (len(label), 2)
    assert np.isfinite(drawn).all()
    np.testing.assert_array_equal(drawn, tasks.sample(model, label, seed=seed))


@fewer
@given(st.lists(st.integers(), min_size=1, max_size=4), st.floats())
def test_what_cannot_be_drawn_is_refused(model, label, temperature):
    possible = all(0 <= number < 3 for number in label) and 0.0 <= temperature < float("inf")
    if possible:
        assert tasks.sample(model, label, temperature).shape == (len(label), 2)
    else:
        with pytest.raises(ValueError, match=r"label|temperature"):
            tasks.sample(model, label, temperature)
