"""The report page: pictures and tables."""

import html
import os
from collections.abc import Sequence

from dvae_tf import evaluation
from dvae_tf.drawing.html import Picture, heading, paragraph, picture, write_web_page

# The numbers that a run adds to its report: {key: (title of the group, meaning)}.
OF_THE_RUN = {"training_seconds": ("Cost", "wall-clock time of the training")}


def write_page(
    path: str | os.PathLike,
    description: dict,
    report: dict,
    pictures: Sequence[Picture],
    metrics: Sequence[evaluation.Metric] = evaluation.METRICS,
) -> str | os.PathLike:
    """Writes report.html.

    Args:
        path: str or pathlib.Path of the file.
        description: dict, the content of run.json.
        report: dict, the content of report.json.
        pictures: sequence of dvae_tf.drawing.html.Picture.
        metrics: sequence of dvae_tf.evaluation.Metric, which say what the numbers mean. Defaults
            to all metrics of the package.

    Returns:
        str or pathlib.Path, `path`.
    """
    arguments = description["arguments"]
    title = f"{arguments['model']} on {arguments['dataset']}"
    about = (
        f"Preset {arguments['preset']}, recipe {arguments['recipe']}, {arguments['epochs']} "
        f"epochs of {description['data']['training_examples']:,} examples, seed "
        f"{arguments['seed']}. Measured on the test split, with 95 % confidence intervals "
        "(bootstrap)."
    )
    body = [paragraph(about), *_claims(report), *map(picture, pictures), *_tables(report, metrics)]
    return write_web_page(path, title, body)


def _claims(report):
    """What holds for this model, and what does not."""
    rows = [
        f"<tr><td>{html.escape(claim.title)}</td>"
        f'<td class="number">{_number(value)}</td>'
        f'<td class="number">{claim.side} {_number(bound)}</td>'
        f"<td>{'kept' if kept else '<b>missed</b>'}</td>"
        f'<td class="faint">{html.escape(claim.meaning)}</td></tr>'
        for claim, value, bound, kept in evaluation.verdicts(report)
    ]
    if rows:
        yield heading("What holds for this model")
        yield _table("claim", "figure", "bound", "", "what the bound is", rows=rows)


def _tables(report, metrics):
    rows: dict = {}
    intervals = evaluation.flat(report["intervals"])
    for key, value in evaluation.flat(report).items():
        if not isinstance(value, list):  # Lists are drawn, not tabulated.
            title, text = OF_THE_RUN.get(key) or evaluation.meaning(key, metrics)
            rows.setdefault(title, []).append(_row(key, value, intervals, text))
    for title, lines in rows.items():
        yield heading(title)
        yield _table("key", "value", "95 % interval", "examples", "meaning", rows=lines)


def _table(*names, rows):
    head = "".join(f"<th>{name}</th>" for name in names)
    return f'<div class="wide"><table>\n<tr>{head}</tr>\n' + "\n".join(rows) + "\n</table></div>"


def _row(key, value, intervals, text):
    interval, examples = "", ""
    if f"{key}.low" in intervals:
        interval = f"{_number(intervals[f'{key}.low'])} to {_number(intervals[f'{key}.high'])}"
        examples = f"{intervals[f'{key}.examples']:,}"
    return (
        f"<tr><td><code>{html.escape(key)}</code></td>"
        f'<td class="number">{_number(value)}</td><td class="number faint">{interval}</td>'
        f'<td class="number faint">{examples}</td><td class="faint">{html.escape(text)}</td></tr>'
    )


def _number(value):
    if isinstance(value, str):
        return html.escape(value)
    return f"{value:,}" if isinstance(value, int) else f"{value:.4g}"
