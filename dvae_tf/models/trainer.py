"""Training of several networks: an optimiser per group of weights, a schedule per `fit`."""

from collections.abc import Callable

import keras
import tensorflow as tf

from dvae_tf.data.pipeline import damage_named
from dvae_tf.models import replicas, schedule
from dvae_tf.models.batch_check import check_batch, plain_errors
from dvae_tf.models.objectives import Objectives, weighted
from dvae_tf.models.recipe import Recipe


class Trainer(keras.Model):
    """A model whose groups of weights each have their own optimiser and losses.

    A subclass has `weight_groups`, `sample_shape` and `num_classes`; it declares which losses train
    which groups (`mixture_objectives` on every batch, `joint_objectives` on every n_gm-th) and
    calls `_complete`. It implements `train_step(data, joint=True)` and `_test_losses(x, label)`.

    Args:
        recipe: str or dvae_tf.models.Recipe, the numbers of the training.
        seed: int, for all noise.
    """

    mixture_objectives = Objectives(())
    joint_objectives = Objectives(())
    train_function: Callable | None

    def __init__(self, recipe: str | Recipe, seed: int, **kwargs):
        super().__init__(**kwargs)
        self.recipe = Recipe.named(recipe)
        self.seed = seed
        self.seed_generator = keras.random.SeedGenerator(seed)
        self.epochs_trained = self._counter("epochs_trained", "int32")
        self.batches_trained = self._counter("batches_trained", "int64")
        # The share of the current training that is done, and how much each batch adds to it.
        self.progress = self._counter("progress", "float32")
        self.progress_per_batch = self._counter("progress_per_batch", "float32")

    def _counter(self, name, dtype):
        return self.add_weight(
            name=name,
            shape=(),
            dtype=dtype,
            initializer="zeros",
            trainable=False,
            aggregation="only_first_replica",
        )

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
        self.built = True
        self.compile()

    def compile(
        self, optimizer=None, jit_compile: bool | str = "auto", run_eagerly: bool = False, **kwargs
    ) -> None:
        """Sets the optimisers; called once with the defaults when the model is made.

        Args:
            optimizer: keras.optimizers.Optimizer, or the name of one, of which each group of
                weights gets its own copy; or dict of group name to optimiser for all groups of
                `weight_groups`. Defaults to the recipe's Adam.
            jit_compile: bool or "auto", whether XLA compiles the step. Defaults to "auto": if there
                is a GPU. (On CPUs, XLA's convolutions are several times slower.)
            run_eagerly: bool, for debugging. Defaults to False.
            **kwargs: `steps_per_execution` and others of `keras.Model.compile`.

        Raises:
            ValueError: if a dict of optimisers lacks a group or has an unknown one, or if
                `steps_per_execution` is above 1 although steps differ (`n_gm` above 1).
        """
        if kwargs.get("steps_per_execution", 1) > 1 and self.recipe.n_gm > 1:
            raise ValueError(
                f"steps_per_execution is {kwargs['steps_per_execution']}, but with n_gm = "
                f"{self.recipe.n_gm} the steps differ; leave it at 1."
            )
        optimizers = self._optimizers(optimizer)
        for name, variables in self.weight_groups().items():
            optimizers[name].build(variables)
        self._jit_choice = jit_compile
        if jit_compile == "auto":
            jit_compile = bool(tf.config.list_physical_devices("GPU")) and not run_eagerly
        super().compile(optimizer=None, jit_compile=jit_compile, run_eagerly=run_eagerly, **kwargs)
        self.optimizers = optimizers
        self._first_rates = {name: _learning_rate(single) for name, single in optimizers.items()}

    def _optimizers(self, optimizer):
        """An optimiser for each group of weights."""
        groups, recipe = self.weight_groups(), self.recipe
        if optimizer is None:
            optimizer = keras.optimizers.Adam(recipe.learning_rate, recipe.beta_1, recipe.beta_2)
        if not isinstance(optimizer, dict):
            config = (single := keras.optimizers.get(optimizer)).get_config()
            average = {"use_ema": True, "ema_momentum": recipe.average_decay}
            optimizer = {
                name: type(single).from_config(
                    config | (average if name == "decoder" and recipe.average_decay else {})
                )
                for name in groups
            }
        if set(optimizer) != set(groups):
            raise ValueError(
                f"There are optimisers for {', '.join(sorted(optimizer))}; give one for each of "
                f"{', '.join(sorted(groups))}."
            )
        if self.dtype_policy.name != "mixed_float16":
            return optimizer
        scaled = keras.optimizers.LossScaleOptimizer
        return {n: o if isinstance(o, scaled) else scaled(o) for n, o in optimizer.items()}

    def get_compile_config(self):
        return {
            "optimizer": {
                name: keras.saving.serialize_keras_object(single)
                for name, single in self.optimizers.items()
            },
            "first_rates": self._first_rates,
            "jit_compile": self._jit_choice,
            "steps_per_execution": self.steps_per_execution,
        }

    def compile_from_config(self, config):
        optimizers = {
            name: keras.saving.deserialize_keras_object(single)
            for name, single in config.pop("optimizer").items()
        }
        first_rates = config.pop("first_rates")
        self.compile(optimizers, **config)
        self._first_rates = first_rates

    def fit(self, *args, callbacks=None, **kwargs):
        """`keras.Model.fit`, with schedules of learning rates and loss weights.

        A schedule belongs to one call: it begins at `initial_epoch` (by default 0) and ends at
        `epochs`. So a second `fit` trains as the first one did, and a training that was stopped
        resumes with `initial_epoch` as if it had not been stopped.

        Args:
            *args, **kwargs: of `keras.Model.fit`; a dataset of (x, label) batches, x float32,
                label int in [0, C), is all it needs.
            callbacks: list of keras.callbacks.Callback.

        Returns:
            keras.callbacks.History.

        Raises:
            ValueError: if a batch does not fit the model or has invalid labels or values, or if a
                file of the dataset is damaged.
        """
        follow = keras.callbacks.LambdaCallback(
            on_epoch_begin=lambda epoch, logs: self._begin_epoch(epoch, **follow.params),
            on_epoch_end=lambda epoch, logs: self._end_epoch(epoch, **follow.params),
        )
        if isinstance(args[0] if args else kwargs.get("x"), tf.data.Dataset):
            kwargs["shuffle"] = False  # A dataset has its own order; Keras warns otherwise.
        with damage_named(), plain_errors():
            return super().fit(*args, callbacks=[follow, callbacks or []], **kwargs)

    def _begin_epoch(self, epoch, epochs, steps, **_):
        """Sets the progress; if the number of steps is unknown, it only changes between epochs."""
        self.progress.assign(epoch / epochs)
        self.progress_per_batch.assign(1.0 / (epochs * steps) if steps else 0.0)

    def _end_epoch(self, epoch, epochs, **_):
        """Counts the epoch; after the last one, averaged weights take the values of the average."""
        self.epochs_trained.assign_add(1)
        if epoch + 1 == epochs:
            self.progress.assign(1.0)
            self.progress_per_batch.assign(0.0)
            for group, variables in self.weight_groups().items():
                self.optimizers[group].finalize_variable_values(variables)

    def train_on_batch(self, *args, **kwargs):
        """`keras.Model.train_on_batch`, with the rates and weights of the start of a training."""
        self.progress.assign(0.0)
        self.progress_per_batch.assign(0.0)
        return super().train_on_batch(*args, **kwargs)

    def make_train_function(self, force: bool = False):
        """Makes `train_function`; with n_gm above 1, only each n_gm-th call trains everything.

        The two kinds of step are compiled separately, since gradients cannot be summed over devices
        within a branch.

        Args:
            force: bool, whether it is made again if it exists. Defaults to False.
        """
        if self.train_function is not None and not force:
            return
        super().make_train_function(force)
        if self.recipe.n_gm > 1:
            self.train_function = self._alternating(self.train_function)

    def _alternating(self, joint_step):
        """A train function that alternates between `_mixture_step` and the joint step."""
        step = self._mixture_step
        if not self.run_eagerly:
            step = tf.function(
                step, jit_compile=self.jit_compile, reduce_retracing=True, autograph=False
            )
        batches = int(self.batches_trained.numpy())

        def train_function(iterator):
            nonlocal batches
            batches += 1
            if batches % self.recipe.n_gm == 0:
                return joint_step(iterator)
            self.distribute_strategy.run(step, args=(next(iterator),))
            return self.get_metrics_result()

        return train_function

    def _mixture_step(self, data):
        """A step that trains only the mixture."""
        self.train_step(data, joint=False)

    def _begin_step(self, data):
        """Sets the learning rates and checks the batch."""
        recipe = self.recipe
        for group, rate in self._first_rates.items():
            if rate is None:
                continue
            if recipe.annealed:
                rate *= schedule.cosine(self.progress)
            if recipe.variance_decay_steps and group == "prior_variances":
                batches = tf.convert_to_tensor(self.batches_trained)
                rate *= schedule.step_decay(batches, recipe.variance_decay_steps)
            if tf.is_tensor(rate):
                self.optimizers[group].learning_rate.assign(rate)
        return self._checked_batch(data)

    def _checked_batch(self, data):
        # XLA cannot compile checks of values.
        return check_batch(data, self.sample_shape, self.num_classes, values=not self.jit_compile)

    def _end_step(self, values, label):
        """Counts the batch and returns the logs of the step."""
        self.batches_trained.assign_add(1)
        self.progress.assign_add(tf.convert_to_tensor(self.progress_per_batch))
        return self._reported(values, label)

    def _reported(self, values, label):
        """Adds the losses of a batch to the reported means and returns these."""
        known = tf.cast(label >= 0, tf.float32)
        for name, value in values.items():
            weight = known if self._rows[name].needs_label else None
            self._means[name].update_state(value, sample_weight=weight)
        return replicas.logs(self.get_metrics_result())

    def test_step(self, data) -> dict:
        """One step of `evaluate`: all losses, no training, the same noise every time.

        Args:
            data: (x, label).

        Returns:
            dict of metric name to float tensor, means since the evaluation began.
        """
        x, label = self._checked_batch(data)
        return self._reported(self._test_losses(x, label), label)

    @property
    def metrics(self):
        return list(self._means.values())

    def get_metrics_result(self):
        means = {name: metric.result() for name, metric in self._means.items()}
        counted = [row.name for row in self._rows.values() if row.in_total]
        return {"loss": tf.add_n([weighted(self, name, means[name]) for name in counted]), **means}


def _learning_rate(optimizer):
    """The initial rate of an optimiser; None if the user gave it a schedule."""
    config = optimizer.get_config()
    rate = config.get("inner_optimizer", {}).get("config", config)["learning_rate"]
    return rate if isinstance(rate, float) else None
