#!/usr/bin/env python3
"""Times the start of the package: import, --help, the first image of a shipped model.

The commands are timed in turn; bare Python and bare TensorFlow are included for comparison.
"""

import argparse
import pathlib
import statistics
import subprocess
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parents[1]


def parse_arguments():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--repeats", type=int, default=3, help="timed starts (default: 3)")
    parser.add_argument("--output", type=pathlib.Path, help="JSON file for the results")
    return parser.parse_args()


def commands(folder):
    """The timed commands: {name: arguments of Python}."""
    image, digits = folder / "image.png", ROOT / "saved_models" / "digits"
    first_image = ["-m", "dvae_tf", "generate", digits, "--label", "3", "--count", "1"]
    on_device = (
        "from ai_edge_litert.interpreter import Interpreter; import numpy as np; "
        f"g = Interpreter({str(digits / 'model_int8.tflite')!r}).get_signature_runner('generate'); "
        "d = g.get_input_details(); z = {n: np.zeros(v['shape'], v['dtype']) "
        "for n, v in d.items()}; g(**z)"
    )
    return {
        "Python alone": ["-c", "pass"],
        "`import tensorflow`": ["-c", "import tensorflow"],
        "`import dvae_tf`": ["-c", "import dvae_tf"],
        "`dvae --help`": ["-m", "dvae_tf", "--help"],
        "`dvae train --help`": ["-m", "dvae_tf", "train", "--help"],
        "`dvae generate saved_models/digits`": [*first_image, "--output", image],
        "first image of `model_int8.tflite`": ["-c", on_device],
    }


def main():
    arguments = parse_arguments()
    with tempfile.TemporaryDirectory() as folder:
        todo = commands(pathlib.Path(folder))
        times = {name: [] for name in todo}
        for _ in range(arguments.repeats + 1):
            for name, command in todo.items():
                begin = time.perf_counter()
                subprocess.run([sys.executable, *command], check=True, capture_output=True)
                times[name].append(time.perf_counter() - begin)
    table = {name: statistics.median(seconds[1:]) for name, seconds in times.items()}
    print("| command | s | of `import tensorflow` |\n|---|---|---|")
    base = table["`import tensorflow`"]
    for name, seconds in table.items():
        print(f"| {name} | {seconds:.2f} | {seconds / base:.2f} |")
    if arguments.output:
        from dvae_tf.files import write_json

        write_json(arguments.output, table)


if __name__ == "__main__":
    main()
