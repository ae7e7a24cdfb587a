"""The conditional variational autoencoder."""

import keras
import tensorflow as tf

from dvae_tf import losses
from dvae_tf.models.adversarial import adversarial_losses
from dvae_tf.models.baselines.baseline import LABEL, Baseline
from dvae_tf.models.objectives import Loss, Objectives
from dvae_tf.models.samples import sampled
from dvae_tf.networks.seeding import seeded_initializers
from dvae_tf.priors import draw, gaussian, standard_normal


@keras.saving.register_keras_serializable("dvae_tf")
class ConditionalVAE(Baseline):
    """cVAE: q(z_u | x, c), p(x | z_u, c), with the label given to both.

    Sohn, Lee & Yan, "Learning Structured Output Representation using Deep Conditional Generative
    Models" (NeurIPS 2015), as a baseline of Zheng & Sun (CVPR 2019): encoder, decoder, losses and
    their weights are those of `DisentangledVAE`. The encoder gets the label as C extra
    channels, one of them 1 everywhere; the decoder gets a trained vector per class in place of z_s.

    `fit` reports `loss`, `reconstruction` and `kl`.

    Args:
        shape, num_classes, preset, recipe, width, seed, class_names, background: as in
            `DisentangledVAE`.
        latent_dim_s, latent_dim_u: int, sizes of a class's vector and of z_u. Default to the
            preset's.
        encoder_u: keras.Model, [batch, *shape[:-1], shape[-1] + C] -> (mean, stddev), in place of
            the preset's.
        decoder: keras.Model, as in `DisentangledVAE`.

    Raises:
        ValueError: as `DisentangledVAE`.

    Examples:
        >>> model = ConditionalVAE(shape=(2,), num_classes=3, preset="toy")
        >>> model.generate([0, 1, 2], seed=0).shape
        TensorShape([3, 2])
    """

    network_names = ("class_vector", "encoder_u", "decoder", "discriminator")
    joint_objectives = Objectives(
        (
            Loss("reconstruction", trains=("class_vector", "encoder_u", "decoder"), in_total=True),
            Loss("kl", trains=("encoder_u",), in_total=True),
        )
    )

    def __init__(
        self,
        shape,
        num_classes,
        preset="compact",
        recipe="balanced",
        width=1.0,
        latent_dim_s: int | None = None,
        latent_dim_u: int | None = None,
        encoder_u: keras.Model | None = None,
        decoder: keras.Model | None = None,
        seed=None,
        **kwargs,
    ):
        super().__init__(shape, num_classes, preset, recipe, width, seed, **kwargs)
        with seeded_initializers(self.seed):
            self._make_decoder(decoder, latent_dim_s, latent_dim_u)
            self.encoder_u = encoder_u or self._preset().encoder_u(
                self.sample_shape, self.latent_dim_u
            )
            *sides, channels = self.sample_shape
            x = keras.KerasTensor((None, *sides, channels + self.num_classes), dtype="float32")
            mean, stddev = self.encoder_u(x)
            self._expect("encoder_u (mean)", mean, (self.latent_dim_u,))
            self._expect("encoder_u (stddev)", stddev, (self.latent_dim_u,))
        self._complete()

    def _joint_losses(self, x, label, seed, training):
        posterior = gaussian(*self.encoder_u(self._with_label(x, label), training=training))
        decoded = self.decoder(self._codes(label, draw(posterior, seed)), training=training)
        values = {
            "reconstruction": self.likelihood.loss(x, decoded, training),
            "kl": losses.kl(posterior, standard_normal(self.latent_dim_u)),
        }
        if self.discriminator is None:
            return values
        generated = [(decoded, label), sampled(self, tf.size(label), seed, training)]
        return values | adversarial_losses(self, (x, label), generated, seed, training)

    def _with_label(self, x, label):
        one_hot = tf.one_hot(label, self.num_classes)
        for _ in self.sample_shape[:-1]:
            one_hot = one_hot[:, tf.newaxis]
        spread = tf.broadcast_to(one_hot, [*tf.unstack(tf.shape(x)[:-1]), self.num_classes])
        return tf.concat([x, spread], axis=-1)

    def call(self, inputs, training: bool = False) -> tf.Tensor:
        """Reconstructs x, given its label, from the mean of q(z_u | x, c); `predict` does the same.

        Args:
            inputs: (x tensor [batch, *shape], images in uint8 or in floats in [-1, 1]; label int
                tensor [batch]).
            training: bool, whether batch normalisation uses the batch. Defaults to False.

        Returns:
            float32 tensor [batch, *shape].
        """
        x, label = self._called_with(inputs)
        z_u, _ = self.encoder_u(self._with_label(x, label), training=training)
        return self.decoder(self._codes(label, z_u), training=training)

    def _called_with(self, x, label=None, values=None):
        x, label = self._pair("x", x, label)
        return super()._called_with(x, values=values), self._labels(label, values)

    def _input_signature(self):
        return [[*super()._input_signature(), LABEL]]
