"""Compares models: trained with the same budget, measured alike, in one table.

table.md, table.json   mean and spread over the seeds
claims.md              what holds for the models: figures, bounds, what is missed
samples.png            rows of samples of each model, real images first
progress.png           for points of the plane: samples of each model during training
COLUMN-seedN/          the run of one model or variant with one seed
"""

import dataclasses
import json
import pathlib
from collections.abc import Sequence

import keras
import numpy as np
from rich.console import Console

from dvae_tf import evaluation, runs, tasks
from dvae_tf.commands.evaluate import evaluate
from dvae_tf.commands.settings import (
    ComparisonSettings,
    EvaluationSettings,
    TrainingSettings,
    recorded,
)
from dvae_tf.commands.train import recipe_of, train
from dvae_tf.data.pixels import as_pixels
from dvae_tf.drawing import pictures, plots
from dvae_tf.files import read_json, write_json, written

ROWS = evaluation.table_rows()
PICTURED_CLASSES = 10
ROWS_A_MODEL = 2


def compare(settings: ComparisonSettings, console: Console | None = None) -> dict:
    """Trains the missing runs, measures them, and writes table and pictures.

    Existing runs are used: after an interruption, the same call continues.

    Args:
        settings: ComparisonSettings. `epochs` is the budget of each run: all have the same batches
            and the same number of updates of the decoder.
        console: rich.console.Console for what is printed. Defaults to standard output.

    Returns:
        dict, as under "table" in table.json.

    Raises:
        ValueError: if a setting is invalid, or a run was trained with other settings.
        KeyboardInterrupt: if the user stopped it.
    """
    console = console or Console()
    folder = pathlib.Path(settings.output or runs.new_folder(settings.dataset, "compare-"))
    columns = columns_of(settings)
    for training in columns.values():  # Invalid settings fail before hours of training.
        recipe_of(training)
    for seed in settings.seeds:
        for name, training in columns.items():
            training = dataclasses.replace(training, seed=seed)
            train_missing(_run(folder, name, seed), training, console)
    reports = {
        name: [_report(_run(folder, name, seed), console) for seed in settings.seeds]
        for name in columns
    }
    table = tabulate(reports)
    write_json(folder / "table.json", {"arguments": recorded(settings), "table": table})
    texts = {"table.md": as_markdown(table), "claims.md": evaluation.claims_as_markdown(reports)}
    for name, text in texts.items():
        with written(folder / name) as temporary:
            temporary.write_text(text, encoding="utf-8")
    drawn = _draw(folder, list(columns), settings.seeds[0])
    for path in (*(folder / name for name in texts), folder / "table.json", *drawn):
        console.print(f"  {path}", soft_wrap=True)
    return table


def columns_of(settings: ComparisonSettings) -> dict:
    """The runs to compare.

    Args:
        settings: ComparisonSettings.

    Returns:
        dict of column name, a model or a variant, to TrainingSettings.

    Raises:
        ValueError: if a variant has the name of a model.

    Examples:
        >>> found = columns_of(ComparisonSettings(models=("cvae",), variants={"n": {"kl": 1.0}}))
        >>> found["n"].model, found["n"].changes
        ('cvae', {'kl': 1.0})
    """
    twice = sorted(set(settings.variants) & set(settings.models))
    if twice:
        raise ValueError(f"A variant is called {twice[0]!r}, as a model is; give another name.")
    columns = {model: TrainingSettings.of(settings, model=model) for model in settings.models}
    first = columns[settings.models[0]]
    return columns | {
        name: dataclasses.replace(first, changes=settings.changes | changes)
        for name, changes in settings.variants.items()
    }


def train_missing(run: pathlib.Path, settings: TrainingSettings, console: Console) -> None:
    """Trains a run unless that is done; a run that was stopped is resumed.

    Args:
        run: pathlib.Path, the folder of the run.
        settings: TrainingSettings.
        console: rich.console.Console.

    Raises:
        ValueError: if the run exists and was trained with other settings.
    """
    begun = (run / "run.json").exists()
    if begun:
        description = read_json(run / "run.json")
        _expect_trained_with(run, description["arguments"], recorded(settings))
        if description.get("trained_epochs") == settings.epochs:
            return
        settings = TrainingSettings(resume=True, epochs=settings.epochs)
    console.print(f"training {run}", soft_wrap=True)
    train(dataclasses.replace(settings, output=str(run)), console, evaluate=False)
    keras.backend.clear_session()


def _run(folder, column, seed):
    return folder / f"{column}-seed{seed}"


def _expect_trained_with(run, had, wanted):
    """Checks that the settings of a run are the requested ones; `epochs` may have grown."""
    wanted, default = (
        json.loads(json.dumps(each)) for each in (wanted, recorded(TrainingSettings()))
    )
    had = default | had  # A run of an earlier version lacks what is newer.
    other = [name for name in wanted if name != "epochs" and had.get(name) != wanted[name]]
    if other or had["epochs"] > wanted["epochs"]:
        name = other[0] if other else "epochs"
        raise ValueError(
            f"{run} was trained with {name} = {had.get(name)!r}, not {wanted[name]!r}. Give "
            "another folder (--output), or remove it."
        )


def _report(run, console):
    """Returns the report of a run; measures it if it is older than the model, or incomplete."""
    path = run / "report.json"
    if path.exists() and path.stat().st_mtime >= (run / "model.keras").stat().st_mtime:
        report = read_json(path)
        if "generation" in report:
            return report
    console.print(f"measuring {run}", soft_wrap=True)
    report = evaluate(EvaluationSettings(run=str(run)), console)
    keras.backend.clear_session()
    return report


def tabulate(reports: dict, rows: Sequence[evaluation.Row] = ROWS) -> dict:
    """Makes a table of the reports of many runs.

    Args:
        reports: dict of model name to list of reports, one per seed.
        rows: sequence of dvae_tf.evaluation.Row. Defaults to those of all metrics.

    Returns:
        dict of column, "real data" and then the models, to dict of the keys of `rows` to dict of
        "mean", "spread" (standard deviation over the seeds, 0 for one seed) and "values". A row
        that a report of a model lacks is left out of the model's column.
    """
    real = {
        row.key: [row.real_value(report) for report in next(iter(reports.values()))] for row in rows
    }
    columns = {"real data": real} | {
        name: {row.key: [row.value(report) for report in column] for row in rows}
        for name, column in reports.items()
    }
    return {name: _cells(found) for name, found in columns.items()}


def _cells(found):
    return {
        key: {
            "mean": float(np.mean(values)),
            "spread": float(np.std(values, ddof=1)) if len(values) > 1 else 0.0,
            "values": values,
        }
        for key, values in found.items()
        if None not in values
    }


def as_markdown(table: dict, rows: Sequence[evaluation.Row] = ROWS) -> str:
    """Formats a table as Markdown: one row per metric, one column per model, mean ± spread.

    Args:
        table: dict from `tabulate`.
        rows: sequence of dvae_tf.evaluation.Row. Defaults to those of all metrics.

    Returns:
        str.

    Examples:
        >>> cell = {"mean": 0.5, "spread": 0.1, "values": [0.4, 0.6]}
        >>> print(as_markdown({"cvae": {"zs_accuracy": cell}}), end="")
        | | cvae |
        |---|---|
        | class predicted from z_s ↑ | 0.500 ± 0.100 |
    """
    lines = [f"| | {' | '.join(table)} |", "|---" * (1 + len(table)) + "|"]
    for row in rows:
        cells = [_cell(column.get(row.key)) for column in table.values()]
        if any(cells):
            lines.append(f"| {row.title} | {' | '.join(cells)} |")
    return "\n".join(lines) + "\n"


def _cell(entry):
    if entry is None:
        return ""
    digits = 0 if entry["mean"] >= 100 else 1 if entry["mean"] >= 10 else 3
    mean, spread = (f"{entry[name]:.{digits}f}" for name in ("mean", "spread"))
    return f"{mean} ± {spread}" if len(entry["values"]) > 1 else mean


def _draw(folder, models, seed):
    """Draws samples of each model, for points during training; returns the pictures' paths."""
    paths = [_run(folder, model, seed) for model in models]
    data = runs.Data.of(paths[0])
    if data.info.is_image:
        return [_draw_samples(folder / "samples.png", models, paths, data)]
    rows = {
        model: pictures.progress(path, data.info.num_classes)
        for model, path in zip(models, paths, strict=True)
    }
    title = f"{data.info.name}: samples during training"
    plots.scatter_grid(folder / "progress.png", rows, data.info.class_names, title)
    return [folder / "progress.png"]


def _draw_samples(path, models, paths, data):
    test, info = data.arrays("test"), data.info
    classes = min(info.num_classes, PICTURED_CLASSES)
    label = tasks.labels_in_turn(classes * ROWS_A_MODEL, classes)
    first = [np.flatnonzero(test.label == value)[:ROWS_A_MODEL] for value in range(classes)]
    images = [as_pixels(test.x[np.stack(first, axis=-1).ravel()])]
    images += [tasks.sample(runs.load(run), label) for run in paths]
    grid = np.concatenate(images).reshape(-1, classes, *info.shape)
    names = [name for title in ("real images", *models) for name in (title, "")]
    title = f"{info.name}: real images and samples"
    plots.image_grid(path, grid, names, title, info.class_names[:PICTURED_CLASSES])
    return path
