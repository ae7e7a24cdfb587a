import numpy as np
import pytest
import tensorflow as tf
import tensorflow_probability as tfp

from dvae_tf.networks.spline import LEAST_BIN, LEAST_SLOPE, RANGE, Spline

BINS = 6


@pytest.fixture(scope="module")
def raw():
    return np.random.default_rng(0).normal(0.0, 2.0, (3, 3 * BINS - 1)).astype(np.float32)


def tfps(raw):
    """The same spline of TensorFlow Probability."""
    widths, heights, slopes = np.split(raw, [BINS, 2 * BINS], axis=-1)
    room = 2.0 * RANGE - BINS * LEAST_BIN
    return tfp.bijectors.RationalQuadraticSpline(
        LEAST_BIN + room * tf.nn.softmax(widths),
        LEAST_BIN + room * tf.nn.softmax(heights),
        LEAST_SLOPE + tf.nn.softplus(slopes + np.float32(np.log(np.expm1(1.0 - LEAST_SLOPE)))),
        range_min=-RANGE,
    )


def test_it_is_tfps(raw):
    x = np.random.default_rng(1).uniform(-9.0, 9.0, (40, 3)).astype(np.float32)
    raw = np.tile(raw, (40, 1, 1))
    y, log_slope = Spline(tf.constant(raw)).forward(x)
    np.testing.assert_allclose(y, tfps(raw).forward(x), rtol=1e-4, atol=1e-4)
    expected = tfps(raw).forward_log_det_jacobian(x)
    np.testing.assert_allclose(log_slope, expected, rtol=1e-3, atol=1e-3)


def test_its_inverse_undoes_it(raw):
    x = np.linspace(-10.0, 10.0, 3 * 101).reshape(101, 3).astype(np.float32)
    spline = Spline(tf.constant(np.tile(raw, (101, 1, 1))))
    y, log_slope = spline.forward(x)
    back, same = spline.inverse(y)
    np.testing.assert_allclose(back, x, atol=1e-3)
    np.testing.assert_allclose(same, log_slope, atol=1e-2)
    assert np.all(np.diff(y[:, 0]) > 0.0)


def test_gradients_are_finite_everywhere(raw):
    raw, x = tf.constant(raw), tf.constant([-8.0, 8.0, 1e6])
    with tf.GradientTape() as tape:
        tape.watch([raw, x])
        y, log_slope = Spline(raw).forward(x)
        back, again = Spline(raw).inverse(x)
        total = tf.reduce_sum(y + log_slope + back + again)
    for gradient in tape.gradient(total, [raw, x]):
        assert np.isfinite(gradient).all()
