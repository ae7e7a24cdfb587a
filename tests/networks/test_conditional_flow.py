import keras
import numpy as np
import pytest
import tensorflow as tf
import tensorflow_probability as tfp

from dvae_tf.networks import ConditionalFlow


def disturbed(flow, seed=0):
    """Moves the weights away from the identity."""
    random = np.random.default_rng(seed)
    flow.set_weights([w + 0.2 * random.normal(size=w.shape) for w in flow.get_weights()])
    return flow


def codes(count=6, latent_dim=5, seed=1):
    code = np.random.default_rng(seed).normal(size=(count, latent_dim)).astype(np.float32)
    return code, np.eye(3, dtype=np.float32)[np.arange(count) % 3]


def test_it_starts_as_the_identity():
    code, condition = codes()
    z_u, log_det = ConditionalFlow(5, 3)(code, condition)
    np.testing.assert_array_equal(z_u, code)
    np.testing.assert_array_equal(log_det, np.zeros(6))


@pytest.mark.parametrize("latent_dim", [2, 5, 8])
def test_inverse_undoes_it(latent_dim):
    flow = disturbed(ConditionalFlow(latent_dim, 3, units=16))
    code, condition = codes(latent_dim=latent_dim)
    z_u, log_det = flow(code, condition)
    assert np.abs(z_u - code).min() > 0.0
    inverse, same_log_det = flow.inverse(z_u, condition)
    np.testing.assert_allclose(inverse, code, rtol=1e-3, atol=1e-4)
    np.testing.assert_allclose(same_log_det, log_det, rtol=1e-3, atol=1e-4)


def test_log_det_is_that_of_the_jacobian():
    flow = disturbed(ConditionalFlow(5, 3, couplings=4, units=16))
    code, condition = map(tf.constant, codes())
    with tf.GradientTape() as tape:
        tape.watch(code)
        z_u, log_det = flow(code, condition)
    jacobian = tape.batch_jacobian(z_u, code)
    np.testing.assert_allclose(log_det, np.linalg.slogdet(jacobian)[1], rtol=1e-3, atol=1e-4)


def test_one_coupling_is_tfps_real_nvp():
    flow = disturbed(ConditionalFlow(5, 3, couplings=1, units=16))
    code, condition = codes()
    reference = tfp.bijectors.RealNVP(
        num_masked=2,
        shift_and_log_scale_fn=lambda kept, size: flow.couplings[0](kept, tf.constant(condition)),
    )
    moved, log_det = flow(tf.constant(code), tf.constant(condition))
    np.testing.assert_allclose(moved, reference.forward(code), rtol=1e-5)
    expected = reference.forward_log_det_jacobian(code, event_ndims=1)
    np.testing.assert_allclose(log_det, expected, rtol=1e-5, atol=1e-6)


def test_conditions_make_a_difference():
    flow = disturbed(ConditionalFlow(5, 3))
    code = np.ones((3, 5), np.float32)
    z_u, _ = flow(code, np.eye(3, dtype=np.float32))
    assert np.abs(z_u[0] - z_u[1]).max() > 0.01


def test_every_dimension_is_moved():
    flow = disturbed(ConditionalFlow(8, 3))
    code, condition = codes(latent_dim=8)
    assert np.all(np.abs(flow(code, condition)[0] - code).max(axis=0) > 0.01)


def test_it_survives_saving(tmp_path):
    flow = disturbed(ConditionalFlow(5, 3, couplings=3, units=16, seed=4))
    flow.save(tmp_path / "flow.keras")
    loaded = keras.saving.load_model(tmp_path / "flow.keras")
    np.testing.assert_array_equal(loaded(*codes())[0], flow(*codes())[0])


def test_one_dimension_is_too_few():
    with pytest.raises(ValueError, match="latent_dim is 1"):
        ConditionalFlow(1, 3)
