"""How well known factors of variation are predicted from a code."""

import warnings
from typing import NamedTuple

import numpy as np
from sklearn.base import clone
from sklearn.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor
from sklearn.exceptions import ConvergenceWarning
from sklearn.neural_network import MLPClassifier, MLPRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from threadpoolctl import threadpool_limits

from dvae_tf.data.examples import Info
from dvae_tf.evaluation.bench import Bench
from dvae_tf.evaluation.estimate import mean_estimate, resampled_estimate
from dvae_tf.evaluation.metric import Metric, Row

# The most codes of training data that trees and MLP learn from, drawn at random.
MOST_LEARNT = 10_000
ROUNDS = 50
# An MLP on fewer codes has none to spare for early stopping.
EXAMPLES_TO_STOP_EARLY = 1000


class Coded(NamedTuple):
    """Codes with what is to be predicted from them.

    Args:
        codes: float array [n, latent].
        values: float array [n, factors]; cyclic factors in radians, categories as integers.
        label: int array [n].
    """

    codes: np.ndarray
    values: np.ndarray
    label: np.ndarray


def factors(train: Coded, test: Coded, info: Info, seed: int = 0) -> dict:
    """How well each factor, and the class, is predicted from a code.

    Boosted trees and an MLP learn on codes of training data and are asked about those of test
    data; the better one counts.

    Args:
        train, test: Coded.
        info: Info, with `factor_names` and `factor_kinds`.
        seed: int, for trees and MLP. Defaults to 0.

    Returns:
        dict of "class" and each factor's name to Estimate: accuracy for the class and categorical
        factors, R^2 for all others (for cyclic factors the mean over their sine and cosine). A
        factor that has one value in `test` has no R^2 and is left out.
    """
    found = {"class": _accuracy(train.codes, train.label, test.codes, test.label, seed)}
    columns = zip(info.factor_names, info.factor_kinds, train.values.T, test.values.T, strict=True)
    for name, kind, known, asked in columns:
        if kind == "categorical":
            found[name] = _accuracy(
                train.codes, known.astype(int), test.codes, asked.astype(int), seed
            )
        elif np.ptp(asked) > 0.0:
            target, truth = (_numbers(column, kind) for column in (known, asked))
            found[name] = _r_squared(train.codes, target, test.codes, truth, seed)
    return found


def _numbers(column, kind):
    """A factor as columns of numbers without a seam."""
    if kind == "cyclic":
        return np.stack([np.sin(column), np.cos(column)], axis=-1)
    return column[:, np.newaxis]


def _accuracy(codes, target, test_codes, truth, seed):
    trees = HistGradientBoostingClassifier(random_state=seed, early_stopping=False, max_iter=ROUNDS)
    network = make_pipeline(StandardScaler(), MLPClassifier(**_settings(len(target), seed)))
    right = [model.predict(test_codes) == truth for model in _fitted(codes, target, trees, network)]
    return mean_estimate(max(right, key=np.mean))


def _r_squared(codes, target, test_codes, truth, seed):
    scaler = StandardScaler().fit(target)
    scaled, truth = scaler.transform(target), scaler.transform(truth)
    tree = HistGradientBoostingRegressor(max_iter=ROUNDS, random_state=seed)
    trees = [_fitted(codes, column, clone(tree))[0] for column in scaled.T]
    network = make_pipeline(StandardScaler(), MLPRegressor(**_settings(len(target), seed)))
    (network,) = _fitted(codes, scaled, network)
    answers = (
        np.stack([tree.predict(test_codes) for tree in trees], axis=-1),
        network.predict(test_codes).reshape(truth.shape),
    )

    def r_squared(predicted, index):
        error = np.mean((truth[index] - predicted[index]) ** 2, axis=0)
        return np.mean(1.0 - error / np.var(truth[index], axis=0))

    everything = np.arange(len(truth))
    best = max(answers, key=lambda predicted: r_squared(predicted, everything))
    return resampled_estimate(lambda index: r_squared(best, index), len(truth))


def _fitted(codes, target, *models):
    """Fits models on one thread, which is faster for so few codes."""
    target = target[:, 0] if target.ndim == 2 and target.shape[1] == 1 else target
    with threadpool_limits(1), warnings.catch_warnings():
        # The MLP stops after so many passes on purpose.
        warnings.simplefilter("ignore", ConvergenceWarning)
        return [model.fit(codes, target) for model in models]


def _settings(count, seed):
    return {
        "hidden_layer_sizes": (128, 128),
        "early_stopping": count >= EXAMPLES_TO_STOP_EARLY,
        "max_iter": 60,
        "n_iter_no_change": 5,
        "tol": 1e-3,
        "random_state": seed,
    }


def _measure(bench: Bench) -> dict:
    if not bench.info.factor_names:
        return {}
    few = np.random.default_rng(bench.seed).permutation(len(bench.learnt.label))[:MOST_LEARNT]
    train = _codes_by_name(bench.learnt_codes, bench.learnt.label, bench.info.num_classes)
    test = _codes_by_name(bench.codes, bench.test.label, bench.info.num_classes)
    predicted = {
        name: factors(
            Coded(train[name][few], bench.learnt.factors[few], bench.learnt.label[few]),
            Coded(code, bench.test.factors, bench.test.label),
            bench.info,
            bench.seed,
        )
        for name, code in test.items()
    }
    return {"factors": predicted, "zs_vectors": len(np.unique(bench.codes.z_s, axis=0))}


def _codes_by_name(codes, label, num_classes):
    own_class = np.eye(num_classes, dtype=codes.z_u_mean.dtype)[label]
    return {
        "z_s": codes.z_s,
        "z_u": codes.z_u_mean,
        "z_u_and_class": np.concatenate([codes.z_u_mean, own_class], axis=-1),
    }


METRIC = Metric(
    name="factors",
    group="Known factors",
    needs=("encode",),
    measure=_measure,
    meanings={
        "factors.z_s.class": "test accuracy of the class predicted from z_s, by boosted trees or "
        "an MLP that learn on codes of training data, whichever is better; 1 is best",
        "factors.z_u.class": "the same from z_u; chance is best",
        "factors.z_s.*": "R^2 (of categories: accuracy) of this factor predicted from z_s in the "
        "same way; 0 is best. Where z_s is one of C vectors (see `zs_vectors`), that z_s tells no "
        "factor is true by construction, as far as the class does not tell it",
        "factors.z_u.*": "the same from z_u; 1 is best",
        "factors.z_u_and_class.class": "the class predicted from z_u and the class itself: 1",
        "factors.z_u_and_class.*": "this factor predicted from z_u and the class together; 1 is "
        "best. Higher than from z_u alone where z_u encodes the factor differently in each class",
        "zs_vectors": "number of different z_s of the test examples. If it is C, z_s is one vector "
        "a class",
    },
    rows=(
        Row("zs_vectors", "different values of z_s; if C, z_s tells no factor by construction"),
        Row(
            "factors.z_s",
            "the factor best predicted from z_s, R² ↓",
            pick=max,
            without=("class",),
        ),
        Row(
            "factors.z_u",
            "the factor worst predicted from z_u, R² ↑",
            pick=min,
            without=("class",),
        ),
        Row(
            "factors.z_u_and_class",
            "the factor worst predicted from z_u and the class, R² ↑",
            pick=min,
            without=("class",),
        ),
    ),
)
