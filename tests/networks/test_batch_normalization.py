import keras
import numpy as np
import pytest
import tensorflow as tf

from dvae_tf.networks.batch_normalization import BatchNormalization


@pytest.mark.parametrize("shape", [(64, 9), (8, 5, 5, 9)])
@pytest.mark.parametrize("policy", ["float32", "mixed_bfloat16"])
def test_does_what_keras_does(shape, policy):
    x = tf.constant(np.random.default_rng(0).normal(3.0, 2.0, shape), tf.float32)
    found = []
    for kind in (BatchNormalization, keras.layers.BatchNormalization):
        layer = kind(momentum=0.9, dtype=policy)
        layer.build(shape)
        layer.gamma.assign(np.linspace(0.5, 2.0, 9))
        layer.beta.assign(np.linspace(-1.0, 1.0, 9))
        with tf.GradientTape() as tape:
            tape.watch(x)
            y = layer(x, training=True)
            total = tf.reduce_sum(tf.sin(tf.cast(y, tf.float32)))
        gradients = tape.gradient(total, [x, *layer.trainable_variables])
        moving = layer.moving_mean, layer.moving_variance
        assert y.dtype == layer.compute_dtype
        found.append([y, *gradients, *moving, layer(x, training=False)])
    for ours, keras_own in zip(*found, strict=True):
        ours, keras_own = (np.array(value, "float32") for value in (ours, keras_own))
        np.testing.assert_allclose(ours, keras_own, rtol=1e-3, atol=1e-3)


def test_frozen_it_keeps_its_statistics():
    layer = BatchNormalization(trainable=False)
    x = tf.constant([[1.0], [5.0]])
    np.testing.assert_allclose(layer(x, training=True), x, rtol=1e-3)
