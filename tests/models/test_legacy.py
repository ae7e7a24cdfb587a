"""Files of models that were saved before recipes held every number."""

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


def test_it_trains_on(model):
    model.compile(run_eagerly=True)
    before = snapshot(model)
    model.fit(batches(), verbose=0)
    assert changed(model, before) == set(before)


@pytest.mark.parametrize(
    ("old", "changes"),
    [
        ("balanced", {}),
        ("balanced without flow, kl", {"flow": False, "kl": 0.0}),
        ("balanced with settling_noise=1, kl=0.5", {"flow_noise": 1, "kl": 0.5}),
        ("balanced with settling=0.0", {"flow_share": 0.0}),
        ({"base": "balanced", "weights": {"kl": [0, 1]}, "shift": 2}, {"kl": (0, 1), "shift": 2}),
        ({"reconstruction": 2.0}, {"reconstruction": 2.0, "joint_likelihood": 0.2}),
    ],
    ids=str,
)
def test_older_recipes_are_read(old, changes):
    assert legacy.recipe(old) == Recipe.named("balanced").replace(**changes)
