import numpy as np
import pytest
from sklearn.metrics import balanced_accuracy_score

from dvae_tf.data.examples import Arrays, Info
from dvae_tf.evaluation import Subject, report
from dvae_tf.evaluation.metrics import cycle, probes
from dvae_tf.evaluation.metrics.cycle import CycleProbe
from dvae_tf.evaluation.metrics.leakage import FittedProbes, balanced_accuracy, chance, leakage
from dvae_tf.models import Codes

CLASSES = 4
TRAINABLE = ("logistic", "mlp", "knn", "gbdt")


@pytest.fixture(scope="module", autouse=True)
def hasty_mlp():
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(probes, "EPOCHS", 8)
        yield


def hidden_class(z_u):
    """A class that no smooth function of z_u tells: from its third and fourth decimals."""
    return np.floor(np.abs(z_u[:, 0]) * 1e4).astype(int) % CLASSES


def encode(x):
    """An input is z_s (the class, one-hot) beside z_u."""
    return Codes(x[:, :CLASSES], x[:, CLASSES:], np.full((len(x), 3), 1e-6, np.float32))


def honest(z_s, z_u):
    return np.concatenate([z_s, z_u], axis=-1)


def leaky(z_s, z_u):
    """A decoder that draws another style wherever the class is not that hidden in z_u."""
    wrong = np.argmax(z_s, axis=-1) != hidden_class(z_u)
    return honest(z_s, z_u + 0.5 * wrong[:, np.newaxis])


def subject(decode):
    return Subject(encode=encode, decode=decode, class_codes=lambda: np.eye(CLASSES))


def codes(count, seed):
    z_u = np.random.default_rng(seed).normal(size=(count, 3)).astype(np.float32)
    return z_u, hidden_class(z_u)


def accuracies(probes, z_u, label):
    return {
        name: np.mean(answer.argmax(axis=-1) == label[asked])
        for name, (answer, asked) in probes.predict(z_u).items()
    }


@pytest.mark.slow
def test_a_planted_leak_is_found_by_the_cycle_probe_alone():
    found = accuracies(FittedProbes(*codes(1500, 1), subject(leaky)), *codes(800, 2))
    assert found["cycle"] == found["cycle_gbdt"] == 1.0
    for name in TRAINABLE:
        assert found[name] == pytest.approx(1 / CLASSES, abs=0.06), name


def test_an_honest_decoder_gives_the_cycle_probe_nothing():
    probe = CycleProbe(subject(honest), *codes(600, 1))
    z_u, label = codes(800, 2)
    for answer in probe.predict(z_u).values():
        assert np.mean(answer.argmax(axis=-1) == label) == pytest.approx(1 / CLASSES, abs=0.06)


@pytest.mark.slow
def test_codes_that_hold_the_class_or_its_noise():
    random = np.random.default_rng(0)
    train, test = random.integers(0, CLASSES, 800), random.integers(0, CLASSES, 600)
    one_hot = np.eye(CLASSES)
    told = accuracies(FittedProbes(one_hot[train], train, Subject()), one_hot, np.arange(CLASSES))
    assert told == dict.fromkeys(TRAINABLE, 1.0)
    noise = random.normal(size=(2, 800, 5))
    silent = accuracies(FittedProbes(noise[0], train, Subject()), noise[1, :600], test)
    for value in silent.values():
        assert value == pytest.approx(1 / CLASSES, abs=0.08)


@pytest.mark.slow
def test_rare_classes_do_not_stop_it():
    label = np.array([0] * 60 + [1] * 60 + [2])
    probes = FittedProbes(np.eye(3)[label], label, Subject())
    found = accuracies(probes, np.eye(3)[:2], np.arange(2))
    assert min(found.values()) == 1.0


@pytest.mark.slow
def test_the_number_of_decoded_pictures_is_bounded(monkeypatch):
    monkeypatch.setattr(cycle, "MOST_PICTURES", 100 * CLASSES)
    z_u, label = codes(500, 1)
    probes = FittedProbes(z_u, label, subject(leaky))
    answer, asked = probes.predict(z_u)["cycle"]
    assert len(asked) == len(set(asked)) == 100
    np.testing.assert_array_equal(answer.argmax(axis=-1), label[asked])


def test_balanced_accuracy_is_that_of_scikit_learn():
    random = np.random.default_rng(0)
    label = random.choice(3, 300, p=[0.8, 0.15, 0.05])
    predicted = np.where(random.uniform(size=300) < 0.6, label, 0)
    expected = balanced_accuracy_score(label, predicted)
    estimate = balanced_accuracy(predicted, label)
    assert estimate.value == pytest.approx(expected)
    assert estimate.low < expected < estimate.high


def test_a_class_of_one_example_gives_no_accuracy_above_1():
    label = np.array([0] * 30 + [1])
    found = balanced_accuracy(label, label)
    assert found[:3] == (1.0, 1.0, 1.0)
    assert balanced_accuracy(1 - label, label).low >= 0.0


def test_always_predicting_the_frequent_class_is_no_leak_by_balanced_accuracy():
    label = np.array([0] * 90 + [1] * 10)
    lazy = np.tile([0.9, 0.1], (100, 1))
    plain, balanced = leakage({"lazy": (lazy, np.arange(100))}, label, [0.9, 0.1])
    assert plain["lazy"].value == 0.9
    assert balanced["lazy"].value == pytest.approx(0.5)


@pytest.mark.slow
def test_a_leak_of_a_rare_class_is_seen_by_balanced_accuracy():
    """The rare class is never the likeliest, yet a threshold on one dimension tells it."""
    random = np.random.default_rng(0)
    label = (random.random(12_000) < 0.05).astype(int)
    z_u = random.normal(size=(12_000, 4))
    z_u[:, 0] += 1.5 * label
    probes = FittedProbes(z_u[:8000], label[:8000], Subject())
    _, balanced = leakage(probes.predict(z_u[8000:]), label[8000:], probes.share)
    of_threshold = balanced_accuracy((z_u[8000:, 0] > 0.75).astype(int), label[8000:]).value
    assert of_threshold > 0.74
    assert balanced["logistic"].value == pytest.approx(of_threshold, abs=0.03)
    assert min(balanced[name].value for name in ("mlp", "gbdt")) > 0.7


def test_pictures_whose_codes_are_no_numbers_are_refused():
    def broken(x):
        return encode(x)._replace(z_u_mean=np.full((len(x), 3), np.nan))

    subject = Subject(encode=broken, decode=honest, class_codes=lambda: np.eye(CLASSES))
    with pytest.raises(ValueError, match="pictures that the model decodes is NaN"):
        CycleProbe(subject, *codes(20, 1))


def test_the_strongest_probe_is_named():
    label = np.arange(40) % 2
    right, all_asked = {"a": np.eye(2)[1 - label], "b": np.eye(2)[label]}, np.arange(40)
    answers = {name: (answer, all_asked) for name, answer in right.items()}
    found, _ = leakage(answers, label, [0.5, 0.5])
    assert (found["strongest"], found["strongest_probe"]) == (found["b"], "b")


@pytest.mark.slow
def test_a_wrong_condition_of_the_flow_is_undone_with_the_true_class():
    """z_u tells the class wherever z_s is wrong: only the code as encoded leaks then."""
    z_u, label = codes(500, 3)
    x = honest(np.eye(CLASSES)[label], z_u)
    wrong = z_u + 20.0 * (label[:, np.newaxis] + 1)
    told = Subject(
        encode=lambda x: encode(x)._replace(z_u_mean=wrong),
        encode_as=lambda x, given: encode(x)._replace(z_u_mean=z_u),
    )
    arrays = Arrays(x, label)
    info = Info("toy", "test", (x.shape[1],), tuple("abcd"), len(x))
    figures = report(told, arrays, arrays, info, ["leakage"])["zu_leakage"]
    assert figures["mean"]["strongest"] == 1.0
    assert figures["true_class"]["mean"]["logistic"] < 0.5
    assert figures["sample"]["knn"] == 1.0
    assert figures["balanced"]["sample"]["knn"] == pytest.approx(1.0)


def test_chance_and_majority():
    assert chance(np.array([0, 0, 0, 1]), 4) == {"chance": 0.25, "majority": 0.75}


@pytest.mark.slow
def test_codes_that_are_no_numbers_are_refused():
    x = np.zeros((8, 2), np.float32)
    broken = Codes(x, np.full((8, 2), np.nan), np.ones((8, 2)))
    label = np.arange(8) % 2
    info = Info("made", "test", (2,), ("a", "b"), 8)
    with pytest.raises(ValueError, match="z_u of some examples is NaN"):
        report(Subject(encode=lambda x: broken), Arrays(x, label), Arrays(x, label), info)
