"""How well probes, fresh classifiers on frozen codes, predict the class from z_u.

The protocol of Gabbay, Cohen & Hoshen, "An Image is Worth More Than a Thousand Words: Towards
Disentanglement in the Wild" (OverLORD, NeurIPS 2021): a probe is trained on four fifths of the
codes and tested on the rest. There are three kinds of probe, since the failure of a single one
proves nothing.
"""

import keras
import numpy as np
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.neighbors import KNeighborsClassifier
from sklearn.preprocessing import StandardScaler

from dvae_tf.data.examples import Arrays
from dvae_tf.data.pipeline import batches
from dvae_tf.evaluation.bench import Bench
from dvae_tf.evaluation.estimate import mean_estimate
from dvae_tf.evaluation.metric import Metric, Row
from dvae_tf.evaluation.split import train_test_split
from dvae_tf.networks.seeding import seeded_initializers

VALIDATION_SHARE = 0.1
HIDDEN_UNITS = 256
BATCH_SIZE = 128
MOST_EPOCHS = 100
PATIENCE = 8
NEIGHBOURS = 20
# Early stopping of boosting needs a split with every class, hence this many examples of each.
EXAMPLES_TO_STOP_EARLY = 20


def leakage(codes: np.ndarray, label: np.ndarray, seed: int = 0) -> dict:
    """The test accuracy of three probes that predict the class from codes.

    Args:
        codes: float array [n, latent].
        label: int array [n].
        seed: int, for the split and the probes. Defaults to 0.

    Returns:
        dict of "mlp" (two layers of 256, batch normalisation, leaky ReLU, standardised codes,
        early stopping), "knn" (20 nearest neighbours, standardised) and "gbdt" (histogram gradient
        boosting) to Estimate, of the fifth of the codes that is test data.
    """
    train, test = train_test_split(len(label), seed)
    codes = np.asarray(codes, np.float32)
    probes = {"mlp": _mlp, "knn": _nearest_neighbours, "gbdt": _boosting}
    return {
        name: mean_estimate(
            probe(codes[train], label[train], codes[test], seed) == label[test], seed
        )
        for name, probe in probes.items()
    }


def chance(label: np.ndarray, num_classes: int) -> dict:
    """The accuracies that can be reached without looking at the input.

    Args:
        label: int array [n].
        num_classes: int, C.

    Returns:
        dict of "chance", 1 / C, that of guessing, and "majority", the share of the most frequent
        class, that of always predicting it.

    Examples:
        >>> chance(np.array([0, 0, 1]), 2)["chance"]
        0.5
    """
    return {"chance": 1.0 / num_classes, "majority": float(np.bincount(label).max() / len(label))}


def _standardised(codes, test_codes):
    scaler = StandardScaler().fit(codes)
    return scaler.transform(codes), scaler.transform(test_codes)


def _mlp(codes, label, test_codes, seed):
    codes, test_codes = _standardised(codes, test_codes)
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
    return np.argmax(network(test_codes, training=False), axis=-1)


def _network(latent_dim, num_classes):
    layers = [keras.layers.Input((latent_dim,))]
    for _ in range(2):
        layers += [
            keras.layers.Dense(HIDDEN_UNITS),
            keras.layers.BatchNormalization(),
            keras.layers.LeakyReLU(0.2),
        ]
    return keras.Sequential([*layers, keras.layers.Dense(num_classes)])


def _nearest_neighbours(codes, label, test_codes, seed):
    codes, test_codes = _standardised(codes, test_codes)
    classifier = KNeighborsClassifier(min(NEIGHBOURS, len(label)))
    return classifier.fit(codes, label).predict(test_codes)


def _boosting(codes, label, test_codes, seed):
    frequent = np.unique(label, return_counts=True)[1].min() >= EXAMPLES_TO_STOP_EARLY
    booster = HistGradientBoostingClassifier(early_stopping=bool(frequent), random_state=seed)
    return booster.fit(codes, label).predict(test_codes)


def _measure(bench: Bench) -> dict:
    mean, stddev = bench.codes.z_u_mean, bench.codes.z_u_stddev
    noise = np.random.default_rng(bench.seed).normal(size=mean.shape)
    label = bench.test.label
    return {
        "zu_leakage": {
            "mean": leakage(mean, label, bench.seed),
            "sample": leakage(mean + stddev * noise, label, bench.seed),
            **chance(label, bench.info.num_classes),
        }
    }


METRIC = Metric(
    name="leakage",
    group="The class in z_u",
    needs=("encode",),
    measure=_measure,
    meanings={
        "zu_leakage.mean.mlp": "test accuracy of an MLP probe on posterior means of z_u",
        "zu_leakage.mean.knn": "the same of a probe of 20 nearest neighbours",
        "zu_leakage.mean.gbdt": "the same of a probe of boosted trees",
        "zu_leakage.sample.mlp": "test accuracy of an MLP probe on posterior samples of z_u",
        "zu_leakage.sample.knn": "the same of a probe of 20 nearest neighbours",
        "zu_leakage.sample.gbdt": "the same of a probe of boosted trees",
        "zu_leakage.chance": "1 / C, the accuracy of guessing",
        "zu_leakage.majority": "share of the most frequent class, the accuracy of always "
        "predicting it",
    },
    rows=(
        Row("zu_leakage.mean", "class predicted from means of z_u, strongest probe ↓", pick=max),
        Row(
            "zu_leakage.sample", "class predicted from samples of z_u, strongest probe ↓", pick=max
        ),
    ),
)
