"""Training recipes by name: what each loss weighs and how often the mixture is trained."""

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
            variances alone falls tenfold.
    """

    weights: types.MappingProxyType
    n_gm: int
    margin: float
    learning_rate: float
    beta_1: float
    beta_2: float
    variance_decay_epochs: int


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
}


def recipe(name):
    """Looks up a training recipe.

    Args:
        name: str, "paper".

    Returns:
        Recipe.

    Raises:
        ValueError: if the name is unknown.

    Example:

    >>> recipe("paper").n_gm
    3
    """
    if name not in RECIPES:
        raise ValueError(f"No recipe is called {name!r}; choose one of {', '.join(RECIPES)}.")
    return RECIPES[name]
