import keras
import numpy as np
import pytest
import tensorflow as tf
import tensorflow_probability as tfp

from dvae_tf.networks import ConditionalFlow
from dvae_tf.networks.conditional_flow import in_training


def disturbed(flow, seed=0):
    """Moves the weights away from the identity."""
    random, size = np.random.default_rng(seed), 0.05 if flow.bins else 0.2
    flow.set_weights([w + size * random.normal(size=w.shape) for w in flow.get_weights()])
    return flow


def codes(count=6, latent_dim=5, seed=1):
    code = np.random.default_rng(seed).normal(size=(count, latent_dim)).astype(np.float32)
    return code, np.eye(3, dtype=np.float32)[np.arange(count) % 3]


@pytest.mark.parametrize("bins", [0, 8])
def test_it_starts_as_the_identity(bins):
    code, condition = codes()
    z_u, log_det = ConditionalFlow(5, 3, bins=bins)(code, condition)
    np.testing.assert_allclose(z_u, code, atol=2e-6)
    np.testing.assert_allclose(log_det, np.zeros(6), atol=1e-5)


@pytest.mark.parametrize("bins", [0, 8])
@pytest.mark.parametrize("latent_dim", [2, 5, 8])
def test_inverse_undoes_it(latent_dim, bins):
    flow = disturbed(ConditionalFlow(latent_dim, 3, units=16, bins=bins))
    code, condition = codes(latent_dim=latent_dim)
    z_u, log_det = flow(code, condition)
    assert np.abs(z_u - code).min() > 0.0
    inverse, same_log_det = flow.inverse(z_u, condition)
    np.testing.assert_allclose(inverse, code, rtol=1e-3, atol=1e-4)
    np.testing.assert_allclose(same_log_det, log_det, rtol=1e-3, atol=1e-4)


@pytest.mark.parametrize("bins", [0, 8])
def test_log_det_is_that_of_the_jacobian(bins):
    flow = disturbed(ConditionalFlow(5, 3, couplings=4, units=16, bins=bins))
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
        shift_and_log_scale_fn=lambda kept, size: flow.couplings[0](kept, tf.constant(condition))[
            :2
        ],
    )
    moved, log_det = flow(tf.constant(code), tf.constant(condition))
    np.testing.assert_allclose(moved, reference.forward(code), rtol=1e-5)
    expected = reference.forward_log_det_jacobian(code, event_ndims=1)
    np.testing.assert_allclose(log_det, expected, rtol=1e-5, atol=1e-6)


def test_a_spline_moves_what_affine_maps_cannot():
    """Two coupled affine maps of one dimension keep the ratio of gaps; a spline does not."""
    flow = disturbed(ConditionalFlow(2, 3, couplings=1, units=16, bins=8))
    code = np.array([[0.0, -2.0], [0.0, 0.0], [0.0, 2.0]], np.float32)
    moved = flow(code, np.ones((3, 3), np.float32))[0][:, 1].numpy()
    assert np.all(np.diff(moved) > 0.0)
    assert abs(np.diff(moved)[0] / np.diff(moved)[1] - 1.0) > 0.01


def test_beyond_its_range_a_spline_changes_nothing():
    code, condition = 100.0 * codes()[0], codes()[1]
    flow = ConditionalFlow(5, 3, couplings=2, units=16, bins=8)
    for coupling in flow.couplings:
        kernel, bias = coupling.change.get_weights()
        of_spline = np.arange(len(bias)) >= 2 * coupling.moved_dim
        coupling.change.set_weights([kernel, np.where(of_spline, np.arange(len(bias)) % 5, 0.0)])
    inside, _ = flow(np.ones_like(code), condition)
    assert np.abs(inside - 1.0).max() > 0.05
    z_u, log_det = flow(np.where(np.abs(code) > 8.0, code, 9.0).astype(np.float32), condition)
    np.testing.assert_array_equal(log_det, np.zeros(6))
    assert np.isfinite(z_u).all()


def test_encoders_are_trained_with_the_affine_part():
    flow, affine = (
        disturbed(ConditionalFlow(5, 3, units=16, bins=8)),
        ConditionalFlow(5, 3, units=16),
    )
    for of_flow, of_affine in zip(flow.couplings, affine.couplings, strict=True):
        weights = of_flow.get_weights()
        wanted = [w.shape for w in of_affine.get_weights()]
        of_affine.set_weights(
            [w[..., : shape[-1]] for w, shape in zip(weights, wanted, strict=True)]
        )
    code, condition = codes()
    z_u, log_det = in_training(flow)(code, condition)
    np.testing.assert_allclose(z_u, affine(code, condition)[0], rtol=1e-5)
    np.testing.assert_allclose(log_det, affine(code, condition)[1], rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(in_training(flow).inverse(z_u, condition)[0], code, atol=1e-4)
    assert np.abs(flow(code, condition)[0] - z_u).max() > 0.01
    assert in_training(affine) is affine


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
    flow = disturbed(ConditionalFlow(5, 3, couplings=3, units=16, bins=4, seed=4))
    flow.save(tmp_path / "flow.keras")
    loaded = keras.saving.load_model(tmp_path / "flow.keras")
    np.testing.assert_array_equal(loaded(*codes())[0], flow(*codes())[0])


def test_one_dimension_is_too_few():
    with pytest.raises(ValueError, match="latent_dim is 1"):
        ConditionalFlow(1, 3)
