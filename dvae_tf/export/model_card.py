"""The model card: what an exported model is, how good, and how to make it again."""

import pathlib
import re

from dvae_tf import evaluation
from dvae_tf.files import written
from dvae_tf.runs.invocation import invocation

CARD = """# {title}

Splits what the label of an input explains (z_s) from what it does not (z_u), after Zheng & Sun,
CVPR 2019. Draws inputs of a class, swaps class and style, classifies, reconstructs.

## Data

{dataset}: {count} training examples of shape {shape}.
Classes: {classes}.

## Figures

{figures}

## Limits

It knows inputs like these alone; all else is classified as one of these classes. z_u is not
proven to be free of the class: look at zu_leakage in the full report before you rely on that.

## How it was made

{origin}
"""


def write_model_card(
    path: pathlib.Path, description: dict, figures: dict, command: str | None
) -> None:
    """Writes a model card in Markdown.

    Args:
        path: pathlib.Path of the file.
        description: dict, what run.json holds.
        figures: dict, what report.json holds; empty where it was not measured.
        command: str, what trains the model again; None where this version cannot.
    """
    arguments, data = description["arguments"], description["data"]
    card = CARD.format(
        title=f"{literal(arguments['model'])} on {literal(arguments['dataset'])}",
        dataset=literal(arguments["dataset"]),
        count=f"{data['training_examples']:,}",
        shape=" x ".join(map(str, data["shape"])),
        classes=", ".join(map(literal, data["class_names"])),
        figures=_figures(figures),
        origin=_origin(description, command),
    )
    with written(path) as temporary:
        temporary.write_text(card, encoding="utf-8", errors="replace")


def literal(text: str) -> str:
    """Writes a text so that Markdown shows it as it stands, in one line.

    Args:
        text: str, such as the name of a class.

    Returns:
        str.

    Examples:
        >>> literal("a_b <i>")
        'a\\\\_b \\\\<i\\\\>'
    """
    return re.sub(r"([\\`*_{}\[\]<>|~#&$])", r"\\\1", " ".join(text.split()))


def _origin(description, command):
    """How the model was trained, and with which versions."""
    versions = ", ".join(f"{name} {value}" for name, value in description["versions"].items())
    if command:
        return f"    {command}\n\nwith {versions}."
    settings = ", ".join(
        f"{name} {literal(str(value))}"
        for name, value in description["arguments"].items()
        if value not in (None, "", {})
    )
    return (
        "By the training command of an earlier version of dvae_tf, which had other settings than "
        f"this one: {settings}. With {versions}."
    )


def _figures(figures):
    shown = [
        (text, evaluation.entry(figures, key)) for key, text in evaluation.card_lines().items()
    ]
    rows = [f"| {text} | {value:.3f} |" for text, value in shown if value is not None]
    if not rows:
        return f"Not measured; `{invocation('evaluate')}` does that."
    return "\n".join(["| on the test split | |", "|---|---|", *rows])
