import numpy as np
import pytest

from dvae_tf.evaluation.metrics.leakage import chance, leakage

RANDOM = np.random.default_rng(0)
LABEL = RANDOM.integers(0, 4, 2000)


def test_a_label_in_the_code_reads_one():
    read = leakage(np.eye(4)[LABEL], LABEL)
    assert {name: figure.value for name, figure in read.items()} == {
        "mlp": 1.0,
        "knn": 1.0,
        "gbdt": 1.0,
    }
    assert read["mlp"].examples == 400


def test_noise_reads_chance():
    for figure in leakage(RANDOM.normal(size=(2000, 8)), LABEL).values():
        assert figure.value == pytest.approx(0.25, abs=0.07)
        assert figure.low < 0.25 < figure.high or abs(figure.value - 0.25) < 0.05


def test_a_label_that_no_single_dimension_tells_is_found():
    code = RANDOM.normal(size=(2000, 2))
    label = (code[:, 0] * code[:, 1] > 0).astype(int)
    for figure in leakage(code, label).values():
        assert figure.value > 0.9


def test_a_small_leak_behind_large_noise_is_found():
    code = RANDOM.normal(size=(2000, 6)) * [100, 100, 100, 100, 100, 0.01]
    code[:, 5] += 0.1 * (LABEL == 2)
    share = np.mean(LABEL == 2)
    for figure in leakage(code, (LABEL == 2).astype(int)).values():
        assert figure.value > 1 - share + 0.1


def test_same_seed_same_figures():
    code = RANDOM.normal(size=(200, 3)) + LABEL[:200, None]
    assert leakage(code, LABEL[:200]) == leakage(code, LABEL[:200])


def test_rare_classes_do_not_stop_it():
    label = np.array([0] * 60 + [1] * 60 + [2])
    read = leakage(np.eye(3)[label], label)
    assert all(figure.value > 0.95 for figure in read.values())


def test_chance_and_majority():
    assert chance(np.array([0, 0, 0, 1]), 4) == {"chance": 0.25, "majority": 0.75}
