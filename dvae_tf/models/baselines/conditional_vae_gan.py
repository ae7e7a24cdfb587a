"""The conditional variational autoencoder with a discriminator."""

import keras

from dvae_tf.models.baselines.conditional_vae import ConditionalVAE
from dvae_tf.models.objectives import Loss


@keras.saving.register_keras_serializable("dvae_tf")
class ConditionalVAEGAN(ConditionalVAE):
    """CVAE-GAN: `ConditionalVAE` with the discriminator and the losses of `DisentangledVAEGAN`.

    After Bao et al., "CVAE-GAN: Fine-Grained Image Generation through Asymmetric Training" (ICCV
    2017), a baseline of Zheng & Sun (CVPR 2019). There the class enters through a classifier of
    images, and the decoder matches mean features. Here it enters through the projection
    discriminator, and the decoder minimises L_G, so the only difference from `DisentangledVAEGAN`
    is how the codes are made.

    `fit` reports `discrimination` and `generation` besides what `ConditionalVAE` does.

    Args:
        discriminator: keras.Model, (x, label) -> logits [batch], in place of the preset's.
        *args, **kwargs: of `ConditionalVAE`.

    Raises:
        ValueError: as `DisentangledVAE`.

    Examples:
        >>> model = ConditionalVAEGAN(shape=(2,), num_classes=3, preset="toy")
        >>> sorted(model.networks())
        ['class_vector', 'decoder', 'discriminator', 'encoder_u']
    """

    # The class vectors belong to the decoder: L_G trains both.
    joint_objectives = ConditionalVAE.joint_objectives.with_losses(
        Loss("discrimination", trains=("discriminator",)),
        Loss("generation", trains=("class_vector", "decoder")),
    )

    def __init__(self, *args, discriminator: keras.Model | None = None, **kwargs):
        super().__init__(*args, **kwargs)
        self.discriminator = self._make_discriminator(discriminator)
        self._complete()
