"""Text on pictures: names as they stand, in fonts that have their characters."""

import functools
import itertools
import textwrap
import unicodedata
import warnings

import matplotlib
from matplotlib import font_manager
from matplotlib.ft2font import FT2Font
from matplotlib.text import Text

# Nothing in a name is a formula.
LITERAL = {"text.parse_math": False, "text.usetex": False}
# Of a name beside a row or in a legend, and of the lines above a column.
MOST_LETTERS, LETTERS_A_LINE, MOST_LINES = 40, 12, 3
BOX = "\N{WHITE SQUARE}"
# Fonts whose glyphs stand for all characters, or have colours that Matplotlib cannot draw.
NO_FONTS = ("last resort", "lastresort", "color", "colour", "blank")
WIDE = ("W", "F")


def in_one_line(text: str) -> str:
    """What a picture shows of a name beside a row: a long one loses its middle.

    Args:
        text: str, such as the name of a class.

    Returns:
        str.

    Examples:
        >>> in_one_line("a" * 30 + "b" * 30)
        'aaaaaaaaaaaaaaaaaaaa…bbbbbbbbbbbbbbbbbbb'
    """
    text = " ".join(text.split())
    half = MOST_LETTERS // 2
    return text if len(text) <= MOST_LETTERS else f"{text[:half]}…{text[1 - half :]}"


def in_lines(text: str) -> str:
    """What a picture shows of a name above a column: short lines.

    Args:
        text: str of one or more lines.

    Returns:
        str.

    Examples:
        >>> in_lines("a photograph of a cat")
        'a photograph\\nof a cat'
    """
    lines = (
        textwrap.wrap(line, LETTERS_A_LINE, max_lines=MOST_LINES, placeholder="…")
        for line in text.split("\n")
    )
    return "\n".join(itertools.chain.from_iterable(lines))


def width(text: str) -> int:
    """The letters of the longest line; Chinese, Japanese and Korean ones count twice.

    Args:
        text: str.

    Returns:
        int.

    Examples:
        >>> width("cat"), width("日本")
        (3, 4)
    """
    lines = text.split("\n")
    return max(sum(1 + (unicodedata.east_asian_width(c) in WIDE) for c in line) for line in lines)


def draw_literally(figure) -> None:
    """Gives every text of a figure the fonts that it needs, and blanks for control characters.

    Where no installed font has a character, a warning names it, and a box is drawn in its place.

    Args:
        figure: matplotlib.figure.Figure, with all that will be on it.
    """
    texts = figure.findobj(Text)
    characters = set("".join(text.get_text() for text in texts)) - {"\n"}
    controls = {c for c in characters if unicodedata.category(c) in ("Cc", "Cs")}
    usual = _characters(font_manager.findfont(font_manager.FontProperties()))
    families, missing = _fonts(frozenset(characters - controls - usual))
    places = dict.fromkeys(map(ord, controls), " ") | dict.fromkeys(map(ord, missing), BOX)
    for text in texts:
        text.set_fontfamily(families)
        text.set_text(text.get_text().translate(places))


@functools.cache
def _fonts(characters):
    """The usual family and those that have the other characters, and what none of them has."""
    families, missing = list(matplotlib.rcParams["font.family"]), characters
    candidates = [font for font in font_manager.fontManager.ttflist if _is_plain(font)]
    for font in sorted(candidates, key=lambda font: (font.weight != 400, font.name)):
        if not missing:
            break
        has = missing & _characters(font.fname)
        if has:
            families.append(font.name)
            missing -= has
    if missing:
        warnings.warn(
            f"No installed font has the characters {' '.join(sorted(missing))}: pictures show "
            "boxes in their place. Install one that has them, such as Noto Sans CJK.",
            stacklevel=2,
        )
    return families, missing


def _is_plain(font):
    return font.style == "normal" and not any(odd in font.name.lower() for odd in NO_FONTS)


@functools.cache
def _characters(path):
    """The characters of a font that can be drawn, frozenset of str."""
    try:
        font = FT2Font(path)
    except (OSError, RuntimeError):
        return frozenset()
    return frozenset(map(chr, font.get_charmap())) if font.scalable else frozenset()
