"""Measures a run: report.json, pictures, report.html."""

import pathlib
from collections.abc import Sequence

from rich.console import Console

from dvae_tf import evaluation, runs
from dvae_tf.commands.settings import EvaluationSettings
from dvae_tf.drawing import pictures
from dvae_tf.drawing.projector import write_projector
from dvae_tf.drawing.report_page import write_page
from dvae_tf.files import read_json, write_json
from dvae_tf.progress import steps


def evaluate(settings: EvaluationSettings, console: Console | None = None) -> dict:
    """Measures the trained model of a run on its test split and draws the results.

    Writes report.json, report.html (self-contained) and the pictures into the run's folder, or
    below runs/ for a model that ships.

    Args:
        settings: EvaluationSettings.
        console: rich.console.Console for what is printed. Defaults to standard output.

    Returns:
        dict, the content of report.json.

    Raises:
        ValueError: if there is no such run or metric, the run has no model yet, or its data cannot
            be read where it was, or where `settings.data` says.
    """
    folder = runs.find(settings.run)
    model = runs.load(folder)
    data = runs.Data.of(folder, settings.data, settings.targets)
    return measure(folder, data, model, console or Console(), settings.parts or None)


def measure(
    folder: pathlib.Path,
    data,
    model,
    console: Console,
    parts: Sequence[str] | None = None,
) -> dict:
    """Measures a model that is already loaded; otherwise like `evaluate`.

    Args:
        folder: pathlib.Path of the run.
        data: dvae_tf.runs.Data.
        model: one of `dvae_tf.models`.
        console: rich.console.Console.
        parts: sequence of str, names of metrics. Defaults to all.

    Returns:
        dict, the content of report.json.
    """
    description, folder = read_json(folder / "run.json"), runs.results(folder)
    train, test = data.arrays("train"), data.arrays("test")
    subject = evaluation.Subject.of(model)
    names = [*evaluation.measurable(subject, parts), "pictures"]
    with steps("measuring", names, console) as each:
        report = evaluation.report(
            subject, train, test, data.info, parts, on_part=lambda name: next(each)
        )
        report["training_seconds"] = round(description["training_seconds"], 1)
        write_json(folder / "report.json", report)
        next(each)
        drawn = pictures.draw(folder, model, train, test, data.info, report)
        if model.has_codes:
            write_projector(folder / "tensorboard" / "projector", model, test, data.info)
        page = write_page(folder / "report.html", description, report, drawn)
    for path in [*(picture.path for picture in drawn), folder / "report.json", page]:
        console.print(f"  {path}", soft_wrap=True)
    for name, value in report.items():
        if isinstance(value, float):
            console.print(f"  {name:20s} {value:.4g}", highlight=False)
    for claim, value, bound, kept in evaluation.verdicts(report):
        found = f"{value:.3f}, {claim.side} {bound:.3f} wanted"
        console.print(
            f"  {'kept  ' if kept else 'MISSED'}  {claim.title}: {found}", highlight=False
        )
    return report
