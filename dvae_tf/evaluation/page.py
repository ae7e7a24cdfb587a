"""A report as a page: tables and pictures in one file, from which no request goes out."""

import base64
import html

from dvae_tf.evaluation.meanings import MEANINGS, flat, meaning
from dvae_tf.files import written

STYLE = """
:root { color-scheme: light dark; --ink: #1c1c1e; --faint: #6b6b70; --line: #dcdce0;
  --paper: #ffffff; }
@media (prefers-color-scheme: dark) {
  :root { --ink: #ececf0; --faint: #a0a0a8; --line: #3a3a40; --paper: #1b1b1f; } }
body { margin: 0 auto; max-width: 68rem; padding: 1.5rem; background: var(--paper);
  color: var(--ink); font: 16px/1.5 system-ui, sans-serif; }
h1 { font-size: 1.7rem; margin: 0 0 .3rem; }
h2 { font-size: 1.2rem; margin: 2.2rem 0 .6rem; }
p.about { color: var(--faint); margin: 0 0 1rem; }
table { border-collapse: collapse; width: 100%; font-size: .92rem; }
th, td { border-bottom: 1px solid var(--line); padding: .35rem .6rem .35rem 0; text-align: left;
  vertical-align: top; }
td.number { font-variant-numeric: tabular-nums; white-space: nowrap; }
td.faint, th { color: var(--faint); font-weight: normal; }
code { font-size: .88em; white-space: nowrap; }
figure { margin: 1.6rem 0; }
figure img { max-width: 100%; background: #ffffff; border-radius: 4px; padding: 6px;
  box-sizing: border-box; }
figcaption { color: var(--faint); font-size: .92rem; }
div.wide { overflow-x: auto; }
"""
# Nothing but what is in the file: the browser refuses any request.
POLICY = "default-src 'none'; img-src data:; style-src 'unsafe-inline'"


def write_page(path, description, figures, pictures):
    """Writes report.html.

    Args:
        path: pathlib.Path of the file.
        description: dict, what run.json holds.
        figures: dict, what report.json holds.
        pictures: list of dvae_tf.gallery.Picture.

    Returns:
        pathlib.Path of the file.
    """
    arguments = description["arguments"]
    title = f"{arguments['model']} on {arguments['dataset']}"
    about = (
        f"Preset {arguments['preset']}, recipe {arguments['recipe']}, {arguments['epochs']} "
        f"epochs of {description['data']['training_examples']:,} examples, seed "
        f"{arguments['seed']}. Figures on the test split, with 95 % bootstrap intervals."
    )
    body = [
        f"<h1>{html.escape(title)}</h1>",
        f'<p class="about">{html.escape(about)}</p>',
        *(_picture(picture) for picture in pictures),
        *_tables(figures),
    ]
    page = (
        '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        f'<meta http-equiv="Content-Security-Policy" content="{POLICY}">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{html.escape(title)}</title>\n<style>{STYLE}</style>\n</head>\n<body>\n"
        + "\n".join(body)
        + "\n</body>\n</html>\n"
    )
    with written(path) as temporary:
        temporary.write_text(page)
    return path


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
            yield f"<h2>{html.escape(title)}</h2>"
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


def _picture(picture):
    data = base64.b64encode(picture.path.read_bytes()).decode()
    caption = html.escape(picture.caption)
    return (
        f'<figure><img alt="{caption}" src="data:image/png;base64,{data}">'
        f"<figcaption>{caption}</figcaption></figure>"
    )
