"""Probes: fresh classifiers on frozen codes.

A probe is a function (codes, label, seed) that learns and returns a function of codes that gives
the probabilities of the classes.
"""

from collections.abc import Callable

import keras
import numpy as np
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from threadpoolctl import threadpool_limits

from dvae_tf.data.examples import Arrays
from dvae_tf.data.pipeline import batches
from dvae_tf.networks.seeding import seeded_initializers

VALIDATION_SHARE = 0.1
HIDDEN_UNITS = 256
BATCH_SIZE = 128
# With many codes the batches are larger: about so many steps an epoch.
MOST_STEPS = 100
MOST_EPOCHS = 30
PATIENCE = 6
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
    """Trains an MLP: two layers of 256, batch normalisation, leaky ReLU, standardised codes.

    A tenth of the codes decides when training stops.

    Args:
        codes: float array [n, latent].
        label: int array [n].
        seed: int, for weights and the order of the codes. Defaults to 0.

    Returns:
        function codes [m, latent] -> float array [m, C].
    """
    scaler = StandardScaler().fit(codes)
    order = np.random.default_rng(seed).permutation(len(label))
    scaled, label = np.asarray(scaler.transform(codes), np.float32)[order], np.asarray(label)[order]
    cut = max(1, int(VALIDATION_SHARE * len(label)))
    with seeded_initializers(seed):
        network = _network(scaled.shape[1], int(label.max()) + 1)
    network.compile(
        keras.optimizers.Adam(1e-3),
        keras.losses.SparseCategoricalCrossentropy(from_logits=True),
        metrics=["accuracy"],
        jit_compile=False,
    )
    best = keras.callbacks.EarlyStopping(
        "val_accuracy", patience=PATIENCE, restore_best_weights=True
    )
    size = max(BATCH_SIZE, len(label) // MOST_STEPS)
    network.fit(
        batches(Arrays(scaled[cut:], label[cut:]), size, shuffle=True, seed=seed),
        epochs=MOST_EPOCHS,
        validation_data=batches(Arrays(scaled[:cut], label[:cut]), 1024, shuffle=False, seed=seed),
        callbacks=[best],
        shuffle=False,
        verbose=0,
    )

    def predict(codes):
        logits = network(np.asarray(scaler.transform(codes), np.float32), training=False)
        return keras.ops.convert_to_numpy(keras.ops.softmax(logits))

    return predict


def _network(latent_dim, num_classes):
    layers = [keras.layers.Input((latent_dim,))]
    for _ in range(2):
        layers += [
            keras.layers.Dense(HIDDEN_UNITS),
            keras.layers.BatchNormalization(),
            keras.layers.LeakyReLU(0.2),
        ]
    return keras.Sequential([*layers, keras.layers.Dense(num_classes)])


PROBES = {
    "logistic": logistic_regression,
    "mlp": mlp,
    "knn": nearest_neighbours,
    "gbdt": boosted_trees,
}
