"""The report of a trained model, measured on held-out data."""

from collections.abc import Callable, Sequence

import numpy as np

from dvae_tf.data.examples import Arrays, Info
from dvae_tf.evaluation.bench import Bench
from dvae_tf.evaluation.estimate import Estimate
from dvae_tf.evaluation.metric import Metric
from dvae_tf.evaluation.metrics import METRICS
from dvae_tf.evaluation.subject import Subject

# Names of all metrics, and of those that are measured at the end of training.
PARTS = tuple(metric.name for metric in METRICS)
QUICK_PARTS = tuple(metric.name for metric in METRICS if metric.quick)


def report(
    subject: Subject,
    train: Arrays,
    test: Arrays,
    info: Info,
    parts: Sequence[str] | None = None,
    seed: int = 0,
    on_part: Callable[[str], object] | None = None,
    metrics: Sequence[Metric] = METRICS,
) -> dict:
    """Measures a model, or anything else that generates, encodes, decodes or classifies.

    Args:
        subject: Subject. A metric is left out if the subject lacks a function that it needs.
        train: Arrays, the real examples that the judge is trained on.
        test: Arrays, held-out examples.
        info: Info of the data.
        parts: sequence of str, names of metrics. Defaults to all.
        seed: int, for samples, swaps, splits and classifiers. Defaults to 0.
        on_part: function of a metric's name, called before it is measured. Defaults to none.
        metrics: sequence of Metric. Defaults to `dvae_tf.evaluation.METRICS`.

    Returns:
        dict of numbers, lists, and dicts of these, as listed in docs/evaluation.md. Under
        "intervals", the same keys hold dicts of "low" and "high", the ends of the 95 % confidence
        interval, and "examples", the number of examples.

    Raises:
        ValueError: if a name is not that of a metric, an example has no label, or all training
            examples are of one class.
    """
    _expect_classes(train, test)
    bench = Bench(subject, train, test, info, seed)
    measure = {metric.name: metric.measure for metric in metrics}
    found: dict = {}
    for name in measurable(subject, parts, metrics):
        if on_part:
            on_part(name)
        found |= measure[name](bench)
    return plain(found)


def _expect_classes(train, test):
    """Refuses examples without labels, of which nothing can be measured, and a single class."""
    for name, label in (("train", train.label), ("test", test.label)):
        if np.any(label < 0):
            raise ValueError(
                f"{np.count_nonzero(label < 0)} of the {len(label)} {name} examples have no label "
                "(-1); leave them out."
            )
    if len(np.unique(train.label)) < 2:
        raise ValueError(
            f"The {len(train.label)} train examples are of one class; give examples of at least 2."
        )


def measurable(
    subject: Subject, parts: Sequence[str] | None = None, metrics: Sequence[Metric] = METRICS
) -> list[str]:
    """The metrics that can be measured on a subject.

    Args:
        subject: Subject.
        parts: sequence of str, names of metrics. Defaults to all.
        metrics: sequence of Metric. Defaults to `dvae_tf.evaluation.METRICS`.

    Returns:
        list of str, those of `parts` whose functions the subject has.

    Raises:
        ValueError: if a name is not that of a metric.
    """
    needs = {metric.name: metric.needs for metric in metrics}
    unknown = sorted(set(parts or ()) - set(needs))
    if unknown:
        raise ValueError(f"No metric is called {unknown[0]!r}; there are {', '.join(needs)}.")
    return [
        name
        for name in parts or needs
        if all(getattr(subject, function) for function in needs[name])
    ]


def plain(found: dict) -> dict:
    """Splits estimates into their values and their intervals.

    Args:
        found: dict of Estimate, number, list, or dict of these.

    Returns:
        dict of the values with the same keys, and the intervals under "intervals".

    Examples:
        >>> plain({"a": Estimate(0.5, 0.4, 0.6, 10)})
        {'a': 0.5, 'intervals': {'a': {'low': 0.4, 'high': 0.6, 'examples': 10}}}
    """
    return _values(found) | {"intervals": _intervals(found)}


def _values(found):
    if isinstance(found, Estimate):
        return found.value
    if isinstance(found, dict):
        return {key: _values(value) for key, value in found.items()}
    return found


def _intervals(found):
    nested = {}
    for key, value in found.items():
        if isinstance(value, Estimate):
            nested[key] = {"low": value.low, "high": value.high, "examples": value.examples}
        elif isinstance(value, dict):
            nested[key] = _intervals(value)
    return {key: value for key, value in nested.items() if value}
