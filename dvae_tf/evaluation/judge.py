"""A classifier that judges a model from outside.

It is trained on the real data alone and shares nothing with the model that it judges. How far its
verdicts go is its own accuracy on real test data, which every report gives beside them.
"""

import keras
import numpy as np

from dvae_tf.data.examples import Arrays
from dvae_tf.data.pipeline import batches
from dvae_tf.networks.presets import is_square_image, seeded_initializers
from dvae_tf.tasks import inward

EXAMPLES_SEEN = 300_000
EPOCHS = (4, 60)
BATCH_SIZE = 128


class Judge:
    """An independent classifier.

    Args:
        network: keras.Model, x -> logits [batch, num_classes].

    Example:

    >>> x = np.concatenate([np.zeros((32, 2)), np.ones((32, 2))])
    >>> judge = train_judge(x, np.repeat([0, 1], 32), num_classes=2)
    >>> judge.accuracy(x, np.repeat([0, 1], 32))
    1.0
    """

    def __init__(self, network):
        self.network = network

    def classify(self, x):
        """Names the class of each example.

        Args:
            x: array [n, *shape], uint8 images or floats.

        Returns:
            int array [n].
        """
        logits = self.network.predict(inward(x), batch_size=256, verbose=0)
        return np.argmax(logits, axis=-1)

    def accuracy(self, x, label):
        """How often the judge names the given class.

        Args:
            x: array [n, *shape], uint8 images or floats.
            label: int array [n].

        Returns:
            float in [0, 1].
        """
        return float(np.mean(self.classify(x) == np.asarray(label)))


def train_judge(x, label, num_classes, seed=0):
    """Trains an independent classifier on real data.

    Args:
        x: array [n, *shape], uint8 images or floats.
        label: int array [n].
        num_classes: int, C.
        seed: int, of weights, dropout and the order of the examples. Defaults to 0.

    Returns:
        Judge.
    """
    x = inward(x)
    epochs = int(np.clip(EXAMPLES_SEEN // len(x), *EPOCHS))
    steps = epochs * -(-len(x) // BATCH_SIZE)
    with seeded_initializers(seed):
        network = _network(x.shape[1:], num_classes)
    network.compile(
        keras.optimizers.Adam(keras.optimizers.schedules.CosineDecay(2e-3, steps)),
        keras.losses.SparseCategoricalCrossentropy(from_logits=True),
        jit_compile=False,
    )
    dataset = batches(Arrays(x, label), BATCH_SIZE, shuffle=True, seed=seed)
    network.fit(dataset, epochs=epochs, verbose=0, shuffle=False)
    return Judge(network)


def _network(shape, num_classes):
    layers = keras.layers
    if is_square_image(shape):
        features = [
            layers.Conv2D(32, 3, padding="same", activation="relu"),
            layers.MaxPooling2D(),
            layers.Conv2D(64, 3, padding="same", activation="relu"),
            layers.MaxPooling2D(),
            layers.Flatten(),
            layers.Dropout(0.3, seed=0),
        ]
    else:
        features = [layers.Flatten(), layers.Dense(128, activation="relu")]
    head = [layers.Dense(128, activation="relu"), layers.Dense(num_classes)]
    return keras.Sequential([layers.Input(shape), *features, *head])
