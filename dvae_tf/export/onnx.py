"""The ONNX files."""

import pathlib

import tensorflow as tf

from dvae_tf.export.functions import Functions
from dvae_tf.extras import needed_for
from dvae_tf.files import written

OPSET = 18
# In a graph of ONNX an output cannot have the name of an input.
SUFFIX = "_out"


def write_onnx(model, folder: pathlib.Path) -> dict:
    """Writes one file a function, with a dynamic batch.

    The output of `reconstruct` is called image_out, since its input is image.

    Args:
        model: DisentangledVAE.
        folder: pathlib.Path.

    Returns:
        dict of function name to pathlib.Path.

    Raises:
        ModuleNotFoundError: if tf2onnx or onnx is missing; names the extra to install.
    """
    with needed_for("ONNX", "export"):
        import onnx
        import tf2onnx

    paths = {}
    for name, function in Functions(model).portable().items():
        graph, _ = tf2onnx.convert.from_function(
            tf.function(_with_other_names(function), autograph=False),
            input_signature=function.inputs,
            opset=OPSET,
        )
        onnx.checker.check_model(graph, full_check=True)
        paths[name] = folder / f"{name}.onnx"
        with written(paths[name]) as temporary:
            temporary.write_bytes(graph.SerializeToString())
    return paths


def _with_other_names(function):
    inputs = {spec.name for spec in function.inputs}

    def call(*tensors):
        outputs = function.call(*tensors)
        return {name + SUFFIX * (name in inputs): value for name, value in outputs.items()}

    return call
