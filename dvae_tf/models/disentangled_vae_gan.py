"""The disentangled variational autoencoder with a discriminator."""

import keras
import tensorflow as tf

from dvae_tf import losses
from dvae_tf.models.disentangled_vae import JOINT_OBJECTIVES, DisentangledVAE
from dvae_tf.networks.presets import seeded_initializers
from dvae_tf.priors import noise

GAN_OBJECTIVES = JOINT_OBJECTIVES | {
    "decoder": ("reconstruction", "generation"),
    "discriminator": ("discrimination",),
}


@keras.saving.register_keras_serializable("dvae_tf")
class DisentangledVAEGAN(DisentangledVAE):
    """Lr-LiVAE-GAN of Zheng & Sun (CVPR 2019): `DisentangledVAE` with a projection discriminator.

    The discriminator sees inputs, their reconstructions and samples of the model (a class drawn
    uniformly, z_s from its component, z_u from N(0, I)) and sharpens the last two. Its losses,
    `discrimination` (L_D) and `generation` (L_G), join the names that `fit` reports and the keys
    of `loss_weights` (1 each in "paper").

    Args:
        discriminator: keras.Model, (x, label) -> logits [batch], in place of the preset's.
        *args, **kwargs: of `DisentangledVAE`.

    Raises:
        ValueError: as `DisentangledVAE`.

    Example:

    >>> model = DisentangledVAEGAN(shape=(2,), num_classes=3, preset="toy")
    >>> sorted(set(model.networks()) - set(DisentangledVAE((2,), 3, "toy").networks()))
    ['discriminator']
    """

    def __init__(self, *args, discriminator=None, **kwargs):
        super().__init__(*args, **kwargs)
        with seeded_initializers(self.seed):
            self.discriminator = discriminator or self._family().discriminator(
                self.sample_shape, self.num_classes
            )
            x = keras.KerasTensor((None, *self.sample_shape), dtype="float32")
            label = keras.KerasTensor((None,), dtype="int32")
            self._expect("discriminator", self.discriminator((x, label)), ())
        self._network_names = [*self._network_names, "discriminator"]
        self._add_trackers("discrimination", "generation")
        self.compile()

    @property
    def joint_objectives(self):
        return GAN_OBJECTIVES

    def _decode_and_judge(self, x, label, z_s, z_u, seed, training):
        """Decodes codes and samples in one pass, and judges them with the inputs in another.

        One pass, so that a spectral norm's power iteration moves on once a step.
        """
        batch = tf.shape(x)[0]
        seed_label, seed_s, seed_u = tf.unstack(tf.random.split(seed, 3))
        sampled_label = tf.random.stateless_uniform(
            [batch], seed_label, maxval=self.num_classes, dtype=tf.int32, alg="philox"
        )
        sampled_z_s = self.prior_s.sample(sampled_label, seed_s)
        sampled_z_u = noise((batch, self.latent_dim_u), seed_u)
        codes = tf.concat([z_s, z_u], axis=-1), tf.concat([sampled_z_s, sampled_z_u], axis=-1)
        images = self.decoder(tf.concat(codes, axis=0), training=training)
        logits = self.discriminator(
            (
                tf.concat([x, images], axis=0),
                tf.concat([label, label, sampled_label], axis=0),
            ),
            training=training,
        )
        on_real, on_decoded, on_sampled = tf.split(logits, 3)
        return images[:batch], {
            "discrimination": losses.discrimination(on_real, on_decoded, on_sampled),
            "generation": losses.generation(on_decoded, on_sampled),
        }
