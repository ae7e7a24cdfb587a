"""The optimisers, and their learning rates: the recipe's, unless somebody else sets them."""

import math

import keras
import numpy as np
import tensorflow as tf

from dvae_tf.models import schedule


def optimizers_of(groups: dict, recipe, optimizer=None, scaled: bool = False) -> dict:
    """The optimisers of a model.

    Args:
        groups: dict of optimiser name to group of weights, as of `Trainer.optimizer_groups`.
        recipe: Recipe.
        optimizer: as in `Trainer.compile`. Defaults to the recipe's Adam.
        scaled: bool, whether they get loss scaling. Defaults to False.

    Returns:
        dict of name to keras.optimizers.Optimizer.

    Raises:
        ValueError: if a dict of optimisers lacks a name or has an unknown one.
    """
    if optimizer is None:
        optimizer = keras.optimizers.Adam(recipe.learning_rate, recipe.beta_1, recipe.beta_2)
    if not isinstance(optimizer, dict):
        config = (single := keras.optimizers.get(optimizer)).get_config()
        changes: dict = {name: {} for name in groups}
        if recipe.average_decay:
            changes["decoder"] = {"use_ema": True, "ema_momentum": recipe.average_decay}
        if config.get("use_ema"):  # Weights with two optimisers have one average.
            changes |= {n: {"use_ema": False} for n, group in groups.items() if n != group}
        optimizer = {n: type(single).from_config(config | changes[n] | {"name": n}) for n in groups}
    if set(optimizer) != set(groups):
        raise ValueError(
            f"There are optimisers for {', '.join(sorted(optimizer))}; give one for each of "
            f"{', '.join(sorted(groups))}."
        )
    scaling = keras.optimizers.LossScaleOptimizer
    if not scaled:
        return optimizer
    return {n: o if isinstance(o, scaling) else scaling(o) for n, o in optimizer.items()}


class GroupOptimizers:
    """`model.optimizer`: what Keras's callbacks read and change, for all optimisers.

    Args:
        by_name: dict of name to keras.optimizers.Optimizer, as of `Trainer.optimizer_groups`.
    """

    built = True

    def __init__(self, by_name: dict):
        self._by_name = by_name

    @property
    def optimizers(self) -> list:
        """The optimisers, without the loss scaling of float16 around them."""
        return [getattr(one, "inner_optimizer", one) for one in self._by_name.values()]

    @property
    def variables(self) -> list:
        """The variables of all optimisers."""
        return [variable for one in self._by_name.values() for variable in one.variables]

    def get_config(self):
        """Refuses to be saved in HDF5, the only format that asks for it."""
        raise ValueError(
            "A model of dvae_tf has several optimisers, for which HDF5 has no place; save it under "
            "a name that ends with .keras."
        )

    @property
    def iterations(self):
        """The steps that were taken: those of the optimiser that took the most."""
        return max((one.iterations for one in self.optimizers), key=int)

    @property
    def learning_rate(self):
        """The rate of the first optimiser; setting it sets the rates of all."""
        return self.optimizers[0].learning_rate

    @learning_rate.setter
    def learning_rate(self, rate):
        for one in self.optimizers:
            one.learning_rate = rate


class Rates:
    """The recipe's schedule of each optimiser's learning rate.

    A rate that is not what the schedule set last was set by somebody else, such as a callback or
    the user: it stays.

    Args:
        by_name: dict of name to keras.optimizers.Optimizer, as of `Trainer.optimizer_groups`.
        first: dict of name to float, the rates at the start of a training, or None where the
            user gave the optimiser a schedule of his own. Defaults to the optimisers' rates.
    """

    def __init__(self, by_name: dict, first: dict | None = None):
        self.by_name = by_name
        self.first = first or {name: _initial_rate(one) for name, one in by_name.items()}
        # What the schedule set last, in the order of the names; NaN where it is not known.
        self.last = tf.Variable(
            [math.nan if rate is None else rate for rate in self.first.values()],
            trainable=False,
            dtype=tf.float32,
            aggregation=tf.VariableAggregation.ONLY_FIRST_REPLICA,
        )

    def follow(self, recipe, progress, passes) -> None:
        """Sets the rates of a step, as part of a graph.

        Args:
            recipe: Recipe.
            progress: float variable, the share of the training that is done.
            passes: int variable, the passes over the training data so far.
        """
        last = tf.unstack(tf.convert_to_tensor(self.last))
        for at, (name, rate) in enumerate(self.first.items()):
            if rate is None:
                continue
            if recipe.annealed:
                rate *= schedule.cosine(progress)
            if recipe.variance_decay_passes and name == "prior_variances":
                passed = tf.convert_to_tensor(passes)
                rate *= schedule.step_decay(passed, recipe.variance_decay_passes)
            if tf.is_tensor(rate):
                variable = self.by_name[name].learning_rate
                current = tf.convert_to_tensor(variable)
                own = tf.math.is_nan(last[at]) | tf.equal(last[at], current)
                variable.assign(tf.where(own, rate, current))
                last[at] = tf.where(own, rate, last[at])
        self.last.assign(tf.stack(last))

    def load(self, last) -> None:
        """Takes over what a saved schedule had set last.

        Args:
            last: float array [optimisers]. Of another shape, as from an older file,
                it does not count: what was set last is not known.
        """
        same = np.shape(last) == tuple(self.last.shape)
        self.last.assign(last if same else np.full(self.last.shape, math.nan))


def _initial_rate(optimizer):
    """The initial rate of an optimiser; None if the user gave it a schedule."""
    config = optimizer.get_config()
    rate = config.get("inner_optimizer", {}).get("config", config)["learning_rate"]
    return rate if isinstance(rate, float) else None
