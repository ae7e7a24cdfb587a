import dataclasses
import json

import pytest

from dvae_tf.models.recipe import RECIPES, recipe, recipe_config


def test_ingredients_can_be_left_out_by_name():
    balanced, without = recipe("balanced"), recipe("balanced without flow, kl, settling")
    assert (balanced.flow, balanced.settling > 0.0, balanced.weights["kl"] > 0.0) == (True,) * 3
    assert (without.flow, without.settling, without.weights["kl"]) == (False, 0.0, 0.0)
    same = dataclasses.replace(
        without, flow=True, settling=balanced.settling, weights=balanced.weights
    )
    assert same == balanced


@pytest.mark.parametrize("name", RECIPES)
def test_a_recipe_survives_json(name):
    own = dataclasses.replace(recipe(name), learning_rate=1e-3)
    assert recipe(json.loads(json.dumps(recipe_config(own)))) == own
    assert recipe_config(name) == name


def test_numbers_can_be_changed_by_name():
    own = recipe("balanced with kl=0.5, settling_noise=0.3 without flow")
    assert (own.weights["kl"], own.settling_noise, own.flow) == (0.5, 0.3, False)
    balanced = recipe("balanced")
    changed = {"weights": balanced.weights, "settling_noise": 0.1, "flow": True}
    assert dataclasses.replace(own, **changed) == balanced


def test_a_file_holds_what_differs(tmp_path):
    path = tmp_path / "own.json"
    path.write_text('{"base": "paper", "augmentation": ["cutout"], "weights": {"kl": [0, 1]}}')
    own, paper = recipe(str(path)), recipe("paper")
    assert (own.augmentation, own.weights["kl"]) == (("cutout",), (0.0, 1.0))
    assert dataclasses.replace(own, augmentation=(), weights=paper.weights) == paper
    assert recipe({"settling": 0.5}).flow


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("none", "No recipe is called 'none'; choose one of paper, balanced"),
        ("balanced without salt", "No ingredient is called 'salt'"),
        ({"salt": 1}, "No ingredient is called 'salt'"),
        ("balanced with salt=1", "No ingredient is called 'salt'"),
        ("balanced with kl", "'kl' is no NAME=NUMBER"),
    ],
)
def test_unknown_names_are_named(name, message):
    with pytest.raises(ValueError, match=message):
        recipe(name)
