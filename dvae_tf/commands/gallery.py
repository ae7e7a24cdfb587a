"""Models side by side on one page: what they draw, and what they do with images."""

import pathlib
import tempfile

from rich.console import Console

from dvae_tf import runs
from dvae_tf.commands import outputs
from dvae_tf.commands.explore import PICTURES, Album, draw
from dvae_tf.commands.generate import generate
from dvae_tf.commands.settings import GallerySettings, GenerationSettings
from dvae_tf.drawing.html import Picture, heading, paragraph, picture, write_web_page
from dvae_tf.files import read_json
from dvae_tf.models import MODELS
from dvae_tf.progress import steps

SAMPLES, COUNT = "samples", 8
# It alone needs the training data, which may be elsewhere by now.
NEAREST = "nearest"
CAPTIONS = {
    SAMPLES: "Samples: both codes are drawn from their priors, the class is chosen.",
    "swap": "Swaps of images that the model has not seen: the row's class, the column's style.",
    "interpolate-class": "z_s is interpolated from class to class, z_u is fixed.",
    "interpolate-style": "z_u is interpolated from image to image, z_s is fixed.",
    "traverse": "The most active dimension of z_u, from end to end.",
    "inpaint": "Holes, and what the model puts there.",
    NEAREST: "Are samples copies? The training images that come nearest to them.",
}


def gallery(settings: GallerySettings, console: Console | None = None) -> pathlib.Path:
    """Draws what models sample, swap, interpolate and fill in, on one self-contained page.

    A model without codes, or of vectors, shows its samples alone.

    Args:
        settings: GallerySettings.
        console: rich.console.Console for what is printed. Defaults to standard output.

    Returns:
        pathlib.Path of the page.

    Raises:
        ValueError: if there is no such run, or the page's suffix is unknown.
    """
    console = console or Console()
    output = outputs.checked(settings.output, *outputs.PAGES)
    folders = [runs.find(run) for run in settings.runs] or [runs.find()]
    for folder in folders:
        runs.expect_no_table(folder)
    shown = [(folder, name) for folder in folders for name in _names(folder)]
    body, album = [], None
    with tempfile.TemporaryDirectory() as aside:
        path = pathlib.Path(aside) / "picture.png"
        with steps("drawing", [f"{name} of {folder}" for folder, name in shown], console) as each:
            for (folder, name), _ in zip(shown, each, strict=True):
                if name == SAMPLES:
                    body += _introduction(folder)
                    _draw_samples(folder, path, settings.seed)
                    album = None
                else:
                    album = album or Album(folder, seed=settings.seed)
                    try:
                        draw(PICTURES[name](album), path)
                    except ValueError as error:
                        if name != NEAREST:
                            raise
                        console.print(f"Left out: {name} of {folder}. {error}", markup=False)
                        continue
                body.append(picture(Picture(path, CAPTIONS[name])))
    write_web_page(output, "What the models draw", body)
    line = f"{output}: {len(shown)} pictures of {len(folders)} models"
    console.print(line, soft_wrap=True, markup=False)
    return output


def _draw_samples(folder, path, seed):
    settings = GenerationSettings(str(folder), count=COUNT, output=str(path), seed=seed)
    generate(settings, Console(quiet=True))


def _names(folder):
    """What can be drawn of a run: keys of CAPTIONS."""
    description = read_json(folder / "run.json")
    is_image = len(description["data"]["shape"]) == 3
    has_codes = MODELS[description["arguments"]["model"]].has_codes
    return list(CAPTIONS) if is_image and has_codes else [SAMPLES]


def _introduction(folder):
    description = read_json(folder / "run.json")
    arguments, data = description["arguments"], description["data"]
    changes = "".join(f", {name} {value}" for name, value in arguments.get("changes", {}).items())
    about = (
        f"{arguments['model']}, preset {arguments['preset']}, recipe {arguments['recipe']}"
        f"{changes}: {arguments['epochs']} epochs of {data['training_examples']:,} examples of "
        f"{len(data['class_names'])} classes, trained in "
        f"{description['training_seconds'] / 60:.0f} minutes."
    )
    return [heading(arguments["dataset"]), paragraph(about)]
