"""The variational autoencoder with a label-relevant and a label-irrelevant code."""

import collections
import numbers

import keras
import numpy as np
import tensorflow as tf

from dvae_tf import losses
from dvae_tf.models.recipes import recipe as recipe_by_name
from dvae_tf.networks.presets import preset as preset_by_name
from dvae_tf.networks.presets import seeded_initializers
from dvae_tf.priors import GaussianMixturePrior, draw, gaussian, noise, standard_normal

Codes = collections.namedtuple("Codes", ["z_s", "z_u_mean", "z_u_stddev"])

# The column "trains" of the method: which losses reach which group of weights, and no other.
# L_GM, on every batch.
MIXTURE_OBJECTIVES = {
    "encoder_s": ("classification", "likelihood"),
    "prior_means": ("classification", "likelihood"),
    "prior_variances": ("classification", "likelihood"),
}
# Everything else, on every n_gm-th batch.
JOINT_OBJECTIVES = {
    "encoder_s": ("reconstruction", "joint_likelihood"),
    "encoder_u": ("reconstruction", "kl", "latent_confusion"),
    "decoder": ("reconstruction",),
    "latent_classifier": ("latent_classification",),
}

TRACKED_LOSSES = (
    "classification",
    "likelihood",
    "reconstruction",
    "kl",
    "latent_classification",
    "latent_confusion",
)

TEST_SEED = (0, 0)


@keras.saving.register_keras_serializable("dvae_tf")
class DisentangledVAE(keras.Model):
    """Splits what a label explains from what it does not: Lr-LiVAE of Zheng & Sun (CVPR 2019).

    One labelled input gets two codes: z_s, label relevant, with a Gaussian mixture as prior, one
    component a class; and z_u, label irrelevant, with a standard normal prior. A decoder puts
    them together and a classifier works against the class in z_u.

    The model is ready to fit when made: `compile` need not be called. An epoch of `fit` goes once
    through the dataset and counts its batches as steps. Every batch trains E_S and the mixture on
    L_GM; every `n_gm`-th batch, counted across epochs, trains everything else as well. So three
    batches are one iteration of the published recipe (n_gm = 3), and 320,000 published iterations
    are 960,000 steps of `fit`.

    `fit` and `evaluate` report these means over the examples (validation with the prefix `val_`):
    `loss` (L_GM + the weighted L_rec and L_kl: what the autoencoder minimises, without the
    adversaries), `accuracy` (of the mixture posterior p(c | z_s)), `classification`,
    `likelihood`, `reconstruction`, `kl`, `latent_classification`, `latent_confusion`. Evaluation
    draws the same noise every time.

    Args:
        shape: sequence of int, the shape of one input: (height, width, channels) of square images
            of 8 to 128 pixels in [-1, 1], or of any other tensor, such as (features,).
        num_classes: int, number of classes C.
        preset: str, the family of networks: "toy", "compact" or "paper" (see
            `dvae_tf.networks.preset`). Defaults to "compact".
        recipe: str, the training recipe. Defaults to "paper".
        loss_weights: dict of loss name to float, in place of some of the recipe's. "paper" has
            classification 1, likelihood 0.1, reconstruction 10, kl 1, latent_classification 1,
            latent_confusion 1.
        n_gm: int, steps on L_GM for one step on everything. Defaults to the recipe's, 3.
        margin: float, the margin alpha of L_cls. Defaults to the recipe's, 0.
        variance_decay_epochs: int, epochs after which the learning rate of the mixture's variances
            falls tenfold, again and again. Defaults to the recipe's, 10. Where ten epochs have far
            fewer steps than the published 6,250 (MNIST), the variances freeze near their start
            and samples of neighbouring classes overlap: give more.
        latent_dim_s, latent_dim_u: int, sizes of z_s and z_u. Default to the preset's.
        encoder_s: keras.Model, x -> z_s [batch, latent_dim_s], in place of the preset's.
        encoder_u: keras.Model, x -> (mean, stddev), each [batch, latent_dim_u], stddev positive.
        decoder: keras.Model, [batch, latent_dim_s + latent_dim_u] -> [batch, *shape].
        latent_classifier: keras.Model, z_u -> logits [batch, num_classes].
        seed: int, of the initial weights and of all noise. Defaults to 0.

    Raises:
        ValueError: if a name is unknown, a shape does not fit the preset, or a given network's
            output does not fit.

    Example:

    >>> model = DisentangledVAE(shape=(2,), num_classes=3, preset="toy")
    >>> x, label = np.zeros((6, 2), "float32"), np.array([0, 1, 2, 0, 1, 2])
    >>> history = model.fit(x, label, verbose=0)
    >>> model.generate([0, 1, 2], seed=0).shape
    TensorShape([3, 2])
    """

    def __init__(
        self,
        shape,
        num_classes,
        preset="compact",
        recipe="paper",
        loss_weights=None,
        n_gm=None,
        margin=None,
        variance_decay_epochs=None,
        latent_dim_s=None,
        latent_dim_u=None,
        encoder_s=None,
        encoder_u=None,
        decoder=None,
        latent_classifier=None,
        seed=0,
        **kwargs,
    ):
        super().__init__(**kwargs)
        self.sample_shape = tuple(int(side) for side in shape)
        self.num_classes = int(num_classes)
        if self.num_classes < 2:
            raise ValueError(f"num_classes is {num_classes}; there must be at least 2 classes.")
        self.preset = preset
        self.seed = seed
        self._follow_recipe(recipe, loss_weights or {}, n_gm, margin, variance_decay_epochs)
        with seeded_initializers(seed):
            self._make_encoders(encoder_s, encoder_u, latent_dim_s, latent_dim_u)
            self._make_decoder_and_classifier(decoder, latent_classifier)
        self._network_names = ["encoder_s", "encoder_u", "decoder", "latent_classifier"]
        self.seed_generator = keras.random.SeedGenerator(seed)
        self.epochs_trained = self.add_weight(
            name="epochs_trained", shape=(), dtype="int32", initializer="zeros", trainable=False
        )
        self.built = True
        self._trackers = {}
        self._add_trackers("accuracy", *TRACKED_LOSSES)
        self.compile()

    def _follow_recipe(self, recipe, loss_weights, n_gm, margin, variance_decay_epochs):
        defaults = recipe_by_name(recipe)
        unknown = sorted(set(loss_weights) - set(defaults.weights))
        if unknown:
            known = ", ".join(defaults.weights)
            raise ValueError(f"No loss is called {unknown[0]!r}; there are {known}.")
        self.recipe = recipe
        self.loss_weights = dict(defaults.weights) | {
            name: float(weight) for name, weight in loss_weights.items()
        }
        self.n_gm = defaults.n_gm if n_gm is None else n_gm
        if self.n_gm < 1:
            raise ValueError(f"n_gm is {self.n_gm}; there must be at least 1 step on L_GM.")
        self.margin = defaults.margin if margin is None else margin
        self.variance_decay_epochs = variance_decay_epochs or defaults.variance_decay_epochs

    def _family(self):
        return preset_by_name(self.preset, self.sample_shape)

    def _make_encoders(self, encoder_s, encoder_u, latent_dim_s, latent_dim_u):
        """Takes the user's encoders or makes the preset's, and the prior that fits."""
        x = keras.KerasTensor((None, *self.sample_shape), dtype="float32")
        self.encoder_s = encoder_s or self._family().encoder_s(self.sample_shape, latent_dim_s)
        self.encoder_u = encoder_u or self._family().encoder_u(self.sample_shape, latent_dim_u)
        z_s = self.encoder_s(x)
        mean, stddev = self.encoder_u(x)
        self.latent_dim_s, self.latent_dim_u = z_s.shape[-1], mean.shape[-1]
        self._expect("encoder_s", z_s, (latent_dim_s or self.latent_dim_s,))
        self._expect("encoder_u (mean)", mean, (latent_dim_u or self.latent_dim_u,))
        self._expect("encoder_u (stddev)", stddev, (self.latent_dim_u,))
        self.prior_s = GaussianMixturePrior(self.num_classes, self.latent_dim_s, name="prior_s")

    def _make_decoder_and_classifier(self, decoder, latent_classifier):
        """Takes the user's networks or makes the preset's."""
        z_u = keras.KerasTensor((None, self.latent_dim_u), dtype="float32")
        z = keras.KerasTensor((None, self.latent_dim_s + self.latent_dim_u), dtype="float32")
        self.decoder = decoder or self._family().decoder(self.sample_shape)
        self.latent_classifier = latent_classifier or self._family().latent_classifier(
            self.num_classes
        )
        self._expect("decoder", self.decoder(z), self.sample_shape)
        self._expect("latent_classifier", self.latent_classifier(z_u), (self.num_classes,))

    @staticmethod
    def _expect(name, output, shape):
        if tuple(output.shape[1:]) != shape:
            raise ValueError(
                f"{name} gives an output of shape {tuple(output.shape[1:])}, but {shape} is "
                "needed. Change the network, or latent_dim_s, latent_dim_u, shape or num_classes."
            )

    # Training.

    def networks(self):
        """The networks of the model.

        Returns:
            dict of constructor argument (such as "encoder_s") to keras.Model.
        """
        return {name: getattr(self, name) for name in self._network_names}

    @property
    def joint_objectives(self):
        """Which losses train which groups of weights in the joint step: {groups: losses}."""
        return JOINT_OBJECTIVES

    def weight_groups(self):
        """The groups of weights, each with an optimiser of its own.

        Returns:
            dict of group name to list of trainable variables.
        """
        return {
            **{name: net.trainable_variables for name, net in self.networks().items()},
            "prior_means": [self.prior_s.means],
            "prior_variances": [self.prior_s.raw_variances],
        }

    def compile(self, optimizer=None, jit_compile="auto", run_eagerly=False, **kwargs):
        """Sets the optimisers; called once with the defaults when the model is made.

        Args:
            optimizer: keras.optimizers.Optimizer, or the name of one, whose settings each group of
                weights gets its own copy of; or dict of group name to optimiser for all groups of
                `weight_groups`.
                Defaults to the recipe's Adam (5e-4, beta_1 = 0, beta_2 = 0.9).
            jit_compile: bool or "auto", whether XLA compiles the step. Defaults to "auto": where a
                GPU is present. (On CPUs XLA's convolutions are several times slower.)
            run_eagerly: bool, for debugging. Defaults to False.
            **kwargs: `steps_per_execution` and others of `keras.Model.compile`.

        Raises:
            ValueError: if a dict of optimisers lacks a group or has one too many.
        """
        groups = self.weight_groups()
        if optimizer is None:
            adam = recipe_by_name(self.recipe)
            optimizer = keras.optimizers.Adam(adam.learning_rate, adam.beta_1, adam.beta_2)
        if not isinstance(optimizer, dict):
            optimizer = keras.optimizers.get(optimizer)
            optimizer = {
                name: type(optimizer).from_config(optimizer.get_config()) for name in groups
            }
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
        config = optimizer["prior_variances"].get_config()
        rate = config.get("inner_optimizer", {}).get("config", config)["learning_rate"]
        # A schedule of the user's own is left alone.
        self._variance_learning_rate = rate if isinstance(rate, float) else None

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
            "jit_compile": self._jit_choice,
            "steps_per_execution": self.steps_per_execution,
            "variance_learning_rate": self._variance_learning_rate,
        }

    def compile_from_config(self, config):
        rate = config.pop("variance_learning_rate")
        optimizers = {
            name: keras.saving.deserialize_keras_object(single)
            for name, single in config.pop("optimizer").items()
        }
        self.compile(optimizers, **config)
        self._variance_learning_rate = rate

    def fit(self, *args, callbacks=None, **kwargs):
        """`keras.Model.fit`, with the recipe's decay of the variances' learning rate.

        Args:
            *args, **kwargs: of `keras.Model.fit`; a dataset of (x, label) batches, x float32,
                label int in [0, C), is all it needs.
            callbacks: list of keras.callbacks.Callback.

        Returns:
            keras.callbacks.History.
        """
        epoch_count = keras.callbacks.LambdaCallback(
            on_epoch_begin=lambda epoch, logs: self._decay_variance_learning_rate(),
            on_epoch_end=lambda epoch, logs: self.epochs_trained.assign_add(1),
        )
        if isinstance(args[0] if args else kwargs.get("x"), tf.data.Dataset):
            kwargs["shuffle"] = False  # A dataset has its own order; Keras warns otherwise.
        return super().fit(*args, callbacks=[epoch_count, callbacks or []], **kwargs)

    def _decay_variance_learning_rate(self):
        if self._variance_learning_rate is None:
            return
        decays = int(self.epochs_trained) // self.variance_decay_epochs
        self.optimizers["prior_variances"].learning_rate = (
            self._variance_learning_rate * 0.1**decays
        )

    def train_step(self, data):
        """One step of `fit`: always L_GM, and everything else on every n_gm-th batch.

        Args:
            data: (x, label).

        Returns:
            dict of metric name to float tensor, means since the epoch began.
        """
        x, label = self._unpack(data)
        batches = tf.convert_to_tensor(self.optimizers["prior_means"].iterations)
        self._mixture_step(x, label)
        if self.n_gm == 1:
            self._joint_step(x, label)
        else:
            last = tf.equal(batches % self.n_gm, self.n_gm - 1)
            tf.cond(last, lambda: self._joint_step(x, label), lambda: None)
        return self.get_metrics_result()

    def test_step(self, data):
        """One step of `evaluate`: all losses, no training, the same noise every time.

        Args:
            data: (x, label).

        Returns:
            dict of metric name to float tensor, means since the evaluation began.
        """
        x, label = self._unpack(data)
        z_s = self.encoder_s(x, training=False)
        self._track(self._mixture_losses(z_s, label))
        self._track(self._joint_losses(x, label, z_s, TEST_SEED, training=False))
        return self.get_metrics_result()

    @staticmethod
    def _unpack(data):
        x, label, more = keras.utils.unpack_x_y_sample_weight(data)
        if label is None or more is not None:
            came = "only x" if label is None else "a third element (sample weights or factors)"
            raise ValueError(f"The batches hold {came}; give (x, label), one label an example.")
        if x.dtype.is_integer:
            raise ValueError(
                f"x has dtype {x.dtype.name}; give floats, images in [-1, 1], as "
                "dvae_tf.data.from_arrays does."
            )
        return tf.cast(x, tf.float32), tf.reshape(tf.cast(label, tf.int32), [-1])

    def _mixture_step(self, x, label):
        with tf.GradientTape(persistent=True) as tape:
            values = self._mixture_losses(self.encoder_s(x, training=True), label)
            totals = self._totals(values, MIXTURE_OBJECTIVES)
        self._apply_gradients(tape, totals)
        self._track(values)

    def _joint_step(self, x, label):
        seed = tf.cast(self.seed_generator.next(), tf.int32)
        with tf.GradientTape(persistent=True) as tape:
            z_s = self.encoder_s(x, training=True)
            values = self._joint_losses(x, label, z_s, seed, training=True)
            totals = self._totals(values, self.joint_objectives)
        self._apply_gradients(tape, totals)
        self._track(values)

    def _mixture_losses(self, z_s, label):
        log_prob = self.prior_s.log_prob(z_s)
        distance = self.prior_s.mahalanobis(z_s, label) if self.margin else None
        hits = tf.equal(tf.argmax(log_prob, axis=-1, output_type=tf.int32), label)
        return {
            "classification": losses.classification(log_prob, label, distance, self.margin),
            "likelihood": losses.likelihood(log_prob, label),
            "accuracy": tf.cast(hits, tf.float32),
        }

    def _joint_losses(self, x, label, z_s, seed, training):
        posterior = gaussian(*self.encoder_u(x, training=training))
        z_u = draw(posterior, seed)
        logits = self.latent_classifier(z_u, training=training)
        decoded, adversarial = self._decode_and_judge(x, label, z_s, z_u, seed, training)
        own_class = self.prior_s.component(label)
        return adversarial | {
            "reconstruction": losses.reconstruction(x, decoded),
            "joint_likelihood": -own_class.log_prob(z_s),
            "kl": losses.kl(posterior, standard_normal(self.latent_dim_u)),
            "latent_classification": losses.latent_classification(logits, label),
            "latent_confusion": losses.latent_confusion(logits),
        }

    def _decode_and_judge(self, x, label, z_s, z_u, seed, training):
        """Decodes the codes; a model with a discriminator adds its losses here.

        Returns:
            (tensor [batch, *shape], dict of loss name to tensor [batch]).
        """
        return self.decoder(tf.concat([z_s, z_u], axis=-1), training=training), {}

    def _totals(self, values, objectives):
        """What each group of weights minimises: {group: weighted sum of its losses' means}."""
        weights = self.loss_weights | {
            "joint_likelihood": self.loss_weights["reconstruction"]
            * self.loss_weights["likelihood"]
        }
        return {
            group: self.optimizers[group].scale_loss(
                tf.add_n([weights[name] * tf.reduce_mean(values[name]) for name in names])
            )
            for group, names in objectives.items()
        }

    def _apply_gradients(self, tape, totals):
        groups = self.weight_groups()
        gradients = {group: tape.gradient(total, groups[group]) for group, total in totals.items()}
        for group, gradient in gradients.items():
            self.optimizers[group].apply(gradient, groups[group])

    def _add_trackers(self, *names):
        self._trackers.update({name: keras.metrics.Mean(name=name) for name in names})

    def _track(self, values):
        for name, tracker in self._trackers.items():
            if name in values:
                tracker.update_state(values[name])

    @property
    def metrics(self):
        return list(self._trackers.values())

    def get_metrics_result(self):
        means = {name: tracker.result() for name, tracker in self._trackers.items()}
        named = ("classification", "likelihood", "reconstruction", "kl")
        loss = tf.add_n([self.loss_weights[name] * means[name] for name in named])
        return {"loss": loss, **means}

    # Use.

    def call(self, inputs, training=False):
        """Reconstructs x from z_s and the mean of q(z_u | x); `predict` gives the same.

        Args:
            inputs: float tensor [batch, *shape].
            training: bool, whether batch normalisation uses the batch. Defaults to False.

        Returns:
            float32 tensor [batch, *shape].
        """
        z_s = self.encoder_s(inputs, training=training)
        z_u, _ = self.encoder_u(inputs, training=training)
        return self.decoder(tf.concat([z_s, z_u], axis=-1), training=training)

    def encode(self, x):
        """Splits inputs into their codes.

        Args:
            x: float array [batch, *shape]; images in [-1, 1].

        Returns:
            Codes(z_s [batch, latent_dim_s], z_u_mean and z_u_stddev [batch, latent_dim_u]).

        Raises:
            ValueError: if the shape does not fit.
        """
        return self._encode(self._checked("x", x, self.sample_shape))

    def decode(self, z_s, z_u):
        """Puts codes together.

        Args:
            z_s: float array [batch, latent_dim_s].
            z_u: float array [batch, latent_dim_u].

        Returns:
            float32 tensor [batch, *shape]; images in [-1, 1].

        Raises:
            ValueError: if a shape does not fit.
        """
        return self._decode(
            self._checked("z_s", z_s, (self.latent_dim_s,)),
            self._checked("z_u", z_u, (self.latent_dim_u,)),
        )

    def generate(self, label, temperature=1.0, seed=None):
        """Draws inputs of given classes: z_s from the class's component, z_u from N(0, I).

        Args:
            label: int, or int array [n]; each in [0, num_classes).
            temperature: float >= 0, factor on the standard deviations of both. Defaults to 1.
            seed: int; the same seed gives the same images. Defaults to the model's own generator,
                which gives new ones each time.

        Returns:
            float32 tensor [n, *shape]; images in [-1, 1].

        Raises:
            ValueError: if a label is not an integer in [0, num_classes) or the temperature is
                negative.
        """
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
        if not temperature >= 0.0:
            raise ValueError(f"temperature is {temperature}; give 0 or more.")
        seed = self.seed_generator.next() if seed is None else [seed, 0]
        label, seed = tf.cast(label, tf.int32), tf.cast(seed, tf.int32)
        return self._generate(label, seed, tf.cast(temperature, tf.float32))

    def classify(self, x):
        """The class posterior of the mixture, p(c | z_s).

        Args:
            x: float array [batch, *shape]; images in [-1, 1].

        Returns:
            float32 tensor [batch, num_classes], probabilities.

        Raises:
            ValueError: if the shape does not fit.
        """
        return self._classify(self._checked("x", x, self.sample_shape))

    @staticmethod
    def _checked(name, value, shape):
        if isinstance(value, numbers.Number) or np.shape(value)[1:] != shape:
            raise ValueError(
                f"{name} has shape {tuple(np.shape(value))}; give [batch, "
                f"{', '.join(map(str, shape))}]."
            )
        return tf.cast(value, tf.float32)

    @tf.function(reduce_retracing=True)
    def _encode(self, x):
        return Codes(self.encoder_s(x, training=False), *self.encoder_u(x, training=False))

    @tf.function(reduce_retracing=True)
    def _decode(self, z_s, z_u):
        return self.decoder(tf.concat([z_s, z_u], axis=-1), training=False)

    @tf.function(reduce_retracing=True)
    def _generate(self, label, seed, temperature):
        seed_s, seed_u = tf.unstack(tf.random.split(seed, 2))
        z_s = self.prior_s.sample(label, seed_s, temperature)
        z_u = temperature * noise((tf.size(label), self.latent_dim_u), seed_u)
        return self._decode(z_s, z_u)

    @tf.function(reduce_retracing=True)
    def _classify(self, x):
        return self.prior_s.posterior(self.encoder_s(x, training=False)).probs_parameter()

    # Saving.

    def build(self, input_shape=None):
        """Does nothing: the networks are built when the model is made."""

    def save_own_variables(self, store):
        store["epochs_trained"] = self.epochs_trained.numpy()
        store["seed"] = self.seed_generator.state.numpy()

    def load_own_variables(self, store):
        self.epochs_trained.assign(store["epochs_trained"])
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
                "recipe": self.recipe,
                "loss_weights": dict(self.loss_weights),
                "n_gm": self.n_gm,
                "margin": self.margin,
                "variance_decay_epochs": self.variance_decay_epochs,
                "latent_dim_s": self.latent_dim_s,
                "latent_dim_u": self.latent_dim_u,
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
