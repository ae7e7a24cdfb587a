"""Probes: fresh classifiers on frozen codes.

A probe is a function (codes, label, seed) that learns and returns a function of codes that gives
the probabilities of the classes.
"""

import warnings
from collections.abc import Callable

import numpy as np
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LogisticRegression
from sklearn.neighbors import KNeighborsClassifier
from sklearn.neural_network import MLPClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from threadpoolctl import threadpool_limits

HIDDEN_UNITS = (256, 256)
EPOCHS, PATIENCE = 30, 10
# About so many steps an epoch, of batches between these sizes.
STEPS, BATCH_SIZE = 100, (32, 500)
NEIGHBOURS = 20
BOOSTING_ROUNDS = 40
# Boosting of fewer codes is faster on one thread than on several.
ONE_THREAD = 10_000


def logistic_regression(codes: np.ndarray, label: np.ndarray, seed: int = 0) -> Callable:
    """Fits a logistic regression on standardised codes.

    Args:
        codes: float array [n, latent].
        label: int array [n].
        seed: int. Defaults to 0; the fit has no randomness.

    Returns:
        function codes [m, latent] -> float array [m, C], C the largest label and one more.

    Examples:
        >>> predict = logistic_regression(np.array([[0.0], [1.0]] * 20), np.array([0, 1] * 20))
        >>> predict(np.array([[0.1], [0.9]])).argmax(axis=-1).tolist()
        [0, 1]
    """
    model = make_pipeline(StandardScaler(), LogisticRegression(max_iter=300, random_state=seed))
    return _probabilities(model.fit(np.asarray(codes, np.float32), label))


def _probabilities(model):
    """What a fitted classifier of scikit-learn predicts, with a column for each class."""

    def predict(codes):
        found = np.zeros((len(codes), int(model.classes_.max()) + 1))
        found[:, model.classes_] = model.predict_proba(codes)
        return found

    return predict


def nearest_neighbours(codes: np.ndarray, label: np.ndarray, seed: int = 0) -> Callable:
    """Classifies by the 20 nearest standardised codes.

    Args:
        codes: float array [n, latent].
        label: int array [n].
        seed: int, without effect. Defaults to 0.

    Returns:
        function codes [m, latent] -> float array [m, C].
    """
    neighbours = KNeighborsClassifier(min(NEIGHBOURS, len(label)), algorithm="brute")
    model = make_pipeline(StandardScaler(), neighbours)
    return _probabilities(model.fit(np.asarray(codes, np.float32), label))


def boosted_trees(codes: np.ndarray, label: np.ndarray, seed: int = 0) -> Callable:
    """Fits 40 rounds of histogram gradient boosting.

    Args:
        codes: float array [n, features].
        label: int array [n].
        seed: int. Defaults to 0.

    Returns:
        function codes [m, features] -> float array [m, C].
    """
    booster = HistGradientBoostingClassifier(
        max_iter=BOOSTING_ROUNDS, early_stopping=False, random_state=seed
    )
    with threadpool_limits(1 if len(label) < ONE_THREAD else None):
        return _probabilities(booster.fit(codes, label))


def mlp(codes: np.ndarray, label: np.ndarray, seed: int = 0) -> Callable:
    """Trains an MLP with two layers of 256 on standardised codes, for at most 30 epochs.

    A tenth of the codes decides when training stops, where each class has a code to spare.

    Args:
        codes: float array [n, latent].
        label: int array [n].
        seed: int, for weights and the order of the codes. Defaults to 0.

    Returns:
        function codes [m, latent] -> float array [m, C].
    """
    count = np.bincount(label)
    network = MLPClassifier(
        HIDDEN_UNITS,
        batch_size=int(np.clip(len(label) // STEPS, *BATCH_SIZE)),
        max_iter=EPOCHS,
        n_iter_no_change=PATIENCE,
        early_stopping=bool(count[count > 0].min() > 1 and len(label) > 10 * len(count)),
        random_state=seed,
    )
    with warnings.catch_warnings():
        # The number of epochs is a bound that is meant to be reached.
        warnings.simplefilter("ignore", ConvergenceWarning)
        model = make_pipeline(StandardScaler(), network).fit(np.asarray(codes, np.float32), label)
    return _probabilities(model)


PROBES = {
    "logistic": logistic_regression,
    "mlp": mlp,
    "knn": nearest_neighbours,
    "gbdt": boosted_trees,
}
