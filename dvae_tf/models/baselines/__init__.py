"""The baselines of Zheng & Sun (CVPR 2019), made of the same networks."""

from dvae_tf.models.baselines.conditional_gan import ConditionalGAN
from dvae_tf.models.baselines.conditional_vae import ConditionalVAE
from dvae_tf.models.baselines.conditional_vae_gan import ConditionalVAEGAN

__all__ = ["ConditionalGAN", "ConditionalVAE", "ConditionalVAEGAN"]
