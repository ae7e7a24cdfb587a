"""Training recipes by name: what each loss weighs, what the codes are, how the rates fall."""

import dataclasses
import types


@dataclasses.dataclass(frozen=True)
class Recipe:
    """The numbers of a training recipe.

    Args:
        weights: mapping of loss name to weight; the names are those of `dvae_tf.losses`. In the
            joint step E_S sees `likelihood` times `reconstruction` of L_lkd, as published.
        n_gm: int, steps of E_S and the mixture for one step of everything else.
        margin: float, the margin alpha of L_cls.
        learning_rate, beta_1, beta_2: float, of Adam for every group of weights.
        variance_decay_epochs: int, after so many epochs each the learning rate of the mixture's
            variances alone falls tenfold; None: never.
        calibrated: bool, whether the decoder's variance is the best one for each batch (Rybkin,
            Daniilidis & Levine, "Simple and Effective VAE Training with Calibrated Decoders", ICML
            2021): half the logarithm of L_rec takes the place of L_rec, and L_kl is the sum over
            the latent dimensions for each value of an input. Defaults to False.
        bounded: bool, whether z_s is the mean of the component that E_S's output most likely comes
            from, and the decoder learns from draws of the true class's component: z_s carries the
            class and nothing else. Defaults to False: z_s is E_S's output.
        flow: bool, whether a flow carries every class's codes onto N(0, I). Defaults to False.
        averaged_hinge: bool, whether L_D takes the mean over the kinds of generated inputs, so
            that real and generated ones weigh the same. Defaults to False: their sum.
        annealed: bool, whether all learning rates fall along a cosine. Defaults to False.
        settling: float, the last share of the training in which the flow alone is trained, on the
            codes of encoders that no longer change. Defaults to 0.
    """

    weights: types.MappingProxyType
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


RECIPES = {
    # Zheng & Sun (CVPR 2019), section 4: the published training, for every data set.
    "paper": Recipe(
        weights=types.MappingProxyType(
            {
                "classification": 1.0,
                "likelihood": 0.1,
                "reconstruction": 10.0,
                "kl": 1.0,
                "latent_classification": 1.0,
                "latent_confusion": 1.0,
                "discrimination": 1.0,
                "generation": 1.0,
            }
        ),
        n_gm=3,
        margin=0.0,
        learning_rate=5e-4,
        beta_1=0.0,
        beta_2=0.9,
        variance_decay_epochs=10,
    ),
    # Chosen on validation data: docs/disentanglement.md.
    "balanced": Recipe(
        weights=types.MappingProxyType(
            {
                "classification": 1.0,
                "likelihood": 0.1,
                "separation": 1.0,
                "reconstruction": 1.0,
                "kl": 2.0,
                "latent_classification": 1.0,
                "latent_confusion": 0.006,
                "flow_likelihood": 1.0,
                "discrimination": 1.0,
                "generation": 0.2,
            }
        ),
        n_gm=1,
        margin=0.0,
        learning_rate=5e-4,
        beta_1=0.5,
        beta_2=0.99,
        calibrated=True,
        bounded=True,
        flow=True,
        averaged_hinge=True,
        annealed=True,
        settling=0.25,
    ),
}


def recipe(name):
    """Looks up a training recipe.

    Args:
        name: str, "paper" or "balanced"; or one of these without some ingredients, such as
            "balanced without flow, kl": rules go back to "paper"'s, losses weigh nothing. Or a
            Recipe, which is given back; or what `recipe_config` made of one.

    Returns:
        Recipe.

    Raises:
        ValueError: if the name or an ingredient is unknown.

    Example:

    >>> recipe("paper").n_gm
    3
    >>> recipe("balanced without flow").flow
    False
    """
    if isinstance(name, Recipe):
        return name
    if isinstance(name, dict):
        return Recipe(**name | {"weights": types.MappingProxyType(dict(name["weights"]))})
    base, _, ingredients = name.partition(" without ")
    if base not in RECIPES:
        raise ValueError(f"No recipe is called {base!r}; choose one of {', '.join(RECIPES)}.")
    return _without(RECIPES[base], ingredients.split(", ") if ingredients else [])


def _without(complete, ingredients):
    published = RECIPES["paper"]
    rules = {
        field.name: getattr(published, field.name)
        for field in dataclasses.fields(Recipe)
        if field.name != "weights"
    }
    for name in ingredients:
        if name in complete.weights:
            weights = dict(complete.weights) | {name: 0.0}
            complete = dataclasses.replace(complete, weights=types.MappingProxyType(weights))
        elif name in rules:
            complete = dataclasses.replace(complete, **{name: rules[name]})
        else:
            known = ", ".join((*complete.weights, *rules))
            raise ValueError(f"No ingredient is called {name!r}; there are {known}.")
    return complete


def recipe_config(choice):
    """Turns a recipe into what a configuration holds.

    Args:
        choice: str, Recipe or dict.

    Returns:
        str or dict, ready for JSON; `recipe` takes it back.

    Example:

    >>> recipe(recipe_config(recipe("paper"))) == recipe("paper")
    True
    """
    if not isinstance(choice, Recipe):
        return choice
    fields = {field.name: getattr(choice, field.name) for field in dataclasses.fields(choice)}
    return fields | {"weights": dict(choice.weights)}
