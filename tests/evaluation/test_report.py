import numpy as np
import pytest

from dvae_tf.data import load_arrays
from dvae_tf.data.three_moons import CENTRES
from dvae_tf.evaluation import report, train_judge
from dvae_tf.models import Codes


class Copier:
    """A model whose answers are known: codes are the label and the place on the arc."""

    num_classes = 3

    def __init__(self, train, confuse=0.0):
        self.train = train
        self.confuse = confuse

    def _nearest(self, x):
        return np.argmin(((x[:, None] - self.train.x) ** 2).sum(-1), axis=1)

    def encode(self, x):
        at = self._nearest(np.asarray(x))
        label = self.train.label[at]
        z_u = np.asarray(x) - CENTRES[label]
        return Codes(np.eye(3, dtype=np.float32)[label], z_u, np.zeros_like(z_u))

    def decode(self, z_s, z_u):
        """The training point that lies on its arc where z_u says."""
        label = np.argmax(z_s, axis=-1)
        same = np.where(self.train.label == label[:, None], 0.0, 1e9)
        place = (CENTRES[label] + z_u)[:, None]
        distance = ((place - self.train.x) ** 2).sum(-1) + same
        return Tensor(self.train.x[np.argmin(distance, axis=1)])

    def classify(self, x):
        return Tensor(np.asarray(self.encode(x).z_s))

    def generate(self, label, temperature, seed):
        random = np.random.default_rng(seed)
        wrong = random.uniform(size=len(label)) < self.confuse
        shown = np.where(wrong, (label + 1) % 3, label)
        pick = [random.choice(np.flatnonzero(self.train.label == value)) for value in shown]
        return Tensor(self.train.x[pick])


class Tensor(np.ndarray):
    def __new__(cls, values):
        return np.asarray(values).view(cls)

    def numpy(self):
        return np.asarray(self)


@pytest.fixture(scope="module")
def moons():
    train, info = load_arrays("three_moons", "train", count=900)
    return train, load_arrays("three_moons", "test", count=300)[0], info


def test_a_perfect_model_reads_one(moons):
    train, test, info = moons
    figures = report(Copier(train), train, test, info)
    assert figures["judge_accuracy"] > 0.9
    assert figures["zs_accuracy"] > 0.9
    assert figures["sample_consistency"] > 0.95
    # The arcs overlap, so the copier mistakes the class of some donors, and no more swaps fail.
    assert figures["swap_consistency"] == pytest.approx(figures["zs_accuracy"], abs=0.05)
    assert figures["reconstruction_mse"] < 0.05
    assert figures["arc_distance"] == pytest.approx(0.12, abs=0.02)


def test_a_confused_model_is_found_out(moons):
    train, test, info = moons
    figures = report(Copier(train, confuse=0.4), train, test, info)
    assert figures["sample_consistency"] == pytest.approx(0.6, abs=0.08)
    assert figures["arc_distance"] > 0.5


def test_judge_of_unlearnable_labels_reads_chance():
    random = np.random.default_rng(0)
    x, label = random.normal(size=(600, 4)), random.integers(0, 3, 600)
    judge = train_judge(x, label, 3)
    assert judge.accuracy(random.normal(size=(600, 4)), label) == pytest.approx(1 / 3, abs=0.08)


def test_judge_is_the_same_for_the_same_seed(moons):
    train, test, _ = moons
    first, second = (train_judge(train.x, train.label, 3).classify(test.x) for _ in range(2))
    np.testing.assert_array_equal(first, second)
