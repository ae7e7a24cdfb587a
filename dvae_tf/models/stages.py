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
        self.done: set[str] = set()

    @property
    def differ(self) -> bool:
        """Whether the batches of a training differ in what they train."""
        return self.model.recipe.n_gm > 1 or self.model.learns_poses_first

    def begin_epoch(self, epoch: int, epochs: int, steps: int | None) -> None:
        """Counts the epoch's batches that train poses: none once a batch trained without them.

        Args:
            epoch: int, from 0.
            epochs: int, the length of the training.
            steps: int, the batches of an epoch, or None if it is unknown: an epoch then trains
                poses in all its batches or in none, and the first of several always does.
        """
        self.end()
        if not (self.model.learns_poses_first and self.model.only_learnt_poses):
            return
        until = self.model.recipe.pose_share * epochs
        if steps:
            self.of_poses = round((until - epoch) * steps)
        elif epochs > 1 and epoch < max(1, round(until)):
            self.of_poses = math.inf

    def end(self) -> None:
        """Forgets an epoch that ended, or was stopped."""
        self.of_poses = 0.0
        self.done.clear()

    def not_computed(self) -> set:
        """The names of the losses that no batch of the epoch has computed."""
        if not self.differ or "joint" in self.done:
            return set()
        of_poses = {"equivariance"} if "poses" in self.done else set()
        missing = {row.name for row in self.model.joint_objectives.table} - of_poses
        return missing if self.model.mixture_objectives.table else missing | {"loss"}

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
            stage = self._of(batches + 1)
            if stage == "joint":
                logs = joint_step(iterator)
            else:
                model.distribute_strategy.run(steps[stage], args=(next(iterator),))
                logs = model.get_metrics_result()
            # Not before: the iterator may have had no batch left.
            batches += 1
            self.of_poses -= stage == "poses"
            self.done.add(stage)
            return logs

        return step

    def _of(self, batch):
        if self.of_poses > 0:
            return "poses"
        return "mixture" if batch % self.model.recipe.n_gm else "joint"

    def _compiled(self, stage):
        def step(data):
            self.model.train_step(data, stage)

        if self.model.run_eagerly:
            return step
        return tf.function(
            step, jit_compile=self.model.jit_compile, reduce_retracing=True, autograph=False
        )
