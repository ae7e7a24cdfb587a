import numpy as np
import pytest
import tensorflow as tf

from dvae_tf.networks.spectral_normalization import SpectralConv2D, SpectralDense, SpectralEmbedding


def spectral_norm(kernel):
    return np.linalg.svd(np.reshape(kernel, (-1, kernel.shape[-1])), compute_uv=False)[0]


CASES = [
    (SpectralDense(6), np.ones((2, 9), np.float32), "kernel"),
    (SpectralConv2D(6, 3), np.ones((2, 8, 8, 2), np.float32), "kernel"),
    (SpectralEmbedding(7, 6), np.array([0, 3]), "embeddings"),
]


@pytest.mark.parametrize(("layer", "inputs", "name"), CASES, ids=lambda value: str(value)[:18])
def test_power_iteration_finds_the_norm_and_leaves_the_kernel_alone(layer, inputs, name):
    layer(inputs)
    before = getattr(layer, name).numpy()
    for _ in range(100):
        layer(inputs, training=True)
    np.testing.assert_array_equal(getattr(layer, name).numpy(), before)
    normalised = layer.normalise(getattr(layer, name), training=False)
    assert spectral_norm(normalised) == pytest.approx(1.0, abs=1e-3)
    np.testing.assert_allclose(normalised, before / spectral_norm(before), rtol=1e-3, atol=1e-6)


def test_only_training_moves_the_singular_vector_on():
    layer = SpectralDense(6)
    layer(np.ones((2, 9), np.float32))
    start = layer.singular_vector.numpy()
    layer(np.ones((2, 9), np.float32))
    np.testing.assert_array_equal(layer.singular_vector.numpy(), start)
    layer(np.ones((2, 9), np.float32), training=True)
    assert not np.array_equal(layer.singular_vector.numpy(), start)


def test_gradient_flows_through_the_norm():
    """A kernel scaled up gives the same output, so the gradient has no part along the kernel."""
    layer = SpectralDense(6, use_bias=False)
    inputs = np.random.default_rng(0).normal(size=(4, 9)).astype(np.float32)
    for _ in range(200):
        layer(inputs, training=True)
    with tf.GradientTape() as tape:
        total = tf.reduce_sum(layer(inputs) ** 2)
    gradient = tf.convert_to_tensor(tape.gradient(total, layer.kernel.value))
    along = tf.reduce_sum(gradient * layer.kernel) / tf.norm(layer.kernel)
    assert abs(float(along)) < 1e-3 * float(tf.norm(gradient))
