#!/usr/bin/env python3
"""Exports a trained model: SavedModel for TF Serving, TFLite, ONNX, a page for the browser.

Without arguments: a SavedModel of the newest run, or of the model that ships.
"""

import os

from dvae_tf.commands.command_line import Parser, run

FORMATS = {
    "saved_model": "a SavedModel in OUTPUT/<next version>, as TF Serving wants it (the default)",
    "tflite": "TFLite files: float32, float16, dynamic and full int8",
    "onnx": "ONNX files, one a function",
    "web": "a static folder that generates in the browser",
}


def parse_arguments():
    parser = Parser(description=__doc__)
    parser.add_argument("run", nargs="?", help="folder of the run (default: the newest)")
    for name, text in FORMATS.items():
        parser.add_argument(f"--{name.replace('_', '-')}", action="store_true", help=text)
    parser.add_argument("--output", help="folder (default: RUN/export)")
    return parser.parse_args()


def main(arguments):
    arguments = vars(arguments)
    formats = [name for name in FORMATS if arguments[name]] or ["saved_model"]
    # The times in the table are those of one thread.
    os.environ.setdefault("TF_NUM_INTRAOP_THREADS", "1")
    from dvae_tf.commands import export

    export(arguments["run"], formats, arguments["output"])


if __name__ == "__main__":
    run(parse_arguments, main)
