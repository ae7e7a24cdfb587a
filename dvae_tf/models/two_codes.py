"""A model with two codes: how it encodes, decodes and classifies."""

import collections
import functools

import keras
import numpy.typing as npt
import tensorflow as tf

from dvae_tf import losses
from dvae_tf.data.examples import whole_number
from dvae_tf.models.base import ClassConditionalModel
from dvae_tf.models.batch_check import checked_label
from dvae_tf.models.exemplars import refined
from dvae_tf.models.flow_fit import codes_for_flow
from dvae_tf.models.poses import expect_room_for_pose, expect_same_pose
from dvae_tf.networks.conditional_flow import in_training
from dvae_tf.priors import GaussianMixturePrior, noise

Codes = collections.namedtuple("Codes", ["z_s", "z_u_mean", "z_u_stddev"])


class TwoCodeModel(ClassConditionalModel):
    """The encoding, decoding and classification of `DisentangledVAE`, which adds the training."""

    has_codes = True
    network_names = (
        "encoder_s",
        "encoder_u",
        "decoder",
        "latent_classifier",
        "flow",
        "discriminator",
    )

    def _make_encoders(self, encoder_s, encoder_u, latent_dim_s, latent_dim_u):
        """Takes the user's encoders or makes the preset's, and the prior that fits."""
        x = keras.KerasTensor((None, *self.sample_shape), dtype="float32")
        self.encoder_s = encoder_s or self._preset().encoder_s(self.sample_shape, latent_dim_s)
        self.encoder_u = encoder_u or self._preset().encoder_u(
            self.sample_shape, latent_dim_u, finds_poses=True
        )
        z_s = self.encoder_s(x)
        mean, stddev = self.encoder_u(x)
        self.latent_dim_s, self.latent_dim_u = z_s.shape[-1], mean.shape[-1]
        self._expect("encoder_s", z_s, (latent_dim_s or self.latent_dim_s,))
        self._expect("encoder_u (mean)", mean, (latent_dim_u or self.latent_dim_u,))
        self._expect("encoder_u (stddev)", stddev, (self.latent_dim_u,))
        sizes = self.num_classes, self.latent_dim_s
        self.prior_s = GaussianMixturePrior(*sizes, self.recipe.precisions, name="prior_s")

    def _make_decoder_and_classifier(self, decoder, latent_classifier):
        """Takes the user's networks or makes the preset's."""
        z_u = keras.KerasTensor((None, self.latent_dim_u), dtype="float32")
        z = keras.KerasTensor((None, self.latent_dim_s + self.latent_dim_u), dtype="float32")
        self.decoder = decoder or self._preset().decoder(self.sample_shape, self.columns)
        self.latent_classifier = latent_classifier or self._preset().latent_classifier(
            self.num_classes
        )
        expect_same_pose(self.encoder_u, self.decoder)
        expect_room_for_pose(self.decoder, self.latent_dim_u)
        self._expect("decoder", self.decoder(z), self.sample_shape)
        self._expect("latent_classifier", self.latent_classifier(z_u), (self.num_classes,))

    def weight_groups(self) -> dict:
        """The groups of weights that are trained each on its own losses.

        Returns:
            dict of group name to list of trainable variables.
        """
        return super().weight_groups() | {
            "prior_means": [v for v in (self.prior_s.means,) if v.trainable],
            "prior_variances": [v for v in (self.prior_s.raw_spreads,) if v.trainable],
        }

    def draw_codes(self, label, seeds, temperature: float = 1.0, training: bool = False):
        """Draws the decoder's inputs for given classes, as part of a graph.

        Args:
            label: int32 tensor [n].
            seeds: two int32 tensors [2], for z_s and for z_u.
            temperature: float, factor on the standard deviations. Defaults to 1.
            training: bool, whether the encoders are being trained. Defaults to False.

        Returns:
            float32 tensor [n, latent_dim_s + latent_dim_u].
        """
        seed_s, seed_u = seeds
        z_s = self.prior_s.sample(label, seed_s, temperature)
        z_u = temperature * noise((tf.size(label), self.latent_dim_u), seed_u)
        return self._decoder_input(z_s, z_u, training)

    def generate(
        self,
        label: npt.ArrayLike | None = None,
        temperature: float = 1.0,
        seed: int | None = None,
        z_s: npt.ArrayLike | None = None,
    ) -> tf.Tensor:
        """Generates inputs of given classes, or of given codes of classes.

        Args:
            label, temperature, seed: as in `ClassConditionalModel.generate`.
            z_s: float array [n, latent_dim_s] in place of the label, such as results of
                `class_code`, stacked; only z_u is then drawn.

        Returns:
            float32 tensor [n, *shape]; images in [-1, 1].

        Raises:
            ValueError: as `ClassConditionalModel.generate`, if a code does not fit, or not exactly
                one of `label` and `z_s` is given.
        """
        if (label is None) == (z_s is None):
            raise ValueError("Give the labels or z_s to generate from: one of them.")
        if z_s is None:
            return super().generate(label, temperature, seed)
        z_s = self._code("z_s", z_s, (self.latent_dim_s,))
        self._expect_temperature(temperature)
        return self._generate_as(z_s, self._seed_pair(seed), tf.cast(temperature, tf.float32))

    @tf.function(reduce_retracing=True, autograph=False)
    def _generate_as(self, z_s, seed, temperature):
        _, seed_u = tf.unstack(tf.random.split(seed, 2))
        z_u = temperature * noise((tf.shape(z_s)[0], self.latent_dim_u), seed_u)
        return self._drawn(self.decoded(z_s, z_u), seed)

    def _decoder_input(self, z_s, z_u, training=False):
        """The decoder's input: z_s and the code that the flow maps to z_u."""
        flow = in_training(self.flow) if training else self.flow
        return tf.concat([z_s, z_u if flow is None else flow.inverse(z_u, z_s)[0]], axis=-1)

    def call(self, inputs: tf.Tensor, training: bool = False) -> tf.Tensor:
        """Reconstructs x from z_s and the mean of q(z_u | x); `predict` gives the same.

        Args:
            inputs: tensor [batch, *shape]; images in uint8 or in floats in [-1, 1].
            training: bool, whether batch normalisation uses the batch. Defaults to False.

        Returns:
            float32 tensor [batch, *shape].
        """
        x = self._called_with(inputs)
        # Decoding would invert the flow, with the same z_s, so neither direction is needed.
        code, _ = self.encoder_u(x, training=training)
        return self.decoder(tf.concat([self._z_s(x, training), code], axis=-1), training=training)

    def codes(self, x: tf.Tensor, label: tf.Tensor | None = None) -> Codes:
        """`encode` as part of a graph.

        Args:
            x: float32 tensor [batch, *shape].
            label: int32 tensor [batch], as in `encode`.

        Returns:
            Codes.
        """
        z_s = self._z_s(x) if label is None else self._z_s_as(x, label)
        mean, stddev = self.encoder_u(x, training=False)
        if self.flow is not None:
            mean, _ = self.flow(mean, z_s)
        return Codes(z_s, mean, stddev)

    def _z_s_as(self, x, label):
        """z_s, with the mean of the class's component where another class is predicted."""
        z_s = self._z_s(x)
        log_prob = self.prior_s.log_prob(self.encoder_s(x, training=False))
        right = tf.argmax(log_prob, axis=-1, output_type=tf.int32) == label
        known = right | (label < 0)
        of_class = self.prior_s.component(tf.maximum(label, 0)).mean()
        return tf.where(known[:, tf.newaxis], z_s, of_class)

    def _z_s(self, x, training=False):
        z_s = self.encoder_s(x, training=training)
        return self.prior_s.nearest_mean(z_s) if self.recipe.decodes_class_vectors else z_s

    @functools.cached_property
    def traced_codes_for_flow(self):
        """`codes_for_flow` as a tf.function, traced once for all fits."""
        of_model = functools.partial(codes_for_flow, self)
        return tf.function(of_model, reduce_retracing=True, autograph=False)

    def label_or_prediction(self, x, label):
        """The labels, with the class predicted from z_s where one is missing (-1).

        Args:
            x: float32 tensor [batch, *shape].
            label: int32 tensor [batch].

        Returns:
            int32 tensor [batch].
        """

        def completed():
            log_prob = self.prior_s.log_prob(self.encoder_s(x, training=False))
            predicted = tf.argmax(log_prob, axis=-1, output_type=tf.int32)
            return tf.where(label < 0, predicted, label)

        return tf.cond(tf.reduce_any(label < 0), completed, lambda: label)

    def decoded(self, z_s: tf.Tensor, z_u: tf.Tensor) -> tf.Tensor:
        """`decode` as part of a graph.

        Args:
            z_s: float32 tensor [batch, latent_dim_s].
            z_u: float32 tensor [batch, latent_dim_u].

        Returns:
            float32 tensor [batch, *shape].
        """
        return self.decoder(self._decoder_input(z_s, z_u), training=False)

    def encode(self, x: npt.ArrayLike, label: npt.ArrayLike | None = None) -> Codes:
        """Encodes inputs into their two codes.

        Args:
            x: array [batch, *shape]: images in uint8 or in floats in [-1, 1], or other data; of a
                table, a pandas.DataFrame too.
            label: int array [batch], the classes where they are known, else -1: z_s is then that of
                the class, and the flow takes the class out of z_u, whatever z_s of x predicts.
                Defaults to the predicted classes.

        Returns:
            Codes(z_s [batch, latent_dim_s], z_u_mean and z_u_stddev [batch, latent_dim_u]).

        Raises:
            ValueError: if shape, type or range do not fit.
        """
        x = self._inputs(x)
        if label is None:
            return self._encode(x, None)
        after = f" is no class of the model's {self.num_classes}, nor -1."
        label = checked_label(tf.convert_to_tensor(label), -1, self.num_classes, "label ", after)
        return self._encode(x, label)

    def decode(self, z_s: npt.ArrayLike, z_u: npt.ArrayLike) -> tf.Tensor:
        """Decodes pairs of codes.

        Args:
            z_s: float array [batch, latent_dim_s].
            z_u: float array [batch, latent_dim_u].

        Returns:
            float32 tensor [batch, *shape]; images in [-1, 1].

        Raises:
            ValueError: if a shape does not fit, the numbers of codes differ, or a value is not
                finite.
        """
        codes = (
            self._code("z_s", z_s, (self.latent_dim_s,)),
            self._code("z_u", z_u, (self.latent_dim_u,)),
        )
        counts = [code.shape[0] for code in codes]
        if None not in counts and counts[0] != counts[1]:
            raise ValueError(
                f"There are {counts[0]} z_s and {counts[1]} z_u; give as many of each."
            )
        return self._decode(*codes)

    def class_code(self, x: npt.ArrayLike, steps: int = 0) -> tf.Tensor:
        """z_s of one class from inputs of it, of a class that was not in the training data too.

        The mean of E_S over the inputs; `generate`, `decode` and `dvae_tf.tasks` take it. It can be
        refined: gradient steps on this code alone then make the decoder draw these inputs better
        (of a single input, its style may then enter the code).

        Args:
            x: array [count, *shape], inputs of the same class: images in uint8 or in floats in
                [-1, 1], or other data.
            steps: int, of the refinement; 100 are many. Defaults to 0.

        Returns:
            float32 tensor [latent_dim_s].

        Raises:
            ValueError: if shape, type or range do not fit, or the recipe is `bounded` and has no
                `exemplars`.
        """
        if self.recipe.decodes_class_vectors:
            raise ValueError(
                "The decoder was trained on the vectors of the known classes alone; train with "
                "exemplars, such as recipe=Recipe.named('balanced').replace(exemplars=0.5), for "
                "codes of other classes."
            )
        inputs, steps = self._inputs(x), whole_number("steps", steps, 0)
        if not inputs.shape[0]:
            raise ValueError("There are no inputs; give at least one of the class.")
        z_s = tf.reduce_mean(self._encode_s(inputs), axis=0)
        return refined(self, z_s, inputs, steps) if steps else z_s

    def known_class_score(self, x: npt.ArrayLike) -> tf.Tensor:
        """How well inputs fit any of the known classes: low for a class that was not trained on.

        The log-density of E_S(x) under the mixture, log p(z_s) (Zheng & Sun, CVPR 2019, section
        3.2).

        Args:
            x: array [batch, *shape]: images in uint8 or in floats in [-1, 1], or other data.

        Returns:
            float32 tensor [batch], in nats.

        Raises:
            ValueError: if shape, type or range do not fit.
        """
        log_prob = self.prior_s.log_prob(self._encode_s(self._inputs(x)))
        return -losses.marginal_likelihood(log_prob)

    def classify(self, x: npt.ArrayLike) -> tf.Tensor:
        """The class posterior of the mixture, p(c | z_s).

        Args:
            x: array [batch, *shape]: images in uint8 or in floats in [-1, 1], or other data.

        Returns:
            float32 tensor [batch, num_classes], probabilities.

        Raises:
            ValueError: if shape, type or range do not fit.
        """
        return self._classify(self._inputs(x))

    @tf.function(reduce_retracing=True, autograph=False)
    def _encode(self, x, label):
        return self.codes(x, label)

    @tf.function(reduce_retracing=True, autograph=False)
    def _encode_s(self, x):
        return self.encoder_s(x, training=False)

    @tf.function(reduce_retracing=True, autograph=False)
    def _decode(self, z_s, z_u):
        return self.decoded(z_s, z_u)

    @tf.function(reduce_retracing=True, autograph=False)
    def _classify(self, x):
        return self.prior_s.posterior(self.encoder_s(x, training=False)).probs_parameter()

    # Saving.

    @property
    def _saved_counters(self):
        return super()._saved_counters | {"flow_fitted_at": self.flow_fitted_at}

    def get_config(self):
        return super().get_config() | {
            "latent_dim_s": self.latent_dim_s,
            "latent_dim_u": self.latent_dim_u,
        }
