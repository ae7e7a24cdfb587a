"""Names of classes on pictures and pages: as they stand, whole, in a font that has them."""

import warnings

import matplotlib
import numpy as np
import pytest
from matplotlib import font_manager
from matplotlib.figure import Figure
from matplotlib.image import imread
from matplotlib.text import Text
from PIL import Image

from dvae_tf import DisentangledVAE
from dvae_tf.data import Arrays, Info
from dvae_tf.drawing import plots, text
from dvae_tf.drawing.html import Picture, picture
from dvae_tf.drawing.projector import write_projector
from dvae_tf.drawing.report_page import write_page
from dvae_tf.export.model_card import write_model_card
from dvae_tf.files import file_name

ODD = ["$x^2$", "_hidden", r"\frac{1", "a_b^c", "$", "100 %", "<b>&amp;", "tab\there", "line\nend"]
IMAGES = np.random.default_rng(0).integers(0, 256, (len(ODD), 1, 8, 8, 1)).astype(np.uint8)
LABEL = np.arange(6 * len(ODD)) % len(ODD)
POINTS = np.random.default_rng(1).normal(size=(len(LABEL), 2))


@pytest.fixture
def drawn(monkeypatch):
    """The texts of each picture, as they are when it is written."""
    found = []
    save = Figure.savefig

    def savefig(figure, *arguments, **options):
        save(figure, *arguments, **options)
        found.append(figure.findobj(Text))

    monkeypatch.setattr(Figure, "savefig", savefig)
    return found


PLOTS = {
    "grid": lambda path: plots.image_grid(path, IMAGES, ODD, "of $a_b$"),
    "columns": lambda path: plots.image_grid(path, IMAGES.swapaxes(0, 1), ["one"], "of $a_b$", ODD),
    "swap": lambda path: plots.swap_grid(
        path, IMAGES[:, 0], IMAGES[:, 0], IMAGES[:, :1].repeat(len(ODD), 1), ODD, ODD
    ),
    "scatter": lambda path: plots.scatter(path, {"$": (POINTS, LABEL)}, ODD, "of $a_b$"),
    "progress": lambda path: plots.scatter_grid(path, {"": {"$": (POINTS, LABEL)}}, ODD, "$"),
    "codes": lambda path: plots.codes(path, POINTS, POINTS, POINTS[:3], LABEL, ODD),
}


@pytest.mark.parametrize("kind", PLOTS)
def test_odd_names_are_drawn_literally_and_none_is_missing(kind, drawn, tmp_path):
    PLOTS[kind](tmp_path / "out.png")
    (texts,) = drawn
    assert not any(one.get_parse_math() or one.get_usetex() for one in texts)
    shown = {" ".join(one.get_text().split()) for one in texts}
    assert {" ".join(name.split()) for name in ODD} <= shown


def test_what_the_user_set_for_formulas_holds_elsewhere(tmp_path):
    PLOTS["grid"](tmp_path / "out.png")
    assert matplotlib.rcParams["text.parse_math"]


CJK = "\N{CJK UNIFIED IDEOGRAPH-65E5}\N{CJK UNIFIED IDEOGRAPH-672C}"


@pytest.fixture
def fonts(monkeypatch):
    """Makes the installed fonts those of the given names; nothing found before is remembered."""

    def only(*names):
        monkeypatch.setattr(
            font_manager.fontManager,
            "ttflist",
            [font for font in font_manager.fontManager.ttflist if font.name in names],
        )

    text._fonts.cache_clear()
    yield only
    text._fonts.cache_clear()


def test_one_warning_names_what_no_font_has(fonts, drawn, tmp_path):
    fonts("DejaVu Sans")
    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always")
        for number in range(2):
            plots.image_grid(tmp_path / f"{number}.png", IMAGES[:2], [CJK, "cat"], "title")
    assert len(told) == 1
    assert str(told[0].message).startswith("No installed font has the characters")
    assert f"{CJK[0]} {CJK[1]}" in str(told[0].message)
    shown = [one.get_text() for one in drawn[0]]
    assert text.BOX * 2 in shown
    assert "cat" in shown


def test_a_font_that_has_the_characters_is_taken(fonts, drawn, tmp_path):
    usual, other = (
        text._characters(font_manager.findfont(name)) for name in ("DejaVu Sans", "STIXGeneral")
    )
    name = "".join(sorted(other - usual)[:3])
    fonts("DejaVu Sans", "STIXGeneral")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        plots.image_grid(tmp_path / "out.png", IMAGES[:1], [name], "title")
    (label,) = [one for one in drawn[0] if one.get_text() == name]
    assert "STIXGeneral" in label.get_fontfamily()


def test_fonts_of_boxes_are_not_taken():
    names = {font.name for font in font_manager.fontManager.ttflist if text._is_plain(font)}
    assert "DejaVu Sans" in names
    assert not any("last resort" in name.lower() for name in names)


def ink(path):
    """The first and the last row and column of a picture that are not white."""
    dark = imread(path)[..., :3].min(axis=-1) < 0.9
    rows, columns = np.flatnonzero(dark.any(axis=1)), np.flatnonzero(dark.any(axis=0))
    return rows[0], rows[-1] - dark.shape[0], columns[0], columns[-1] - dark.shape[1]


NARROW = {
    "three classes, one sample": (IMAGES[:3], ["cat", "dog", "owl"], "Samples of the model", ()),
    "one image": (IMAGES[:1], [""], "Classes that the mixture posterior predicts", ["cat"]),
    "long names": (IMAGES[:2], ["a" * 300, "b"], "Samples", ["IMG_20240101_123456_holidays"]),
    "long words in columns": (IMAGES[:2].swapaxes(0, 1), ["x"], "Images", ["a" * 60, "b" * 60]),
    "wide letters": (IMAGES[:2], ["\N{FULLWIDTH LATIN SMALL LETTER A}" * 8, "b"], "Samples", ()),
    "flat images": (np.zeros((2, 1, 8, 64, 1), np.uint8), ["one", "two"], "Samples", ["c"]),
}


@pytest.mark.filterwarnings("ignore:No installed font")
@pytest.mark.parametrize("case", NARROW)
def test_titles_of_narrow_pictures_are_whole(case, drawn, tmp_path):
    images, names, title, columns = NARROW[case]
    plots.image_grid(tmp_path / "out.png", images, names, title, columns)
    top, bottom, left, right = ink(tmp_path / "out.png")
    # A margin all around: nothing runs into an edge.
    assert top >= 5 and left >= 5 and bottom <= -5 and right <= -5  # noqa: PT018
    above = [one.get_window_extent() for one in drawn[0] if one.get_text().strip()]
    titles = [box for box in above if box.width]
    for one in titles:
        assert sum(box.overlaps(one) for box in titles) == 1


def test_pictures_do_not_grow_with_names_of_a_thousand_letters(tmp_path):
    plots.image_grid(tmp_path / "out.png", IMAGES[:1], ["a" * 1000], "title", ["b" * 1000])
    assert imread(tmp_path / "out.png").shape[1] < 800


def test_the_page_escapes_names(tmp_path):
    Image.fromarray(IMAGES[0, 0, ..., 0]).save(tmp_path / "one.png")
    shown = picture(Picture(tmp_path / "one.png", '<script>"&'))
    assert "&lt;script&gt;&quot;&amp;" in shown
    arguments = dict.fromkeys(("model", "preset", "recipe", "epochs", "seed"), 1)
    description = {
        "arguments": arguments | {"dataset": f"folder:{CJK}\udce9<i>"},
        "data": {"training_examples": 10},
    }
    write_page(tmp_path / "page.html", description, {"intervals": {}}, [])
    assert f"folder:{CJK}?&lt;i&gt;" in (tmp_path / "page.html").read_text("utf-8")


def test_the_card_shows_names_as_they_stand(tmp_path):
    names = [
        "*bold*",
        "a_b_c",
        "<b>x",
        "[link](url)",
        "`code`",
        "a|b",
        "# two\n# lines",
        "&lt;",
        CJK,
    ]
    data = {"training_examples": 5, "shape": [2], "class_names": names}
    arguments = {"model": "cvae", "dataset": "folder:my_pets_*"}
    description = {"arguments": arguments, "data": data, "versions": {}}
    write_model_card(tmp_path / "card.md", description, {}, "dvae train")
    card = (tmp_path / "card.md").read_text("utf-8")
    assert (
        r"Classes: \*bold\*, a\_b\_c, \<b\>x, \[link\](url), \`code\`, a\|b, \# two \# lines, "
        rf"\&lt;, {CJK}." in card
    )
    assert r"# cvae on folder:my\_pets\_\*" in card


def test_the_projector_gets_one_line_an_example(tmp_path):
    names = ("a\tb", "c\nd\r\n", " ", CJK)
    examples = Arrays(np.zeros((8, 2), np.float32), np.arange(8) % 4, None)
    model = DisentangledVAE((2,), 4, preset="toy")
    write_projector(tmp_path, model, examples, Info("toys", "test", (2,), names, 8))
    lines = (tmp_path / "classes.tsv").read_text("utf-8").split("\n")
    assert lines == ["a b", "c d", "(no name)", CJK] * 2 + [""]


@pytest.mark.parametrize(
    ("name", "part"),
    [
        ("cats/dogs", "cats_dogs"),
        ("../up", "___up"),
        ("CON:aux*?", "CON_aux__"),
        (CJK, CJK),
        ("\N{GRINNING FACE}", "_"),
        ("a" * 300, "a" * 40),
        ("", ""),
    ],
)
def test_names_of_files(name, part):
    assert file_name(name) == part
