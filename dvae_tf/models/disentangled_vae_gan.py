"""The disentangled variational autoencoder with a discriminator."""

import keras

from dvae_tf.models.adversarial import Adversarial
from dvae_tf.models.disentangled_vae import DisentangledVAE


@keras.saving.register_keras_serializable("dvae_tf")
class DisentangledVAEGAN(Adversarial, DisentangledVAE):
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

    Examples:
        >>> model = DisentangledVAEGAN(shape=(2,), num_classes=3, preset="toy")
        >>> sorted(set(model.networks()) - set(DisentangledVAE((2,), 3, "toy").networks()))
        ['discriminator']
    """

    def __init__(self, *args, discriminator: keras.Model | None = None, **kwargs):
        super().__init__(*args, **kwargs)
        self._complete_with_discriminator(discriminator)

    @property
    def joint_objectives(self):
        return super().joint_objectives | {
            "decoder": ("reconstruction", *self.generation_losses),
            "discriminator": ("discrimination",),
        }
