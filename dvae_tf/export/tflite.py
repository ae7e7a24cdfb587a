"""The TFLite files that LiteRT runs on devices."""

import dataclasses
import json
import pathlib
import tempfile
from collections.abc import Sequence

import numpy as np
import tensorflow as tf
from tensorflow.lite.tools import flatbuffer_utils

from dvae_tf.data.examples import Arrays
from dvae_tf.export.functions import Functions
from dvae_tf.export.saved_model import write_functions
from dvae_tf.files import written

KINDS = ("float32", "float16", "dynamic_int8", "int8")
CALIBRATION_EXAMPLES = 200


def write_tflite(
    model,
    folder: pathlib.Path,
    examples: Arrays,
    class_names: Sequence[str],
    kinds: Sequence[str] = KINDS,
) -> dict:
    """Writes one file for each kind of number, and model.json beside them.

    Only LiteRT's built-in operators are used. The signatures are `generate` {label, noise_s,
    noise_u, temperature}, `encode`, `decode`, `classify`, `swap`, `reconstruct`.

    Args:
        model: DisentangledVAE.
        folder: pathlib.Path.
        examples: Arrays, training examples that the full int8 file's ranges are measured on.
        class_names: sequence of str.
        kinds: sequence of str, from `KINDS`. Defaults to all.

    Returns:
        dict of kind to pathlib.Path.
    """
    functions = Functions(model).portable()
    paths = {kind: folder / f"model_{kind}.tflite" for kind in kinds}
    for kind, path in paths.items():
        content = convert(functions, kind, examples)
        with written(path) as temporary:
            temporary.write_bytes(content)
    with written(folder / "model.json") as temporary:
        temporary.write_text(json.dumps(describe(model, class_names, functions), indent=2) + "\n")
    return paths


def describe(model, class_names: Sequence[str], functions: dict) -> dict:
    """What a program needs to know of the files: class names, shapes, signatures.

    Args:
        model: DisentangledVAE.
        class_names: sequence of str.
        functions: dict of name to Function.

    Returns:
        dict, ready for JSON.
    """
    return {
        "class_names": list(class_names),
        "shape": list(model.sample_shape),
        "image_range": [0.0, 1.0],
        "latent_dim_s": model.latent_dim_s,
        "latent_dim_u": model.latent_dim_u,
        "signatures": {
            name: {
                spec.name: {"dtype": spec.dtype.name, "shape": spec.shape.as_list()}
                for spec in function.inputs
            }
            for name, function in functions.items()
        },
    }


def convert(functions: dict, kind: str, examples: Arrays):
    """Converts functions to one TFLite model with a signature for each.

    Args:
        functions: dict of name to Function.
        kind: str, from `KINDS`.
        examples: Arrays, training examples.

    Returns:
        bytes.
    """
    with tempfile.TemporaryDirectory() as source:
        write_functions(functions, source)
        names = list(functions)
        converter = tf.lite.TFLiteConverter.from_saved_model(source, signature_keys=names)
        if kind != "float32":
            converter.optimizations = [tf.lite.Optimize.DEFAULT]
        if kind == "float16":
            converter.target_spec.supported_types = [tf.float16]
        if kind == "int8":
            converter.representative_dataset = lambda: _calibration(functions, examples)
            # A scale for each output of a layer, in each signature that holds it, would be a
            # tenth of the file.
            converter._experimental_disable_per_channel = True
        return without_names(converter.convert())


def without_names(content):
    """Takes from a TFLite file what no runtime reads: tensors' names, a buffer for each empty one.

    They are a tenth of a small model. The signatures name inputs and outputs themselves.

    Args:
        content: bytes.

    Returns:
        bytes.
    """
    model = flatbuffer_utils.read_model_from_bytearray(bytearray(content))
    kept = [0]
    for graph in model.subgraphs:
        for tensor in graph.tensors:
            tensor.name = None
            if model.buffers[tensor.buffer].data is None:
                tensor.buffer = 0
            elif tensor.buffer not in kept:
                kept.append(tensor.buffer)
    kept += [entry.buffer for entry in model.metadata or [] if entry.buffer not in kept]
    place = {buffer: position for position, buffer in enumerate(kept)}
    for holder in [
        *(tensor for graph in model.subgraphs for tensor in graph.tensors),
        *(model.metadata or []),
    ]:
        holder.buffer = place[holder.buffer]
    model.buffers = [model.buffers[buffer] for buffer in kept]
    return bytes(flatbuffer_utils.convert_object_to_bytearray(model))


def with_batch(function, count):
    """Fixes the number of examples of a function; returns another Function."""
    inputs = [
        tf.TensorSpec(
            [count if side is None else side for side in spec.shape], spec.dtype, spec.name
        )
        for spec in function.inputs
    ]
    return dataclasses.replace(function, inputs=inputs)


def _calibration(functions, examples):
    """Inputs of every signature, made of training examples; no others set an int8 range."""
    random = np.random.default_rng(0)
    for _ in range(CALIBRATION_EXAMPLES):
        inputs = random_inputs(functions, examples, 1, random)
        for name in functions:
            yield name, inputs[name]


def random_inputs(functions: dict, examples: Arrays, count: int, random) -> dict:
    """Draws inputs as users give them: real images, their codes, noise.

    Args:
        functions: dict of name to Function, as `Functions.portable` gives it.
        examples: Arrays.
        count: int, examples an input.
        random: numpy.random.Generator.

    Returns:
        dict of function name to dict of input name to array.
    """
    images = [(examples.x[random.integers(0, len(examples.label), count)]) for _ in range(2)]
    if images[0].ndim == 4:
        images = [(image + 1.0) / 2.0 for image in images]
    codes = {key: value.numpy() for key, value in functions["encode"].call(images[0]).items()}
    sizes = {spec.name: spec.shape[-1] for spec in functions["generate"].inputs[1:3]}
    noise = {
        name: random.normal(size=(count, size)).astype(np.float32) for name, size in sizes.items()
    }
    classes = int(examples.label.max()) + 1
    label = random.integers(0, classes, count).astype(np.int32)
    return {
        "generate": {"label": label, **noise, "temperature": np.array(1.0, np.float32)},
        "decode": {"z_s": codes["z_s"], "z_u": codes["z_u_mean"]},
        "swap": {"image_s": images[0], "image_u": images[1]},
        **{name: {"image": images[0]} for name in ("encode", "classify", "reconstruct")},
    }
