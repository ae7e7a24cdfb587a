"""Self-contained web pages: one file with style and pictures that sends no requests."""

import base64
import collections
import html
import os
from collections.abc import Sequence

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
# Only the contents of the file are allowed: the browser refuses any request.
POLICY = "default-src 'none'; img-src data:; style-src 'unsafe-inline'"

Picture = collections.namedtuple("Picture", ["path", "caption"])


def heading(text):
    """Returns a heading as HTML, a str."""
    return f"<h2>{html.escape(text)}</h2>"


def paragraph(text):
    """Returns text as HTML, a str."""
    return f'<p class="about">{html.escape(text)}</p>'


def picture(shown) -> str:
    """Embeds a picture into HTML.

    Args:
        shown: Picture, of a PNG file.

    Returns:
        str.
    """
    data = base64.b64encode(shown.path.read_bytes()).decode()
    caption = html.escape(shown.caption)
    return (
        f'<figure><img alt="{caption}" src="data:image/png;base64,{data}">'
        f"<figcaption>{caption}</figcaption></figure>"
    )


def write_web_page(path: str | os.PathLike, title: str, body: Sequence[str]) -> str | os.PathLike:
    """Writes a page.

    Args:
        path: str or pathlib.Path of the file.
        title: str, its heading.
        body: sequence of str, HTML.

    Returns:
        str or pathlib.Path, `path`.
    """
    title = html.escape(title)
    page = (
        '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        f'<meta http-equiv="Content-Security-Policy" content="{POLICY}">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{title}</title>\n<style>{STYLE}</style>\n</head>\n<body>\n<h1>{title}</h1>\n"
        + "\n".join(body)
        + "\n</body>\n</html>\n"
    )
    with written(path) as temporary:
        temporary.write_text(page, encoding="utf-8", errors="replace")
    return path
