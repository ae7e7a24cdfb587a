"""Encoders, decoder, discriminator and latent classifier; presets name families of them."""

from dvae_tf.networks.conditional_flow import ConditionalFlow
from dvae_tf.networks.decoder import Decoder
from dvae_tf.networks.discriminator import Discriminator
from dvae_tf.networks.downsampler import Downsampler
from dvae_tf.networks.encoder_s import EncoderS
from dvae_tf.networks.encoder_u import EncoderU
from dvae_tf.networks.latent_classifier import LatentClassifier
from dvae_tf.networks.layer_stack import LayerStack
from dvae_tf.networks.mlp import MLP
from dvae_tf.networks.placed_encoder_u import PlacedEncoderU
from dvae_tf.networks.presets import PRESETS, preset
from dvae_tf.networks.upsampler import Upsampler

__all__ = [
    "MLP",
    "PRESETS",
    "ConditionalFlow",
    "Decoder",
    "Discriminator",
    "Downsampler",
    "EncoderS",
    "EncoderU",
    "LatentClassifier",
    "LayerStack",
    "PlacedEncoderU",
    "Upsampler",
    "preset",
]
