"""Samples of a model within a training step, and what is asked of them."""

from typing import NamedTuple

import tensorflow as tf

from dvae_tf import losses
from dvae_tf.networks.conditional_flow import in_training


class Samples(NamedTuple):
    """Samples of a model.

    Args:
        x: float32 tensor [count, *shape].
        label: int32 tensor [count].
        codes: float32 tensor [count, latent], the decoder's input.
    """

    x: tf.Tensor
    label: tf.Tensor
    codes: tf.Tensor


def sampled(model, count: tf.Tensor, seed: tf.Tensor, training: bool):
    """Samples from the model: a uniform class, its codes from the priors, an input from these.

    Args:
        model: ClassConditionalModel.
        count: int tensor, the number of samples.
        seed: int32 tensor [2].
        training: bool, whether batch normalisation uses the batch.

    Returns:
        Samples.
    """
    seed_label, *seeds = tf.unstack(tf.random.split(seed, 3))
    label = tf.random.stateless_uniform(
        [count], seed_label, maxval=model.num_classes, dtype=tf.int32, alg="philox"
    )
    codes = model.draw_codes(label, seeds, training=True)
    return Samples(model.decoder(codes, training=training), label, codes)


def cycle(model, samples: Samples, training: bool) -> tf.Tensor:
    """How well z_u of samples is found again in them.

    Args:
        model: DisentangledVAE.
        samples: Samples.
        training: bool, whether batch normalisation uses the batch.

    Returns:
        float32 tensor [count], as `losses.cycle`.
    """
    z_s, code = tf.split(samples.codes, [model.latent_dim_s, model.latent_dim_u], axis=-1)
    encoded, _ = model.encoder_u(samples.x, training=training)
    if model.flow is not None:
        flow = in_training(model.flow)
        code, encoded = flow(code, z_s)[0], flow(encoded, z_s)[0]
    return losses.cycle(tf.stop_gradient(code), encoded)
