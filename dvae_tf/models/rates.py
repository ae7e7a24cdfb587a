"""Learning rates of the groups of weights: the recipe's, unless somebody else sets them."""

import math

import numpy as np
import tensorflow as tf

from dvae_tf.models import schedule


class GroupOptimizers:
    """`model.optimizer`: what Keras's callbacks read and change, for the optimisers of all groups.

    Args:
        by_group: dict of group name to keras.optimizers.Optimizer.
    """

    built = True

    def __init__(self, by_group: dict):
        self._by_group = by_group

    @property
    def optimizers(self) -> list:
        """The optimisers of the groups, without the loss scaling of float16 around them."""
        return [getattr(one, "inner_optimizer", one) for one in self._by_group.values()]

    @property
    def variables(self) -> list:
        """The variables of all optimisers."""
        return [variable for one in self._by_group.values() for variable in one.variables]

    def get_config(self):
        """Refuses to be saved in HDF5, the only format that asks for it."""
        raise ValueError(
            "A model of dvae_tf has several optimisers, for which HDF5 has no place; save it under "
            "a name that ends with .keras."
        )

    @property
    def iterations(self):
        """The steps that were taken: those of the group that took the most."""
        return max((one.iterations for one in self.optimizers), key=int)

    @property
    def learning_rate(self):
        """The rate of the first group; setting it sets the rates of all."""
        return self.optimizers[0].learning_rate

    @learning_rate.setter
    def learning_rate(self, rate):
        for one in self.optimizers:
            one.learning_rate = rate


class Rates:
    """The recipe's schedule of each group's learning rate.

    A rate that is not what the schedule set last was set by somebody else, such as a callback or
    the user: it stays.

    Args:
        by_group: dict of group name to keras.optimizers.Optimizer.
        first: dict of group name to float, the rates at the start of a training, or None where the
            user gave the optimiser a schedule of his own. Defaults to the optimisers' rates.
    """

    def __init__(self, by_group: dict, first: dict | None = None):
        self.by_group = by_group
        self.first = first or {name: _initial_rate(one) for name, one in by_group.items()}
        # What the schedule set last, in the order of the groups; NaN where it is not known.
        self.last = tf.Variable(
            [math.nan if rate is None else rate for rate in self.first.values()],
            trainable=False,
            dtype=tf.float32,
            aggregation=tf.VariableAggregation.ONLY_FIRST_REPLICA,
        )

    def follow(self, recipe, progress, batches) -> None:
        """Sets the rates of a step, as part of a graph.

        Args:
            recipe: Recipe.
            progress: float variable, the share of the training that is done.
            batches: int variable, the batches that were trained on.
        """
        last = tf.unstack(tf.convert_to_tensor(self.last))
        for at, (name, rate) in enumerate(self.first.items()):
            if rate is None:
                continue
            if recipe.annealed:
                rate *= schedule.cosine(progress)
            if recipe.variance_decay_steps and name == "prior_variances":
                rate *= schedule.step_decay(
                    tf.convert_to_tensor(batches), recipe.variance_decay_steps
                )
            if tf.is_tensor(rate):
                variable = self.by_group[name].learning_rate
                current = tf.convert_to_tensor(variable)
                own = tf.math.is_nan(last[at]) | tf.equal(last[at], current)
                variable.assign(tf.where(own, rate, current))
                last[at] = tf.where(own, rate, last[at])
        self.last.assign(tf.stack(last))

    def load(self, last) -> None:
        """Takes over what a saved schedule had set last.

        Args:
            last: float array [groups], or 0 from a file that is older than this.
        """
        self.last.assign(last if np.size(last) > 1 else np.full(self.last.shape, math.nan))


def _initial_rate(optimizer):
    """The initial rate of an optimiser; None if the user gave it a schedule."""
    config = optimizer.get_config()
    rate = config.get("inner_optimizer", {}).get("config", config)["learning_rate"]
    return rate if isinstance(rate, float) else None
