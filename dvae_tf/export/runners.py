"""Exported models, loaded as their users load them."""

import pathlib

import tensorflow as tf

from dvae_tf.export.onnx import SUFFIX
from dvae_tf.export.parity import Exported
from dvae_tf.extras import needed_for


def saved_model(folder: pathlib.Path):
    """Loads a SavedModel.

    Args:
        folder: pathlib.Path.

    Returns:
        Exported; functions that give no numbers are left out.
    """
    loaded = tf.saved_model.load(str(folder))

    def run(name, inputs):
        signature = loaded.signatures[name]
        tensors = {key: tf.constant(value) for key, value in inputs.items()}
        return {key: value.numpy() for key, value in signature(**tensors).items()}

    size = sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
    functions = set(loaded.signatures) - {"serving_default", "generate_png"}
    return Exported("SavedModel", "float32", size, run, sorted(functions))


def tflite(path: pathlib.Path, numbers: str, threads: int = 1):
    """Loads a TFLite file with LiteRT.

    Args:
        path: pathlib.Path.
        numbers: str, its kind of numbers.
        threads: int. Defaults to 1.

    Returns:
        Exported.

    Raises:
        ModuleNotFoundError: if ai-edge-litert is missing; names the extra to install.
    """
    with needed_for("Checking TFLite", "export"):
        from ai_edge_litert.interpreter import Interpreter

    interpreter = Interpreter(str(path), num_threads=threads)
    names = interpreter.get_signature_list()
    runners = {name: interpreter.get_signature_runner(name) for name in names}
    return Exported(
        path.name,
        numbers,
        path.stat().st_size,
        lambda name, inputs: runners[name](**inputs),
        sorted(runners),
    )


def onnx(paths: dict):
    """Loads ONNX files with onnxruntime.

    Args:
        paths: dict of function name to pathlib.Path.

    Returns:
        Exported.

    Raises:
        ModuleNotFoundError: if onnxruntime is missing; names the extra to install.
    """
    with needed_for("Checking ONNX", "export"):
        import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    sessions = {
        name: onnxruntime.InferenceSession(str(path), options) for name, path in paths.items()
    }

    def run(name, inputs):
        names = [output.name.removesuffix(SUFFIX) for output in sessions[name].get_outputs()]
        return dict(zip(names, sessions[name].run(None, inputs), strict=True))

    size = sum(path.stat().st_size for path in paths.values())
    return Exported("ONNX (all functions)", "float32", size, run, sorted(sessions))
