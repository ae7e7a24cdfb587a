"""The stages of a training: what each batch trains."""

import math

import tensorflow as tf


class Stages:
    """Chooses the stage of each batch of `fit`, and runs the step of it.

    "poses": L_GM, and E_U's poses; the first batches of a model's first training, if it
    `learns_poses_first`. Then "joint", everything, on each n_gm-th batch, counted across epochs;
    and "mixture", L_GM alone, on those in between.

    Args:
        model: Trainer.
    """

    def __init__(self, model):
        self.model = model
        # How many batches of the epoch are left that train poses, and the stages it has had.
        self.of_poses = 0.0
        self.done = set()

    @property
    def differ(self) -> bool:
        """Whether the batches of a training differ in what they train."""
        return self.model.recipe.n_gm > 1 or self.model.learns_poses_first

    def begin_epoch(self, epoch: int, epochs: int, steps: int | None) -> None:
        """Counts the epoch's batches that train poses.

        Args:
            epoch: int, from 0.
            epochs: int, the length of the training.
            steps: int, the batches of an epoch, or None if it is unknown: an epoch then trains
                poses in all its batches or in none.
        """
        model = self.model
        self.done.clear()
        first = epoch == int(model.epochs_trained.numpy())
        until = model.recipe.pose_share * epochs if model.learns_poses_first and first else 0.0
        of_all = math.inf if epoch + 1 <= until else 0.0
        self.of_poses = round((until - epoch) * steps) if steps else of_all

    def not_computed(self) -> set:
        """The names of the losses that no batch of the epoch has computed."""
        if not self.differ or "joint" in self.done:
            return set()
        of_poses = {"equivariance"} if "poses" in self.done else set()
        return {row.name for row in self.model.joint_objectives.table} - of_poses

    def train_function(self, joint_step):
        """A train function each of whose calls is a step of the stage that is next.

        The kinds of step are compiled separately, since gradients cannot be summed over devices
        within a branch.

        Args:
            joint_step: function of an iterator over batches, as Keras makes it.

        Returns:
            function of the same kind.
        """
        model = self.model
        steps = {stage: self._compiled(stage) for stage in ("mixture", "poses")}
        batches = int(model.batches_trained.numpy())

        def step(iterator):
            nonlocal batches
            batches += 1
            stage = self._next(batches)
            self.done.add(stage)
            if stage == "joint":
                return joint_step(iterator)
            model.distribute_strategy.run(steps[stage], args=(next(iterator),))
            return model.get_metrics_result()

        return step

    def _next(self, number):
        if self.of_poses > 0:
            self.of_poses -= 1
            return "poses"
        return "mixture" if number % self.model.recipe.n_gm else "joint"

    def _compiled(self, stage):
        def step(data):
            self.model.train_step(data, stage)

        if self.model.run_eagerly:
            return step
        return tf.function(
            step, jit_compile=self.model.jit_compile, reduce_retracing=True, autograph=False
        )
