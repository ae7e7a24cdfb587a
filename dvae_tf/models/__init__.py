"""The models: losses, networks and priors put together in a training step."""

from dvae_tf.models.disentangled_vae import Codes, DisentangledVAE
from dvae_tf.models.disentangled_vae_gan import DisentangledVAEGAN
from dvae_tf.models.recipes import RECIPES, Recipe

__all__ = ["RECIPES", "Codes", "DisentangledVAE", "DisentangledVAEGAN", "Recipe"]
