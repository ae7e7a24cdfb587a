#!/usr/bin/env python3
"""Times how fast each form of a model generates images: Keras, SavedModel, TFLite, ONNX.

The forms are timed in turn, so that they can be compared on a machine whose speed changes.
"""

import argparse
import dataclasses
import io
import pathlib
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parents[1]
COUNTS = (1, 64)


def parse_arguments():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "run",
        nargs="?",
        default=str(ROOT / "saved_models" / "digits"),
        help="folder of a run (default: the model that ships)",
    )
    parser.add_argument("--repeats", type=int, default=50, help="timed calls (default: 50)")
    parser.add_argument("--output", type=pathlib.Path, help="JSON file for the results")
    return parser.parse_args()


def forms(run, folder):
    """Exports a run and loads every form of it.

    Returns:
        dict of name to dvae_tf.export.parity.Exported.
    """
    from rich.console import Console

    from dvae_tf import runs
    from dvae_tf.commands.export import export
    from dvae_tf.commands.settings import ExportSettings
    from dvae_tf.export import runners
    from dvae_tf.export.tflite import KINDS

    formats = {"saved_model": True, "tflite": True, "onnx": True}
    settings = ExportSettings(run=str(run), output=str(folder), **formats)
    export(settings, Console(file=io.StringIO()))
    model = runs.load(run)

    def draw(name, inputs):
        return model.generate(inputs["label"], seed=int(inputs["seed"][0])).numpy()

    served = runners.saved_model(folder / "1")
    found = {"Keras": dataclasses.replace(served, run=draw, size=None), "SavedModel": served}
    for kind in KINDS:
        for threads in (1, 2):
            name = f"TFLite {kind.replace('_', ' ')}, {threads} thread{'s' * (threads > 1)}"
            found[name] = runners.tflite(folder / f"model_{kind}.tflite", kind, threads)
    file = folder / "generate.onnx"
    found["ONNX Runtime, 1 thread"] = runners.onnx({"generate": file})
    return found


def inputs_of(model, count):
    """The inputs of `generate`: with a seed, and, for forms that take noise, with noise."""
    import numpy as np

    random = np.random.default_rng(0)
    label = random.integers(model["classes"], size=count).astype(np.int32)
    temperature = np.array(1.0, np.float32)
    sizes = {"noise_s": model["latent_dim_s"], "noise_u": model["latent_dim_u"]}
    drawn = {name: random.normal(size=(count, size)) for name, size in sizes.items()}
    noise = {name: value.astype(np.float32) for name, value in drawn.items()}
    seeded = {"label": label, "seed": np.array([1, 2], np.int32), "temperature": temperature}
    return seeded, {"label": label, "temperature": temperature} | noise


def measured(found, description, repeats):
    """Times all forms in turn: {name: {"bytes", "milliseconds_1", "milliseconds_64"}}."""
    import numpy as np

    times = {name: {count: [] for count in COUNTS} for name in found}
    for count in COUNTS:
        seeded, noisy = inputs_of(description, count)
        for _ in range(repeats + 1):
            for name, form in found.items():
                inputs = seeded if name in ("Keras", "SavedModel") else noisy
                begin = time.perf_counter()
                form.run("generate", inputs)
                times[name][count].append(time.perf_counter() - begin)
    return {
        name: {"bytes": found[name].size}
        | {f"milliseconds_{n}": 1e3 * float(np.median(t[1:])) for n, t in of_form.items()}
        for name, of_form in times.items()
    }


def main():
    arguments = parse_arguments()
    from dvae_tf.commands.startup import import_tensorflow_quietly

    import_tensorflow_quietly()
    from dvae_tf.files import read_json, write_json

    with tempfile.TemporaryDirectory() as folder:
        found = forms(arguments.run, pathlib.Path(folder))
        description = read_json(pathlib.Path(folder) / "model.json")
        description["classes"] = len(description["class_names"])
        table = measured(found, description, arguments.repeats)
    print("| form | kB | 1 image, ms | 64 images, ms | images a second | of Keras's |")
    print("|---|---|---|---|---|---|")
    base = table["Keras"]["milliseconds_64"]
    for name, row in table.items():
        size = "" if row["bytes"] is None else f"{row['bytes'] / 1000:,.0f}"
        one, many = row["milliseconds_1"], row["milliseconds_64"]
        rate = f"{64e3 / many:,.0f} | {base / many:.2f}"
        print(f"| {name} | {size} | {one:.2f} | {many:.2f} | {rate} |")
    if arguments.output:
        write_json(arguments.output, table)


if __name__ == "__main__":
    main()
