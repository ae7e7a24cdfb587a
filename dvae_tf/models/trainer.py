"""How a model of several networks is trained: an optimiser a network, a schedule a `fit`."""

import math
from collections.abc import Callable

import keras
import tensorflow as tf

from dvae_tf import losses
from dvae_tf.data.pipeline import damage_named
from dvae_tf.models import replicas, schedule
from dvae_tf.models.batch_check import check_batch, plain_errors
from dvae_tf.models.objectives import Objectives
from dvae_tf.models.recipe import Recipe


class Trainer(keras.Model):
    """A model whose groups of weights have each an optimiser and losses of their own.

    A subclass has `weight_groups`, `sample_shape` and `num_classes`; it says which losses train
    which groups (`mixture_objectives` on every batch, `joint_objectives` on every n_gm-th) and
    calls `_complete`. It has a `train_step(data, joint=True)` and `_test_losses(x, label)`.

    Args:
        recipe: str or dvae_tf.models.Recipe, the numbers of the training.
        seed: int, of all noise.
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
        # The share of the training under way that is done, and what each batch adds to it.
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
        """Networks and tables are there: the model is ready to fit afterwards."""
        rows = (*self.mixture_objectives.table, *self.joint_objectives.table)
        self._rows = {row.name: row for row in rows}
        self._means = {name: keras.metrics.Mean(name=name) for name in self._rows}
        self.built = True
        self.compile()

    def compile(
        self, optimizer=None, jit_compile: bool | str = "auto", run_eagerly: bool = False, **kwargs
    ) -> None:
        """Sets the optimisers; called once with the defaults when the model is made.

        Args:
            optimizer: keras.optimizers.Optimizer, or the name of one, whose settings each group of
                weights gets its own copy of; or dict of group name to optimiser for all groups of
                `weight_groups`. Defaults to the recipe's Adam.
            jit_compile: bool or "auto", whether XLA compiles the step. Defaults to "auto": where a
                GPU is present. (On CPUs XLA's convolutions are several times slower.)
            run_eagerly: bool, for debugging. Defaults to False.
            **kwargs: `steps_per_execution` and others of `keras.Model.compile`.

        Raises:
            ValueError: if a dict of optimisers lacks a group or has one too many, or several steps
                are to be executed together that are not alike (`n_gm` above 1).
        """
        if kwargs.get("steps_per_execution", 1) > 1 and self.recipe.n_gm > 1:
            raise ValueError(
                f"steps_per_execution is {kwargs['steps_per_execution']}, but with n_gm = "
                f"{self.recipe.n_gm} the steps are not all alike; leave it at 1."
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
                f"Optimisers came for {', '.join(sorted(optimizer))}; give one for each of "
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
        """`keras.Model.fit`, with rates and weights that follow the training.

        The schedule belongs to this call: it begins with `initial_epoch` (0 where none is given)
        and ends with `epochs`. So a second `fit` trains as the first one did, and a training that
        was stopped goes on with `initial_epoch` as if it had not been.

        Args:
            *args, **kwargs: of `keras.Model.fit`; a dataset of (x, label) batches, x float32,
                label int in [0, C), is all it needs.
            callbacks: list of keras.callbacks.Callback.

        Returns:
            keras.callbacks.History.

        Raises:
            ValueError: if a batch does not fit the model, its labels or values cannot be, or a file
                of the dataset is damaged.
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
        """Sets the progress; without a known number of steps it moves between epochs alone."""
        self.progress.assign(epoch / epochs)
        self.progress_per_batch.assign(1.0 / (epochs * steps) if steps else 0.0)

    def _end_epoch(self, epoch, epochs, **_):
        """Counts the epoch; after the last one, weights that were averaged become the averages."""
        self.epochs_trained.assign_add(1)
        if epoch + 1 == epochs:
            self.progress.assign(1.0)
            for group, variables in self.weight_groups().items():
                self.optimizers[group].finalize_variable_values(variables)

    def train_on_batch(self, *args, **kwargs):
        """`keras.Model.train_on_batch`, with rates and weights as at the begin of a training."""
        self.progress.assign(0.0)
        self.progress_per_batch.assign(0.0)
        return super().train_on_batch(*args, **kwargs)

    def make_train_function(self, force: bool = False):
        """Makes `train_function`; where n_gm is above 1, it trains everything on each n_gm-th call.

        The two kinds of step are compiled apart, since gradients cannot be summed over devices
        within a branch.

        Args:
            force: bool, whether it is made again if it is there. Defaults to False.
        """
        if self.train_function is not None and not force:
            return
        super().make_train_function(force)
        if self.recipe.n_gm > 1:
            self.train_function = self._in_turn(self.train_function)

    def _in_turn(self, everything):
        """Alternates the step on the mixture alone with that on everything."""
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
                return everything(iterator)
            self.distribute_strategy.run(step, args=(next(iterator),))
            return self.get_metrics_result()

        return train_function

    def _mixture_step(self, data):
        """A step between two joint ones."""
        self.train_step(data, joint=False)

    def _begin_step(self, data):
        """Holds a batch against what the model takes and sets the learning rates."""
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
        # XLA compiles no look at values.
        return check_batch(data, self.sample_shape, self.num_classes, values=not self.jit_compile)

    def _end_step(self, values, label):
        """Counts the batch and says what the step reports."""
        self.batches_trained.assign_add(1)
        self.progress.assign_add(tf.convert_to_tensor(self.progress_per_batch))
        return self._reported(values, label)

    def _reported(self, values, label):
        """Takes the losses of a batch into the means that are reported."""
        known = tf.cast(label >= 0, tf.float32)
        for name, value in values.items():
            weight = known if self._rows[name].needs_label else None
            self._means[name].update_state(value, sample_weight=weight)
        return replicas.logs(self.get_metrics_result())

    def weighted(self, loss: str, mean: tf.Tensor) -> tf.Tensor:
        """What the mean of a loss adds to what its groups of weights minimise.

        Args:
            loss: str, its name.
            mean: float32 scalar.

        Returns:
            float32 scalar.
        """
        if self.recipe.calibrated and loss == "reconstruction":
            mean = losses.calibrated(mean)
        if self.recipe.calibrated and loss == "kl":
            # Values of an input err together: the root of their number counts as independent.
            mean *= self.latent_dim_u / math.sqrt(math.prod(self.sample_shape))
        return schedule.weight(self.recipe.weights[loss], self.progress) * mean

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
        return {"loss": tf.add_n([self.weighted(name, means[name]) for name in counted]), **means}


def _learning_rate(optimizer):
    """The rate that an optimiser begins with; None for a schedule of the user's own."""
    config = optimizer.get_config()
    rate = config.get("inner_optimizer", {}).get("config", config)["learning_rate"]
    return rate if isinstance(rate, float) else None
