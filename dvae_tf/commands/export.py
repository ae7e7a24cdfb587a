"""Exports a run: writes the formats aside, checks them against the Keras model, renames them."""

import contextlib
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
from dvae_tf.commands.settings import NUMBERS, ExportSettings, TrainingSettings
from dvae_tf.commands.train import recipe_of
from dvae_tf.data import Info
from dvae_tf.evaluation import train_judge
from dvae_tf.export import parity, runners
from dvae_tf.export.functions import Functions
from dvae_tf.export.model_card import write_model_card
from dvae_tf.export.onnx import write_onnx
from dvae_tf.export.saved_model import write_saved_model
from dvae_tf.export.tflite import random_inputs, write_tflite
from dvae_tf.export.web import write_web
from dvae_tf.files import beside, read_json, write_json
from dvae_tf.progress import steps

TIMES = ("milliseconds_1", "milliseconds_64")


def export(settings: ExportSettings, console: Console | None = None) -> list[dict]:
    """Exports the model of a run.

    The SavedModel goes to OUTPUT/<version>, the next free number, as TF Serving wants; all else
    into OUTPUT itself, in place of what had the same name. A file that does not give what the Keras
    model gives is not written; those that do are. Without an output it goes to the folder `export`
    in that of the run (below runs/ for a model that ships). The training data is not needed: a run
    keeps some examples.

    Args:
        settings: ExportSettings.
        console: rich.console.Console for what is printed. Defaults to standard output.

    Returns:
        list of dict with "file", "bytes", "difference" (the largest from the Keras model),
        "milliseconds_1" and "milliseconds_64" (of `generate`, on one thread where the runtime
        lets itself be told; None for the page's model, which decodes alone).

    Raises:
        ValueError: if there is no such run, or a format cannot be made or does not give what the
            Keras model gives; those that passed are written before.
    """
    console = console or Console()
    folder = runs.find(settings.run)
    runs.expect_no_table(folder)
    output = pathlib.Path(settings.output or runs.results(folder) / "export")
    with beside(output / "export") as aside:
        aside.mkdir()
        job = _Job(folder, aside, settings.numbers or NUMBERS)
        with steps("exporting", settings.formats, console) as each:
            for name in each:
                getattr(job, name)()
        if job.rows:
            job.describe()
            _move(aside, output)
            _print_table(console, job.rows, output)
    if job.failures:
        kept = ", ".join(row["file"] for row in job.rows) or "nothing"
        raise ValueError(f"{' '.join(map(str, job.failures))} Written to {output}: {kept}.")
    return job.rows


class _Job:
    """One export under way, into a folder aside."""

    def __init__(self, folder, aside, numbers):
        self.folder, self.aside, self.numbers = folder, aside, tuple(dict.fromkeys(numbers))
        self.description = read_json(folder / "run.json")
        self.model = runs.load(folder)
        self.functions = Functions(self.model)
        self.train = runs.kept_examples(folder, "train")
        self.info = Info(
            self.description["arguments"]["dataset"],
            "train",
            self.model.sample_shape,
            tuple(runs.class_names(folder)),
            len(self.train.label),
        )
        self.inputs = random_inputs(
            self.functions.portable(),
            runs.kept_examples(folder, "test"),
            parity.CONSISTENCY_EXAMPLES,
            np.random.default_rng(1),
        )
        self.rows, self.failures = [], []

    def saved_model(self):
        with self._unless_it_fails("saved_model"):
            write_saved_model(self.model, self.aside / "saved_model")
            exported = runners.saved_model(self.aside / "saved_model")
            self._check(exported, self.functions.served(), self._served_inputs())

    def _served_inputs(self):
        """Inputs of every signature: seeds for noise, masks, and files for images."""
        seeded = {"label": self.inputs["generate"]["label"], "seed": np.array([1, 2], np.int32)}
        image = self.inputs["encode"]["image"]
        mask = np.zeros(image.shape[:3] if self.info.is_image else image.shape, np.float32)
        mask[:, : mask.shape[1] // 2] = 1.0
        inputs = self.inputs | {
            "generate": seeded | {"temperature": np.array(1.0, np.float32)},
            "inpaint": {"image": image, "mask": mask},
        }
        if not self.info.is_image:
            return inputs
        of_images = [name for name in inputs if name not in ("generate", "decode")]
        return inputs | {f"{name}_image": parity.as_files(inputs[name]) for name in of_images}

    def tflite(self):
        with self._unless_it_fails("model.json"):
            paths = write_tflite(
                self.model, self.aside, self.train, self.info.class_names, self.numbers
            )
            for numbers, path in paths.items():
                with self._unless_it_fails(path.name):
                    exported = runners.tflite(path, numbers)
                    self._check(exported, self.functions.portable(), self.inputs)

    def onnx(self):
        with self._unless_it_fails("*.onnx"):
            paths = write_onnx(self.model, self.aside)
            self._check(runners.onnx(paths), self.functions.portable(), self.inputs)

    def web(self):
        with self._unless_it_fails("web"):
            write_web(self.model, self.aside / "web", self.train, self.info)
            path = self.aside / "web" / "model.tflite"
            one = {name: parity.first(values, 1) for name, values in self.inputs.items()}
            exported = dataclasses.replace(runners.tflite(path, "float32"), name="web/model.tflite")
            self._add_row(exported, parity.check(exported, self.functions.portable(), one, None))

    @contextlib.contextmanager
    def _unless_it_fails(self, pattern):
        """Notes an error of one format and removes its files, so that the others are kept."""
        try:
            yield
        except (ValueError, ModuleNotFoundError) as error:
            self.failures.append(error)
            for path in self.aside.glob(pattern):
                shutil.rmtree(path) if path.is_dir() else path.unlink()

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
        recipe_of(settings)
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
