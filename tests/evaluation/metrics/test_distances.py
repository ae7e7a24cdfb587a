import numpy as np
import pytest
import scipy.linalg

from dvae_tf.evaluation.metrics.frechet_distance import frechet_distance, gaussian_distance
from dvae_tf.evaluation.metrics.inception_score import inception_score
from dvae_tf.evaluation.metrics.kernel_distance import kernel_distance
from dvae_tf.evaluation.metrics.manifold import manifold

RANDOM = np.random.default_rng(0)


def test_frechet_distance_of_a_set_with_itself_is_0():
    features = RANDOM.normal(size=(200, 10))
    assert frechet_distance(features, features).value == pytest.approx(0.0, abs=1e-9)


def test_frechet_distance_of_gaussians_is_the_closed_form():
    # Commuting covariances: |m|^2 + sum (s_1 - s_2)^2.
    scale, other_scale = np.array([1.0, 2.0, 0.5]), np.array([2.0, 1.0, 0.5])
    shift = np.array([1.0, 0.0, -2.0])
    expected = 5.0 + np.sum((scale - other_scale) ** 2)
    exact = gaussian_distance(np.zeros(3), np.diag(scale**2), shift, np.diag(other_scale**2))
    assert exact == pytest.approx(expected)
    one = RANDOM.normal(size=(20_000, 3)) * scale
    other = RANDOM.normal(size=(20_000, 3)) * other_scale + shift
    estimate = frechet_distance(one, other)
    assert estimate.value == pytest.approx(expected, rel=0.03)
    assert estimate.low < expected < estimate.high


def test_frechet_distance_agrees_with_the_matrix_square_root():
    covariance, other = (np.cov(RANDOM.normal(size=(6, 50)) + np.arange(50)) for _ in range(2))
    root = scipy.linalg.sqrtm(covariance @ other).real
    expected = np.trace(covariance + other - 2 * root)
    found = gaussian_distance(np.zeros(6), covariance, np.zeros(6), other)
    assert found == pytest.approx(expected, rel=1e-6, abs=1e-6)


def test_fewer_examples_than_features_are_measured():
    assert np.isfinite(frechet_distance(RANDOM.normal(size=(10, 40)), np.ones((10, 40))).value)


def test_kernel_distance_is_the_sum_over_pairs():
    one, other = RANDOM.normal(size=(7, 3)), RANDOM.normal(1.0, 1.0, (9, 3))

    def kernel(a, b):
        return (a @ b / 3 + 1) ** 3

    def within(x):
        pairs = [kernel(a, b) for i, a in enumerate(x) for j, b in enumerate(x) if i != j]
        return np.mean(pairs)

    between = np.mean([kernel(a, b) for a in one for b in other])
    expected = within(one) + within(other) - 2 * between
    assert kernel_distance(one, other).value == pytest.approx(expected, rel=1e-4)


def test_kernel_distance_of_one_distribution_is_about_0():
    estimate = kernel_distance(RANDOM.normal(size=(400, 5)), RANDOM.normal(size=(300, 5)))
    assert estimate.low < 0.0 < estimate.high
    assert estimate.examples == 300


def test_inception_score_counts_the_classes_that_are_surely_predicted():
    assert inception_score(np.eye(5)[np.arange(100) % 5]).value == pytest.approx(5.0)
    assert inception_score(np.eye(5)[np.zeros(100, int)]).value == pytest.approx(1.0)
    assert inception_score(np.full((100, 5), 0.2)).value == pytest.approx(1.0)


def test_manifold_of_equal_sets_and_of_sets_apart():
    real = RANDOM.normal(size=(60, 3))
    same = manifold(real, real)
    assert [same[name].value for name in ("precision", "recall", "coverage")] == [1.0, 1.0, 1.0]
    apart = manifold(real, real + 100.0)
    assert all(estimate.value == 0.0 for estimate in apart.values())


def test_lost_modes_cost_recall_and_coverage_but_not_precision():
    real = np.concatenate([RANDOM.normal(size=(100, 2)), RANDOM.normal(size=(100, 2)) + 50.0])
    lost = manifold(real, RANDOM.normal(size=(200, 2)))
    assert lost["precision"].value > 0.9
    assert lost["recall"].value == pytest.approx(0.5, abs=0.06)
    assert lost["coverage"].value == pytest.approx(0.5, abs=0.06)
    assert lost["density"].value == pytest.approx(1.0, abs=0.3)


def test_density_is_counted_ball_by_ball():
    real, samples = RANDOM.normal(size=(30, 2)), RANDOM.normal(size=(20, 2))
    radius = [np.sort(np.linalg.norm(real - point, axis=1))[5] for point in real]
    inside = [
        sum(np.linalg.norm(sample - point) <= r for point, r in zip(real, radius, strict=True))
        for sample in samples
    ]
    assert manifold(real, samples)["density"].value == pytest.approx(np.mean(inside) / 5)
