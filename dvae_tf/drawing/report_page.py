"""A report as a page: pictures and tables."""

import html
import os

from dvae_tf.drawing.html import heading, paragraph, picture, write_web_page
from dvae_tf.evaluation.meanings import MEANINGS, flat, meaning


def write_page(
    path: str | os.PathLike, description: dict, figures: dict, pictures
) -> str | os.PathLike:
    """Writes report.html.

    Args:
        path: str or pathlib.Path of the file.
        description: dict, what run.json holds.
        figures: dict, what report.json holds.
        pictures: list of dvae_tf.drawing.html.Picture.

    Returns:
        str or pathlib.Path, `path`.
    """
    arguments = description["arguments"]
    title = f"{arguments['model']} on {arguments['dataset']}"
    about = (
        f"Preset {arguments['preset']}, recipe {arguments['recipe']}, {arguments['epochs']} "
        f"epochs of {description['data']['training_examples']:,} examples, seed "
        f"{arguments['seed']}. Figures on the test split, with 95 % bootstrap intervals."
    )
    body = [paragraph(about), *map(picture, pictures), *_tables(figures)]
    return write_web_page(path, title, body)


def _tables(figures):
    groups = {title: [] for title in MEANINGS}
    intervals = flat(figures["intervals"])
    for key, value in flat(figures).items():
        if not isinstance(value, list):  # A list is drawn, not read.
            title, text = meaning(key)
            groups[title].append(_row(key, value, intervals, text))
    head = "<tr><th>figure</th><th>value</th><th>95 %</th><th>of</th><th>meaning</th></tr>"
    for title, rows in groups.items():
        if rows:
            yield heading(title)
            yield f'<div class="wide"><table>\n{head}\n' + "\n".join(rows) + "\n</table></div>"


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
    return f"{value:,}" if isinstance(value, int) else f"{value:.4g}"
