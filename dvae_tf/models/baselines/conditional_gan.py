"""The conditional generative adversarial network."""

import keras

from dvae_tf.models.adversarial import Adversarial
from dvae_tf.models.baselines.baseline import Baseline
from dvae_tf.networks.presets import seeded_initializers


@keras.saving.register_keras_serializable("dvae_tf")
class ConditionalGAN(Adversarial, Baseline):
    """cGAN: a decoder of class and noise against a projection discriminator.

    Miyato & Koyama, "cGANs with Projection Discriminator" (ICLR 2018), as a baseline of Zheng &
    Sun (CVPR 2019): decoder and discriminator are those of `DisentangledVAEGAN`. Without codes of
    inputs L_D and L_G have no term for reconstructions.

    `fit` reports `loss` (L_G), `discrimination` and `generation`.

    Args:
        shape, num_classes, preset, recipe, loss_weights: as in `DisentangledVAE`.
        n_gm, training_steps, seed: as in `DisentangledVAE`.
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

    def __init__(
        self,
        shape,
        num_classes,
        preset="compact",
        recipe="balanced",
        loss_weights=None,
        n_gm=None,
        training_steps=None,
        latent_dim_s: int | None = None,
        latent_dim_u: int | None = None,
        decoder: keras.Model | None = None,
        discriminator: keras.Model | None = None,
        seed=0,
        **kwargs,
    ):
        super().__init__(
            shape, num_classes, preset, recipe, loss_weights, n_gm, training_steps, seed, **kwargs
        )
        with seeded_initializers(seed):
            self._make_decoder(decoder, latent_dim_s, latent_dim_u)
        self._complete_with_discriminator(discriminator, networks=("class_vector", "decoder"))

    minimised = ("generation",)

    @property
    def joint_objectives(self):
        return {
            "class_vector": self.generation_losses,
            "decoder": self.generation_losses,
            "discriminator": ("discrimination",),
        }

    def _joint_losses(self, x, label, seed, training):
        _, adversarial = self._decode_and_judge(x, label, None, seed, training)
        return adversarial
