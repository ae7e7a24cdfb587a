"""One table of losses: what each trains, and what follows from that.

Which network sees which gradient is what the method stands on (Zheng & Sun, CVPR 2019, section 3).
It is written down once, in the tables of the models; everything else is computed from them.
"""

import dataclasses

import tensorflow as tf

from dvae_tf.models import replicas


@dataclasses.dataclass(frozen=True)
class Loss:
    """A row of the table.

    Args:
        name: str, what `fit` reports it as, and the name of its weight in a recipe.
        trains: tuple of str, the groups of weights that its gradient moves. Defaults to none: a
            figure that is only reported.
        needs_label: bool, whether its mean is over the examples that have a label. Defaults to
            False: over all.
        in_total: bool, whether it counts in the reported `loss`. Defaults to False.
    """

    name: str
    trains: tuple[str, ...] = ()
    needs_label: bool = False
    in_total: bool = False


@dataclasses.dataclass(frozen=True)
class Objectives:
    """The losses of one step of the training.

    Args:
        table: tuple of Loss.
        independent: tuple of tuples of str, groups of weights whose losses differ and that may
            share a pass backwards all the same, since no loss of one depends on the weights of
            another. Defaults to none: groups with the same losses share one.

    Examples:
        >>> table = Objectives((Loss("kl", trains=("encoder_u",)),))
        >>> {name: float(m) for name, m in table.means({"kl": tf.ones(2)}, tf.zeros(2)).items()}
        {'kl': 1.0}
    """

    table: tuple[Loss, ...]
    independent: tuple[tuple[str, ...], ...] = ()

    def with_losses(self, *rows: Loss) -> "Objectives":
        """Returns the table with more rows at its end."""
        return dataclasses.replace(self, table=(*self.table, *rows))

    def means(self, values: dict, label: tf.Tensor) -> dict:
        """The mean of each trained loss over the examples of all replicas.

        Args:
            values: dict of the losses' names to float tensors [batch].
            label: int32 tensor [batch], -1 where there is none.

        Returns:
            dict of name to float32 scalar. A loss that needs labels and has none is 0.
        """
        rows = [row for row in self.table if row.trains]
        known = tf.cast(label >= 0, tf.float32)
        shares = [known if row.needs_label else tf.ones_like(values[row.name]) for row in rows]
        # Never in one tensor: the gradient of any would go back through all.
        own = [
            tf.reduce_sum(share * values[row.name]) for share, row in zip(shares, rows, strict=True)
        ]
        sums, counts = replicas.sums(own, [tf.reduce_sum(share) for share in shares])
        return {
            row.name: tf.math.divide_no_nan(total, examples)
            for row, total, examples in zip(rows, sums, counts, strict=True)
        }

    def totals(self, values: dict, label: tf.Tensor, model) -> dict:
        """What each group of weights minimises: the weighted sum of the losses that train it.

        Args:
            values: dict of the losses' names to float tensors [batch].
            label: int32 tensor [batch], -1 where there is none.
            model: ClassConditionalModel, which weighs the losses.

        Returns:
            dict of tuple of groups that share a pass backwards to float32 scalar.
        """
        terms = {name: model.weighted(name, m) for name, m in self.means(values, label).items()}
        # Each optimiser for float16 has a scale of its own, and needs a pass of its own.
        alone = model.dtype_policy.name == "mixed_float16"
        return {
            groups: model.optimizers[groups[0]].scale_loss(tf.add_n([terms[n] for n in names]))
            for groups, names in self.passes(alone).items()
        }

    def passes(self, alone: bool = False) -> dict:
        """Which groups of weights share a pass backwards, and the losses that it starts from.

        Args:
            alone: bool, whether every group has a pass of its own. Defaults to False.

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


def apply_gradients(tape, totals: dict, model) -> None:
    """Moves every group of weights along the gradient of what it minimises, and of nothing else.

    Args:
        tape: persistent tf.GradientTape that has seen how the totals were made.
        totals: dict of tuple of groups to float32 scalar, as of `Objectives.totals`.
        model: ClassConditionalModel, whose optimisers are used.
    """
    weights = model.weight_groups()
    gradients = {
        groups: tape.gradient(total, [weights[group] for group in groups])
        for groups, total in totals.items()
    }
    # All gradients are taken before any weight moves. Those of embeddings come in slices, several
    # a row, which Keras's Adam would square one by one.
    for groups, of_groups in gradients.items():
        for group, slices in zip(groups, of_groups, strict=True):
            whole = [None if part is None else tf.convert_to_tensor(part) for part in slices]
            model.optimizers[group].apply(whole, weights[group])
