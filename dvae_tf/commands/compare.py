"""Models side by side: trained under the same budget, measured alike, put into one table.

table.md, table.json   mean and spread over the seeds
samples.png            rows of samples of each model, real images first
progress.png           points of the plane: samples of each model as training went on
MODEL-seedN/           the run of one model (and recipe) with one seed
"""

import os
import pathlib
from collections.abc import Sequence

import numpy as np
from rich.console import Console

from dvae_tf import runs
from dvae_tf.commands import train as training
from dvae_tf.commands.callbacks import read_history
from dvae_tf.files import read_json, write_json, written

# Key of the report: what the table calls it. Of the three readers of z_u the best one counts.
ROWS = {
    "sample_consistency": "samples of the class asked for ↑",
    "arc_distance": "distance to the arc of the class ↓",
    "generation.samples.fid": "Fréchet distance ↓",
    "generation.samples.kid": "kernel distance ↓",
    "generation.samples.inception_score": "inception-style score ↑",
    "generation.samples.precision": "precision ↑",
    "generation.samples.recall": "recall ↑",
    "generation.samples.density": "density ↑",
    "generation.samples.coverage": "coverage ↑",
    "generation.samples.diversity.ms_ssim": "diversity within a class, 1 - MS-SSIM",
    "generation.samples.diversity.features": "diversity within a class, features",
    "generation.copies.suspect_share": "samples suspiciously near a training example",
    "zs_accuracy": "class read from z_s ↑",
    "zu_leakage.mean": "class read from means of z_u, strongest reader ↓",
    "zu_leakage.sample": "class read from samples of z_u, strongest reader ↓",
    "factors.z_s": "the factor best read from z_s, R² ↓",
    "factors.z_u": "the factor worst read from z_u, R² ↑",
    "factors.z_u_and_class": "the factor worst read from z_u and the class, R² ↑",
    "swap_consistency": "swaps of the donor's true class ↑",
    "swap_agreement": "swaps of the class that z_s names ↑",
    "swap_style_distance": "style lost in swaps ↓",
    "reconstruction_mse": "reconstruction error ↓",
    "zu_alive.reconstruction_mse.prior": "reconstruction error with z_u from the prior",
}
# Where a figure has several values, the one that counts.
COUNTS = {
    "zu_leakage.mean": max,
    "zu_leakage.sample": max,
    "factors.z_s": max,
    "factors.z_u": min,
    "factors.z_u_and_class": min,
}
PICTURED_CLASSES = 10
ROWS_A_MODEL = 2


def compare(
    dataset: str,
    models: Sequence[str],
    epochs: int,
    seeds: Sequence[int] = (0,),
    output: str | os.PathLike | None = None,
    console: Console | None = None,
    **options,
) -> dict | None:
    """Trains what is not there yet, measures it, and writes table and pictures.

    Whatever is there is used: stopped anywhere, the same call goes on.

    Args:
        dataset: str, a name that `dvae_tf.data.load` takes.
        models: sequence of str, keys of `dvae_tf.models.MODELS`; or "MODEL:RECIPE", such as
            "disentangled_vae:balanced without flow".
        epochs: int, the budget of each run: the same batches, and the same number of updates of
            the decoder.
        seeds: sequence of int. Defaults to 0 alone.
        output: str or pathlib.Path, the folder. Defaults to runs/compare- and the data set's name.
        console: rich.console.Console for what is printed. Defaults to standard output.
        **options: more arguments of `dvae_tf.commands.train.train`, such as `preset`.

    Returns:
        dict, what table.json holds; None if the user stopped.

    Raises:
        ValueError: if an argument does not fit, or a run is there that was trained with others.
    """
    from dvae_tf.models import MODELS

    console = console or Console()
    for name in models:
        if name.partition(":")[0] not in MODELS:
            raise ValueError(f"No model is called {name!r}; choose from {', '.join(MODELS)}.")
    folder = pathlib.Path(output or runs.ROOT / f"compare-{training.folder_name(dataset)}")
    arguments = {"dataset": dataset, "epochs": epochs} | options
    for seed in seeds:
        if not train_missing(folder, models, seed, arguments, console):
            return None
    reports = {
        model: [_report(_run(folder, model, seed), console) for seed in seeds] for model in models
    }
    table = tabulate(reports)
    arguments |= {"models": list(models), "seeds": list(seeds)}
    write_json(folder / "table.json", {"arguments": arguments, "table": table})
    with written(folder / "table.md") as temporary:
        temporary.write_text(as_markdown(table))
    pictures = _draw(folder, models, seeds[0])
    for path in (folder / "table.md", folder / "table.json", *pictures):
        console.print(f"  {path}", soft_wrap=True)
    return table


def train_missing(
    folder: pathlib.Path,
    models: Sequence[str],
    seed: int,
    arguments: dict,
    console: Console,
) -> bool:
    """Trains the runs of one seed that are not there yet, one at a time.

    A run that was stopped goes on where it was.

    Args:
        folder: pathlib.Path of the comparison.
        models: sequence of str, keys of `dvae_tf.models.MODELS`.
        seed: int.
        arguments: dict, more arguments of `dvae_tf.commands.train.train`.
        console: rich.console.Console.

    Returns:
        bool, whether all runs are trained; False if the user stopped.

    Raises:
        ValueError: if a run is there that was trained with other arguments.
    """
    import keras

    for model in models:
        run = _run(folder, model, seed)
        name, _, recipe = model.partition(":")
        own = arguments | ({"recipe": recipe} if recipe else {})
        if _is_trained(run, own):
            continue
        console.print(f"training {run}", soft_wrap=True)
        if (run / "run.json").exists():
            done = training.resume(run, own["epochs"], console, measure=False)
        else:
            own |= {"model": name, "seed": seed}
            done = training.train(**own, output=run, console=console, measure=False)
        keras.backend.clear_session()
        if done is None:
            return False
    return True


def _run(folder, model, seed):
    name = model.replace(":", "-").replace(", ", "-").replace(" ", "-")
    return folder / f"{name}-seed{seed}"


def _is_trained(run, arguments):
    """Tells whether a run has all its epochs; makes sure that its arguments are those asked for."""
    if not (run / "run.json").exists():
        return False
    had = read_json(run / "run.json")["arguments"]
    other = [name for name in arguments if name != "epochs" and had.get(name) != arguments[name]]
    if other or had["epochs"] > arguments["epochs"]:
        name = other[0] if other else "epochs"
        raise ValueError(
            f"{run} was trained with {name} = {had.get(name)!r}, not {arguments[name]!r}. Give "
            "another folder (--output), or remove it."
        )
    history = read_history(run / "history.csv")
    return any(row["saved"] and row["epoch"] == arguments["epochs"] for row in history)


def _report(run, console):
    """Returns the figures of a run, measured unless that was done since it was trained."""
    import keras

    from dvae_tf.commands.evaluate import measure

    path = run / "report.json"
    if path.exists() and path.stat().st_mtime >= (run / "model.keras").stat().st_mtime:
        figures = read_json(path)
        if "generation" in figures:
            return figures
    console.print(f"measuring {run}", soft_wrap=True)
    figures = measure(run, console=console)
    keras.backend.clear_session()
    return figures


def tabulate(reports: dict) -> dict:
    """Puts the figures of many reports side by side.

    Args:
        reports: dict of model name to list of report, one a seed.

    Returns:
        dict of column, "real data" and then the models, to dict of the keys of `ROWS` to dict of
        "mean", "spread" (standard deviation over the seeds, 0 for one) and "values". A key that
        no report of a model has is left out.
    """
    real = [
        {
            "sample_consistency": report["judge_accuracy"],
            "generation": {"samples": report["generation"]["real"]},
        }
        for report in next(iter(reports.values()))
    ]
    columns = {"real data": real} | reports
    table = {}
    for name, column in columns.items():
        found = {key: [_figure(report, key) for report in column] for key in ROWS}
        table[name] = {
            key: {
                "mean": float(np.mean(values)),
                "spread": float(np.std(values, ddof=1)) if len(values) > 1 else 0.0,
                "values": values,
            }
            for key, values in found.items()
            if None not in values
        }
    return table


def _figure(report, key):
    for name in key.split("."):
        report = report.get(name, {})
    if key in COUNTS:
        return COUNTS[key]((report[name] for name in report if name != "class"), default=None)
    return report if isinstance(report, float) else None


def as_markdown(table: dict) -> str:
    """Writes a table as Markdown: a figure a row, a model a column, mean ± spread.

    Args:
        table: dict, what `tabulate` returns.

    Returns:
        str.

    Examples:
        >>> cell = {"mean": 0.5, "spread": 0.1, "values": [0.4, 0.6]}
        >>> print(as_markdown({"cvae": {"zs_accuracy": cell}}), end="")
        | | cvae |
        |---|---|
        | class read from z_s ↑ | 0.500 ± 0.100 |
    """
    lines = [f"| | {' | '.join(table)} |", "|---" * (1 + len(table)) + "|"]
    for key, title in ROWS.items():
        cells = [_cell(column.get(key)) for column in table.values()]
        if any(cells):
            lines.append(f"| {title} | {' | '.join(cells)} |")
    return "\n".join(lines) + "\n"


def _cell(figure):
    if figure is None:
        return ""
    digits = 0 if figure["mean"] >= 100 else 1 if figure["mean"] >= 10 else 3
    mean, spread = (f"{figure[name]:.{digits}f}" for name in ("mean", "spread"))
    return f"{mean} ± {spread}" if len(figure["values"]) > 1 else mean


def _draw(folder, models, seed):
    """Draws samples of each model, or of points their progress; returns the pictures' paths."""
    from dvae_tf.drawing import pictures, plots

    paths = [_run(folder, model, seed) for model in models]
    data = runs.Data(read_json(paths[0] / "run.json")["arguments"])
    if data.info.is_image:
        return [_draw_samples(folder / "samples.png", models, paths, data)]
    rows = {
        model: pictures.progress(path, data.info.num_classes)
        for model, path in zip(models, paths, strict=True)
    }
    title = f"{data.info.name}: samples as training goes on"
    plots.scatter_grid(folder / "progress.png", rows, data.info.class_names, title)
    return [folder / "progress.png"]


def _draw_samples(path, models, paths, data):
    from dvae_tf import tasks
    from dvae_tf.drawing import plots

    test, info = data.arrays("test"), data.info
    classes = min(info.num_classes, PICTURED_CLASSES)
    label = tasks.labels_in_turn(classes * ROWS_A_MODEL, classes)
    first = [np.flatnonzero(test.label == value)[:ROWS_A_MODEL] for value in range(classes)]
    images = [tasks.outward(test.x[np.stack(first, axis=-1).ravel()])]
    images += [tasks.sample(runs.load(run), label) for run in paths]
    grid = np.concatenate(images).reshape(-1, classes, *info.shape)
    names = [name for title in ("real images", *models) for name in (title, "")]
    title = f"{info.name}: real images and samples"
    plots.image_grid(path, grid, names, title, info.class_names[:PICTURED_CLASSES])
    return path
