"""What fresh classifiers read of the class in a frozen code.

The protocol of Gabbay, Cohen & Hoshen, "An Image is Worth More Than a Thousand Words: Towards
Disentanglement in the Wild" (OverLORD, NeurIPS 2021): a new classifier on codes that no longer
change, four fifths of them to learn from, one fifth to be asked about. Three kinds of classifier,
since one that fails proves nothing.
"""

import keras
import numpy as np

from dvae_tf.data.examples import Arrays
from dvae_tf.data.pipeline import batches
from dvae_tf.evaluation.estimate import mean_figure
from dvae_tf.evaluation.split import learnt_and_asked
from dvae_tf.networks.presets import seeded_initializers

VALIDATION_SHARE = 0.1
HIDDEN_UNITS = 256
BATCH_SIZE = 128
MOST_EPOCHS = 100
PATIENCE = 8
NEIGHBOURS = 20
# Boosting stops early on a split that holds every class, which takes this many examples of each.
EXAMPLES_TO_STOP_EARLY = 20


def leakage(codes: np.ndarray, label: np.ndarray, seed: int = 0) -> dict:
    """The accuracy with which three fresh classifiers read the class from codes.

    Args:
        codes: float array [n, latent].
        label: int array [n].
        seed: int, of the split and of the classifiers. Defaults to 0.

    Returns:
        dict of "mlp" (two layers of 256, batch normalisation, leaky ReLU, standardised codes,
        early stopping), "knn" (20 nearest neighbours, standardised) and "gbdt" (histogram gradient
        boosting) to Figure, over the fifth of the codes that was not learnt from.
    """
    learnt, asked = learnt_and_asked(len(label), seed)
    codes = np.asarray(codes, np.float32)
    readers = {"mlp": _mlp, "knn": _nearest_neighbours, "gbdt": _boosting}
    return {
        name: mean_figure(
            read(codes[learnt], label[learnt], codes[asked], seed) == label[asked], seed
        )
        for name, read in readers.items()
    }


def chance(label: np.ndarray, num_classes: int) -> dict:
    """What a reader without any knowledge gets.

    Args:
        label: int array [n].
        num_classes: int, C.

    Returns:
        dict of "chance", 1 / C, and "majority", the share of the most frequent class.

    Examples:
        >>> chance(np.array([0, 0, 1]), 2)["chance"]
        0.5
    """
    return {"chance": 1.0 / num_classes, "majority": float(np.bincount(label).max() / len(label))}


def _standardised(codes, asked):
    from sklearn.preprocessing import StandardScaler

    scaler = StandardScaler().fit(codes)
    return scaler.transform(codes), scaler.transform(asked)


def _mlp(codes, label, asked, seed):
    codes, asked = _standardised(codes, asked)
    cut = max(1, int(VALIDATION_SHARE * len(label)))
    with seeded_initializers(seed):
        network = _network(codes.shape[1], int(label.max()) + 1)
    network.compile(
        keras.optimizers.Adam(1e-3),
        keras.losses.SparseCategoricalCrossentropy(from_logits=True),
        metrics=["accuracy"],
        jit_compile=False,
    )
    best = keras.callbacks.EarlyStopping(
        "val_accuracy", patience=PATIENCE, restore_best_weights=True
    )
    network.fit(
        batches(Arrays(codes[cut:], label[cut:]), BATCH_SIZE, shuffle=True, seed=seed),
        epochs=MOST_EPOCHS,
        validation_data=batches(Arrays(codes[:cut], label[:cut]), 1024, shuffle=False, seed=seed),
        callbacks=[best],
        shuffle=False,
        verbose=0,
    )
    return np.argmax(network(asked, training=False), axis=-1)


def _network(latent_dim, num_classes):
    layers = [keras.layers.Input((latent_dim,))]
    for _ in range(2):
        layers += [
            keras.layers.Dense(HIDDEN_UNITS),
            keras.layers.BatchNormalization(),
            keras.layers.LeakyReLU(0.2),
        ]
    return keras.Sequential([*layers, keras.layers.Dense(num_classes)])


def _nearest_neighbours(codes, label, asked, seed):
    from sklearn.neighbors import KNeighborsClassifier

    codes, asked = _standardised(codes, asked)
    return KNeighborsClassifier(min(NEIGHBOURS, len(label))).fit(codes, label).predict(asked)


def _boosting(codes, label, asked, seed):
    from sklearn.ensemble import HistGradientBoostingClassifier

    frequent = np.unique(label, return_counts=True)[1].min() >= EXAMPLES_TO_STOP_EARLY
    booster = HistGradientBoostingClassifier(early_stopping=bool(frequent), random_state=seed)
    return booster.fit(codes, label).predict(asked)
