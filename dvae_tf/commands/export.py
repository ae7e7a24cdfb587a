"""Exports a run: writes the formats aside, checks them against the Keras model, renames them."""

import dataclasses
import os
import pathlib
import shutil
from collections.abc import Sequence

import numpy as np
from rich.console import Console

from dvae_tf import runs
from dvae_tf.files import beside, read_json, write_json
from dvae_tf.progress import steps

TIMES = ("milliseconds_1", "milliseconds_64")
FORMATS = ("saved_model", "tflite", "onnx", "web")


def export(
    run: str | os.PathLike | None = None,
    formats: Sequence[str] = ("saved_model",),
    output: str | os.PathLike | None = None,
    console: Console | None = None,
) -> list[dict]:
    """Exports the model of a run.

    The SavedModel goes to OUTPUT/<version>, the next free number, as TF Serving wants; all else
    into OUTPUT itself, in place of what had the same name. Nothing is replaced if anything fails.

    Args:
        run: str or pathlib.Path, the folder of the run. Defaults to the newest, or the model that
            ships.
        formats: sequence of str from `FORMATS`. Defaults to "saved_model" alone.
        output: str or pathlib.Path. Defaults to the folder `export` in that of the run (below
            runs/ for the model that ships).
        console: rich.console.Console for what is printed. Defaults to standard output.

    Returns:
        list of dict with "file", "bytes", "difference" (the largest from the Keras model),
        "milliseconds_1" and "milliseconds_64" (of `generate`, on one thread where the runtime
        lets itself be told; None for the page's model, which decodes alone).

    Raises:
        ValueError: if there is no such run or format, or a format does not give what the Keras
            model gives.
    """
    console = console or Console()
    unknown = [name for name in formats if name not in FORMATS]
    if unknown or not formats:
        raise ValueError(f"No format is called {unknown}; choose from {', '.join(FORMATS)}.")
    folder = runs.find(run)
    output = pathlib.Path(output or runs.results(folder) / "export")
    with beside(output / "export") as aside:
        aside.mkdir()
        job = _Job(folder, aside, console)
        with steps("exporting", formats, console) as each:
            for name in each:
                getattr(job, name)()
        job.describe()
        _move(aside, output)
    _print_table(console, job.rows, output)
    return job.rows


class _Job:
    """One export under way, into a folder aside."""

    def __init__(self, folder, aside, console):
        from dvae_tf.export.functions import Functions
        from dvae_tf.export.parity import CONSISTENCY_EXAMPLES
        from dvae_tf.export.tflite import random_inputs

        self.folder, self.aside, self.console = folder, aside, console
        self.description = read_json(folder / "run.json")
        self.model = runs.load(folder)
        self.functions = Functions(self.model)
        data = runs.Data(self.description["arguments"])
        self.train, self.info = data.arrays("train"), data.info
        random = np.random.default_rng(1)
        self.inputs = random_inputs(
            self.functions.portable(), data.arrays("test"), CONSISTENCY_EXAMPLES, random
        )
        self.rows = []

    def saved_model(self):
        from dvae_tf.export import runners
        from dvae_tf.export.saved_model import write_saved_model

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
        from dvae_tf.export import runners
        from dvae_tf.export.tflite import write_tflite

        paths = write_tflite(self.model, self.aside, self.train, self.info.class_names)
        for numbers, path in paths.items():
            self._check(runners.tflite(path, numbers), self.functions.portable(), self.inputs)

    def onnx(self):
        from dvae_tf.export import runners
        from dvae_tf.export.onnx import write_onnx

        paths = write_onnx(self.model, self.aside)
        self._check(runners.onnx(paths), self.functions.portable(), self.inputs)

    def web(self):
        from dvae_tf.export import parity, runners
        from dvae_tf.export.web import write_web

        write_web(self.model, self.aside / "web", self.train, self.info)
        path = self.aside / "web" / "model.tflite"
        one = {name: parity.first(values, 1) for name, values in self.inputs.items()}
        exported = dataclasses.replace(runners.tflite(path, "float32"), name="web/model.tflite")
        self._add_row(exported, parity.check(exported, self.functions.portable(), one, None))

    def describe(self) -> None:
        """Writes the model card and the labels."""
        from dvae_tf.export.model_card import write_model_card

        report = self.folder / "report.json"
        figures = read_json(report) if report.exists() else {}
        write_model_card(self.aside / "MODEL_CARD.md", self.description, figures)
        write_json(self.aside / "labels.json", list(self.info.class_names))
        extra = self.aside / "saved_model" / "assets.extra"
        if extra.exists():
            shutil.copyfile(self.aside / "labels.json", extra / "labels.json")

    def _check(self, exported, functions, inputs):
        from dvae_tf.export import parity

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
        from dvae_tf.evaluation import train_judge

        judge = train_judge(self.train.x, self.train.label, self.info.num_classes)
        return judge.accuracy(images * 2.0 - 1.0, label).value


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
    from rich.table import Table

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
