"""The features of InceptionV3 of keras.applications, if its weights are on disk."""

import os
import pathlib

import keras
import numpy as np
import tensorflow as tf

from dvae_tf.data.pixels import as_floats

WEIGHTS = "inception_v3_weights_tf_dim_ordering_tf_kernels.h5"
SIDE = 299
CHUNK = 32


def weights_file() -> pathlib.Path | None:
    """Finds the weights of InceptionV3 with its classifier, where Keras stores them.

    Returns:
        pathlib.Path, or None if they are missing: nothing is downloaded.
    """
    home = pathlib.Path(os.environ.get("KERAS_HOME") or "~/.keras").expanduser()
    path = home / "models" / WEIGHTS
    return path if path.exists() else None


def inception(weights: str | os.PathLike):
    """Makes the function that computes InceptionV3's features and probabilities of images.

    Args:
        weights: str or pathlib.Path of the weights, as `weights_file` gives it.

    Returns:
        function x [n, height, width, channels], uint8 or floats in [-1, 1] -> (features float
        array [n, 2048], class probabilities float array [n, 1000]).
    """
    network = keras.applications.InceptionV3(weights=str(weights))
    both = keras.Model(network.inputs, [network.layers[-2].output, network.outputs[0]])

    def embed(x):
        parts = [_embed(both, as_floats(x[at : at + CHUNK])) for at in range(0, len(x), CHUNK)]
        return tuple(np.concatenate(column) for column in zip(*parts, strict=True))

    return embed


def _embed(network, x):
    enlarged = tf.image.resize(x, (SIDE, SIDE), "bilinear", antialias=True)
    return network.predict_on_batch(tf.broadcast_to(enlarged, [*enlarged.shape[:3], 3]))
