"""The figures of a trained model, measured on data that it has not seen."""

from collections.abc import Sequence

import numpy as np

from dvae_tf.data.examples import Arrays, Info
from dvae_tf.data.three_moons import arc_distance
from dvae_tf.evaluation.estimate import Figure, mean_figure
from dvae_tf.evaluation.judge import train_factor_reader, train_judge
from dvae_tf.evaluation.metrics.activity import activity
from dvae_tf.evaluation.metrics.classification import (
    accuracy,
    calibration_error,
    mutual_information,
)
from dvae_tf.evaluation.metrics.factors import factors
from dvae_tf.evaluation.metrics.generation import generation
from dvae_tf.evaluation.metrics.leakage import chance, leakage
from dvae_tf.evaluation.metrics.reconstruction import squared_error, structural_similarity
from dvae_tf.evaluation.metrics.swap import factor_errors, style_distance
from dvae_tf.tasks import labels_in_turn

DRAWS = 1000


def report(
    subject,
    train: Arrays,
    test: Arrays,
    info: Info,
    parts: Sequence[str] | None = None,
    seed: int = 0,
    on_part=None,
) -> dict:
    """Measures a model, or whatever else generates, encodes, decodes or classifies.

    Args:
        subject: Subject. A part is left out where its functions are missing.
        train: Arrays, real examples that the judge is trained on.
        test: Arrays, held-out examples.
        info: Info of the data.
        parts: sequence of str, keys of `PARTS`. Defaults to all.
        seed: int, of samples, swaps, splits and classifiers. Defaults to 0.
        on_part: function of a part's name, called before it is measured. Defaults to none.

    Returns:
        dict of figures, in part dicts of them, as docs/evaluation.md lists them; under
        "intervals" the same keys hold dicts of "low" and "high", the 95 % bootstrap interval, and
        "examples", how many the figure rests on.

    Raises:
        ValueError: if a part is unknown.
    """
    bench = _Bench(subject, train, test, info, seed)
    found: dict = {}
    for name in measurable(subject, parts):
        if on_part:
            on_part(name)
        _, measure = PARTS[name]
        found |= measure(bench)
    return plain(found)


def measurable(subject, parts: Sequence[str] | None = None) -> list[str]:
    """Which parts can be measured of a subject.

    Args:
        subject: Subject.
        parts: sequence of str, keys of `PARTS`. Defaults to all.

    Returns:
        list of str, those of `parts` whose functions the subject has.

    Raises:
        ValueError: if a part is unknown.
    """
    unknown = sorted(set(parts or ()) - set(PARTS))
    if unknown:
        raise ValueError(f"No part is called {unknown[0]!r}; there are {', '.join(PARTS)}.")
    return [
        name
        for name in parts or PARTS
        if all(getattr(subject, function) for function in PARTS[name][0])
    ]


def plain(found: dict) -> dict:
    """Splits figures into their values and their intervals.

    Args:
        found: dict of Figure, number, list, or dict of these.

    Returns:
        dict of the values with the same keys, and the intervals under "intervals".

    Examples:
        >>> plain({"a": Figure(0.5, 0.4, 0.6, 10)})
        {'a': 0.5, 'intervals': {'a': {'low': 0.4, 'high': 0.6, 'examples': 10}}}
    """
    return _values(found) | {"intervals": _intervals(found)}


def _values(found):
    if isinstance(found, Figure):
        return found.value
    if isinstance(found, dict):
        return {key: _values(value) for key, value in found.items()}
    return found


def _intervals(found):
    nested = {}
    for key, value in found.items():
        if isinstance(value, Figure):
            nested[key] = {"low": value.low, "high": value.high, "examples": value.examples}
        elif isinstance(value, dict):
            nested[key] = _intervals(value)
    return {key: value for key, value in nested.items() if value}


class _Bench:
    """What several parts need, made once and when first needed."""

    def __init__(self, subject, train, test, info, seed):
        self.subject, self.train, self.test = subject, train, test
        self.info, self.seed = info, seed
        self._made = {}

    def _once(self, name, make):
        if name not in self._made:
            self._made[name] = make()
        return self._made[name]

    @property
    def judge(self):
        train, classes = self.train, self.info.num_classes
        return self._once("judge", lambda: train_judge(train.x, train.label, classes, self.seed))

    @property
    def codes(self):
        return self._once("codes", lambda: self.subject.encode(self.test.x))

    @property
    def named(self):
        """The class that z_s names for each test example, int array."""
        return np.argmax(self.probabilities, axis=-1)

    @property
    def probabilities(self):
        return self._once("probabilities", lambda: self.subject.classify(self.test.x))

    @property
    def swaps(self):
        """(donors of z_s, donors of z_u: int arrays; swaps: array), 1,000 random pairs."""
        return self._once("swaps", self._swap)

    def _swap(self):
        random = np.random.default_rng(self.seed)
        donor_s, donor_u = random.integers(0, len(self.test.label), (2, DRAWS))
        z_s, z_u = self.codes.z_s[donor_s], self.codes.z_u_mean[donor_u]
        return donor_s, donor_u, self.subject.decode(z_s, z_u)


def _judge(bench):
    return {"judge_accuracy": bench.judge.accuracy(bench.test.x, bench.test.label)}


def _classification(bench):
    probabilities = bench.probabilities
    return {
        "zs_accuracy": accuracy(probabilities, bench.test.label),
        "zs_calibration_error": calibration_error(probabilities, bench.test.label),
        "mi_zs_label_nats": mutual_information(probabilities, bench.test.label),
    }


def _reconstruction(bench):
    decoded = bench.subject.decode(bench.codes.z_s, bench.codes.z_u_mean)
    found = {"reconstruction_mse": mean_figure(squared_error(bench.test.x, decoded))}
    if bench.info.is_image:
        similarity = structural_similarity(bench.test.x, decoded)
        found["reconstruction_ssim"] = mean_figure(similarity)
    return found


def _samples(bench):
    asked = labels_in_turn(DRAWS, bench.info.num_classes)
    samples = bench.subject.generate(asked, bench.seed)
    found = {"sample_consistency": bench.judge.accuracy(samples, asked)}
    if bench.info.name == "three_moons":
        found["arc_distance"] = mean_figure(arc_distance(samples, asked))
    return found


def _swap(bench):
    donor_s, donor_u, swaps = bench.swaps
    kept = bench.subject.encode(swaps).z_u_mean
    found = {
        "swap_consistency": bench.judge.accuracy(swaps, bench.test.label[donor_s]),
        "swap_agreement": bench.judge.accuracy(swaps, bench.named[donor_s]),
        "swap_style_distance": style_distance(bench.codes.z_u_mean[donor_u], kept),
    }
    if "continuous" in bench.info.factor_kinds and bench.info.is_image:
        columns = [at for at, kind in enumerate(bench.info.factor_kinds) if kind == "continuous"]
        reader = train_factor_reader(bench.train.x, bench.train.factors[:, columns], bench.seed)
        found["swap_factor_error"] = factor_errors(
            reader.read(swaps),
            reader.read(bench.test.x[donor_u]),
            bench.test.factors[donor_u][:, columns],
            [bench.info.factor_names[at] for at in columns],
        )
    return found


def _leakage(bench):
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


def _activity(bench):
    return {"zu_alive": activity(bench.subject, bench.test.x, bench.codes, bench.seed)}


def _factors(bench):
    if not bench.info.factor_names:
        return {}
    z_u = bench.codes.z_u_mean
    label = np.eye(bench.info.num_classes, dtype=z_u.dtype)[bench.test.label]
    codes = {
        "z_s": bench.codes.z_s,
        "z_u": z_u,
        "z_u_and_class": np.concatenate([z_u, label], axis=-1),
    }
    read = {
        name: factors(code, bench.test.factors, bench.info, bench.test.label, bench.seed)
        for name, code in codes.items()
    }
    return {"factors": read}


def _generation(bench):
    found = generation(bench.subject, bench.train, bench.test, bench.judge, bench.seed)
    return {"generation": found}


# name: the functions that a subject needs for it, what measures it.
PARTS = {
    "judge": ((), _judge),
    "classification": (("classify",), _classification),
    "reconstruction": (("encode", "decode"), _reconstruction),
    "samples": (("generate",), _samples),
    "swap": (("encode", "decode", "classify"), _swap),
    "leakage": (("encode",), _leakage),
    "activity": (("encode", "decode"), _activity),
    "factors": (("encode",), _factors),
    "generation": (("generate",), _generation),
}
# What the end of training shows.
QUICK_PARTS = ("judge", "classification", "reconstruction", "samples", "swap")
# How the keys of what each part finds begin.
KEYS = {
    "judge_": "judge",
    "zs_": "classification",
    "mi_zs_": "classification",
    "reconstruction_": "reconstruction",
    "sample_": "samples",
    "arc_": "samples",
    "swap_": "swap",
    "zu_leakage": "leakage",
    "zu_alive": "activity",
    "factors": "factors",
    "generation": "generation",
}


def parts_of(keys: Sequence[str]) -> list[str]:
    """Which parts find some figures.

    Args:
        keys: sequence of str, keys of report.json with dots between.

    Returns:
        list of str, keys of `PARTS`.

    Raises:
        ValueError: if no part finds one.

    Examples:
        >>> parts_of(["zs_accuracy", "zu_leakage.mean.knn"])
        ['classification', 'leakage']
    """
    needed = []
    for key in keys:
        found = [part for begin, part in KEYS.items() if key.startswith(begin)]
        if not found:
            raise ValueError(f"No figure is called {key!r}; see docs/evaluation.md.")
        needed += found
    return [part for part in PARTS if part in needed]
