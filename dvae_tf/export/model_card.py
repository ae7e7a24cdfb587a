"""The model card: what an exported model is, how good, and how to make it again."""

import pathlib

from dvae_tf.files import written

FIGURES = {
    "zs_accuracy": "class read from z_s",
    "sample_consistency": "samples that a judge takes for the class asked for",
    "swap_consistency": "swaps that it takes for the class of z_s",
    "judge_accuracy": "the judge's own accuracy",
    "reconstruction_mse": "mean squared error of reconstructions, values in [-1, 1]",
}

CARD = """# {title}

Splits what the label of an input explains (z_s) from what it does not (z_u), after Zheng & Sun,
CVPR 2019. Draws inputs of a class, swaps class and style, classifies, reconstructs.

## Data

{dataset}: {count} training examples of shape {shape}.
Classes: {classes}.

## Figures

{figures}

## Limits

It knows these classes and inputs like these alone; all else is taken for one of them. z_u is not
proven to be free of the class: look at zu_leakage in the full report before you rely on that.

## How it was made

    python scripts/train.py {options}

with {versions}.
"""


def write_model_card(path: pathlib.Path, description: dict, figures: dict) -> None:
    """Writes a model card in Markdown.

    Args:
        path: pathlib.Path of the file.
        description: dict, what run.json holds.
        figures: dict, what report.json holds; empty where it was not measured.
    """
    arguments, data = description["arguments"], description["data"]
    versions = [f"{name} {value}" for name, value in description["versions"].items()]
    card = CARD.format(
        title=f"{arguments['model']} on {arguments['dataset']}",
        dataset=arguments["dataset"],
        count=f"{data['training_examples']:,}",
        shape=" x ".join(map(str, data["shape"])),
        classes=", ".join(data["class_names"]),
        figures=_figures(figures),
        options=" ".join(_options(arguments)),
        versions=", ".join(versions),
    )
    with written(path) as temporary:
        temporary.write_text(card)


def _options(arguments):
    """The options of scripts/train.py that give these arguments."""
    for name, value in arguments.items():
        if name == "loss_weights":
            value = " ".join(f"{loss}={_weight(weight)}" for loss, weight in value.items())
        if value not in (None, ""):
            yield f"--{name.replace('_', '-')} {value}"


def _weight(weight):
    return ",".join(f"{value:g}" for value in (weight if isinstance(weight, list) else [weight]))


def _figures(figures):
    rows = [
        f"| {text} | {figures[name]:.3f} |" for name, text in FIGURES.items() if name in figures
    ]
    if not rows:
        return "Not measured; `python scripts/evaluate.py` does that."
    return "\n".join(["| on the test split | |", "|---|---|", *rows])
