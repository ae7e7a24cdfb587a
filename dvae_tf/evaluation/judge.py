"""Two independent classifiers and an independent regressor that judge a model.

They are trained on real data alone and share nothing with the model. Every report also gives their
accuracy on real test data. The two classifiers are of different families, since what pleases one
network can be learnt without being right.
"""

import hashlib
import math

import keras
import numpy as np
import sklearn
import tensorflow as tf
from sklearn.neighbors import KNeighborsClassifier

from dvae_tf.data.examples import Arrays
from dvae_tf.data.pipeline import batches
from dvae_tf.data.pixels import as_floats
from dvae_tf.evaluation.estimate import Estimate, mean_estimate
from dvae_tf.files import cache_folder, written
from dvae_tf.networks.presets import is_image
from dvae_tf.networks.seeding import seeded_initializers
from dvae_tf.tasks import in_chunks

EXAMPLES_SEEN = 160_000
EPOCHS = (3, 60)
BATCH_SIZE = 128
# Steps of so small a network take no longer than what comes between them.
STEPS_PER_EXECUTION = 8
# Increased whenever training on the same data would give a different judge.
VERSION = 5
NEIGHBOURS = 20
# Images are halved to so many pixels a side.
SIDE = 8
# Another version of these may train another judge, or not read the file of this one.
VERSIONS = tuple(
    f"{package.__name__} {package.__version__}" for package in (keras, np, sklearn, tf)
)


class Judge:
    """An independent classifier.

    Args:
        network: keras.Model, x -> logits [batch, num_classes]; the layer before its last gives
            the features.

    Examples:
        >>> x = np.concatenate([np.zeros((32, 2)), np.ones((32, 2))])
        >>> judge = train_judge(x, np.repeat([0, 1], 32), num_classes=2)
        >>> judge.accuracy(x, np.repeat([0, 1], 32)).value
        1.0
    """

    def __init__(self, network: keras.Model):
        both = keras.Model(network.inputs, [network.layers[-2].output, network.outputs[0]])
        self._both = tf.function(
            lambda x: both(x, training=False), reduce_retracing=True, autograph=False
        )

    def embed(self, x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """The features and the class probabilities of each example.

        Args:
            x: array [n, *shape], uint8 images or floats.

        Returns:
            (features float array [n, features], class probabilities float array [n, C]).
        """
        features, logits = in_chunks(self._both, as_floats(x))
        return features, tf.nn.softmax(logits).numpy()

    def accuracy(self, x: np.ndarray, label: np.ndarray) -> Estimate:
        """The share of examples whose predicted class is the given one.

        Args:
            x: array [n, *shape], uint8 images or floats.
            label: int array [n].

        Returns:
            Estimate.
        """
        return mean_estimate(self.embed(x)[1].argmax(axis=-1) == np.asarray(label))


def train_judge(x: np.ndarray, label: np.ndarray, num_classes: int, seed: int = 0) -> Judge:
    """Trains an independent classifier on real data, or loads one trained before on the same data.

    A trained judge is kept in the cache folder (~/.cache/dvae_tf) under a hash of its data and of
    the versions of Keras, TensorFlow, scikit-learn and NumPy. A file that cannot be read is made
    again.

    Args:
        x: array [n, *shape], uint8 images or floats.
        label: int array [n].
        num_classes: int, C.
        seed: int, for weights, dropout and the order of the examples. Defaults to 0.

    Returns:
        Judge.
    """
    return _trained_judge("judge", _network, x, label, num_classes, seed)


def _trained_judge(kind, make, x, label, num_classes, seed):
    x, label = as_floats(x), np.asarray(label, np.int32)
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    return Judge(_trained(kind, make, x, label, num_classes, loss, seed))


class NeighboursJudge:
    """An independent classifier by the 20 nearest training examples.

    Args:
        x: array [n, *shape], uint8 images or floats.
        label: int array [n].

    Examples:
        >>> judge = NeighboursJudge(np.repeat([[0.0], [1.0]], 20, axis=0), np.repeat([0, 1], 20))
        >>> judge.accuracy(np.array([[0.1], [0.9]]), [0, 1]).value
        1.0
    """

    def __init__(self, x: np.ndarray, label: np.ndarray):
        neighbours = KNeighborsClassifier(min(NEIGHBOURS, len(label)), algorithm="brute")
        self._predict = neighbours.fit(_flat(x), label).predict

    def accuracy(self, x: np.ndarray, label: np.ndarray) -> Estimate:
        """The share of examples whose predicted class is the given one.

        Args:
            x: array [n, *shape], uint8 images or floats.
            label: int array [n].

        Returns:
            Estimate.
        """
        return mean_estimate(self._predict(_flat(x)) == np.asarray(label))


def train_second_judge(
    x: np.ndarray, label: np.ndarray, num_classes: int, seed: int = 0
) -> Judge | NeighboursJudge:
    """Trains an independent classifier of another family than `train_judge` does.

    For images: convolutions with maxima and means over neighbouring positions, cached as that of
    `train_judge`. For other data: 20 nearest neighbours.

    Args:
        x: array [n, *shape], uint8 images or floats.
        label: int array [n].
        num_classes: int, C.
        seed: int, for weights, dropout and the order of the examples. Defaults to 0.

    Returns:
        Judge or NeighboursJudge.
    """
    if not is_image(x.shape[1:]):
        return NeighboursJudge(x, label)
    return _trained_judge("pooled", _pooled, x, label, num_classes, seed)


class FactorRegressor:
    """An independent regressor of known factors.

    Args:
        network: keras.Model, x -> standardised factors [batch, factors].
        mean, scale: float arrays [factors].
    """

    def __init__(self, network: keras.Model, mean: np.ndarray, scale: np.ndarray):
        self.mean, self.scale = mean, scale
        self._call = tf.function(
            lambda x: network(x, training=False), reduce_retracing=True, autograph=False
        )

    def predict(self, x: np.ndarray) -> np.ndarray:
        """Predicts the factors of each example.

        Args:
            x: array [n, *shape], uint8 images or floats.

        Returns:
            float array [n, factors].
        """
        return in_chunks(self._call, as_floats(x)) * self.scale + self.mean


def train_factor_regressor(x: np.ndarray, factors: np.ndarray, seed: int = 0) -> FactorRegressor:
    """Trains an independent regressor on real data, or loads one trained before on the same data.

    Args:
        x: array [n, *shape], uint8 images or floats.
        factors: float array [n, factors].
        seed: int, for weights, dropout and the order of the examples. Defaults to 0.

    Returns:
        FactorRegressor.
    """
    mean, scale = factors.mean(axis=0), factors.std(axis=0)
    target = ((factors - mean) / scale).astype(np.float32)
    network = _trained("factors", _network, as_floats(x), target, factors.shape[1], "mse", seed)
    return FactorRegressor(network, mean, scale)


def _flat(x):
    return as_floats(x).reshape(len(x), -1)


def _trained(kind, make, x, target, outputs, loss, seed):
    content = hashlib.sha256(f"{VERSION} {kind} {x.shape} {outputs} {seed} {VERSIONS}".encode())
    content.update(np.ascontiguousarray(x))
    content.update(np.ascontiguousarray(target))
    path = cache_folder() / f"{kind}-{content.hexdigest()[:20]}.keras"
    network = _cached(path)
    if network is None:
        network = _fit(make, x, target, outputs, loss, seed)
        with written(path) as temporary:
            network.save(temporary)
    return network


def _cached(path):
    """The network in a file, or None if there is none that can be read."""
    if not path.exists():
        return None
    try:
        return keras.saving.load_model(path, compile=False)
    except Exception:  # Keras's readers raise many kinds; whatever it is, a new one is trained.
        return None


def _fit(make, x, target, outputs, loss, seed):
    epochs = int(np.clip(EXAMPLES_SEEN // len(x), *EPOCHS))
    steps = epochs * -(-len(x) // BATCH_SIZE)
    with seeded_initializers(seed):
        network = make(x.shape[1:], outputs)
    rate = keras.optimizers.schedules.CosineDecay(2e-3, steps)
    network.compile(
        keras.optimizers.Adam(rate),
        loss,
        jit_compile=False,
        steps_per_execution=STEPS_PER_EXECUTION,
    )
    order = batches(Arrays(x, np.arange(len(x))), BATCH_SIZE, shuffle=True, seed=seed)
    target = tf.constant(target)
    dataset = order.map(lambda x, index: (x, tf.gather(target, index)))
    network.fit(dataset, epochs=epochs, verbose=0, shuffle=False)
    return network


def _network(shape, outputs):
    layers = keras.layers
    if is_image(shape):
        filters = [24] + [48] * (_halvings(shape) - 1)
        features = [
            *(layers.Conv2D(f, 3, 2, padding="same", activation="relu") for f in filters),
            layers.Flatten(),
            layers.Dropout(0.3, seed=0),
        ]
    else:
        features = [layers.Flatten(), layers.Dense(128, activation="relu")]
    head = [layers.Dense(128, activation="relu"), layers.Dense(outputs)]
    return keras.Sequential([layers.Input(shape), *features, *head])


def _pooled(shape, outputs):
    """Halves images by maxima and means, where `_network` does by strides."""
    layers = keras.layers
    features = [layers.Conv2D(24, 3, 2, padding="same", activation="relu")]
    for _ in range(_halvings(shape) - 1):
        features.append(layers.MaxPooling2D(2, padding="same"))
        features.append(layers.Conv2D(48, 3, padding="same", activation="relu"))
    features += [layers.AveragePooling2D(2, padding="same"), layers.Flatten()]
    head = [layers.Dense(128, activation="relu"), layers.Dense(outputs)]
    return keras.Sequential([layers.Input(shape), *features, *head])


def _halvings(shape):
    return max(2, math.ceil(math.log2(max(shape[:2]) / SIDE)))
