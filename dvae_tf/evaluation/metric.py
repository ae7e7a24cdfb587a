"""The declaration of a metric, from which report, pages, tables, model card and docs are made."""

import dataclasses
import fnmatch
from collections.abc import Callable, Iterable, Mapping

from dvae_tf.evaluation.bench import Bench
from dvae_tf.evaluation.keys import entry


@dataclasses.dataclass(frozen=True)
class Row:
    """A row of the comparison table.

    Args:
        key: str, the dotted key of its value in the report. With `pick`, the key of a dict of
            several values.
        title: str, with an arrow where more (↑) or less (↓) is better.
        pick: function, `max` or `min`: which of several values is shown. Defaults to none.
        without: tuple of str, names of values that `pick` ignores. Defaults to none.
        real: str, the key of the value of real data in this row. Defaults to none.

    Examples:
        >>> row = Row("probes", "strongest probe ↓", pick=max)
        >>> row.value({"probes": {"mlp": 0.2, "knn": 0.4}}), row.value({})
        (0.4, None)
    """

    key: str
    title: str
    pick: Callable[..., float] | None = None
    without: tuple[str, ...] = ()
    real: str = ""

    def value(self, report: dict) -> float | None:
        """The value that the row shows for a model.

        Args:
            report: dict, the content of report.json.

        Returns:
            float; None if it was not measured.
        """
        found = entry(report, self.key)
        if self.pick:
            values = [value for name, value in (found or {}).items() if name not in self.without]
            return self.pick(values, default=None)
        return found

    def real_value(self, report: dict) -> float | None:
        """The value that the row shows for real data.

        Args:
            report: dict, the content of report.json of any model.

        Returns:
            float; None if real data has no such value.
        """
        return entry(report, self.real) if self.real else None


@dataclasses.dataclass(frozen=True)
class Metric:
    """One metric of the report: how it is measured, and how its values are presented.

    Args:
        name: str, such as "leakage".
        group: str, title of its section on the report page and in docs/evaluation.md.
        measure: function of a Bench that returns a dict of Estimate, or of numbers or lists that
            have no interval; dicts may be nested. No other metric may have the same keys.
        meanings: dict of dotted key to its meaning in one line. A star matches any part of a key;
            of several keys that match, the first counts.
        needs: tuple of str, the functions of the Subject that it calls. Defaults to none.
        quick: bool, whether it is measured at the end of training too. Defaults to False.
        rows: tuple of Row, its rows of the comparison table. Defaults to none.
        card: dict of dotted key to its name on the model card. Defaults to none.

    Examples:
        >>> metric = Metric("size", "Size", lambda bench: {}, {"size.*": "number of examples"})
        >>> metric.meaning("size.test"), metric.meaning("weight")
        ('number of examples', None)
    """

    name: str
    group: str
    measure: Callable[[Bench], dict]
    meanings: Mapping[str, str]
    needs: tuple[str, ...] = ()
    quick: bool = False
    rows: tuple[Row, ...] = ()
    card: Mapping[str, str] = dataclasses.field(default_factory=dict)

    def meaning(self, key: str) -> str | None:
        """The meaning of a number of the report.

        Args:
            key: str, dotted.

        Returns:
            str; None if another metric measures it.
        """
        matching = (
            text for pattern, text in self.meanings.items() if fnmatch.fnmatchcase(key, pattern)
        )
        return next(matching, None)


def groups(metrics: Iterable[Metric]) -> dict[str, list[Metric]]:
    """Groups metrics by the sections that present them.

    Args:
        metrics: iterable of Metric.

    Returns:
        dict of title to list of Metric, in the order of the metrics.

    Examples:
        >>> [*groups([Metric("size", "Size", len, {})])]
        ['Size']
    """
    found: dict[str, list[Metric]] = {}
    for metric in metrics:
        found.setdefault(metric.group, []).append(metric)
    return found
