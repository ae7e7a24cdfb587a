"""Models side by side on one page: what they draw, and what they do with images."""

import os
import pathlib
import tempfile
from collections.abc import Sequence

from rich.console import Console

from dvae_tf import runs
from dvae_tf.commands.explore import VERBS, Album, draw
from dvae_tf.commands.generate import generate
from dvae_tf.drawing.html import Picture, heading, paragraph, picture, write_web_page
from dvae_tf.files import read_json
from dvae_tf.progress import steps

SAMPLES, COUNT = "samples", 8
CAPTIONS = {
    SAMPLES: "Samples: both codes are drawn from their priors, the class is chosen.",
    "swap": "Swaps of images that the model has not seen: the row's class, the column's style.",
    "interpolate-class": "z_s goes from class to class, z_u stays.",
    "interpolate-style": "z_u goes from image to image, z_s stays.",
    "traverse": "The most active dimension of z_u, from end to end.",
    "inpaint": "Holes, and what the model puts there.",
    "nearest": "Are samples copies? The training images that come nearest to them.",
}


def gallery(
    chosen: Sequence[str | os.PathLike] = (),
    output: str | os.PathLike = "gallery.html",
    seed: int = 0,
    console: Console | None = None,
) -> str:
    """Draws what models sample, swap, interpolate and fill in, on one self-contained page.

    A model without codes, or of vectors, shows its samples alone.

    Args:
        chosen: sequence of str or pathlib.Path, folders of runs or of models that ship. Defaults
            to the newest run, or the model that ships.
        output: str or pathlib.Path of the page. Defaults to "gallery.html".
        seed: int, of samples and of the choice of images. Defaults to 0.
        console: rich.console.Console for progress. Defaults to standard output.

    Returns:
        str, a line that says what was written.

    Raises:
        ValueError: if there is no such run.
    """
    folders = [runs.find(run) for run in chosen] or [runs.find()]
    shown = [(folder, name) for folder in folders for name in _names(folder)]
    body, album = [], None
    with tempfile.TemporaryDirectory() as aside:
        path = pathlib.Path(aside) / "picture.png"
        with steps("drawing", [f"{name} of {folder}" for folder, name in shown], console) as each:
            for (folder, name), _ in zip(shown, each, strict=True):
                if name == SAMPLES:
                    body += _introduction(folder)
                    generate(folder, count=COUNT, output=path, seed=seed)
                    album = None
                else:
                    album = album or Album(folder, seed=seed)
                    draw(VERBS[name](album), path)
                body.append(picture(Picture(path, CAPTIONS[name])))
    write_web_page(output, "What the models draw", body)
    return f"{output}: {len(shown)} pictures of {len(folders)} models"


def _names(folder):
    """What can be drawn of a run: keys of CAPTIONS."""
    description = read_json(folder / "run.json")
    is_image = len(description["data"]["shape"]) == 3
    has_codes = description["arguments"]["model"].startswith("disentangled")
    return list(CAPTIONS) if is_image and has_codes else [SAMPLES]


def _introduction(folder):
    description = read_json(folder / "run.json")
    arguments, data = description["arguments"], description["data"]
    about = (
        f"{arguments['model']}, preset {arguments['preset']}, recipe {arguments['recipe']}: "
        f"{arguments['epochs']} epochs of {data['training_examples']:,} examples of "
        f"{len(data['class_names'])} classes, trained in "
        f"{description['training_seconds'] / 60:.0f} minutes."
    )
    return [heading(arguments["dataset"]), paragraph(about)]
