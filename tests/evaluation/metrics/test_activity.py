import numpy as np
import pytest
import tensorflow_probability as tfp

from dvae_tf.evaluation import Subject
from dvae_tf.evaluation.metrics.activity import active_units, activity, kl_per_dimension
from dvae_tf.models import Codes

RANDOM = np.random.default_rng(0)
tfd = tfp.distributions


def test_kl_is_that_of_tfd():
    mean = RANDOM.normal(size=(5, 3))
    stddev = RANDOM.uniform(0.1, 2.0, (5, 3))
    expected = tfd.kl_divergence(tfd.Normal(mean, stddev), tfd.Normal(np.float64(0), np.float64(1)))
    np.testing.assert_allclose(kl_per_dimension(mean, stddev), expected, rtol=1e-6)


def test_active_units_are_counted():
    mean = RANDOM.normal(size=(500, 4)) * [1.0, 0.2, 0.05, 0.0]
    assert active_units(mean).value == 2.0


def measured(decode):
    """z_s and z_u are two halves of x; z_u's other dimension is dead."""
    x = RANDOM.normal(size=(300, 2)).astype(np.float32)
    mean = np.stack([x[:, 1], np.zeros(300)], axis=-1)
    codes = Codes(x[:, :1], mean, np.array([[0.1, 1.0]] * 300))
    return activity(Subject(decode=decode), x, codes)


def test_a_code_that_the_decoder_uses_costs_when_it_is_replaced():
    alive = measured(lambda z_s, z_u: np.concatenate([z_s, z_u[:, :1]], axis=-1))
    error = {name: estimate.value for name, estimate in alive["reconstruction_mse"].items()}
    assert error["true"] == pytest.approx(0.0, abs=1e-12)
    # Half of the dimensions are off by the difference of two standard normals.
    assert error["prior"] == pytest.approx(1.0, abs=0.2)
    assert error["other"] == pytest.approx(1.0, abs=0.2)
    assert (alive["active_units"].value, alive["dimensions"]) == (1.0, 2)
    assert alive["kl_per_dimension_nats"][1] == pytest.approx(0.0, abs=1e-12)
    assert alive["kl_nats"].value == pytest.approx(sum(alive["kl_per_dimension_nats"]))


def test_a_code_that_the_decoder_ignores_has_collapsed():
    dead = measured(lambda z_s, z_u: np.repeat(z_s, 2, axis=-1))
    errors = [estimate.value for estimate in dead["reconstruction_mse"].values()]
    assert errors[0] == errors[1] == errors[2] > 0.1
