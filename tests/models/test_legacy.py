"""Files of models that earlier versions saved."""

import pathlib

import keras
import numpy as np
import pytest
from toys import batches, changed, snapshot

from dvae_tf.models import Recipe, legacy

FIXTURES = pathlib.Path(__file__).with_name("fixtures")


@pytest.fixture(scope="module")
def model():
    # "balanced with kl=0.5, settling=0.1 without shift", loss_weights={"separation": 2.0}, preset
    # "toy with width=0.5"; its Adam was one of this package's own.
    return keras.saving.load_model(FIXTURES / "before_recipes.keras")


def test_it_gives_what_it_gave(model):
    with np.load(FIXTURES / "before_recipes.npz") as expected:
        codes = model.encode(expected["x"])
        np.testing.assert_allclose(codes.z_s, expected["z_s"], atol=1e-5)
        np.testing.assert_allclose(codes.z_u_mean, expected["z_u"], atol=1e-5)
        drawn = model.generate([0, 1, 2], seed=3)
        np.testing.assert_allclose(drawn, expected["generated"], atol=1e-5)


def test_its_settings_are_those_of_a_recipe(model):
    expected = Recipe.named("balanced").replace(kl=0.5, separation=2.0, shift=0)
    assert model.recipe == expected
    assert (model.preset, model.width) == ("toy", 0.5)
    assert int(model.batches_trained) == 12


@pytest.mark.slow
def test_it_trains_on(model):
    model.compile(run_eagerly=True)
    before = snapshot(model)
    model.fit(batches(), verbose=0)
    assert changed(model, before) == set(before)


@pytest.fixture(scope="module")
def before_precisions():
    # DisentangledVAE((2,), 3, preset="toy", recipe="paper", width=0.25), trained for 6 batches.
    return keras.saving.load_model(FIXTURES / "before_precisions.keras")


def test_the_earlier_recipe_paper_gives_what_it_gave(before_precisions):
    model = before_precisions
    with np.load(FIXTURES / "before_precisions.npz") as expected:
        codes = model.encode(expected["x"])
        np.testing.assert_allclose(codes.z_s, expected["z_s"], atol=1e-5)
        np.testing.assert_allclose(codes.z_u_mean, expected["z_u"], atol=1e-5)
        np.testing.assert_allclose(model.prior_s.variances(), expected["variances"], rtol=1e-6)
        drawn = model.generate([0, 1, 2], seed=3)
        np.testing.assert_allclose(drawn, expected["generated"], atol=1e-5)


def test_the_earlier_recipe_paper_trains_on_as_it_did(before_precisions):
    model = before_precisions
    recipe = model.recipe
    assert (recipe.precisions, recipe.two_states) == (False, False)
    assert recipe.variance_decay_passes is None
    assert set(model.optimizers) == set(model.weight_groups())
    assert int(model.optimizers["encoder_s"].iterations) == 8  # 6 steps on L_GM, 2 joint ones
    assert recipe.n_gm == 3
    model.compile(run_eagerly=True)
    before = snapshot(model)
    model.fit(batches(48), verbose=0)
    assert changed(model, before) == set(before)


@pytest.mark.parametrize(
    ("old", "changes"),
    [
        ("balanced", {}),
        ("balanced without flow, kl", {"flow": False, "kl": 0.0}),
        ("balanced with settling_noise=1, kl=0.5", {"flow_noise": 1, "kl": 0.5}),
        ("balanced with settling=0.0", {"flow_share": 0.0}),
        ({"base": "balanced", "weights": {"kl": [0, 1]}, "shift": 2}, {"kl": (0, 1), "shift": 2}),
        ("balanced with variance_decay_steps=100", {}),
        ({"reconstruction": 2.0}, {"reconstruction": 2.0, "joint_likelihood": 0.2}),
    ],
    ids=str,
)
def test_older_recipes_are_read(old, changes):
    assert legacy.recipe(old) == Recipe.named("balanced").replace(**changes)
