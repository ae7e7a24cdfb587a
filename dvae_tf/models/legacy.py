"""Reads files of models that were saved before a Recipe held all settings of the training.

In these files a recipe is a name with changes inside the string ("balanced with kl=0.5 without
flow"), and some of its numbers are separate arguments of the model.
"""

import json

import keras

from dvae_tf.models.recipe import RECIPES, Recipe

# Arguments that a model had besides its recipe.
BESIDE = ("loss_weights", "n_gm", "margin", "variance_decay_epochs", "training_steps")
# Numbers that recipes no longer have: they were unused, or others have replaced them. A file keeps
# the rate that the variances had fallen to.
DROPPED = (
    "margin",
    "variance_decay_epochs",
    "variance_decay_steps",
    "settling",
    "settling_noise",
    "mode_seeking",
)
# How the recipes of older files differ from today's: they were not quite the published training.
BEFORE = {"precisions": False, "two_states": False, "variance_decay_passes": None}


def model_config(config: dict) -> dict:
    """Converts the configuration of a saved model to today's.

    Args:
        config: dict from `get_config` of this or an older version.

    Returns:
        dict, as from `get_config` of this version.
    """
    if "loss_weights" not in config:
        # A loss that is newer than the file did not train its model.
        weights = dict.fromkeys(RECIPES["paper"].weights, 0.0) | config["recipe"]["weights"]
        known = {name: value for name, value in config["recipe"].items() if name not in DROPPED}
        return config | {"recipe": known | {"weights": weights}}
    found = {name: value for name, value in config.items() if name not in BESIDE}
    changes = {"n_gm": config["n_gm"], **config["loss_weights"]}
    found["recipe"] = replaced(recipe(config["recipe"]), changes).as_dict()
    found["preset"], _, width = config["preset"].partition(" with width=")
    found["width"] = float(width or 1.0)
    return found


def recipe(choice) -> Recipe:
    """Reads a recipe in the notation of older files.

    Args:
        choice: str such as "balanced with kl=0.5, settling=0.1 without flow", or dict of changes
            to the recipe named under "base".

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
    return replaced(RECIPES[name].replace(**BEFORE), changes)


def replaced(complete: Recipe, changes: dict) -> Recipe:
    """Applies the changes of an older file to a recipe; numbers that no longer exist are ignored.

    Args:
        complete: Recipe.
        changes: dict of numbers by their older names.

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
    """Keras's Adam under its name in files of older versions, so that its state can be loaded."""


def counter(store, name: str):
    """Reads a saved counter of a model; 0 if the file is older than the counter.

    Args:
        store: as Keras passes it to `load_own_variables`.
        name: str.

    Returns:
        array.
    """
    try:
        return store[name]
    except KeyError:
        return 0
