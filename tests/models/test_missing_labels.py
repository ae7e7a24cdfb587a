import warnings

import keras
import numpy as np
import pytest
import tensorflow as tf
from toys import changed, moons, snapshot

from dvae_tf import DisentangledVAE, DisentangledVAEGAN, data, losses
from dvae_tf.models import Recipe
from dvae_tf.priors import GaussianMixturePrior


def partly_labelled(count, labelled):
    x, label = moons(count)
    kept = np.random.default_rng(0).random(count) < labelled
    return x, np.where(kept, label, -1).astype(np.int32)


def toy(model=DisentangledVAEGAN, recipe="paper", **changes):
    recipe = Recipe.named(recipe).replace(n_gm=1, **changes)
    return model((2,), 3, preset="toy", recipe=recipe)


def test_marginal_likelihood_is_that_of_the_mixture():
    prior = GaussianMixturePrior(3, 2)
    z_s = tf.random.stateless_normal((5, 2), (0, 1))
    np.testing.assert_allclose(
        losses.marginal_likelihood(prior.log_prob(z_s)),
        -prior.mixture().log_prob(z_s),
        rtol=1e-5,
    )


@pytest.mark.parametrize("recipe", ["paper", "balanced"])
def test_a_batch_without_labels_leaves_the_latent_classifier_alone(recipe):
    model = toy(recipe=recipe)
    before = snapshot(model)
    x, _ = moons(16)
    model.train_step((tf.constant(x), tf.fill([16], -1)))
    assert changed(model, before) == set(before) - {"latent_classifier"}
    assert all(np.isfinite(w).all() for w in model.get_weights())


@pytest.mark.slow
def test_an_evaluation_without_any_label_says_so():
    model = toy()
    x, label = moons(16)
    model.compile()
    with pytest.warns(UserWarning, match="No example has a label: accuracy"):
        model.evaluate(x, np.full(16, -1), verbose=0)
    with warnings.catch_warnings():
        warnings.simplefilter("error", UserWarning)
        model.evaluate(x, np.where(np.arange(16) == 3, label, -1), verbose=0)


def test_what_needs_a_label_is_a_mean_over_those_that_have_one():
    model = toy(DisentangledVAE)
    x, label = partly_labelled(64, 0.5)
    known = label >= 0
    half = model.evaluate(x, label, batch_size=64, return_dict=True, verbose=0)
    only = model.evaluate(x[known], label[known], batch_size=64, return_dict=True, verbose=0)
    assert 10 < known.sum() < 54
    for name in ("accuracy", "classification"):
        assert half[name] == pytest.approx(only[name], rel=1e-5)


@pytest.mark.slow
def test_few_labels_teach_the_classes():
    # The marginal alone would draw all codes together: it weighs little here.
    model = toy(DisentangledVAE, likelihood=0.001)
    model.compile(keras.optimizers.Adam(1e-3))
    dataset, _ = data.load("three_moons", "train", 48, count=1920, labelled=0.05)
    labels = np.concatenate([label for _, label in dataset.as_numpy_iterator()])
    assert 0.03 < np.mean(labels >= 0) < 0.07
    assert set(labels) == {-1, 0, 1, 2}
    model.fit(dataset, epochs=25, verbose=0)
    test, _ = data.load("three_moons", "test")
    assert model.evaluate(test, return_dict=True, verbose=0)["accuracy"] > 0.6


def test_a_share_of_nothing_is_refused():
    with pytest.raises(ValueError, match="labelled is 0"):
        data.load("digits", labelled=0)
