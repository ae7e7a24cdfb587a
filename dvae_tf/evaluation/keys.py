"""The dotted keys of a report: "zu_leakage.mean.mlp" is report["zu_leakage"]["mean"]["mlp"]."""

from typing import Any


def flat(report: dict, prefix: str = "") -> dict:
    """Flattens a report into dotted keys.

    Args:
        report: dict, the content of report.json, or its "intervals".
        prefix: str, put before every key. Defaults to nothing.

    Returns:
        dict of dotted key to number or list, without the intervals.

    Examples:
        >>> flat({"a": {"b": 1.0}, "intervals": {}})
        {'a.b': 1.0}
    """
    found: dict = {}
    for name, value in report.items():
        if isinstance(value, dict) and name != "intervals":
            found |= flat(value, f"{prefix}{name}.")
        elif name != "intervals":
            found[f"{prefix}{name}"] = value
    return found


def entry(report: dict, key: str) -> Any:
    """Looks up the value at a key.

    Args:
        report: dict, the content of report.json.
        key: str, dotted.

    Returns:
        a number, a list or a dict; None if the report has no such key.

    Examples:
        >>> entry({"a": {"b": 1.0}}, "a"), entry({}, "a.b")
        ({'b': 1.0}, None)
    """
    value: Any = report
    for name in key.split("."):
        value = value.get(name) if isinstance(value, dict) else None
    return value


def number(report: dict, key: str) -> float:
    """Looks up a number.

    Args:
        report: dict, the content of report.json.
        key: str, dotted.

    Returns:
        float.

    Raises:
        ValueError: if the report has no number at this key.

    Examples:
        >>> number({"a": {"b": 1}}, "a.b")
        1.0
    """
    value = entry(report, key)
    if not isinstance(value, int | float):
        raise ValueError(f"The report has no number {key!r}; docs/evaluation.md lists the keys.")
    return float(value)
