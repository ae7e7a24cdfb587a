"""The disentangled variational autoencoder with a discriminator."""

import keras

from dvae_tf.models import adversarial
from dvae_tf.models.disentangled_vae import DisentangledVAE


@keras.saving.register_keras_serializable("dvae_tf")
class DisentangledVAEGAN(DisentangledVAE):
    """Lr-LiVAE-GAN of Zheng & Sun (CVPR 2019): `DisentangledVAE` with a projection discriminator.

    The discriminator gets inputs, their reconstructions and samples of the model (a class drawn
    uniformly, z_s from its component, z_u from N(0, I)); it makes the last two sharper. `fit` also
    reports its losses, `discrimination` (L_D) and `generation` (L_G).

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
        self.discriminator = self._make_discriminator(discriminator)
        self.joint_objectives = self.joint_objectives.with_losses(*adversarial.ROWS)
        self._complete()
