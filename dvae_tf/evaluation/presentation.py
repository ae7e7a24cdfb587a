"""How the metrics are presented, according to their declarations."""

from collections.abc import Sequence

from dvae_tf.evaluation.metric import Metric, Row, groups
from dvae_tf.evaluation.metrics import METRICS


def meaning(key: str, metrics: Sequence[Metric] = METRICS) -> tuple[str, str]:
    """The meaning of a number of the report.

    Args:
        key: str, the dotted key, such as "zu_leakage.mean.mlp".
        metrics: sequence of Metric. Defaults to `dvae_tf.evaluation.METRICS`.

    Returns:
        (str, str): the title of its group and its meaning.

    Raises:
        ValueError: if no metric measures it.

    Examples:
        >>> meaning("zu_leakage.chance")
        ('The class in z_u', '1 / C, the accuracy of guessing')
    """
    metric, text = _owner(key, metrics)
    return metric.group, text


def parts_of(keys: Sequence[str], metrics: Sequence[Metric] = METRICS) -> list[str]:
    """The metrics that measure the given numbers.

    Args:
        keys: sequence of str, dotted keys of report.json.
        metrics: sequence of Metric. Defaults to `dvae_tf.evaluation.METRICS`.

    Returns:
        list of str, names of metrics.

    Raises:
        ValueError: if no metric measures one of them.

    Examples:
        >>> parts_of(["zs_accuracy", "zu_leakage.mean.knn"])
        ['classification', 'leakage']
    """
    needed = {_owner(key, metrics)[0].name for key in keys}
    return [metric.name for metric in metrics if metric.name in needed]


def table_rows(metrics: Sequence[Metric] = METRICS) -> list[Row]:
    """The rows of the comparison table, first those that every model has.

    Args:
        metrics: sequence of Metric. Defaults to `dvae_tf.evaluation.METRICS`.

    Returns:
        list of Row.

    Examples:
        >>> table_rows()[0].title
        'samples of the class asked for ↑'
    """
    by_needs = sorted(metrics, key=lambda metric: not set(metric.needs) <= {"generate"})
    return [row for metric in by_needs for row in metric.rows]


def card_lines(metrics: Sequence[Metric] = METRICS) -> dict[str, str]:
    """The names of the numbers on a model card.

    Args:
        metrics: sequence of Metric. Defaults to `dvae_tf.evaluation.METRICS`.

    Returns:
        dict of dotted key to str.

    Examples:
        >>> card_lines()["zs_accuracy"]
        'accuracy of the class predicted from z_s'
    """
    return {key: text for metric in metrics for key, text in metric.card.items()}


def as_markdown(metrics: Sequence[Metric] = METRICS) -> str:
    """The keys of a report and their meanings, as in docs/evaluation.md.

    Args:
        metrics: sequence of Metric. Defaults to `dvae_tf.evaluation.METRICS`.

    Returns:
        str, a section with a table for each group.

    Examples:
        >>> print(as_markdown([Metric("size", "Size", len, {"size": "of the set"})]), end="")
        ## Size
        <BLANKLINE>
        | key | meaning |
        |---|---|
        | `size` | of the set |
    """
    sections = []
    for title, members in groups(metrics).items():
        lines = [f"## {title}\n", "| key | meaning |", "|---|---|"]
        for metric in members:
            for key, text in metric.meanings.items():
                escaped = text.replace("|", r"\|")
                lines.append(f"| `{key}` | {escaped} |")
        sections.append("\n".join(lines) + "\n")
    return "\n".join(sections)


def _owner(key, metrics):
    """Returns the metric that measures a number, and the number's meaning."""
    for metric in metrics:
        text = metric.meaning(key)
        if text:
            return metric, text
    raise ValueError(f"No metric measures {key!r}; docs/evaluation.md lists the keys.")
