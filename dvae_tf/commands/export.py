"""Exports a run: writes the formats aside, checks them against the Keras model, renames them."""

import dataclasses
import os
import pathlib
import shlex
import shutil

import numpy as np
from rich.console import Console
from rich.table import Table

from dvae_tf import runs
from dvae_tf.commands.command_line import as_arguments
from dvae_tf.commands.settings import ExportSettings, TrainingSettings
from dvae_tf.evaluation import train_judge
from dvae_tf.export import parity, runners
from dvae_tf.export.functions import Functions
from dvae_tf.export.model_card import write_model_card
from dvae_tf.export.onnx import write_onnx
from dvae_tf.export.saved_model import write_saved_model
from dvae_tf.export.tflite import random_inputs, write_tflite
from dvae_tf.export.web import write_web
from dvae_tf.files import beside, read_json, write_json
from dvae_tf.models import Recipe
from dvae_tf.progress import steps

TIMES = ("milliseconds_1", "milliseconds_64")


def export(settings: ExportSettings, console: Console | None = None) -> list[dict]:
    """Exports the model of a run.

    The SavedModel goes to OUTPUT/<version>, the next free number, as TF Serving wants; all else
    into OUTPUT itself, in place of what had the same name. Nothing is replaced if anything fails.
    Without an output it goes to the folder `export` in that of the run (below runs/ for a model
    that ships).

    Args:
        settings: ExportSettings.
        console: rich.console.Console for what is printed. Defaults to standard output.

    Returns:
        list of dict with "file", "bytes", "difference" (the largest from the Keras model),
        "milliseconds_1" and "milliseconds_64" (of `generate`, on one thread where the runtime
        lets itself be told; None for the page's model, which decodes alone).

    Raises:
        ValueError: if there is no such run, or a format does not give what the Keras model gives.
    """
    console = console or Console()
    folder = runs.find(settings.run)
    output = pathlib.Path(settings.output or runs.results(folder) / "export")
    with beside(output / "export") as aside:
        aside.mkdir()
        job = _Job(folder, aside)
        with steps("exporting", settings.formats, console) as each:
            for name in each:
                getattr(job, name)()
        job.describe()
        _move(aside, output)
    _print_table(console, job.rows, output)
    return job.rows


class _Job:
    """One export under way, into a folder aside."""

    def __init__(self, folder, aside):
        self.folder, self.aside = folder, aside
        self.description = read_json(folder / "run.json")
        self.model = runs.load(folder)
        self.functions = Functions(self.model)
        data = runs.Data.of(folder)
        self.train, self.info = data.arrays("train"), data.info
        random = np.random.default_rng(1)
        self.inputs = random_inputs(
            self.functions.portable(), data.arrays("test"), parity.CONSISTENCY_EXAMPLES, random
        )
        self.rows = []

    def saved_model(self):
        write_saved_model(self.model, self.aside / "saved_model")
        exported = runners.saved_model(self.aside / "saved_model")
        seeded = {"label": self.inputs["generate"]["label"], "seed": np.array([1, 2], np.int32)}
        image = self.inputs["encode"]["image"]
        mask = np.zeros(image.shape[:3] if self.info.is_image else image.shape, np.float32)
        mask[:, : mask.shape[1] // 2] = 1.0
        inputs = self.inputs | {
            "generate": seeded | {"temperature": np.array(1.0, np.float32)},
            "inpaint": {"image": image, "mask": mask},
        }
        self._check(exported, self.functions.served(), inputs)

    def tflite(self):
        paths = write_tflite(self.model, self.aside, self.train, self.info.class_names)
        for numbers, path in paths.items():
            self._check(runners.tflite(path, numbers), self.functions.portable(), self.inputs)

    def onnx(self):
        paths = write_onnx(self.model, self.aside)
        self._check(runners.onnx(paths), self.functions.portable(), self.inputs)

    def web(self):
        write_web(self.model, self.aside / "web", self.train, self.info)
        path = self.aside / "web" / "model.tflite"
        one = {name: parity.first(values, 1) for name, values in self.inputs.items()}
        exported = dataclasses.replace(runners.tflite(path, "float32"), name="web/model.tflite")
        self._add_row(exported, parity.check(exported, self.functions.portable(), one, None))

    def describe(self) -> None:
        """Writes the model card and the labels."""
        report = self.folder / "report.json"
        figures = read_json(report) if report.exists() else {}
        command = training_command(self.description["arguments"])
        write_model_card(self.aside / "MODEL_CARD.md", self.description, figures, command)
        write_json(self.aside / "labels.json", list(self.info.class_names))
        extra = self.aside / "saved_model" / "assets.extra"
        if extra.exists():
            shutil.copyfile(self.aside / "labels.json", extra / "labels.json")

    def _check(self, exported, functions, inputs):
        few = {
            name: parity.first(values, parity.CHECKED_EXAMPLES) if name != "generate" else values
            for name, values in inputs.items()
        }
        judge = self._judge if self.info.is_image else None
        difference = parity.check(exported, functions, few, judge)
        self._add_row(exported, difference, parity.milliseconds(exported, inputs["generate"]))

    def _add_row(self, exported, difference, milliseconds=(None, None)):
        self.rows.append(
            {
                "file": exported.name,
                "bytes": exported.size,
                "difference": difference,
                "milliseconds_1": milliseconds[0],
                "milliseconds_64": milliseconds[1],
            }
        )

    def _judge(self, label, images):
        judge = train_judge(self.train.x, self.train.label, self.info.num_classes)
        return judge.accuracy(images * 2.0 - 1.0, label).value


def training_command(arguments: dict) -> str | None:
    """Says how a user trains a run again.

    Args:
        arguments: dict, what run.json keeps under "arguments".

    Returns:
        str; None where they are of an earlier version, which had other settings.

    Examples:
        >>> training_command({"dataset": "shapes", "changes": {"kl": 0.5}})
        'dvae train --dataset shapes --set kl=0.5'
    """
    try:
        settings = TrainingSettings(**arguments)
        Recipe.named(settings.recipe).replace(**settings.changes)
    except (TypeError, ValueError):
        return None
    return f"{runs.invocation('train')} {shlex.join(as_arguments(settings))}".strip()


def _move(aside, output):
    """Puts what was written aside in its place."""
    for source in sorted(aside.iterdir()):
        target = output / source.name
        if source.name == "saved_model":
            versions = [int(path.name) for path in output.iterdir() if path.name.isdecimal()]
            target = output / str(max(versions, default=0) + 1)
        if target.is_dir():
            shutil.rmtree(target)
        os.replace(source, target)


def _print_table(console, rows, output):
    table = Table(title=str(output))
    for name in ("file", "kB", "largest difference", "ms, 1 image", "ms, 64 images"):
        table.add_column(name, justify="left" if name == "file" else "right")
    for row in rows:
        table.add_row(
            row["file"],
            f"{row['bytes'] / 1000:,.0f}",
            f"{row['difference']:.2g}",
            *("" if row[key] is None else f"{row[key]:.2f}" for key in TIMES),
        )
    console.print(table)
