"""Training recipes by name: what each loss weighs, what the codes are, how the rates fall."""

import dataclasses
import json
import math
import types
from collections.abc import Mapping

from dvae_tf.files import read_json
from dvae_tf.models.augmentation import check_policies


@dataclasses.dataclass(frozen=True)
class Recipe:
    """The numbers of a training recipe.

    Args:
        weights: mapping of loss name to weight; the names are those of `dvae_tf.losses`. A weight
            is a float, or a sequence of floats evenly spread over the training (what of it comes
            before `settling`), between which it moves along straight lines: (0, 1, 1) grows in
            the first half. In the joint step E_S sees `likelihood` times `reconstruction` of
            L_lkd, as published.
        n_gm: int, steps of E_S and the mixture for one step of everything else.
        margin: float, the margin alpha of L_cls.
        learning_rate, beta_1, beta_2: float, of Adam for every group of weights.
        variance_decay_epochs: int, after so many epochs each the learning rate of the mixture's
            variances alone falls tenfold; None: never.
        calibrated: bool, whether the decoder's variance is the best one for each batch (Rybkin,
            Daniilidis & Levine, "Simple and Effective VAE Training with Calibrated Decoders", ICML
            2021): half the logarithm of L_rec takes the place of L_rec, and L_kl is the sum over
            the latent dimensions, divided by the root of the number of an input's values.
            Defaults to False.
        bounded: bool, whether z_s is the mean of the component that E_S's output most likely comes
            from, and the decoder learns from draws of the true class's component: z_s carries the
            class and nothing else. Defaults to False: z_s is E_S's output.
        flow: bool, whether a flow carries every class's codes onto N(0, I). Defaults to False.
        averaged_hinge: bool, whether L_D takes the mean over the kinds of generated inputs, so
            that real and generated ones weigh the same. Defaults to False: their sum.
        annealed: bool, whether all learning rates fall along a cosine. Defaults to False.
        settling: float, the last share of the training in which the flow alone is trained, on the
            codes of encoders that no longer change. Defaults to 0.
        settling_noise: float in [0, 1], the noise of these codes as a share of the posterior's.
            With little of it the means of z_u lose the class as well as its draws; with much of it
            the flow does not learn a few thousand examples by heart. Defaults to 1.
        shift: int, the pixels by which images that E_S learns from are moved at most, along each
            axis. Defaults to 0.
        augmentation: sequence of str, what the discriminator's inputs go through, real and
            generated ones alike: see `dvae_tf.models.augmentation`. Defaults to none.
        average_decay: float in [0, 1), the decay, for each step, of an exponential moving average
            of the decoder's weights, which take its values when the training is over (Yazici et
            al., "The Unusual Effectiveness of Averaging in GAN Training", ICLR 2019). Defaults to
            0: the weights stay what they are.
        sampled_classes: int, how many components a step of L_GM compares with, those of the batch
            and others drawn anew each time, where all would be too many: see
            `GaussianMixturePrior.sampled_log_prob`. At least the batch size. `accuracy` in training
            is then among these; validation takes all. Defaults to 0: all of them.
    """

    weights: Mapping
    n_gm: int
    margin: float
    learning_rate: float
    beta_1: float
    beta_2: float
    variance_decay_epochs: int | None = None
    calibrated: bool = False
    bounded: bool = False
    flow: bool = False
    averaged_hinge: bool = False
    annealed: bool = False
    settling: float = 0.0
    settling_noise: float = 1.0
    shift: int = 0
    augmentation: tuple = ()
    average_decay: float = 0.0
    sampled_classes: int = 0

    def __post_init__(self):
        weights = {name: as_weight(name, value) for name, value in self.weights.items()}
        object.__setattr__(self, "weights", types.MappingProxyType(weights))
        object.__setattr__(self, "augmentation", tuple(self.augmentation))
        check_policies(self.augmentation)


def as_weight(loss, value):
    """Returns the weight of a loss as a float, or the tuple of floats of its schedule."""
    schedule = isinstance(value, list | tuple)
    numbers = tuple(map(float, value if schedule else [value]))
    if not numbers or not all(0.0 <= number < math.inf for number in numbers):
        raise ValueError(
            f"The weight of {loss} is {value}; give a finite number of at least 0, or several."
        )
    return numbers if schedule else numbers[0]


RECIPES = {
    # Zheng & Sun (CVPR 2019), section 4: the published training, for every data set.
    "paper": Recipe(
        weights={
            "classification": 1.0,
            "likelihood": 0.1,
            "reconstruction": 10.0,
            "kl": 1.0,
            "latent_classification": 1.0,
            "latent_confusion": 1.0,
            "discrimination": 1.0,
            "generation": 1.0,
            "mode_seeking": 0.0,
        },
        n_gm=3,
        margin=0.0,
        learning_rate=5e-4,
        beta_1=0.0,
        beta_2=0.9,
        variance_decay_epochs=10,
    ),
    # Chosen on validation data: docs/disentanglement.md.
    "balanced": Recipe(
        weights={
            "classification": 1.0,
            "likelihood": 0.1,
            "separation": 1.0,
            "reconstruction": 1.0,
            "kl": 0.28,
            "latent_classification": 1.0,
            "latent_confusion": 0.006,
            "flow_likelihood": 1.0,
            "discrimination": 1.0,
            "generation": 1.0,
            "mode_seeking": 0.0,
        },
        n_gm=1,
        margin=0.0,
        learning_rate=5e-4,
        beta_1=0.0,
        beta_2=0.9,
        calibrated=True,
        bounded=True,
        flow=True,
        averaged_hinge=True,
        annealed=True,
        settling=0.25,
        settling_noise=0.1,
        shift=1,
    ),
}


def recipe(name: str) -> Recipe:
    """Looks up a training recipe.

    Args:
        name: str, "paper" or "balanced"; or one of these with other numbers, such as "balanced
            with kl=0.5, settling_noise=0.3"; or without some ingredients, such as "balanced without
            flow, kl": rules go back to "paper"'s, losses weigh nothing. Or a dict of what differs
            from the recipe that its key "base" names ("balanced" where it has none), or the path
            of a JSON file that holds one. Or a Recipe, which is given back.

    Returns:
        Recipe.

    Raises:
        ValueError: if the name or an ingredient is unknown.
        OSError: if a file cannot be read.

    Examples:
        >>> recipe("paper").n_gm
        3
        >>> recipe("balanced without flow").flow
        False
        >>> recipe({"base": "paper", "weights": {"kl": 0.5}}).weights["kl"]
        0.5
    """
    if isinstance(name, Recipe):
        return name
    if isinstance(name, dict):
        return _changed(**name)
    if name.endswith(".json"):
        return recipe(read_json(name))
    name, _, left_out = name.partition(" without ")
    base, _, changes = name.partition(" with ")
    if base not in RECIPES:
        raise ValueError(f"No recipe is called {base!r}; choose one of {', '.join(RECIPES)}.")
    changed = dict(map(_change, changes.split(", "))) if changes else {}
    return _without(_changed(RECIPES[base], **changed), left_out.split(", ") if left_out else [])


def _change(text):
    name, _, number = text.partition("=")
    try:
        return name, json.loads(number)
    except json.JSONDecodeError as error:
        raise ValueError(f"{text!r} is no NAME=NUMBER, such as kl=0.5.") from error


def _changed(base="balanced", weights=types.MappingProxyType({}), **changes):
    """The recipe `base` with other numbers; a loss may stand among the weights or by itself."""
    if base is None:
        return Recipe(weights, **changes)
    complete = recipe(base)
    rules = {name: value for name, value in changes.items() if name not in complete.weights}
    weights = {**weights, **{name: changes[name] for name in changes if name not in rules}}
    known_rules = [field.name for field in dataclasses.fields(Recipe)]
    unknown = sorted(set(weights) - set(complete.weights)) + sorted(set(rules) - set(known_rules))
    if unknown:
        known = ", ".join((*complete.weights, *known_rules))
        raise ValueError(f"No ingredient is called {unknown[0]!r}; there are {known}.")
    return dataclasses.replace(complete, weights=complete.weights | weights, **rules)


def _without(complete, ingredients):
    published = RECIPES["paper"]
    rules = {
        field.name: getattr(published, field.name)
        for field in dataclasses.fields(Recipe)
        if field.name != "weights"
    }
    for name in ingredients:
        if name in complete.weights:
            complete = dataclasses.replace(complete, weights=complete.weights | {name: 0.0})
        elif name in rules:
            complete = dataclasses.replace(complete, **{name: rules[name]})
        else:
            known = ", ".join((*complete.weights, *rules))
            raise ValueError(f"No ingredient is called {name!r}; there are {known}.")
    return complete


def recipe_config(choice) -> str | dict:
    """Turns a recipe into what a configuration holds.

    Args:
        choice: whatever `recipe` takes.

    Returns:
        str or dict, ready for JSON; `recipe` takes it back. Nothing in it points to a file.

    Examples:
        >>> recipe_config("balanced without flow")
        'balanced without flow'
        >>> recipe(recipe_config(recipe("paper"))) == recipe("paper")
        True
    """
    if isinstance(choice, str) and not choice.endswith(".json"):
        return choice
    choice = recipe(choice)
    fields = {field.name: getattr(choice, field.name) for field in dataclasses.fields(choice)}
    return {"base": None} | fields | {"weights": dict(choice.weights)}
