"""The models: losses, networks and priors combined in a training step."""

from dvae_tf.models.baselines import ConditionalGAN, ConditionalVAE, ConditionalVAEGAN
from dvae_tf.models.disentangled_vae import DisentangledVAE
from dvae_tf.models.disentangled_vae_gan import DisentangledVAEGAN
from dvae_tf.models.recipe import RECIPES, Recipe
from dvae_tf.models.two_codes import Codes

# By their names on the command line.
MODELS = {
    "cvae": ConditionalVAE,
    "cgan": ConditionalGAN,
    "cvae_gan": ConditionalVAEGAN,
    "disentangled_vae": DisentangledVAE,
    "disentangled_vae_gan": DisentangledVAEGAN,
}

__all__ = [
    "MODELS",
    "RECIPES",
    "Codes",
    "ConditionalGAN",
    "ConditionalVAE",
    "ConditionalVAEGAN",
    "DisentangledVAE",
    "DisentangledVAEGAN",
    "Recipe",
]
