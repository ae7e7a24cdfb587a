"""The conditional generative adversarial network."""

import keras
import tensorflow as tf

from dvae_tf.models.adversarial import adversarial_losses
from dvae_tf.models.baselines.baseline import LABEL, Baseline
from dvae_tf.models.objectives import Loss, Objectives
from dvae_tf.models.samples import sampled
from dvae_tf.networks.seeding import seeded_initializers


@keras.saving.register_keras_serializable("dvae_tf")
class ConditionalGAN(Baseline):
    """cGAN: a decoder of class and noise, trained against a projection discriminator.

    Miyato & Koyama, "cGANs with Projection Discriminator" (ICLR 2018), as a baseline of Zheng &
    Sun (CVPR 2019): decoder and discriminator are those of `DisentangledVAEGAN`. There are no
    codes of inputs, so L_D and L_G have no term for reconstructions.

    `fit` reports `loss` (L_G), `discrimination` and `generation`.

    Args:
        shape, num_classes, preset, recipe, width, seed, class_names, background: as in
            `DisentangledVAE`.
        latent_dim_s, latent_dim_u: int, sizes of a class's vector and of the noise. Default to the
            preset's.
        decoder, discriminator: keras.Model, as in `DisentangledVAEGAN`.

    Raises:
        ValueError: as `DisentangledVAE`.

    Examples:
        >>> model = ConditionalGAN(shape=(2,), num_classes=3, preset="toy")
        >>> model.generate([0, 1, 2], seed=0).shape
        TensorShape([3, 2])
    """

    network_names = ("class_vector", "decoder", "discriminator")
    joint_objectives = Objectives(
        (
            Loss("discrimination", trains=("discriminator",)),
            Loss("generation", trains=("class_vector", "decoder"), in_total=True),
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
        decoder: keras.Model | None = None,
        discriminator: keras.Model | None = None,
        seed=None,
        **kwargs,
    ):
        super().__init__(shape, num_classes, preset, recipe, width, seed, **kwargs)
        with seeded_initializers(self.seed):
            self._make_decoder(decoder, latent_dim_s, latent_dim_u)
        self.discriminator = self._make_discriminator(discriminator)
        self._complete()

    def _joint_losses(self, x, label, seed, training):
        generated = [sampled(self, tf.size(label), seed, training)]
        return adversarial_losses(self, (x, label), generated, seed, training)

    def call(self, inputs, training: bool = False) -> tf.Tensor:
        """Generates from noise and class; `predict` does the same.

        Args:
            inputs: (z_u float tensor [batch, latent_dim_u], noise ~ N(0, I); label int tensor
                [batch]).
            training: bool, whether batch normalisation uses the batch. Defaults to False.

        Returns:
            float32 tensor [batch, *shape].
        """
        z_u, label = self._called_with(inputs)
        return self.decoder(self._codes(label, z_u), training=training)

    def _called_with(self, x, label=None, values=None):
        z_u, label = self._pair("z_u", x, label)
        return self._code("z_u", z_u, (self.latent_dim_u,)), self._labels(label, values)

    def _input_signature(self):
        z_u = keras.InputSpec(shape=(None, self.latent_dim_u), dtype="float32", name="z_u")
        return [[z_u, LABEL]]
