import numpy as np
import pytest
import scipy.stats

from dvae_tf.evaluation import Subject
from dvae_tf.evaluation.metrics.zu_prior import largest_correlation, prior_fit
from dvae_tf.models import DisentangledVAE

RANDOM = np.random.default_rng(0)


def test_the_prior_itself_fits():
    found = prior_fit(RANDOM.normal(size=(4000, 6)))
    assert found["norm"].value == pytest.approx(1.0, abs=0.04)
    assert found["outside"].value == pytest.approx(0.01, abs=0.006)
    assert found["correlation"].value < 0.07
    assert found["nll"].value == pytest.approx(0.5 * np.log(2 * np.pi * np.e), abs=0.02)


def test_a_few_codes_far_out_do_not_hide_that_the_rest_is_one_point():
    z_u = 0.01 * RANDOM.normal(size=(4000, 8))
    z_u[:32] *= 1000.0
    found = prior_fit(z_u)
    assert found["norm"].value > 0.7
    assert found["outside"].value < 0.02
    assert found["median"].value < 0.01
    assert prior_fit(RANDOM.normal(size=(4000, 8)))["median"].value == pytest.approx(1.0, abs=0.06)


def test_wider_codes_are_outside():
    found = prior_fit(1.6 * RANDOM.normal(size=(3000, 6)))
    assert found["norm"].value == pytest.approx(1.6**2, abs=0.1)
    expected = scipy.stats.chi2.sf(scipy.stats.chi2.ppf(0.99, 6) / 1.6**2, 6)
    assert found["outside"].value == pytest.approx(expected, abs=0.02)


def test_nll_of_an_affine_flow_is_the_gaussian_density_of_its_codes():
    code = 3.0 + 2.0 * RANDOM.normal(size=(500, 4))
    expected = -scipy.stats.norm(3.0, 2.0).logpdf(code).mean()
    log_det = np.full(500, -4 * np.log(2.0))
    found = prior_fit((code - 3.0) / 2.0, log_det)
    assert found["nll"].value == pytest.approx(expected)


def test_largest_correlation_is_that_of_numpy():
    z_u = RANDOM.normal(size=(300, 4)) @ RANDOM.normal(size=(4, 4))
    matrix = np.abs(np.corrcoef(z_u.T)) - np.eye(4)
    assert largest_correlation(z_u).value == pytest.approx(matrix.max())


def test_log_det_is_that_of_the_models_flow():
    model = DisentangledVAE((2,), 3, preset="toy", recipe="balanced")
    for weight in model.flow.trainable_variables:
        weight.assign(weight + 0.1 * RANDOM.normal(size=weight.shape))
    subject = Subject.of(model)
    x = RANDOM.normal(size=(5, 2)).astype(np.float32)
    codes = subject.encode(x)
    code, _ = model.encoder_u(x)
    z_u, log_det = model.flow(code, codes.z_s)
    np.testing.assert_allclose(codes.z_u_mean, z_u, rtol=1e-5, atol=1e-5)
    found = subject.log_det(codes.z_u_mean, codes.z_s)
    np.testing.assert_allclose(found, log_det, rtol=1e-4, atol=1e-4)


def test_encoding_as_a_class_changes_the_condition_where_another_was_predicted():
    model = DisentangledVAE((2,), 3, preset="toy", recipe="balanced")
    for weight in model.flow.trainable_variables:
        weight.assign(weight + 0.1 * RANDOM.normal(size=weight.shape))
    subject = Subject.of(model)
    x = RANDOM.normal(size=(6, 2)).astype(np.float32)
    predicted = subject.classify(x).argmax(axis=-1)
    codes, other = subject.encode(x), (predicted + 1) % 3
    np.testing.assert_allclose(subject.encode_as(x, predicted).z_u_mean, codes.z_u_mean, atol=1e-6)
    given = subject.encode_as(x, other)
    np.testing.assert_allclose(given.z_s, subject.class_codes()[other])
    expected, _ = model.flow(model.encoder_u(x)[0], given.z_s)
    np.testing.assert_allclose(given.z_u_mean, expected, atol=1e-5)
    assert np.abs(given.z_u_mean - codes.z_u_mean).max() > 1e-3
