"""What a code tells of known factors of variation."""

import numpy as np

from dvae_tf.data.examples import Info
from dvae_tf.evaluation.estimate import mean_figure, resampled_figure
from dvae_tf.evaluation.split import learnt_and_asked


def factors(
    codes: np.ndarray, values: np.ndarray, info: Info, label: np.ndarray, seed: int = 0
) -> dict:
    """What boosted trees read of each factor, and of the class, in a code.

    Args:
        codes: float array [n, latent].
        values: float array [n, factors]; cyclic factors in radians, categories as integers.
        info: Info, with `factor_names` and `factor_kinds`.
        label: int array [n].
        seed: int, of the split and of the trees. Defaults to 0.

    Returns:
        dict of "class" and each factor's name to Figure, over the fifth of the codes that was not
        learnt from: accuracy of class and categories, R^2 of all else (of cyclic factors the mean
        of their sine's and cosine's).
    """
    learnt, asked = learnt_and_asked(len(label), seed)
    split = codes[learnt], codes[asked], learnt, asked, seed
    found = {"class": _accuracy(label, *split)}
    for name, kind, column in zip(info.factor_names, info.factor_kinds, values.T, strict=True):
        if kind == "categorical":
            found[name] = _accuracy(column.astype(int), *split)
        elif kind == "cyclic":
            found[name] = _r_squared(np.stack([np.sin(column), np.cos(column)], axis=-1), *split)
        else:
            found[name] = _r_squared(column[:, np.newaxis], *split)
    return found


def _accuracy(target, codes, asked_codes, learnt, asked, seed):
    from sklearn.ensemble import HistGradientBoostingClassifier

    booster = HistGradientBoostingClassifier(random_state=seed, early_stopping=False, max_iter=50)
    told = booster.fit(codes, target[learnt]).predict(asked_codes)
    return mean_figure(told == target[asked])


def _r_squared(target, codes, asked_codes, learnt, asked, seed):
    from sklearn.ensemble import HistGradientBoostingRegressor

    told = np.stack(
        [
            HistGradientBoostingRegressor(random_state=seed)
            .fit(codes, column[learnt])
            .predict(asked_codes)
            for column in target.T
        ],
        axis=-1,
    )
    truth = target[asked]

    def r_squared(index):
        error = np.mean((truth[index] - told[index]) ** 2, axis=0)
        return np.mean(1.0 - error / np.var(truth[index], axis=0))

    return resampled_figure(r_squared, len(truth))
