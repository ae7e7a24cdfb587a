"""Training of several networks: their optimisers, and a schedule per `fit`."""

import math
import warnings
from collections.abc import Callable

import keras
import tensorflow as tf
from keras.src.utils.rng_utils import get_random_seed

from dvae_tf.data.examples import check_seed
from dvae_tf.models import replicas
from dvae_tf.models.batch_check import check_batch, checked_columns, checked_weight
from dvae_tf.models.objectives import Objectives, Total, weighted
from dvae_tf.models.rates import GroupOptimizers, Rates, optimizers_of
from dvae_tf.models.recipe import Recipe
from dvae_tf.models.stages import Stages
from dvae_tf.models.verbs import Verbs


class Trainer(Verbs):
    """A model whose groups of weights each have their own optimiser and losses.

    A subclass has `weight_groups`, `sample_shape` and `num_classes`; it declares which losses train
    which groups (`mixture_objectives` on every batch, `joint_objectives` on every n_gm-th) and
    calls `_complete`. It implements `train_step(data, stage="joint")` and `_test_losses(x, label)`.

    Whoever makes an epoch of `fit` longer than one pass over the data sets `passes_per_epoch`, so
    that what the recipe counts in passes is right.

    Args:
        recipe: str or dvae_tf.models.Recipe, the numbers of the training.
        seed: int in [0, 2**32), for all noise; None for that of `keras.utils.set_random_seed`, or 0
            if that was not called.
    """

    mixture_objectives = Objectives(())
    joint_objectives = Objectives(())
    passes_per_epoch = 1
    train_function: Callable | None

    def __init__(self, recipe: str | Recipe, seed: int | None, **kwargs):
        super().__init__(**kwargs)
        self.recipe = Recipe.named(recipe)
        self.seed = check_seed((get_random_seed() or 0) if seed is None else seed)
        self.seed_generator = keras.random.SeedGenerator(self.seed)
        self.epochs_trained = self._counter("epochs_trained", "int32")
        self.passes_trained = self._counter("passes_trained", "int32")
        self.batches_trained = self._counter("batches_trained", "int64")
        # The share of the current training that is done, and how much each batch adds to it.
        self.progress = self._counter("progress", "float32")
        self.progress_per_batch = self._counter("progress_per_batch", "float32")
        # Of the batches, those that trained poses.
        self.poses_trained = self._counter("poses_trained", "int64")
        self._stages = Stages(self)

    def _counter(self, name, dtype):
        return self.add_weight(
            name=name,
            shape=(),
            dtype=dtype,
            initializer="zeros",
            trainable=False,
            aggregation="only_first_replica",
        )

    @property
    def learns_poses_first(self) -> bool:
        """Whether the first batches of the model's first training train poses: no."""
        return False

    @property
    def only_learnt_poses(self) -> bool:
        """Whether no batch has trained anything without poses."""
        return int(self.batches_trained.numpy()) == int(self.poses_trained.numpy())

    def optimizer_groups(self) -> dict:
        """The optimisers: one for each group of weights, and those of groups with two states.

        Returns:
            dict of optimiser name to the name of the group that it moves.
        """
        table = self.joint_objectives
        own = {group: group for group in self.weight_groups()}
        return own | {table.optimizer_of(group): group for group in table.apart}

    def _complete(self):
        """Makes the model ready to fit, once it has its networks and tables."""
        rows = (*self.mixture_objectives.table, *self.joint_objectives.table)
        self._rows = {row.name: row for row in rows}
        unknown = [row.name for row in rows if row.trains and row.name not in self.recipe.weights]
        if unknown:
            raise ValueError(
                f"The recipe has no weight for the loss {unknown[0]!r}; give "
                f"recipe.replace(weights={{{unknown[0]!r}: 1.0}})."
            )
        self._means = {name: keras.metrics.Mean(name=name) for name in self._rows}
        self._total = Total(self._total_loss)
        self.built = True
        self.compile()

    def compile(
        self,
        optimizer=None,
        loss=None,
        loss_weights=None,
        metrics=None,
        weighted_metrics=None,
        run_eagerly: bool = False,
        steps_per_execution: int = 1,
        jit_compile: bool | str = "auto",
        auto_scale_loss: bool = True,
    ) -> None:
        """Sets the optimisers; called once with the defaults when the model is made.

        Args:
            optimizer: keras.optimizers.Optimizer, or the name of one, of which each group of
                weights gets its own copy; or dict of name to optimiser for all names of
                `optimizer_groups`. Defaults to the recipe's Adam.
            loss, loss_weights, metrics, weighted_metrics: must be None. The losses are the model's
                own, their weights the recipe's, and their means are the metrics.
            run_eagerly: bool, for debugging. Defaults to False.
            steps_per_execution: int, as in `keras.Model.compile`. Defaults to 1.
            jit_compile: bool or "auto", whether XLA compiles the step. Defaults to "auto": if there
                is a GPU. (On CPUs, XLA's convolutions are several times slower.)
            auto_scale_loss: bool, whether optimisers get loss scaling under mixed_float16. Defaults
                to True.

        Raises:
            ValueError: if losses or metrics are given, if a dict of optimisers lacks a name or has
                an unknown one, or if `steps_per_execution` is above 1 although steps differ (`n_gm`
                above 1, or poses first).
        """
        given = {
            "loss": loss,
            "loss_weights": loss_weights,
            "metrics": metrics,
            "weighted_metrics": weighted_metrics,
        }
        if ours := [name for name, value in given.items() if value is not None]:
            raise ValueError(
                f"compile was given {', '.join(ours)}, but the losses of a {type(self).__name__} "
                f"and what it reports are its own ({', '.join(self._rows)}). Leave it out; the "
                "losses' weights are those of the recipe: recipe.replace(kl=0.5)."
            )
        if steps_per_execution > 1 and self._stages.differ:
            n_gm, share = self.recipe.n_gm, self.recipe.pose_share
            why = f"n_gm = {n_gm}" if n_gm > 1 else f"pose_share = {share}"
            raise ValueError(
                f"steps_per_execution is {steps_per_execution}, but with {why} the steps differ; "
                "leave it at 1."
            )
        scaled = auto_scale_loss and self.dtype_policy.name == "mixed_float16"
        optimizers = optimizers_of(self.optimizer_groups(), self.recipe, optimizer, scaled)
        self._jit_choice, self._scaled = jit_compile, auto_scale_loss
        if jit_compile == "auto":
            jit_compile = bool(tf.config.list_physical_devices("GPU")) and not run_eagerly
        super().compile(
            optimizer=None,
            jit_compile=jit_compile,
            run_eagerly=run_eagerly,
            steps_per_execution=steps_per_execution,
        )
        self.optimizers = optimizers
        self.optimizer = GroupOptimizers(optimizers)
        self.rates = Rates(optimizers)
        self._trained_weights = None

    def _build_optimizers(self):
        """Makes the optimisers' variables, which only a model that is trained needs."""
        weights = self.weight_groups()
        with self.distribute_strategy.scope():
            for name, group in self.optimizer_groups().items():
                if not self.optimizers[name].built:
                    self.optimizers[name].build(weights[group])
        trained = {name: [v.path for v in group] for name, group in weights.items()}
        if self._trained_weights not in (None, trained):
            warnings.warn(
                "`trainable` was changed somewhere in the model after its first step, which counts "
                "from the next `compile` on: call model.compile().",
                stacklevel=2,
            )
        else:
            self._trained_weights = trained

    def get_compile_config(self):
        return {
            "optimizer": {
                name: keras.saving.serialize_keras_object(single)
                for name, single in self.optimizers.items()
            },
            "first_rates": self.rates.first,
            "jit_compile": self._jit_choice,
            "steps_per_execution": self.steps_per_execution,
            "auto_scale_loss": self._scaled,
        }

    def compile_from_config(self, config):
        optimizers = {
            name: keras.saving.deserialize_keras_object(single)
            for name, single in config.pop("optimizer").items()
        }
        first_rates = config.pop("first_rates")
        self.compile(optimizers, **config)
        self.rates = Rates(optimizers, first_rates)

    def fit(self, *args, **kwargs):
        """`keras.Model.fit`, with schedules of learning rates and loss weights.

        A schedule belongs to one call: it begins at `initial_epoch` (by default 0) and ends at
        `epochs`. So a second `fit` trains as the first one did, and one that was stopped resumes
        with `initial_epoch` as if it had not been stopped, but for averaged weights. A rate that a
        callback or the user sets replaces the recipe's, until `compile` makes new optimisers.

        A loss that no batch of an epoch computed is reported as NaN: all but L_GM and poses, while
        these alone are trained. EarlyStopping counts these epochs too; give it
        `start_from_epoch=math.ceil(pose_share * epochs)`.

        Args:
            *args, **kwargs: of `keras.Model.fit`; a dataset of (x, label) batches is all it needs.
                x: uint8 images, floats in [-1, 1], or other data with standardised columns; label:
                int in [0, C), or -1 for a missing one. `sample_weight` and `class_weight` count
                in the means of the losses that need a label.

        Returns:
            keras.callbacks.History.

        Raises:
            ValueError: if a batch does not fit the model or has invalid labels or values, or if a
                file of the dataset is damaged.
        """
        given = self._given(keras.Model.fit, args, kwargs)
        follow = keras.callbacks.LambdaCallback(
            on_epoch_begin=lambda epoch, logs: self._begin_epoch(epoch, **follow.params),
            on_epoch_end=lambda epoch, logs: self._end_epoch(epoch, logs, **follow.params),
            on_train_batch_end=lambda batch, logs: None if batch else self.seen.judge(),
            on_train_end=lambda logs: self._end_training() if self.stop_training else None,
        )
        if isinstance(given.get("x"), tf.data.Dataset):
            given["shuffle"] = False  # A dataset has its own order; Keras warns otherwise.
            self._expect_end(given["x"], given.get("steps_per_epoch"))
        given["callbacks"] = [follow, given.get("callbacks") or []]
        with self._classes_weighted(given.pop("class_weight", None)), self._plain():
            return super().fit(**given)

    def _begin_epoch(self, epoch, epochs, steps, **_):
        """Sets the progress; if the number of steps is unknown, it only changes between epochs."""
        self.progress.assign(epoch / epochs)
        self.progress_per_batch.assign(1.0 / (epochs * steps) if steps else 0.0)
        self._stages.begin_epoch(epoch, epochs, steps)

    def _end_epoch(self, epoch, logs, epochs, **_):
        """Counts the epoch. A loss that no batch of it computed is reported as NaN."""
        logs |= dict.fromkeys(self._stages.not_computed(), math.nan)
        self.epochs_trained.assign_add(1)
        self.passes_trained.assign_add(self.passes_per_epoch)
        if epoch + 1 == epochs:
            self._end_training()

    def _end_training(self):
        """Averaged weights take the values of the average."""
        self.progress.assign(1.0)
        self.progress_per_batch.assign(0.0)
        for group, variables in self.weight_groups().items():
            self.optimizers[group].finalize_variable_values(variables)

    def train_on_batch(self, *args, **kwargs):
        """`keras.Model.train_on_batch`, with the rates and weights of the start of a training.

        Args:
            *args, **kwargs: of `keras.Model.train_on_batch`, the data as in `fit`.

        Returns:
            list of floats in the order of `metrics_names`, or dict with return_dict=True.

        Raises:
            ValueError: as `fit`.
        """
        given = self._given(keras.Model.train_on_batch, args, kwargs)
        self.progress.assign(0.0)
        self.progress_per_batch.assign(0.0)
        self._stages.end()
        with self._classes_weighted(given.pop("class_weight", None)), self._plain():
            return super().train_on_batch(**given)

    def make_train_function(self, force: bool = False):
        """Makes `train_function`, whose calls differ in what they train (see `Stages`).

        Args:
            force: bool, whether it is made again if it exists. Defaults to False.
        """
        self._build_optimizers()
        if self.train_function is not None and not force:
            return
        super().make_train_function(force)
        if self._stages.differ:
            self.train_function = self._stages.train_function(self.train_function)

    def _begin_step(self, data):
        """Sets the learning rates and checks the batch: (x, label, weight of each example)."""
        self.rates.follow(self.recipe, self.progress, self.passes_trained)
        x, label, weight = self._checked_batch(data)
        if len(self.sample_shape) != 3 and not self.columns and not self.jit_compile:
            x = checked_columns(x, unless=~self.seen.nothing())
        self.seen.update(x, label, data[0])
        known = tf.maximum(label, 0)
        return x, label, weight * tf.gather(tf.convert_to_tensor(self._class_weight), known)

    def _checked_batch(self, data):
        if keras.utils.unpack_x_y_sample_weight(data)[2] is not None:
            self._expect_use_of_weights()
        values = not self.jit_compile  # XLA cannot compile checks of values.
        x, label = check_batch(data, self.sample_shape, self.num_classes, values)
        return x, label, checked_weight(data, label, values)

    def _end_step(self, values, weight):
        """Counts the batch and returns the logs of the step."""
        self.batches_trained.assign_add(1)
        self.progress.assign_add(tf.convert_to_tensor(self.progress_per_batch))
        return self._reported(values, weight)

    def _reported(self, values, weight):
        """Adds the losses of a batch to the reported means and returns these."""
        for name, value in values.items():
            needs_label = self._rows[name].needs_label
            self._means[name].update_state(value, sample_weight=weight if needs_label else None)
        return replicas.logs(self.get_metrics_result())

    def test_step(self, data) -> dict:
        """One step of `evaluate`: all losses, no training, the same noise every time.

        Args:
            data: (x, label) or (x, label, weight).

        Returns:
            dict of metric name to float tensor, means since the evaluation began.
        """
        x, label, weight = self._checked_batch(data)
        self.seen.update(x, label, data[0])
        return self._reported(self._test_losses(x, label), weight)

    @property
    def metrics(self):
        return [self._total, *self._means.values()]

    def _total_loss(self):
        """`loss`: of what the epoch's batches have computed so far."""
        means = {row.name: self._means[row.name] for row in self._rows.values() if row.in_total}
        terms = {name: weighted(self, name, mean.result()) for name, mean in means.items()}
        return tf.add_n([tf.where(means[name].count > 0, terms[name], 0.0) for name in terms])
