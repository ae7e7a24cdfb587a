import numpy as np
import pytest
from sklearn.ensemble import HistGradientBoostingRegressor

from dvae_tf.data.examples import Info
from dvae_tf.evaluation.metrics.factors import Coded, factors
from dvae_tf.evaluation.metrics.swap import factor_errors, style_distance

RANDOM = np.random.default_rng(0)
LABEL = np.arange(1000) % 2
INFO = Info(
    name="made",
    split="test",
    shape=(3,),
    class_names=("a", "b"),
    count=1000,
    factor_names=("size", "angle", "kind"),
    factor_kinds=("continuous", "cyclic", "categorical"),
)
VALUES = np.stack(
    [
        RANDOM.uniform(5.0, 10.0, 1000),
        RANDOM.uniform(-np.pi, np.pi, 1000),
        RANDOM.integers(0, 3, 1000),
    ],
    axis=-1,
)


def predicted(codes):
    """What is predicted of the last 200 codes by probes that learn on the others."""
    train, test = (
        Coded(codes[part], VALUES[part], LABEL[part]) for part in (slice(800), slice(800, None))
    )
    return {name: estimate.value for name, estimate in factors(train, test, INFO).items()}


def test_a_code_that_is_the_factors_predicts_them():
    codes = np.concatenate([VALUES, LABEL[:, None]], axis=-1)
    found = predicted(codes)
    assert found["class"] == found["kind"] == 1.0
    assert found["size"] > 0.995
    assert found["angle"] > 0.98


@pytest.mark.slow
def test_noise_predicts_nothing():
    found = predicted(RANDOM.normal(size=(1000, 4)))
    assert found["size"] < 0.05
    assert found["angle"] < 0.05
    assert found["class"] == pytest.approx(0.5, abs=0.12)
    assert found["kind"] == pytest.approx(1 / 3, abs=0.12)


@pytest.mark.slow
def test_a_factor_that_only_the_mlp_reads_is_found():
    """A linear mixture of many dimensions: each tree sees one dimension at a time."""
    random = np.random.default_rng(1)
    size = (VALUES[:, :1] - 7.5) / 1.44
    mixing = np.linalg.qr(random.normal(size=(20, 20)))[0]
    codes = np.concatenate([0.3 * size, random.normal(size=(1000, 19))], axis=1) @ mixing
    trees = HistGradientBoostingRegressor(max_iter=50).fit(codes[:800], size[:800, 0])
    assert predicted(codes)["size"] > trees.score(codes[800:], size[800:, 0]) + 0.1


def test_a_cyclic_factor_has_no_seam():
    codes = np.stack([np.sin(VALUES[:, 1]), np.cos(VALUES[:, 1])], axis=-1)
    assert predicted(codes)["angle"] > 0.99


def test_kinds_default_to_continuous():
    assert Info("a", "test", (1,), ("a", "b"), 1, ("x", "y")).factor_kinds == (
        "continuous",
        "continuous",
    )


def test_style_that_is_kept_and_style_that_is_lost():
    z_u = RANDOM.normal(size=(2000, 4))
    assert style_distance(z_u, z_u).value == 0.0
    assert style_distance(z_u, RANDOM.normal(size=(2000, 4))).value == pytest.approx(1.0, abs=0.05)


def test_codes_that_do_not_vary_have_no_style_to_keep():
    assert style_distance(np.ones((6, 2)), np.ones((6, 2))).value == 1.0


def test_a_few_donors_far_out_do_not_hide_that_style_is_lost():
    z_u = 0.01 * RANDOM.normal(size=(1000, 8))
    z_u[::125] *= 1000.0
    kept = np.where(np.arange(1000)[:, np.newaxis] % 125, 0.01 * RANDOM.normal(size=(1000, 8)), z_u)
    assert style_distance(z_u, kept).value > 0.9


def test_factor_errors_are_in_standard_deviations():
    truth = VALUES[:, :1]
    found = factor_errors(truth + 2 * truth.std(), truth, truth, ["size"])["size"]
    assert (found["swaps"].value, found["donors"].value) == (pytest.approx(2.0), 0.0)


def test_a_factor_with_one_value_is_left_out():
    values = VALUES.copy()
    values[800:, 0] = 7.0
    train, test = (
        Coded(RANDOM.normal(size=(len(part), 2)), part, label)
        for part, label in ((values[:800], LABEL[:800]), (values[800:], LABEL[800:]))
    )
    assert sorted(factors(train, test, INFO)) == ["angle", "class", "kind"]
