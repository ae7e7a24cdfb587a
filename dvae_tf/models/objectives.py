"""One table of losses: which weights each trains. Totals and gradients are computed from it.

The method depends on which network gets which gradient (Zheng & Sun, CVPR 2019, section 3). The
tables of the models are the only place that says so.
"""

import dataclasses
from collections.abc import Callable

import keras
import tensorflow as tf

from dvae_tf.models import replicas, schedule


@dataclasses.dataclass(frozen=True)
class Loss:
    """A row of the table.

    Args:
        name: str, its name in the reports of `fit`, and that of its weight in a recipe.
        trains: tuple of str, the groups of weights that its gradient updates. Defaults to none: it
            is only reported.
        needs_label: bool, whether its mean is over the labelled examples only. Defaults to False:
            over all.
        in_total: bool, whether it counts in the reported `loss`. Defaults to False.
    """

    name: str
    trains: tuple[str, ...] = ()
    needs_label: bool = False
    in_total: bool = False


@dataclasses.dataclass(frozen=True)
class Objectives:
    """The losses of a training step.

    Args:
        table: tuple of Loss.
        independent: tuple of tuples of str, groups of weights that share a backward pass although
            their losses differ. A loss that trains only some of them must not depend on the
            weights of the others. Defaults to none: groups share a pass if their losses are the
            same.
        apart: tuple of str, groups of weights that another table trains too, and that have an
            optimiser of their own in this one. Defaults to none: each group has one optimiser.

    Examples:
        >>> table = Objectives((Loss("kl", trains=("encoder_u",)),))
        >>> {name: float(m) for name, m in table.means({"kl": tf.ones(2)}, tf.zeros(2)).items()}
        {'kl': 1.0}
    """

    table: tuple[Loss, ...]
    independent: tuple[tuple[str, ...], ...] = ()
    apart: tuple[str, ...] = ()

    def with_losses(self, *rows: Loss) -> "Objectives":
        """Returns the table with more rows at its end."""
        return dataclasses.replace(self, table=(*self.table, *rows))

    def optimizer_of(self, group: str) -> str:
        """The name of the optimiser that moves a group of weights by these losses.

        Args:
            group: str.

        Returns:
            str: that of the group, or GROUP_joint if the group is `apart`.
        """
        return f"{group}_joint" if group in self.apart else group

    def means(self, values: dict, weight: tf.Tensor) -> dict:
        """The mean of each trained loss over the examples of all replicas.

        Args:
            values: dict of the losses' names to float tensors [batch].
            weight: float32 tensor [batch], the weight of each example in the losses that need a
                label, 0 where it is missing.

        Returns:
            dict of name to float32 scalar. A loss that needs labels is 0 if there are none.
        """
        rows = [row for row in self.table if row.trains]
        shares = [weight if row.needs_label else tf.ones_like(values[row.name]) for row in rows]
        # Not stacked into one tensor: the gradient of each would then go back through all.
        own = [
            tf.reduce_sum(share * values[row.name]) for share, row in zip(shares, rows, strict=True)
        ]
        sums, counts = replicas.sums(own, [tf.reduce_sum(share) for share in shares])
        return {
            row.name: tf.math.divide_no_nan(total, examples)
            for row, total, examples in zip(rows, sums, counts, strict=True)
        }

    def totals(self, values: dict, weight: tf.Tensor, model) -> dict:
        """What each group of weights minimises: the weighted sum of the losses that train it.

        Args:
            values: dict of the losses' names to float tensors [batch].
            weight: as in `means`.
            model: ClassConditionalModel, which weights the losses.

        Returns:
            dict of tuple of groups that share a backward pass to float32 scalar.
        """
        terms = {name: weighted(model, name, m) for name, m in self.means(values, weight).items()}
        # In float16 each optimiser has its own loss scale, so each group needs its own pass.
        alone = model.dtype_policy.name == "mixed_float16"
        totals = {}
        for groups, names in self.passes(alone).items():
            optimizer = model.optimizers[self.optimizer_of(groups[0])]
            totals[groups] = optimizer.scale_loss(tf.add_n([terms[name] for name in names]))
        return totals

    def apply_gradients(self, tape, totals: dict, model, weights: dict | None = None) -> None:
        """Updates every group of weights with the gradient of its own total, and of nothing else.

        Args:
            tape: persistent tf.GradientTape that recorded how the totals were computed.
            totals: dict of tuple of groups to float32 scalar, as of `totals`.
            model: ClassConditionalModel, whose optimisers are used.
            weights: dict of group to list of variables, if the totals depend on a part of the
                model's only. Defaults to all of its `weight_groups`.
        """
        weights = weights or model.weight_groups()
        gradients = {
            groups: tape.gradient(total, [weights[group] for group in groups])
            for groups, total in totals.items()
        }
        # All gradients are computed before any weight changes. Those of embeddings come as slices,
        # several per row, which Keras's Adam would square one by one.
        for groups, of_groups in gradients.items():
            for group, slices in zip(groups, of_groups, strict=True):
                whole = [None if part is None else tf.convert_to_tensor(part) for part in slices]
                model.optimizers[self.optimizer_of(group)].apply(whole, weights[group])

    def passes(self, alone: bool = False) -> dict:
        """The groups of weights that share a backward pass, and the losses that it starts from.

        Args:
            alone: bool, whether every group has its own pass. Defaults to False.

        Returns:
            dict of tuple of groups to list of the losses' names.
        """
        losses_of: dict = {}
        for row in self.table:
            for group in row.trains:
                losses_of.setdefault(group, []).append(row.name)
        together: dict = {}
        for group, names in losses_of.items():
            shared = next((groups for groups in self.independent if group in groups), tuple(names))
            together.setdefault(group if alone else shared, []).append(group)
        return {
            tuple(groups): list(dict.fromkeys(name for g in groups for name in losses_of[g]))
            for groups in together.values()
        }


def weighted(model, loss: str, mean: tf.Tensor) -> tf.Tensor:
    """The term of a loss in the total that its groups of weights minimise.

    Args:
        model: ClassConditionalModel, whose recipe and progress give the weight.
        loss: str, the name of the loss.
        mean: float32 scalar.

    Returns:
        float32 scalar.
    """
    recipe = model.recipe
    if recipe.calibrated and loss == "reconstruction":
        mean = model.likelihood.calibrated(mean)
    if recipe.calibrated and loss == "kl":
        mean *= model.latent_dim_u / model.likelihood.values(model.sample_shape)
    return schedule.weight(recipe.weights[loss], model.progress) * mean


class Total(keras.metrics.Metric):
    """`loss`, which is computed from the means of the losses in it.

    Args:
        compute: function of no arguments that returns the total.
    """

    def __init__(self, compute: Callable):
        super().__init__(name="loss")
        self.result = compute

    def update_state(self, *args, **kwargs):
        """Does nothing: the means are updated."""
