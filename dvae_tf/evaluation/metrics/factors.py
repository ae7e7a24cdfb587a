"""How well known factors of variation are predicted from a code."""

import numpy as np
from sklearn.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor

from dvae_tf.data.examples import Info
from dvae_tf.evaluation.bench import Bench
from dvae_tf.evaluation.estimate import mean_estimate, resampled_estimate
from dvae_tf.evaluation.metric import Metric, Row
from dvae_tf.evaluation.split import train_test_split


def factors(
    codes: np.ndarray, values: np.ndarray, info: Info, label: np.ndarray, seed: int = 0
) -> dict:
    """How well boosted trees predict each factor, and the class, from a code.

    Args:
        codes: float array [n, latent].
        values: float array [n, factors]; cyclic factors in radians, categories as integers.
        info: Info, with `factor_names` and `factor_kinds`.
        label: int array [n].
        seed: int, for the split and the trees. Defaults to 0.

    Returns:
        dict of "class" and each factor's name to Estimate, on the fifth of the codes that is
        test data: accuracy for the class and categorical factors, R^2 for all others (for cyclic
        factors the mean over their sine and cosine).
    """
    train, test = train_test_split(len(label), seed)
    split = codes[train], codes[test], train, test, seed
    found = {"class": _accuracy(label, *split)}
    for name, kind, column in zip(info.factor_names, info.factor_kinds, values.T, strict=True):
        if kind == "categorical":
            found[name] = _accuracy(column.astype(int), *split)
        elif kind == "cyclic":
            found[name] = _r_squared(np.stack([np.sin(column), np.cos(column)], axis=-1), *split)
        else:
            found[name] = _r_squared(column[:, np.newaxis], *split)
    return found


def _accuracy(target, codes, test_codes, train, test, seed):
    booster = HistGradientBoostingClassifier(random_state=seed, early_stopping=False, max_iter=50)
    predicted = booster.fit(codes, target[train]).predict(test_codes)
    return mean_estimate(predicted == target[test])


def _r_squared(target, codes, test_codes, train, test, seed):
    predicted = np.stack(
        [
            HistGradientBoostingRegressor(random_state=seed)
            .fit(codes, column[train])
            .predict(test_codes)
            for column in target.T
        ],
        axis=-1,
    )
    truth = target[test]

    def r_squared(index):
        error = np.mean((truth[index] - predicted[index]) ** 2, axis=0)
        return np.mean(1.0 - error / np.var(truth[index], axis=0))

    return resampled_estimate(r_squared, len(truth))


def _measure(bench: Bench) -> dict:
    if not bench.info.factor_names:
        return {}
    z_u = bench.codes.z_u_mean
    label = np.eye(bench.info.num_classes, dtype=z_u.dtype)[bench.test.label]
    codes = {
        "z_s": bench.codes.z_s,
        "z_u": z_u,
        "z_u_and_class": np.concatenate([z_u, label], axis=-1),
    }
    predicted = {
        name: factors(code, bench.test.factors, bench.info, bench.test.label, bench.seed)
        for name, code in codes.items()
    }
    return {"factors": predicted}


METRIC = Metric(
    name="factors",
    group="Known factors",
    needs=("encode",),
    measure=_measure,
    meanings={
        "factors.z_s.class": "test accuracy of boosted trees that predict the class from z_s; 1 is "
        "best",
        "factors.z_u.class": "the same from z_u; chance is best",
        "factors.z_s.*": "R^2 (of categories: accuracy) of boosted trees that predict this factor "
        "from z_s; 0 is best",
        "factors.z_u.*": "the same from z_u; 1 is best",
        "factors.z_u_and_class.class": "the class predicted from z_u and the class itself: 1",
        "factors.z_u_and_class.*": "this factor predicted from z_u and the class together; 1 is "
        "best. Higher than from z_u alone where z_u encodes the factor differently in each class",
    },
    rows=(
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
