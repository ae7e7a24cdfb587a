"""How well probes predict the class from z_u.

Probes on frozen codes follow Gabbay & Hoshen, "Demystifying Inter-Class Disentanglement" (LORD,
ICLR 2020), which trains a classifier on the codes to predict the class. Here they learn on codes
of training data and are asked about the codes of all test data. There are six, since the failure
of a single one proves nothing.
"""

import numpy as np

from dvae_tf.evaluation.bench import Bench, kinds_of_z_u
from dvae_tf.evaluation.estimate import Estimate, mean_estimate, resampled_estimate
from dvae_tf.evaluation.metric import Metric, Row
from dvae_tf.evaluation.metrics.cycle import CycleProbe
from dvae_tf.evaluation.metrics.probes import PROBES

# What stands beside the probes in the dict of one kind of code.
NO_PROBES = ("strongest", "strongest_probe")


def balanced_accuracy(predicted: np.ndarray, label: np.ndarray, seed: int = 0) -> Estimate:
    """The mean over the classes of the share of their examples that is predicted right.

    Args:
        predicted, label: int arrays [n].
        seed: int, for the interval. Defaults to 0.

    Returns:
        Estimate; 1 / C for any answer that does not depend on the example, C the number of classes
        in `label`.

    Examples:
        >>> balanced_accuracy(np.array([0, 0, 0, 0]), np.array([0, 0, 0, 1])).value
        0.5
    """
    right = predicted == label

    def of_classes(index):
        count = np.bincount(label[index])
        hits = np.bincount(label[index], weights=right[index])
        return np.mean(hits[count > 0] / count[count > 0])

    return resampled_estimate(of_classes, len(label), seed=seed).within(0.0, 1.0)


def leakage(
    predicted: dict, label: np.ndarray, share: np.ndarray, seed: int = 0
) -> tuple[dict, dict]:
    """The accuracy and the balanced accuracy of several probes.

    Each probe answers with the likeliest class, and where all classes count alike with the one
    whose probability is largest beside its share: of classes that are rare it would else never
    speak, however much it knows.

    Args:
        predicted: dict of probe name to (float array [m, C], the probabilities of the classes; int
            array [m] of the indices of the examples that it was asked about).
        label: int array [n].
        share: float array [C], of the classes where the probes learnt.
        seed: int, for the intervals. Defaults to 0.

    Returns:
        (dict, dict) of probe name to Estimate, of accuracy and of balanced accuracy. Both also
        have "strongest", the Estimate of the probe with the largest value, and "strongest_probe",
        its name.

    Examples:
        >>> label, right = np.array([0, 1]), np.eye(2)
        >>> found, _ = leakage({"a": (right, label), "b": (1 - right, label)}, label, [0.5, 0.5])
        >>> found["strongest"].value, found["strongest_probe"]
        (1.0, 'a')
    """
    # A class that no probe has learnt is answered by none.
    prior = np.where(np.asarray(share) > 0.0, share, np.inf)
    plain = {
        name: mean_estimate(found.argmax(axis=-1) == label[asked], seed)
        for name, (found, asked) in predicted.items()
    }
    balanced = {
        name: balanced_accuracy((found / prior).argmax(axis=-1), label[asked], seed)
        for name, (found, asked) in predicted.items()
    }
    return _with_strongest(plain), _with_strongest(balanced)


def _with_strongest(found):
    name = max(found, key=lambda probe: found[probe].value)
    return found | {"strongest": found[name], "strongest_probe": name}


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


class FittedProbes:
    """All probes, trained on codes of training data.

    Args:
        codes: float array [n, latent], of training data.
        label: int array [n].
        subject: Subject. The cycle probes need its `encode`, `decode` and `class_codes`, and are
            left out where one is missing.
        seed: int. Defaults to 0.

    Examples:
        >>> from dvae_tf.evaluation import Subject
        >>> label = np.arange(60) % 2
        >>> probes = FittedProbes(np.eye(2)[label], label, Subject())
        >>> sorted(probes.predict(np.eye(2)))
        ['gbdt', 'knn', 'logistic', 'mlp']
    """

    def __init__(self, codes: np.ndarray, label: np.ndarray, subject, seed: int = 0):
        codes = np.asarray(codes, np.float32)
        self.num_classes = int(label.max()) + 1
        self.share = np.bincount(label) / len(label)
        self.probes = {name: fit(codes, label, seed) for name, fit in PROBES.items()}
        whole = subject.encode and subject.decode and subject.class_codes
        self.cycle = CycleProbe(subject, codes, label, seed) if whole else None

    def predict(self, codes: np.ndarray, rows: np.ndarray | None = None) -> dict:
        """Asks all probes.

        Args:
            codes: float array [m, latent].
            rows: int array, indices of the codes to ask about. Defaults to all.

        Returns:
            dict of probe name to (float array [k, C], probabilities of the classes; int array [k]
            of the indices of the codes asked about: all of `rows`, or for the cycle probes those of
            them that are decoded; these probes are left out where none is).
        """
        codes = np.asarray(codes, np.float32)
        rows = np.arange(len(codes)) if rows is None else rows
        found = {name: (predict(codes[rows]), rows) for name, predict in self.probes.items()}
        if self.cycle:
            asked = np.intersect1d(self.cycle.asked(len(codes), self.num_classes), rows)
            if len(asked):
                answers = self.cycle.predict(codes[asked])
                found |= {name: (answer, asked) for name, answer in answers.items()}
        return found


def _measure(bench: Bench) -> dict:
    label, subject = bench.test.label, bench.subject
    found: dict = {"balanced": {}, "true_class": {"balanced": {}}}
    given = subject.encode_as and kinds_of_z_u(subject.encode_as(bench.test.x, label), bench.seed)
    for kind, z_u in bench.z_u.items():
        probes = FittedProbes(bench.learnt_z_u[kind], bench.learnt.label, subject, bench.seed)
        answers = probes.predict(z_u)
        found[kind], found["balanced"][kind] = leakage(answers, label, probes.share, bench.seed)
        if given:
            # Most codes are the same; probes are asked again about the others alone.
            other = np.flatnonzero(~np.isclose(given[kind], z_u, atol=1e-5).all(axis=-1))
            if len(other):
                answers = _renewed(answers, probes.predict(given[kind], other))
            both = leakage(answers, label, probes.share, bench.seed)
            found["true_class"][kind], found["true_class"]["balanced"][kind] = both
    if not given:
        del found["true_class"]
    return {"zu_leakage": found | chance(label, bench.info.num_classes)}


def _renewed(answers, newer):
    """Answers of probes, replaced where there are newer ones; indices are in rising order."""
    found = dict(answers)
    for name, (new_answer, again) in newer.items():
        answer, asked = answers[name]
        answer = answer.copy()
        answer[np.searchsorted(asked, again)] = new_answer
        found[name] = answer, asked
    return found


METRIC = Metric(
    name="leakage",
    group="The class in z_u",
    needs=("encode",),
    measure=_measure,
    meanings={
        "zu_leakage.mean.logistic": "test accuracy of logistic regression that learns on posterior "
        "means of z_u of training data",
        "zu_leakage.mean.mlp": "the same of an MLP",
        "zu_leakage.mean.knn": "the same of 20 nearest neighbours",
        "zu_leakage.mean.gbdt": "the same of boosted trees",
        "zu_leakage.mean.cycle": "the same of the cycle probe, which decodes z_u with the mean "
        "code of each class, encodes again, and takes the class whose z_u comes back closest",
        "zu_leakage.mean.cycle_gbdt": "the same of boosted trees that learn on its distances",
        "zu_leakage.*.strongest": "the largest of these",
        "zu_leakage.*.strongest_probe": "the probe that reaches it",
        "zu_leakage.sample.*": "the same of this probe, from posterior samples of z_u",
        "zu_leakage.balanced.*": "the same as balanced accuracy: the mean over the classes",
        "zu_leakage.true_class.*": "the same of test codes for which the flow is given the true "
        "class; else it is given the predicted one",
        "zu_leakage.chance": "1 / C, the accuracy of guessing",
        "zu_leakage.majority": "share of the most frequent class, the accuracy of always "
        "predicting it",
    },
    rows=(
        Row(
            "zu_leakage.mean",
            "class predicted from means of z_u, strongest probe ↓",
            pick=max,
            without=NO_PROBES,
        ),
        Row(
            "zu_leakage.sample",
            "class predicted from samples of z_u, strongest probe ↓",
            pick=max,
            without=NO_PROBES,
        ),
    ),
    card={
        "zu_leakage.mean.strongest": "accuracy of the strongest probe that predicts the class from "
        "means of z_u",
    },
)
