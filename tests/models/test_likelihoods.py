import keras
import numpy as np
import pandas as pd
import pytest
import scipy.stats
import tensorflow as tf

from dvae_tf.data import Columns
from dvae_tf.data.columns import FURTHEST
from dvae_tf.models.likelihoods import ColumnLikelihood, SharedGaussian, likelihood_of

RANDOM = np.random.default_rng(0)
FRAME = pd.DataFrame(
    {
        "age": [20.0, 30.0, np.nan, 60.0],
        "member": [True, False, True, True],
        "job": ["baker", "smith", "cook", "cook"],
        "size": [1.0, 2.0, 3.0, 4.0],
    }
)
COLUMNS = Columns.of("made", FRAME)
X = COLUMNS.wide(COLUMNS.read("made", FRAME)).numpy()


def decoded():
    """Means and probabilities, block by block: age (mean, missing), member, job, size."""
    job = RANDOM.dirichlet(np.ones(3), 4)
    unit = RANDOM.uniform(0.1, 0.9, (4, 2))
    normal = RANDOM.normal(size=(4, 2))
    return np.column_stack([normal[:, 0], unit[:, 0], unit[:, 1], job, normal[:, 1]]).astype("f4")


def test_log_prob_of_each_column_is_that_of_scipy():
    likelihood, by = ColumnLikelihood(COLUMNS), decoded()
    likelihood.variances.assign([0.25, 4.0])
    found = likelihood.log_prob(X, by).numpy()
    known = np.array([1, 1, 0, 1])
    age = known * scipy.stats.norm(by[:, 0], 0.5).logpdf(X[:, 0])
    age = age + scipy.stats.bernoulli(by[:, 1]).logpmf(1 - known)
    member = scipy.stats.bernoulli(by[:, 2]).logpmf(X[:, 2].astype(int))
    job = np.log(by[np.arange(4), 3 + X[:, 3:6].argmax(axis=-1)])
    size = scipy.stats.norm(by[:, 6], 2.0).logpdf(X[:, 6])
    np.testing.assert_allclose(found, np.stack([age, member, job, size], axis=-1), rtol=1e-4)
    np.testing.assert_allclose(
        likelihood.loss(X, by, training=False), -found.mean(axis=-1), rtol=1e-5
    )


def test_a_category_that_is_not_known_costs_nothing():
    x = X.copy()
    x[:, 3:6] = 0.0
    assert ColumnLikelihood(COLUMNS).log_prob(x, decoded()).numpy()[:, 2].tolist() == [0.0] * 4


def followed(likelihood, by):
    """A training so long that nothing is left of the first variances."""

    @tf.function(autograph=False)
    def step():
        return likelihood.loss(X, by, training=True)

    for _ in range(600):
        step()


def test_variances_follow_the_errors_of_training_only():
    likelihood, by = ColumnLikelihood(COLUMNS), decoded()
    likelihood.loss(X, by, training=False)
    assert likelihood.variances.numpy().tolist() == [1.0, 1.0]
    followed(likelihood, by)
    error = (X - by) ** 2
    expected = [error[[0, 1, 3], 0].mean(), error[:, 6].mean()]
    np.testing.assert_allclose(likelihood.variances, expected, rtol=1e-3)


def test_the_variance_of_the_errors_maximises_the_likelihood():
    likelihood, by = ColumnLikelihood(COLUMNS), decoded()
    followed(likelihood, by)
    best = likelihood.variances.numpy()
    least = float(tf.reduce_mean(likelihood.loss(X, by, training=False)))
    for factor in (0.8, 1.25):
        likelihood.variances.assign(factor * best)
        assert float(tf.reduce_mean(likelihood.loss(X, by, training=False))) > least


def test_draws_have_the_moments_of_the_likelihood():
    likelihood = ColumnLikelihood(COLUMNS)
    likelihood.variances.assign([0.25, 4.0])
    one = np.array([[1.0, 0.3, 0.8, 0.2, 0.5, 0.3, -2.0]], np.float32)
    drawn = likelihood.draw(
        tf.constant(np.repeat(one, 20_000, axis=0)), tf.constant([1, 2])
    ).numpy()
    np.testing.assert_allclose(drawn.mean(axis=0), one[0], atol=0.05)
    assert drawn[:, 0].std() == pytest.approx(0.5, rel=0.03)
    assert drawn[:, 6].std() == pytest.approx(2.0, rel=0.03)
    assert set(np.unique(drawn[:, 1:6])) == {0.0, 1.0}
    np.testing.assert_array_equal(drawn[:, 3:6].sum(axis=-1), np.ones(20_000))
    # Different columns, different noise.
    assert abs(np.corrcoef(drawn[:, 0], drawn[:, 6])[0, 1]) < 0.03


def test_drawn_numbers_are_within_what_models_take():
    likelihood = ColumnLikelihood(COLUMNS)
    likelihood.variances.assign([1e6, 1e6])
    drawn = likelihood.draw(tf.zeros((200, COLUMNS.width)) + 0.5, tf.constant([1, 2])).numpy()
    assert np.abs(drawn).max() == FURTHEST


def test_it_is_saved_with_its_columns():
    config = keras.saving.serialize_keras_object(ColumnLikelihood(COLUMNS))
    assert keras.saving.deserialize_keras_object(config).columns == COLUMNS


def test_images_and_vectors_share_one_variance():
    likelihood = likelihood_of((8, 8, 1), None)
    assert isinstance(likelihood, SharedGaussian)
    assert likelihood.values((8, 8, 1)) == 8.0
    assert likelihood.draw(tf.ones((1, 2)), None).numpy().tolist() == [[1.0, 1.0]]
    with pytest.raises(ValueError, match="the columns take 7 values a row"):
        likelihood_of((3,), COLUMNS)
