"""Reads what files of models hold that were saved before the settings were those of a Recipe.

There a recipe was a name with changes inside the string ("balanced with kl=0.5 without flow"), and
some of its numbers were arguments of the model beside it.
"""

import json

import keras

from dvae_tf.models.recipe import RECIPES, Recipe

# Arguments that a model had beside its recipe.
BESIDE = ("loss_weights", "n_gm", "margin", "variance_decay_epochs", "training_steps")
# Numbers of recipes that there are no more: what they did was off, or is what `flow_share` says.
DROPPED = ("margin", "variance_decay_epochs", "settling", "settling_noise", "mode_seeking")


def model_config(config: dict) -> dict:
    """Turns the configuration of a saved model into today's.

    Args:
        config: dict, as `get_config` gave it, now or then.

    Returns:
        dict, as `get_config` gives it now.
    """
    if "loss_weights" not in config:
        return config
    found = {name: value for name, value in config.items() if name not in BESIDE}
    changes = {"n_gm": config["n_gm"], **config["loss_weights"]}
    found["recipe"] = replaced(recipe(config["recipe"]), changes).as_dict()
    found["preset"], _, width = config["preset"].partition(" with width=")
    found["width"] = float(width or 1.0)
    return found


def recipe(choice) -> Recipe:
    """Reads a recipe as older files name it.

    Args:
        choice: str such as "balanced with kl=0.5, settling=0.1 without flow", or dict of what
            differs from the recipe under "base".

    Returns:
        Recipe.

    Examples:
        >>> recipe("balanced with kl=0.5 without flow").flow
        False
    """
    if isinstance(choice, dict):
        changes = dict(choice)
        base = changes.pop("base", "balanced")
        weights = changes.pop("weights", {})
        return replaced(recipe(base or "paper"), weights | changes)
    name, _, without = choice.partition(" without ")
    name, _, changed = name.partition(" with ")
    changes = dict(change.split("=", 1) for change in changed.split(", ") if change)
    changes = {key: json.loads(value) for key, value in changes.items()}
    published = RECIPES["paper"]
    for key in filter(None, without.split(", ")):
        changes[key] = 0.0 if key in published.weights else getattr(published, key, None)
    return replaced(RECIPES[name], changes)


def replaced(complete: Recipe, changes: dict) -> Recipe:
    """Changes a recipe by what an older file says; numbers that there are no more are left out.

    Args:
        complete: Recipe.
        changes: dict of the numbers' names then.

    Returns:
        Recipe.
    """
    known = {name: value for name, value in changes.items() if name not in DROPPED}
    if changes.get("settling") == 0.0:
        known["flow_share"] = 0.0
    if "settling_noise" in changes:
        known["flow_noise"] = changes["settling_noise"]
    if {"reconstruction", "likelihood"} & set(known) and "joint_likelihood" not in known:
        weights = {**complete.weights, **known}
        pair = weights["reconstruction"], weights["likelihood"]
        if all(isinstance(weight, int | float) for weight in pair):
            known["joint_likelihood"] = pair[0] * pair[1]
    return complete.replace(**known)


@keras.saving.register_keras_serializable("dvae_tf")
class FusedAdam(keras.optimizers.Adam):
    """Keras's Adam under the name that it has in files of older versions, with its state."""


def counter(store, name: str):
    """Reads a number that a model keeps; 0 where the file is older than it.

    Args:
        store: what Keras gives to `load_own_variables`.
        name: str.

    Returns:
        array.
    """
    try:
        return store[name]
    except KeyError:
        return 0
