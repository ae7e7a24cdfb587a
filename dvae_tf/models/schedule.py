"""Learning rates and loss weights as pure functions of the progress of a training."""

import math

import tensorflow as tf
import tensorflow_probability as tfp

# The factor on a learning rate at the end of its cosine.
LEAST_RATE = 0.01


def cosine(progress: tf.Tensor) -> tf.Tensor:
    """The factor on a learning rate that falls along a half cosine, from 1 to 0.01.

    Loshchilov & Hutter, "SGDR: Stochastic Gradient Descent with Warm Restarts" (ICLR 2017),
    equation 5, without restarts.

    Args:
        progress: float tensor, the share of the training that is done, in [0, 1].

    Returns:
        float32 tensor.

    Examples:
        >>> [round(float(cosine(progress)), 3) for progress in (0.0, 0.5, 1.0)]
        [1.0, 0.505, 0.01]
    """
    half_turn = 0.5 * (1.0 + tf.cos(math.pi * tf.clip_by_value(progress, 0.0, 1.0)))
    return LEAST_RATE + (1.0 - LEAST_RATE) * half_turn


def step_decay(passes: tf.Tensor, decay_passes: float) -> tf.Tensor:
    """The factor on a learning rate that falls tenfold every `decay_passes` passes over the data.

    Args:
        passes: int tensor, the passes over the training data so far.
        decay_passes: float, the number of passes between two falls.

    Returns:
        float32 tensor.

    Examples:
        >>> [round(float(step_decay(passes, 30)), 3) for passes in (0, 29, 30, 75)]
        [1.0, 1.0, 0.1, 0.01]
    """
    return tf.pow(0.1, tf.floor(tf.cast(passes, tf.float32) / decay_passes))


def weight(value: float | tuple, progress: tf.Tensor) -> float | tf.Tensor:
    """The current weight of a loss.

    Args:
        value: float, or tuple of floats at evenly spaced points of the training, with linear
            interpolation in between.
        progress: float tensor, the share of the training that is done, in [0, 1].

    Returns:
        float, or float32 tensor if the weight has a schedule.

    Examples:
        >>> weight(0.5, 0.1), round(float(weight((0.0, 2.0, 1.0), 0.75)), 3)
        (0.5, 1.5)
    """
    if isinstance(value, float):
        return value
    progress = tf.clip_by_value(progress, 0.0, 1.0)
    return tfp.math.interp_regular_1d_grid(progress, 0.0, 1.0, value)
