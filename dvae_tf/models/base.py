"""What all models share: they draw inputs of a class, and are trained group by group of weights."""

import functools
import itertools
import math
import numbers
from collections.abc import Callable, Sequence

import keras
import numpy as np
import tensorflow as tf
import tensorflow_probability as tfp

from dvae_tf.data.pipeline import damage_named
from dvae_tf.models.batch_check import check_batch, plain_errors
from dvae_tf.models.fused_adam import FusedAdam
from dvae_tf.models.recipe import as_weight, recipe_config
from dvae_tf.models.recipe import recipe as recipe_by_name
from dvae_tf.networks.presets import preset as preset_by_name

TEST_SEED = (0, 0)
# While the last part settles: nothing that it follows moves any more.
SETTLING_RATE = 4.0
BATCHES_BETWEEN_LOOKS = 8
STEPS_PLANNED = 1024
# The kinds of step, in the order in which `train_step` lists them.
OF_BATCH, OF_ALL, SETTLES, SETTLES_AND_LOOKS = range(4)
# What is left of a learning rate at the end of its cosine.
LEAST_RATE = 0.01


class ClassConditionalModel(keras.Model):
    """A model with several networks, each trained on losses and by an optimiser of its own.

    A subclass makes its networks, names them to `_complete` at the end of its constructor, and
    says which losses train which group of weights (`batch_objectives` on every batch,
    `joint_objectives` on every n_gm-th), what those losses are (`_batch_losses`, `_joint_losses`)
    and how a code of a class is drawn (`_draw_codes`).

    Args:
        shape: sequence of int, the shape of one input.
        num_classes: int, number of classes C.
        preset: str, the family of networks.
        recipe: str or dvae_tf.models.Recipe, the training recipe.
        loss_weights: dict of loss name to float, in place of some of the recipe's, or None.
        n_gm: int, batches for one joint step, or None for the recipe's.
        training_steps: int, length of the training that learning rates fall over, in batches, or
            None: the first `fit` decides.
        seed: int, of the initial weights and of all noise.

    Raises:
        ValueError: if a name is unknown or a number does not fit.
    """

    def __init__(
        self,
        shape: Sequence[int],
        num_classes: int,
        preset: str,
        recipe: str,
        loss_weights: dict | None,
        n_gm: int | None,
        training_steps: int | None,
        seed: int,
        **kwargs,
    ):
        super().__init__(**kwargs)
        self.sample_shape = tuple(int(side) for side in shape)
        self.num_classes = int(num_classes)
        if self.num_classes < 2:
            raise ValueError(f"num_classes is {num_classes}; there must be at least 2 classes.")
        self.preset = preset
        self.seed = seed
        self._follow_recipe(recipe, loss_weights or {}, n_gm)
        self.seed_generator = keras.random.SeedGenerator(seed)
        self.epochs_trained = self._counter("epochs_trained", "int32")
        self.batches_trained = self._counter("batches_trained", "int64")
        self.training_steps = self._counter("training_steps", "int64")
        self.training_steps.assign(training_steps or 0)
        self._network_names: list[str] = []
        self._trackers: dict[str, keras.metrics.Metric] = {}
        self._step_kind, self._kinds_ahead = None, None

    def _counter(self, name, dtype):
        return self.add_weight(
            name=name,
            shape=(),
            dtype=dtype,
            initializer="zeros",
            trainable=False,
            aggregation="only_first_replica",
        )

    def _follow_recipe(self, recipe, loss_weights, n_gm):
        self.rules = defaults = recipe_by_name(recipe)
        unknown = sorted(set(loss_weights) - set(defaults.weights))
        if unknown:
            known = ", ".join(defaults.weights)
            raise ValueError(f"No loss is called {unknown[0]!r}; there are {known}.")
        self.recipe = recipe
        self.loss_weights = dict(defaults.weights) | {
            name: as_weight(name, weight) for name, weight in loss_weights.items()
        }
        self.n_gm = defaults.n_gm if n_gm is None else n_gm
        if self.n_gm < 1:
            raise ValueError(f"n_gm is {self.n_gm}; there must be at least 1 batch a joint step.")

    def _complete(self, networks, metrics):
        """Takes the names of (more) networks and metrics; the model is ready to fit afterwards."""
        self._network_names = [*self._network_names, *networks]
        self._trackers |= {name: keras.metrics.Mean(name=name) for name in metrics}
        self.built = True
        self.compile()

    def _family(self):
        return preset_by_name(self.preset, self.sample_shape)

    @staticmethod
    def _expect_sizes(**latent_dims):
        for name, size in latent_dims.items():
            if size is not None and size < 1:
                raise ValueError(f"{name} is {size}; give at least 1.")

    @staticmethod
    def _expect(name, output, shape):
        if tuple(output.shape[1:]) != shape:
            raise ValueError(
                f"{name} gives an output of shape {tuple(output.shape[1:])}, but {shape} is "
                "needed. Change the network, or latent_dim_s, latent_dim_u, shape or num_classes."
            )

    # Training.

    def networks(self) -> dict:
        """The networks of the model.

        Returns:
            dict of constructor argument (such as "decoder") to keras.layers.Layer.
        """
        return {name: getattr(self, name) for name in self._network_names}

    def weight_groups(self) -> dict:
        """The groups of weights, each with an optimiser of its own.

        Returns:
            dict of group name to list of trainable variables.
        """
        return {name: network.trainable_variables for name, network in self.networks().items()}

    def compile(
        self, optimizer=None, jit_compile: bool | str = "auto", run_eagerly: bool = False, **kwargs
    ) -> None:
        """Sets the optimisers; called once with the defaults when the model is made.

        Args:
            optimizer: keras.optimizers.Optimizer, or the name of one, whose settings each group of
                weights gets its own copy of; or dict of group name to optimiser for all groups of
                `weight_groups`.
                Defaults to the recipe's Adam.
            jit_compile: bool or "auto", whether XLA compiles the step. Defaults to "auto": where a
                GPU is present. (On CPUs XLA's convolutions are several times slower.)
            run_eagerly: bool, for debugging. Defaults to False.
            **kwargs: `steps_per_execution` and others of `keras.Model.compile`.

        Raises:
            ValueError: if a dict of optimisers lacks a group or has one too many.
        """
        groups = self.weight_groups()
        if optimizer is None:
            adam = self.rules
            optimizer = FusedAdam(adam.learning_rate, adam.beta_1, adam.beta_2)
        if not isinstance(optimizer, dict):
            optimizer = keras.optimizers.get(optimizer)
            optimizer = {
                name: type(optimizer).from_config(optimizer.get_config()) for name in groups
            }
            if self.rules.average_decay:
                average = {"use_ema": True, "ema_momentum": self.rules.average_decay}
                decoders = optimizer["decoder"]
                optimizer["decoder"] = type(decoders).from_config(decoders.get_config() | average)
        if set(optimizer) != set(groups):
            raise ValueError(
                f"Optimisers came for {', '.join(sorted(optimizer))}; give one for each of "
                f"{', '.join(sorted(groups))}."
            )
        if self.dtype_policy.name == "mixed_float16":
            optimizer = {name: self._with_loss_scale(single) for name, single in optimizer.items()}
        for name, variables in groups.items():
            optimizer[name].build(variables)
        self._jit_choice = jit_compile
        if jit_compile == "auto":
            jit_compile = bool(tf.config.list_physical_devices("GPU")) and not run_eagerly
        super().compile(optimizer=None, jit_compile=jit_compile, run_eagerly=run_eagerly, **kwargs)
        self.optimizers = optimizer
        self._first_rates = {name: _learning_rate(single) for name, single in optimizer.items()}

    @staticmethod
    def _with_loss_scale(optimizer):
        if isinstance(optimizer, keras.optimizers.LossScaleOptimizer):
            return optimizer
        return keras.optimizers.LossScaleOptimizer(optimizer)

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
        """`keras.Model.fit`, counting the epochs.

        Where learning rates fall over the training and `training_steps` was not given, the epochs
        of the first call are the training.

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
        epoch_count = keras.callbacks.LambdaCallback(
            on_train_begin=lambda logs: self._begin_training(epoch_count.params),
            on_epoch_begin=lambda epoch, logs: self._begin_epoch(),
            on_epoch_end=lambda epoch, logs: self._end_epoch(),
        )
        if isinstance(args[0] if args else kwargs.get("x"), tf.data.Dataset):
            kwargs["shuffle"] = False  # A dataset has its own order; Keras warns otherwise.
        with damage_named(), plain_errors():
            return super().fit(*args, callbacks=[epoch_count, callbacks or []], **kwargs)

    def _begin_training(self, params):
        """Lets the first `fit` decide how long the training is, where it is to be known."""
        if self._follows_progress() and not int(self.training_steps.numpy()):
            if not params["steps"]:
                raise ValueError(
                    "The recipe's rates and weights follow the training, whose length is not "
                    "known: the dataset does not tell its number of batches. Give fit "
                    "steps_per_epoch, or the model training_steps."
                )
            self.training_steps.assign(params["epochs"] * params["steps"])

    def _follows_progress(self):
        """Whether anything depends on how much of the training is done."""
        scheduled = any(isinstance(weight, tuple) for weight in self.loss_weights.values())
        return self.rules.annealed or self._settling() or self.rules.average_decay or scheduled

    def _begin_epoch(self):
        """What is done before every epoch of `fit`."""
        self._kinds_ahead = self._kinds_from_now()

    def _end_epoch(self):
        """Counts the epoch; after the last one, weights that were averaged become the averages."""
        self._kinds_ahead = None
        self.epochs_trained.assign_add(1)
        if self._progress() >= 1.0:
            for group, variables in self.weight_groups().items():
                self.optimizers[group].finalize_variable_values(variables)

    def train_step(self, data) -> dict:
        """One step of `fit`: some losses on every batch, everything else on every n_gm-th.

        Args:
            data: (x, label).

        Returns:
            dict of metric name to float tensor, means since the epoch began.
        """
        x, label = self._unpack(data)
        if self.rules.annealed:
            self._anneal()
        kinds = [self._step_of_batch, self._step_of_all]
        if self._settling():
            kinds += [self._settle, self._settle_and_look]
        steps = [functools.partial(step, x, label) for step in kinds]
        kind = OF_ALL if self.n_gm == 1 and not self._settling() else self._step_kind
        if kind is None:
            tf.switch_case(self._step_kinds(tf.convert_to_tensor(self.batches_trained)), steps)
        else:
            steps[kind]()
        self.batches_trained.assign_add(1)
        return self._logs()

    def make_train_function(self, force: bool = False):
        """Makes `train_function`: one compiled step of each kind, the next one chosen outside.

        Steps without branches, since gradients cannot be summed over devices within one. Only
        where `steps_per_execution` takes several kinds together, the step chooses for itself.

        Args:
            force: bool, whether it is made again if it is there. Defaults to False.
        """
        if self.train_function is not None and not force:
            return
        compiled = {}

        def train_function(iterator):
            ahead = self._kinds_ahead or self._kinds_from_now()
            kinds = set(itertools.islice(ahead, self.steps_per_execution))
            self._step_kind = kinds.pop() if len(kinds) == 1 else None
            if self._step_kind not in compiled:
                super(ClassConditionalModel, self).make_train_function(force=True)
                compiled[self._step_kind] = self.train_function
                self.train_function = train_function
            try:
                return compiled[self._step_kind](iterator)
            finally:
                self._step_kind = None

        self.train_function = train_function

    def _kinds_from_now(self):
        """Yields the kind of every step to come; the first is looked at if none else is."""
        batches = int(self.batches_trained.numpy()) + tf.range(STEPS_PLANNED, dtype=tf.int64)
        first = int(self._step_kinds(batches[0]))
        yield SETTLES_AND_LOOKS if first == SETTLES else first
        batches += 1
        while True:
            yield from self._step_kinds(batches).numpy().tolist()
            batches += STEPS_PLANNED

    def _step_kinds(self, batches):
        """What follows after so many batches, int64 tensor: which step of `train_step`, int32."""
        kinds = tf.where(tf.equal(batches % self.n_gm, self.n_gm - 1), OF_ALL, OF_BATCH)
        if self._settling():
            looks = tf.equal(batches % BATCHES_BETWEEN_LOOKS, 0)
            settling = tf.where(looks, SETTLES_AND_LOOKS, SETTLES)
            begun = self._progress(batches) >= 1.0 - self._settling()
            kinds = tf.where(begun, settling, kinds)
        return kinds

    def _step_of_batch(self, x, label):
        if self.batch_objectives:
            self._step(self._batch_losses, self.batch_objectives, x, label, training=True)

    def _step_of_all(self, x, label):
        self._step_of_batch(x, label)
        self._joint_step(x, label)

    def _settle(self, x, label):
        """Trains what follows networks that no longer change, all other losses standing still."""
        seed = self._next_seed()
        self._step(self._settling_losses, self.settled_objectives, x, label, seed)

    def _settle_and_look(self, x, label):
        self._settle(x, label)
        self._look(x, label, self._next_seed())

    def _look(self, x, label, seed):
        if self.batch_objectives:
            self._track(self._batch_losses(x, label, training=False), label)
        self._track(self._joint_losses(x, label, seed, training=False), label)

    def _progress(self, batches=None):
        """The share of the training that is done, now or after so many batches.

        0 as long as the training's length is not known.
        """
        steps = tf.cast(tf.convert_to_tensor(self.training_steps), tf.float32)
        done = tf.convert_to_tensor(self.batches_trained) if batches is None else batches
        done = tf.cast(done, tf.float32)
        return tf.clip_by_value(tf.math.divide_no_nan(done, steps), 0.0, 1.0)

    def _settling(self):
        """The share of the training that is left to what settles."""
        return self.rules.settling if self.settled_objectives else 0.0

    def _anneal(self):
        """Sets all learning rates: each falls along a cosine, once its group has nothing to follow.

        That of what settles at the end stays until then, and begins to fall from a higher one.

        Loshchilov & Hutter, "SGDR: Stochastic Gradient Descent with Warm Restarts" (ICLR 2017),
        equation 5, without restarts.
        """
        progress = self._progress()
        settling = self._settling()
        begin = 1.0 - settling
        for group, rate in self._first_rates.items():
            if rate is None:
                continue
            if settling and group in self.settled_objectives:
                start = tf.where(progress < begin, 1.0, SETTLING_RATE)
                factor = start * _cosine((progress - begin) / settling)
            else:
                factor = _cosine(progress / begin)
            self.optimizers[group].learning_rate.assign(rate * factor)

    def test_step(self, data) -> dict:
        """One step of `evaluate`: all losses, no training, the same noise every time.

        Args:
            data: (x, label).

        Returns:
            dict of metric name to float tensor, means since the evaluation began.
        """
        x, label = self._unpack(data)
        self._look(x, label, TEST_SEED)
        return self._logs()

    def _logs(self):
        """What a step reports; Keras averages workers along an axis, which there must be."""
        means = self.get_metrics_result()
        if isinstance(tf.distribute.get_strategy(), tf.distribute.MultiWorkerMirroredStrategy):
            return {name: mean[tf.newaxis] for name, mean in means.items()}
        return means

    def _unpack(self, data):
        values = not self.jit_compile
        return check_batch(data, self.sample_shape, self.num_classes, values)

    def _next_seed(self):
        """A seed for the noise of a step, another one in each replica: int32 tensor [2]."""
        seed = tf.cast(self.seed_generator.next(), tf.int32)
        if tf.distribute.get_strategy().num_replicas_in_sync > 1:
            replica = tf.distribute.get_replica_context().replica_id_in_sync_group
            seed = tf.random.fold_in(seed, replica, alg="philox")
        return seed

    def _joint_step(self, x, label):
        seed = self._next_seed()
        self._step(self._joint_losses, self.joint_objectives, x, label, seed, training=True)

    def _step(self, losses, objectives, x, label, *more, **options):
        with tf.GradientTape(persistent=True) as tape:
            values = losses(x, label, *more, **options)
            totals = self._totals(values, objectives, label)
        self._apply_gradients(tape, totals)
        self._track(values, label)

    @property
    def batch_objectives(self):
        """Which losses train which groups of weights on every batch: {group: losses}."""
        return {}

    @property
    def joint_objectives(self):
        """Which losses train which groups of weights in the joint step: {group(s): losses}."""
        raise NotImplementedError

    @property
    def settled_objectives(self):
        """Which losses train which groups at the end, all else fixed: {group: losses}."""
        return {}

    def _batch_losses(self, x, label, training):
        """The losses that every batch is trained on: {name: tensor [batch]}."""
        raise NotImplementedError

    def _joint_losses(self, x, label, seed, training):
        """The losses of the joint step: {name: tensor [batch]}."""
        raise NotImplementedError

    def _settling_losses(self, x, label, seed):
        """The losses of `settled_objectives`: {name: tensor [any number]}."""
        raise NotImplementedError

    def _draw_codes(self, label, seeds, temperature=1.0):
        """Draws what the decoder makes inputs of the given classes of: tensor [n, latent]."""
        raise NotImplementedError

    # The losses and metrics that need a label: their means are over the examples that have one.
    train_function: Callable | None
    of_labelled: tuple[str, ...] = ()

    def _totals(self, values, objectives, label):
        """What groups of weights minimise: {tuple of groups: weighted sum of losses' means}."""
        reported = {name for names in objectives.values() for name in names}
        means, totals = self._means(values, reported, label), {}
        for key, names in objectives.items():
            total = tf.add_n([self._weighted(name, means[name]) for name in names])
            groups = (key,) if isinstance(key, str) else key
            # Each optimiser for float16 has a scale of its own.
            alone = self.dtype_policy.name == "mixed_float16"
            for together in [(group,) for group in groups] if alone else [groups]:
                totals[together] = self.optimizers[together[0]].scale_loss(total)
        return totals

    def _means(self, values, names, label):
        """The mean of each loss over the examples of all replicas: {name: float tensor}.

        The gradient is that of this replica's share: optimisers add the replicas' up.
        """
        names, known = sorted(names), tf.cast(label >= 0, tf.float32)
        counted = [
            known if name in self.of_labelled else tf.ones_like(values[name]) for name in names
        ]
        # Never in one tensor: the gradient of any would go back through all.
        sums = [tf.reduce_sum(c * values[n]) for n, c in zip(names, counted, strict=True)]
        counts = [tf.reduce_sum(single) for single in counted]
        if tf.distribute.get_strategy().num_replicas_in_sync > 1:
            sums, counts = _sums_over_replicas(sums, counts)
        means = [tf.math.divide_no_nan(s, c) for s, c in zip(sums, counts, strict=True)]
        return dict(zip(names, means, strict=True))

    def _weighted(self, loss, mean):
        """What the mean of a loss adds to what its groups minimise."""
        if self.rules.calibrated and loss == "reconstruction":
            # -log N(x; x', variance) of each value at the best variance, up to a constant.
            mean = 0.5 * tf.math.log(mean)
        if self.rules.calibrated and loss == "kl":
            # Values of an input err together: the root of their number counts as independent.
            mean *= self.latent_dim_u / math.sqrt(math.prod(self.sample_shape))
        return self._weight(loss) * mean

    def _weight(self, loss):
        """The weight of a loss now: a float, or a tensor where it has a schedule."""
        weight = self.loss_weights[loss]
        if isinstance(weight, float):
            return weight
        progress = tf.minimum(self._progress() / (1.0 - self._settling()), 1.0)
        return tfp.math.interp_regular_1d_grid(progress, 0.0, 1.0, weight)

    def _apply_gradients(self, tape, totals):
        weights = self.weight_groups()
        gradients = {
            groups: tape.gradient(total, [weights[group] for group in groups])
            for groups, total in totals.items()
        }
        for groups, of_groups in gradients.items():
            for group, gradient in zip(groups, of_groups, strict=True):
                self.optimizers[group].apply(gradient, weights[group])

    def _track(self, values, label):
        known = tf.cast(label >= 0, tf.float32)
        for name, tracker in self._trackers.items():
            if name in values:
                weight = known if name in self.of_labelled else None
                tracker.update_state(values[name], sample_weight=weight)

    @property
    def metrics(self):
        return list(self._trackers.values())

    def get_metrics_result(self):
        means = {name: tracker.result() for name, tracker in self._trackers.items()}
        named = [name for name in self.minimised if name in means]
        return {"loss": tf.add_n([self._weighted(name, means[name]) for name in named]), **means}

    # The losses that the metric `loss` adds up, each where the model has it.
    minimised: tuple[str, ...] = ("reconstruction", "kl")

    # Use.

    def generate(self, label: int, temperature: float = 1.0, seed: int | None = None) -> tf.Tensor:
        """Draws inputs of given classes, their codes from the priors.

        Args:
            label: int, or int array [n]; each in [0, num_classes).
            temperature: float >= 0, factor on the standard deviations of the priors. Defaults
                to 1.
            seed: int; the same seed gives the same images. Defaults to the model's own generator,
                which gives new ones each time.

        Returns:
            float32 tensor [n, *shape]; images in [-1, 1].

        Raises:
            ValueError: if a label is not an integer in [0, num_classes) or the temperature is
                negative.
        """
        label = self._checked_label(label)
        if not temperature >= 0.0:
            raise ValueError(f"temperature is {temperature}; give 0 or more.")
        pair = self.seed_generator.next() if seed is None else [seed, 0]
        label, pair = tf.cast(label, tf.int32), tf.cast(pair, tf.int32)
        return self._generate(label, pair, tf.cast(temperature, tf.float32))

    @tf.function(reduce_retracing=True)
    def _generate(self, label, seed, temperature):
        codes = self._draw_codes(label, tf.unstack(tf.random.split(seed, 2)), temperature)
        return self.decoder(codes, training=False)

    def _checked_label(self, label):
        label = np.atleast_1d(np.asarray(label))
        if label.ndim != 1 or not np.issubdtype(label.dtype, np.integer):
            raise ValueError(
                f"label has dtype {label.dtype} and shape {label.shape}; give integers."
            )
        outside = label[(label < 0) | (label >= self.num_classes)]
        if outside.size:
            raise ValueError(
                f"label {outside[0]} is outside [0, {self.num_classes}): the model knows "
                f"{self.num_classes} classes."
            )
        return label

    @staticmethod
    def _checked(name, value, shape):
        if isinstance(value, numbers.Number) or np.shape(value)[1:] != shape:
            raise ValueError(
                f"{name} has shape {tuple(np.shape(value))}; give [batch, "
                f"{', '.join(map(str, shape))}]."
            )
        return tf.cast(value, tf.float32)

    # Saving.

    def build(self, input_shape=None) -> None:
        """Does nothing: the networks are built when the model is made."""

    def _maybe_symbolic_build(self, iterator=None, data_batch=None):
        """Does nothing: Keras would call the model on a mean over devices of a batch and label."""

    def save_own_variables(self, store):
        store["epochs_trained"] = self.epochs_trained.numpy()
        store["batches_trained"] = self.batches_trained.numpy()
        store["training_steps"] = self.training_steps.numpy()
        store["seed"] = self.seed_generator.state.numpy()

    def load_own_variables(self, store):
        self.epochs_trained.assign(store["epochs_trained"])
        self.batches_trained.assign(store["batches_trained"])
        self.training_steps.assign(store["training_steps"])
        self.seed_generator.state.assign(store["seed"])

    def get_config(self):
        networks = {
            name: keras.saving.serialize_keras_object(network)
            for name, network in self.networks().items()
        }
        return (
            super().get_config()
            | networks
            | {
                "shape": self.sample_shape,
                "num_classes": self.num_classes,
                "preset": self.preset,
                "recipe": recipe_config(self.recipe),
                "loss_weights": dict(self.loss_weights),
                "n_gm": self.n_gm,
                "training_steps": int(self.training_steps.numpy()),
                "seed": self.seed,
            }
        )

    @classmethod
    def from_config(cls, config):
        serialised = {
            name: keras.saving.deserialize_keras_object(value)
            for name, value in config.items()
            if isinstance(value, dict) and "class_name" in value and name != "dtype"
        }
        return cls(**config | serialised)


def _sums_over_replicas(sums, counts):
    """Adds up over replicas, the gradient staying that of this replica's own sums."""
    own = tf.stop_gradient(tf.stack(sums))
    replica = tf.distribute.get_replica_context()
    added, counts = replica.all_reduce(tf.distribute.ReduceOp.SUM, [own, tf.stack(counts)])
    others = tf.unstack(added - own)
    return [mine + more for mine, more in zip(sums, others, strict=True)], tf.unstack(counts)


def _cosine(way):
    """The factor on a learning rate that has gone so far, from 0 to 1, on its way down."""
    turn = 0.5 * (1.0 + tf.cos(math.pi * tf.clip_by_value(way, 0.0, 1.0)))
    return LEAST_RATE + (1.0 - LEAST_RATE) * turn


def _learning_rate(optimizer):
    """The rate that an optimiser begins with; None for a schedule of the user's own."""
    config = optimizer.get_config()
    rate = config.get("inner_optimizer", {}).get("config", config)["learning_rate"]
    return rate if isinstance(rate, float) else None
