import numpy as np
import pytest

from dvae_tf.evaluation.metrics.leakage import chance, leakage

RANDOM = np.random.default_rng(0)
LABEL = RANDOM.integers(0, 4, 2000)


def test_a_label_in_the_code_is_predicted():
    found = leakage(np.eye(4)[LABEL], LABEL)
    assert {name: estimate.value for name, estimate in found.items()} == {
        "mlp": 1.0,
        "knn": 1.0,
        "gbdt": 1.0,
    }
    assert found["mlp"].examples == 400


def test_noise_predicts_no_better_than_chance():
    for estimate in leakage(RANDOM.normal(size=(2000, 8)), LABEL).values():
        assert estimate.value == pytest.approx(0.25, abs=0.07)
        assert estimate.low < 0.25 < estimate.high or abs(estimate.value - 0.25) < 0.05


def test_a_label_that_no_single_dimension_tells_is_found():
    code = RANDOM.normal(size=(2000, 2))
    label = (code[:, 0] * code[:, 1] > 0).astype(int)
    for estimate in leakage(code, label).values():
        assert estimate.value > 0.9


def test_a_small_leak_behind_large_noise_is_found():
    code = RANDOM.normal(size=(2000, 6)) * [100, 100, 100, 100, 100, 0.01]
    code[:, 5] += 0.1 * (LABEL == 2)
    share = np.mean(LABEL == 2)
    for estimate in leakage(code, (LABEL == 2).astype(int)).values():
        assert estimate.value > 1 - share + 0.1


def test_same_seed_same_estimates():
    code = RANDOM.normal(size=(200, 3)) + LABEL[:200, None]
    assert leakage(code, LABEL[:200]) == leakage(code, LABEL[:200])


def test_rare_classes_do_not_stop_it():
    label = np.array([0] * 60 + [1] * 60 + [2])
    found = leakage(np.eye(3)[label], label)
    assert all(estimate.value > 0.95 for estimate in found.values())


def test_chance_and_majority():
    assert chance(np.array([0, 0, 0, 1]), 4) == {"chance": 0.25, "majority": 0.75}
