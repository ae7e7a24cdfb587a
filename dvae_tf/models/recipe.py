"""Recipes: all numbers of a training, by name."""

import dataclasses
import math
import types
from collections.abc import Mapping

from dvae_tf.models.augmentation import check_policies


@dataclasses.dataclass(frozen=True)
class Recipe:
    """The numbers of a training.

    Args:
        weights: mapping of loss name to weight; `dvae_tf.losses` explains the losses. A weight is a
            float, or a sequence of floats at evenly spaced points of the training, with linear
            interpolation in between: (0, 1, 1) grows in the first half.
        n_gm: int, steps of E_S and the mixture per step of everything else.
        learning_rate, beta_1, beta_2: float, of Adam for every group of weights.
        precisions: bool, whether the mixture's precisions are trained in place of its variances
            (see `GaussianMixturePrior`). Defaults to False.
        two_states: bool, whether E_S has two Adam states, one for L_GM and one for the joint step.
            Sharing one makes its steps on L_GM three to five times smaller. Defaults to False.
        variance_decay_passes: float, the number of passes over the data (epochs of `fit`) after
            which the learning rate of the mixture's variances, or precisions, and only that,
            falls tenfold each time. Defaults to None: never.
        calibrated: bool, whether the decoder's variance is the best one for each batch (Rybkin,
            Daniilidis & Levine, "Simple and Effective VAE Training with Calibrated Decoders", ICML
            2021): half the logarithm of L_rec takes the place of L_rec, and L_kl is the sum over
            the latent dimensions, divided by the root of the number of an input's values.
            Defaults to False.
        bounded: bool, whether z_s is the mean of the component that E_S's output most likely comes
            from, and the decoder is trained on draws from the true class's component: z_s carries
            the class and nothing else. Defaults to False: z_s is E_S's output.
        flow: bool, whether a flow maps every class's codes onto N(0, I). Defaults to False.
        flow_share: float >= 0, the largest number of steps of the flow's separate fit after the
            last epoch, as a share of the batches of the training. Defaults to 0: no such fit.
        flow_batch_size: int, codes per step of that fit. Defaults to 1,024.
        flow_learning_rate: float, of that fit; it falls along a cosine. Defaults to 2e-3.
        flow_noise: float in [0, 1], the noise of its codes as a share of the posterior's. With
            little noise, the class is removed from the means of z_u as well as from its draws;
            with much noise, the flow overfits less on only a few thousand examples. Defaults
            to 1.
        flow_patience: int; held-out codes are evaluated 20 times, and the fit stops after this many
            evaluations without an improvement of their likelihood. Defaults to 4.
        averaged_hinge: bool, whether L_D takes the mean over the kinds of generated inputs, so
            that real and generated ones have the same weight. Defaults to False: their sum.
        annealed: bool, whether all learning rates fall along a cosine. Defaults to False.
        shift: int, the largest random translation of the images that train E_S in L_GM, in pixels
            along each axis. Defaults to 0.
        shift_joint: bool, whether the images of all other losses are translated likewise. With few
            images, E_U and the flow then learn fewer of them by heart. Defaults to False.
        augmentation: sequence of str, random augmentations of the discriminator's inputs, real and
            generated: see `dvae_tf.models.augmentation`. Defaults to none.
        average_decay: float in [0, 1), the decay per step of an exponential moving average of the
            decoder's weights, which replaces them at the end of the training (Yazici et al., "The
            Unusual Effectiveness of Averaging in GAN Training", ICLR 2019). Defaults to 0: no
            average.
        sampled_classes: int, the number of components that a step of L_GM compares, for data with
            too many classes to compare all: those of the batch and others drawn anew in each step
            (see `GaussianMixturePrior.sampled_log_prob`). At least the batch size. `accuracy` in
            training is then among these; validation uses all. Defaults to 0: all of them.

        exemplars: float in [0, 1], the share of inputs that are decoded with E_S of another input
            of their class in the batch in place of their own z_s, so that z_s can hold nothing of
            the style (compare Mathieu et al., "Disentangling factors of variation in deep
            representations using adversarial training", NeurIPS 2016). E_S is then trained on
            L_rec too, and `class_code` encodes classes that were not in the training data. An input
            without a label, or whose class has no other in the batch, is decoded as without: see
            `dvae_tf.data.load(pairs=True)`. Defaults to 0.
        pose_share: float in [0, 1), the share of a model's first training, at its beginning, in
            which E_U learns poses from moved images and nothing but L_GM is trained besides, if
            its networks find poses (preset "placed"). Defaults to 0.2.

    Raises:
        ValueError: if a weight is negative or not finite, n_gm is below 1, exemplars is no share,
            or an augmentation is unknown.

    Examples:
        >>> recipe = Recipe.named("balanced").replace(kl=0.5, flow=False)
        >>> recipe.weights["kl"], recipe.flow
        (0.5, False)
    """

    weights: Mapping
    n_gm: int = 1
    learning_rate: float = 5e-4
    beta_1: float = 0.0
    beta_2: float = 0.9
    precisions: bool = False
    two_states: bool = False
    variance_decay_passes: float | None = None
    calibrated: bool = False
    bounded: bool = False
    flow: bool = False
    flow_share: float = 0.0
    flow_batch_size: int = 1024
    flow_learning_rate: float = 2e-3
    flow_noise: float = 1.0
    flow_patience: int = 4
    averaged_hinge: bool = False
    annealed: bool = False
    shift: int = 0
    shift_joint: bool = False
    augmentation: tuple = ()
    average_decay: float = 0.0
    sampled_classes: int = 0
    exemplars: float = 0.0
    pose_share: float = 0.2

    def __post_init__(self):
        weights = {name: _weight(name, value) for name, value in self.weights.items()}
        object.__setattr__(self, "weights", types.MappingProxyType(weights))
        object.__setattr__(self, "augmentation", tuple(self.augmentation))
        check_policies(self.augmentation)
        for name in ("n_gm", "flow_batch_size", "flow_patience"):
            if getattr(self, name) < 1:
                raise ValueError(f"{name} is {getattr(self, name)}; give at least 1.")
        if not isinstance(self.pose_share, int | float) or not 0.0 <= self.pose_share < 1.0:
            raise ValueError(f"pose_share is {self.pose_share}; give a share below 1, 0 for none.")
        if not isinstance(self.exemplars, int | float) or not 0.0 <= self.exemplars <= 1.0:
            raise ValueError(f"exemplars is {self.exemplars}; give a share from 0 to 1.")
        if self.variance_decay_passes is not None and not self.variance_decay_passes >= 1:
            raise ValueError(
                f"variance_decay_passes is {self.variance_decay_passes}; give at least 1, or None."
            )

    @property
    def decodes_class_vectors(self) -> bool:
        """Whether the decoder is trained on nothing but draws of the C components of z_s."""
        return self.bounded and not self.exemplars

    @property
    def has_cycle(self) -> bool:
        """Whether the loss "cycle", which costs a third of a step, ever has a weight."""
        weight = self.weights.get("cycle", 0.0)
        return any(weight) if isinstance(weight, tuple) else weight > 0.0

    @classmethod
    def named(cls, name: "str | Recipe") -> "Recipe":
        """Looks up a recipe.

        Args:
            name: str, a key of `RECIPES`, or a Recipe, which is returned unchanged.

        Returns:
            Recipe.

        Raises:
            ValueError: if there is no recipe of that name.
        """
        if isinstance(name, cls):
            return name
        if name not in RECIPES:
            raise ValueError(f"No recipe is called {name!r}; choose one of {', '.join(RECIPES)}.")
        return RECIPES[name]

    def replace(self, **changes) -> "Recipe":
        """Makes a recipe with other numbers.

        Args:
            **changes: fields of the recipe, or names of losses with their weights. `weights`
                replaces some weights and may name losses that the recipe does not have yet.

        Returns:
            Recipe.

        Raises:
            ValueError: if a name is unknown; the message lists the known ones.
        """
        fields = [field.name for field in dataclasses.fields(self)]
        weights = {**self.weights, **changes.pop("weights", {})}
        unknown = sorted(set(changes) - set(fields) - set(weights))
        if unknown:
            known = ", ".join((*self.weights, *fields))
            raise ValueError(f"A recipe has no {unknown[0]!r}; there are {known}.")
        rules = {name: value for name, value in changes.items() if name in fields}
        weights |= {name: value for name, value in changes.items() if name not in fields}
        return dataclasses.replace(self, weights=weights, **rules)

    def as_dict(self) -> dict:
        """Turns the recipe into a dict that JSON can hold; `Recipe(**...)` takes it back.

        Examples:
            >>> Recipe(**Recipe.named("paper").as_dict()) == Recipe.named("paper")
            True
        """
        fields = {field.name: getattr(self, field.name) for field in dataclasses.fields(self)}
        return fields | {"weights": dict(self.weights)}


def _weight(loss, value):
    """The weight of a loss as a float, or the tuple of floats of its schedule."""
    schedule = isinstance(value, list | tuple)
    numbers = tuple(map(float, value if schedule else [value]))
    if not numbers or not all(0.0 <= number < math.inf for number in numbers):
        raise ValueError(
            f"The weight of {loss} is {value}; give a finite number of at least 0, or several."
        )
    return numbers if schedule else numbers[0]


RECIPES = {
    # Zheng & Sun (CVPR 2019), section 4, as in the authors' code: the published training, for every
    # data set. The weights of `separation` and `flow_likelihood` matter only if `bounded` or `flow`
    # is switched on.
    "paper": Recipe(
        weights={
            "classification": 1.0,
            "likelihood": 0.1,
            "joint_likelihood": 1.0,
            "separation": 1.0,
            "reconstruction": 10.0,
            "kl": 1.0,
            "latent_classification": 1.0,
            "latent_confusion": 1.0,
            "flow_likelihood": 1.0,
            "discrimination": 1.0,
            "generation": 1.0,
            "cycle": 0.0,
            "equivariance": 1.0,
        },
        n_gm=3,
        precisions=True,
        two_states=True,
        # Every 10 * (N // B) iterations, each of which reads n_gm = 3 batches.
        variance_decay_passes=30,
    ),
    # Chosen on validation data: docs/how-well-it-works.md. The weight of `joint_likelihood` matters
    # only if `bounded` is switched off.
    "balanced": Recipe(
        weights={
            "classification": 1.0,
            "likelihood": 0.1,
            "joint_likelihood": 0.1,
            "separation": 1.0,
            "reconstruction": 1.0,
            "kl": 0.28,
            "latent_classification": 1.0,
            "latent_confusion": 0.006,
            "flow_likelihood": 1.0,
            "discrimination": 1.0,
            "generation": 1.0,
            "cycle": 0.0,
            "equivariance": 1.0,
        },
        calibrated=True,
        bounded=True,
        flow=True,
        flow_share=0.22,
        flow_noise=0.5,
        averaged_hinge=True,
        annealed=True,
        shift=1,
    ),
}
# For rows of a table, chosen on validation rows of Adult: docs/how-well-it-works.md. The flow's own
# fit is long and has little noise, since its splines are trained in it alone.
RECIPES["table"] = RECIPES["balanced"].replace(
    kl=0.3,
    cycle=1.0,
    flow_share=3.0,
    flow_noise=0.3,
    learning_rate=1e-3,
    beta_1=0.9,
    beta_2=0.99,
)
