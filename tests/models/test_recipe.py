import json

import pytest

from dvae_tf.models.recipe import RECIPES, Recipe


def test_numbers_and_weights_are_replaced_by_name():
    balanced = Recipe.named("balanced")
    own = balanced.replace(kl=0.5, flow=False, weights={"likelihood": 0.2})
    assert (own.weights["kl"], own.flow, own.weights["likelihood"]) == (0.5, False, 0.2)
    assert own.replace(**balanced.as_dict()) == balanced
    assert balanced.weights["kl"] == 0.28  # It stays as it was.


def test_a_weight_may_have_a_schedule():
    assert Recipe.named("paper").replace(kl=[0, 1]).weights["kl"] == (0.0, 1.0)


def test_a_recipe_may_know_losses_of_ones_own():
    assert Recipe.named("paper").replace(weights={"toy": 2}).weights["toy"] == 2.0


@pytest.mark.parametrize("name", RECIPES)
def test_a_recipe_survives_json(name):
    own = Recipe.named(name).replace(learning_rate=1e-3, kl=(0.0, 1.0), augmentation=["cutout"])
    assert Recipe(**json.loads(json.dumps(own.as_dict()))) == own


def test_all_recipes_weigh_the_same_losses():
    assert len({tuple(recipe.weights) for recipe in RECIPES.values()}) == 1


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"salt": 1}, "A recipe has no 'salt'; there are classification, "),
        ({"kl": -1.0}, "The weight of kl is -1.0"),
        ({"kl": float("nan")}, "The weight of kl is nan"),
        ({"kl": ()}, r"The weight of kl is \(\)"),
        ({"n_gm": 0}, "n_gm is 0"),
        ({"variance_decay_passes": 0}, "variance_decay_passes is 0"),
        ({"augmentation": ["salt"]}, "No augmentation is called 'salt'"),
    ],
)
def test_what_does_not_fit_is_named(change, message):
    with pytest.raises(ValueError, match=message):
        Recipe.named("balanced").replace(**change)


def test_an_unknown_name_is_named():
    with pytest.raises(ValueError, match="No recipe is called 'none'; choose one of paper, bal"):
        Recipe.named("none")
