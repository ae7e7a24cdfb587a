"""The variational autoencoder with a label-relevant and a label-irrelevant code."""

import collections
import math
from collections.abc import Sequence

import keras
import numpy.typing as npt
import tensorflow as tf

from dvae_tf import losses
from dvae_tf.models.augmentation import shifted
from dvae_tf.models.base import ClassConditionalModel
from dvae_tf.models.code_memory import CodeMemory
from dvae_tf.networks.presets import seeded_initializers
from dvae_tf.priors import GaussianMixturePrior, draw, gaussian, noise, standard_normal

Codes = collections.namedtuple("Codes", ["z_s", "z_u_mean", "z_u_stddev"])

# The flow settles on so many codes a step, out of so many of the latest.
SETTLING_CODES = 1024
REMEMBERED_CODES = 16384
# Tells the noise of z_s from that of z_u, drawn from the same seed.
SEED_OF_Z_S = 1

# The column "trains" of the method: which losses reach which group of weights, and no other.
# Groups named together share a pass backwards: no loss of one but reaches the others as well, or
# not at all. L_GM, on every batch.
MIXTURE_OBJECTIVES = {
    ("encoder_s", "prior_means", "prior_variances"): ("classification", "likelihood"),
}
# Everything else, on every n_gm-th batch.
JOINT_OBJECTIVES = {
    "decoder": ("reconstruction",),
    "latent_classifier": ("latent_classification",),
}
OF_ENCODER_U = ("reconstruction", "kl", "latent_confusion")
# Where z_s is E_S's output, and where it is bounded to its component.
PUBLISHED_OBJECTIVES = {("encoder_s", "encoder_u"): (*OF_ENCODER_U, "joint_likelihood")}
BOUNDED_OBJECTIVES = {
    "encoder_u": OF_ENCODER_U,
    ("prior_means", "prior_variances"): ("separation",),
}
REPORTED_WHERE_TRAINED = ("separation", "flow_likelihood")
TRACKED_LOSSES = (
    "classification",
    "likelihood",
    "reconstruction",
    "kl",
    "latent_classification",
    "latent_confusion",
)


@keras.saving.register_keras_serializable("dvae_tf")
class DisentangledVAE(ClassConditionalModel):
    """Splits what a label explains from what it does not, after Zheng & Sun (CVPR 2019).

    One labelled input gets two codes: z_s, label relevant, with a Gaussian mixture as prior, one
    component a class; and z_u, label irrelevant, with a standard normal prior. A decoder puts
    them together and a classifier works against the class in z_u.

    Two recipes train it. "paper" is Lr-LiVAE as published. With "balanced" z_s is the mean of a
    component, so that it carries the class and nothing else; and z_u = T(E_U(x); z_s), where the
    flow T carries the codes of every class onto N(0, I), so that nothing in z_u tells the class.
    The decoder undoes the flow. See docs/disentanglement.md.

    Not every input needs a label: with -1 in its place an input adds its density under the whole
    mixture to L_GM, the decoder takes the class that z_s names, and what needs the label itself
    is left to the others.

    The model is ready to fit when made: `compile` need not be called. An epoch of `fit` goes once
    through the dataset and counts its batches as steps. Every batch trains E_S and the mixture on
    L_GM; every `n_gm`-th batch, counted across epochs, trains everything else as well. So three
    batches are one iteration of the published recipe (n_gm = 3), and 320,000 published iterations
    are 960,000 steps of `fit`. With "balanced" the learning rates fall over the training, and in
    the last part of it the flow alone is trained.

    `fit` and `evaluate` report these means over the examples (validation with the prefix `val_`):
    `loss` (L_GM + the weighted L_rec and L_kl: what the autoencoder minimises, without the
    adversaries), `accuracy` (of the mixture posterior p(c | z_s)), `classification`,
    `likelihood`, `reconstruction`, `kl`, `latent_classification`, `latent_confusion`; "balanced"
    adds `separation` and `flow_likelihood`. Evaluation draws the same noise every time.

    Args:
        shape: sequence of int, the shape of one input: (height, width, channels) of square images
            of 8 to 128 pixels in [-1, 1], or of any other tensor, such as (features,).
        num_classes: int, number of classes C.
        preset: str, the family of networks: "toy", "compact" or "paper" (see
            `dvae_tf.networks.preset`). Defaults to "compact".
        recipe: str or dvae_tf.models.Recipe, the training recipe. Defaults to "balanced".
        loss_weights: dict of loss name to float, or to the sequence of floats of a schedule, in
            place of some of the recipe's; see `dvae_tf.models.Recipe` and `RECIPES`.
        n_gm: int, steps on L_GM for one step on everything. Defaults to the recipe's: 1, and 3 for
            "paper".
        margin: float, the margin alpha of L_cls. Defaults to the recipe's, 0.
        variance_decay_epochs: int, epochs after which the learning rate of the mixture's variances
            falls tenfold, again and again. Defaults to the recipe's: never, and 10 for "paper".
            Where ten epochs have far fewer steps than the published 6,250 (MNIST), the variances
            freeze near their start and samples of neighbouring classes overlap: give more.
        training_steps: int, the batches of the whole training, over which "balanced" lets learning
            rates fall. Defaults to those of the first call of `fit`.
        latent_dim_s, latent_dim_u: int, sizes of z_s and z_u. Default to the preset's.
        encoder_s: keras.Model, x -> z_s [batch, latent_dim_s], in place of the preset's.
        encoder_u: keras.Model, x -> (mean, stddev), each [batch, latent_dim_u], stddev positive.
        decoder: keras.Model, [batch, latent_dim_s + latent_dim_u] -> [batch, *shape].
        latent_classifier: keras.Model, z_u -> logits [batch, num_classes].
        flow: keras.Model such as `dvae_tf.networks.ConditionalFlow`, where the recipe has one.
        seed: int, of the initial weights and of all noise. Defaults to 0.

    Raises:
        ValueError: if a name is unknown, a shape does not fit the preset, or a given network's
            output does not fit.

    Examples:
        >>> model = DisentangledVAE(shape=(2,), num_classes=3, preset="toy")
        >>> history = model.fit(tf.zeros((6, 2)), tf.constant([0, 1, 2, 0, 1, 2]), verbose=0)
        >>> model.generate([0, 1, 2], seed=0).shape
        TensorShape([3, 2])
    """

    def __init__(
        self,
        shape: Sequence[int],
        num_classes: int,
        preset: str = "compact",
        recipe: str = "balanced",
        loss_weights: dict | None = None,
        n_gm: int | None = None,
        margin: float | None = None,
        variance_decay_epochs: int | None = None,
        training_steps: int | None = None,
        latent_dim_s: int | None = None,
        latent_dim_u: int | None = None,
        encoder_s: keras.Model | None = None,
        encoder_u: keras.Model | None = None,
        decoder: keras.Model | None = None,
        latent_classifier: keras.Model | None = None,
        flow: keras.Model | None = None,
        seed: int = 0,
        **kwargs,
    ):
        super().__init__(
            shape, num_classes, preset, recipe, loss_weights, n_gm, training_steps, seed, **kwargs
        )
        self._expect_sizes(
            latent_dim_s=latent_dim_s,
            latent_dim_u=latent_dim_u,
            variance_decay_epochs=variance_decay_epochs,
        )
        self.margin = self.rules.margin if margin is None else margin
        self.variance_decay_epochs = variance_decay_epochs or self.rules.variance_decay_epochs
        with seeded_initializers(seed):
            self._make_encoders(encoder_s, encoder_u, latent_dim_s, latent_dim_u)
            self._make_decoder_and_classifier(decoder, latent_classifier)
            self._make_flow(flow)
        networks = ["encoder_s", "encoder_u", "decoder", "latent_classifier"]
        if self.flow is not None:
            networks.append("flow")
        reported = [name for names in self.joint_objectives.values() for name in names]
        more = [name for name in REPORTED_WHERE_TRAINED if name in reported]
        self._complete(networks, ("accuracy", *TRACKED_LOSSES, *more))

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

    def _make_flow(self, flow):
        """Takes the user's flow or makes one, where the recipe has one."""
        self.flow = None
        if self.rules.flow:
            sizes = self.latent_dim_u, self.latent_dim_s
            self.flow = flow or self._family().flow(*sizes, seed=self.seed)
        if self._settling():
            width = 2 * self.latent_dim_u + self.latent_dim_s
            self.memory = CodeMemory(REMEMBERED_CODES, width, name="memory")

    # Training.

    @property
    def batch_objectives(self):
        """Which losses train which groups of weights on every batch: {group: losses}."""
        return MIXTURE_OBJECTIVES

    @property
    def joint_objectives(self):
        """Which losses train which groups of weights in the joint step: {group: losses}."""
        of_s = BOUNDED_OBJECTIVES if self.rules.bounded else PUBLISHED_OBJECTIVES
        return JOINT_OBJECTIVES | of_s | self.settled_objectives

    @property
    def settled_objectives(self):
        """Which losses train which groups at the end, all else fixed: {group: losses}."""
        return {} if self.flow is None else {"flow": ("flow_likelihood",)}

    of_labelled = ("accuracy", "classification", "latent_classification")
    minimised = ("classification", "likelihood", "reconstruction", "kl")

    def weight_groups(self) -> dict:
        """The groups of weights, each with an optimiser of its own.

        Returns:
            dict of group name to list of trainable variables.
        """
        return super().weight_groups() | {
            "prior_means": [self.prior_s.means],
            "prior_variances": [self.prior_s.raw_variances],
        }

    def _begin_epoch(self):
        """Lets the learning rate of the variances fall, as the recipe says; forgets old codes."""
        super()._begin_epoch()
        if self._settling():
            self.memory.clear()
        rate = self._first_rates["prior_variances"]
        if rate is not None and self.variance_decay_epochs:
            decays = int(self.epochs_trained.numpy()) // self.variance_decay_epochs
            self.optimizers["prior_variances"].learning_rate = rate * 0.1**decays

    def _weight(self, loss):
        if loss == "joint_likelihood":
            return super()._weight("reconstruction") * super()._weight("likelihood")
        return super()._weight(loss)

    def _batch_losses(self, x, label, training):
        if training and self.rules.shift and len(self.sample_shape) == 3:
            seed = self._next_seed()
            x = shifted(x, self.rules.shift, seed)
        z_s = self.encoder_s(x, training=training)
        log_prob, position = self._log_prob(z_s, label, training)
        distance = self.prior_s.mahalanobis(z_s, tf.maximum(label, 0)) if self.margin else None
        hits = tf.equal(tf.argmax(log_prob, axis=-1, output_type=tf.int32), position)
        drawn_from = math.log(self.num_classes / log_prob.shape[-1])
        return {
            "classification": losses.classification(log_prob, position, distance, self.margin),
            "likelihood": tf.where(
                label >= 0,
                losses.likelihood(log_prob, position),
                losses.marginal_likelihood(log_prob) + drawn_from,
            ),
            "accuracy": tf.cast(hits, tf.float32),
        }

    def _log_prob(self, z_s, label, training):
        """The log-densities that a step compares, and where among them the label's stands."""
        count = min(self.rules.sampled_classes, self.num_classes)
        if not (training and count):
            return self.prior_s.log_prob(z_s), tf.maximum(label, 0)
        return self.prior_s.sampled_log_prob(z_s, label, count, self._next_seed())

    def _assumed(self, x, label):
        """The labels, and where one is missing (-1) the class that z_s names."""

        def named():
            log_prob = self.prior_s.log_prob(self.encoder_s(x, training=False))
            guess = tf.argmax(log_prob, axis=-1, output_type=tf.int32)
            return tf.where(label < 0, guess, label)

        return tf.cond(tf.reduce_any(label < 0), named, lambda: label)

    def _joint_losses(self, x, label, seed, training):
        label = self._assumed(x, label)
        z_s, of_z_s = self._learning_z_s(x, label, seed, training)
        code, of_code = self._learning_code(x, z_s, seed, training)
        logits = self.latent_classifier(code, training=training)
        z = tf.concat([z_s, code], axis=-1)
        decoded, adversarial = self._decode_and_judge(x, label, z, seed, training)
        return {
            **of_z_s,
            **of_code,
            **adversarial,
            "reconstruction": losses.reconstruction(x, decoded),
            "latent_classification": losses.latent_classification(logits, label),
            "latent_confusion": losses.latent_confusion(logits),
        }

    def _learning_z_s(self, x, label, seed, training):
        """The z_s that the decoder learns from, and the losses of it."""
        if not self.rules.bounded:
            z_s = self.encoder_s(x, training=training)
            return z_s, {"joint_likelihood": -self.prior_s.component(label).log_prob(z_s)}
        seed = tf.random.fold_in(seed, SEED_OF_Z_S, alg="philox")
        z_s = self.prior_s.sample(label, seed)
        # L_cls of the component's own draws: small where the components do not overlap.
        separation = losses.classification(*self._log_prob(z_s, label, training))
        return tf.stop_gradient(z_s), {"separation": separation}

    def _learning_code(self, x, z_s, seed, training):
        """The code of x that the decoder learns from, and the losses of it."""
        mean, stddev = self.encoder_u(x, training=training)
        if self.flow is None:
            posterior = gaussian(mean, stddev)
            kl = losses.kl(posterior, standard_normal(self.latent_dim_u))
            return draw(posterior, seed), {"kl": kl}
        posterior = gaussian(self.flow(mean, z_s)[0], stddev)
        z_u = draw(posterior, seed)
        code = self.flow.inverse(z_u, z_s)
        kl = losses.kl_of_draw(code, z_u, posterior, self.flow(code, z_s)[1])
        of_flow = losses.flow_likelihood(*self.flow(tf.stop_gradient(code), z_s))
        return code, {"kl": kl, "flow_likelihood": of_flow}

    def _settling_losses(self, x, label, seed):
        """Codes for the flow alone: it is small beside the networks and takes many at a time."""
        seed_memory, seed_noise = tf.unstack(tf.random.split(seed, 2))
        z_s = self.prior_s.component(self._assumed(x, label)).mean()
        self.memory.add(tf.concat([*self.encoder_u(x, training=False), z_s], axis=-1))
        recalled = self.memory.draw(SETTLING_CODES, seed_memory)
        mean, stddev, z_s = tf.split(recalled, (*[self.latent_dim_u] * 2, self.latent_dim_s), -1)
        stddev *= self.rules.settling_noise
        z_u = draw(gaussian(self.flow(mean, z_s)[0], stddev), seed_noise)
        code = tf.stop_gradient(self.flow.inverse(z_u, z_s))
        return {"flow_likelihood": losses.flow_likelihood(*self.flow(code, z_s))}

    def _decode_and_judge(self, x, label, z, seed, training):
        return self.decoder(z, training=training), {}

    def _draw_codes(self, label, seeds, temperature=1.0):
        seed_s, seed_u = seeds
        z_s = self.prior_s.sample(label, seed_s, temperature)
        z_u = temperature * noise((tf.size(label), self.latent_dim_u), seed_u)
        return self._together(z_s, z_u)

    def _together(self, z_s, z_u):
        """What the decoder makes inputs of: z_s and the code that the flow made z_u of."""
        code = z_u if self.flow is None else self.flow.inverse(z_u, z_s)
        return tf.concat([z_s, code], axis=-1)

    # Use.

    def call(self, inputs: tf.Tensor, training: bool = False) -> tf.Tensor:
        """Reconstructs x from z_s and the mean of q(z_u | x); `predict` gives the same.

        Args:
            inputs: float tensor [batch, *shape].
            training: bool, whether batch normalisation uses the batch. Defaults to False.

        Returns:
            float32 tensor [batch, *shape].
        """
        # The decoder would undo the flow, given the same z_s: neither is needed.
        code, _ = self.encoder_u(inputs, training=training)
        return self.decoder(
            tf.concat([self._z_s(inputs, training), code], axis=-1), training=training
        )

    def codes(self, x: tf.Tensor) -> Codes:
        """`encode` as part of a graph.

        Args:
            x: float32 tensor [batch, *shape].

        Returns:
            Codes.
        """
        z_s = self._z_s(x)
        mean, stddev = self.encoder_u(x, training=False)
        if self.flow is not None:
            mean, _ = self.flow(mean, z_s)
        return Codes(z_s, mean, stddev)

    def _z_s(self, x, training=False):
        z_s = self.encoder_s(x, training=training)
        return self.prior_s.nearest_mean(z_s) if self.rules.bounded else z_s

    def decoded(self, z_s: tf.Tensor, z_u: tf.Tensor) -> tf.Tensor:
        """`decode` as part of a graph.

        Args:
            z_s: float32 tensor [batch, latent_dim_s].
            z_u: float32 tensor [batch, latent_dim_u].

        Returns:
            float32 tensor [batch, *shape].
        """
        return self.decoder(self._together(z_s, z_u), training=False)

    def encode(self, x: npt.ArrayLike) -> Codes:
        """Splits inputs into their codes.

        Args:
            x: float array [batch, *shape]; images in [-1, 1].

        Returns:
            Codes(z_s [batch, latent_dim_s], z_u_mean and z_u_stddev [batch, latent_dim_u]).

        Raises:
            ValueError: if the shape does not fit.
        """
        return self._encode(self._checked("x", x, self.sample_shape))

    def decode(self, z_s: npt.ArrayLike, z_u: npt.ArrayLike) -> tf.Tensor:
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

    def classify(self, x: npt.ArrayLike) -> tf.Tensor:
        """The class posterior of the mixture, p(c | z_s).

        Args:
            x: float array [batch, *shape]; images in [-1, 1].

        Returns:
            float32 tensor [batch, num_classes], probabilities.

        Raises:
            ValueError: if the shape does not fit.
        """
        return self._classify(self._checked("x", x, self.sample_shape))

    @tf.function(reduce_retracing=True)
    def _encode(self, x):
        return self.codes(x)

    @tf.function(reduce_retracing=True)
    def _decode(self, z_s, z_u):
        return self.decoded(z_s, z_u)

    @tf.function(reduce_retracing=True)
    def _classify(self, x):
        return self.prior_s.posterior(self.encoder_s(x, training=False)).probs_parameter()

    # Saving.

    def get_config(self):
        return super().get_config() | {
            "margin": self.margin,
            "variance_decay_epochs": self.variance_decay_epochs,
            "latent_dim_s": self.latent_dim_s,
            "latent_dim_u": self.latent_dim_u,
        }
