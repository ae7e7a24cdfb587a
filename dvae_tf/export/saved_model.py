"""The SavedModel that TF Serving loads."""

import contextlib
import os
import pathlib

import keras
import numpy as np
import tensorflow as tf

from dvae_tf.export.functions import Functions
from dvae_tf.extras import needed_for


def write_saved_model(model, folder: str | os.PathLike) -> None:
    """Writes the functions of a model as signatures of a SavedModel.

    Nothing of dvae_tf is needed to load it. `serving_default` is `generate`.

    Args:
        model: DisentangledVAE.
        folder: str or pathlib.Path, the folder of the SavedModel; made anew.

    Raises:
        OSError: if it cannot be written.
    """
    functions = Functions(model).served()
    write_functions(functions, folder)
    extra = pathlib.Path(folder) / "assets.extra"
    extra.mkdir()
    with _errors_of_files(folder):
        write_warmup_requests(extra / "tf_serving_warmup_requests", functions)


def write_functions(functions: dict, folder: str | os.PathLike) -> None:
    """Writes functions as signatures; the first is `serving_default` as well.

    Args:
        functions: dict of name to Function.
        folder: str or pathlib.Path.

    Raises:
        OSError: if it cannot be written.
    """
    archive = keras.export.ExportArchive()
    # It finds the weights that the functions use. Tracking the model would bring its optimisers
    # and its discriminator along.
    for name, function in functions.items():
        archive.add_endpoint(name, function.call, input_signature=function.inputs)
    with _errors_of_files(folder):
        archive.write_out(str(folder), verbose=False)


@contextlib.contextmanager
def _errors_of_files(folder):
    """Turns what TensorFlow raises where a disk is full into what Python does."""
    try:
        yield
    except tf.errors.OpError as error:
        raise OSError(f"{folder} cannot be written: {error.message}") from error


def write_warmup_requests(path: pathlib.Path, functions: dict) -> None:
    """Writes requests for every signature, which TF Serving runs before it takes others.

    Args:
        path: pathlib.Path of the file, a TFRecord of PredictionLog.
        functions: dict of signature name to Function.

    Raises:
        ModuleNotFoundError: if tensorflow-serving-api is missing; names the extra to install.
    """
    with needed_for("A warm-up request", "export"):
        from tensorflow_serving.apis import predict_pb2, prediction_log_pb2

    with tf.io.TFRecordWriter(os.fspath(path)) as writer:
        for name, function in functions.items():
            request = predict_pb2.PredictRequest()
            request.model_spec.signature_name = name
            for spec in function.inputs:
                request.inputs[spec.name].CopyFrom(tf.make_tensor_proto(example_input(spec, 1)))
            log = prediction_log_pb2.PredictionLog(
                predict_log=prediction_log_pb2.PredictLog(request=request)
            )
            writer.write(log.SerializeToString())


def example_input(spec, batch: int) -> np.ndarray:
    """Makes an input that fits a function.

    Args:
        spec: tf.TensorSpec, named.
        batch: int, examples.

    Returns:
        array: images and masks uniform in [0, 1], noise and codes N(0, 1), labels 0, temperature 1,
        PNG files of one black pixel.
    """
    random = np.random.default_rng(0)
    shape = [batch if side is None else side for side in spec.shape]
    if spec.dtype == tf.string:
        return np.full(shape, tf.io.encode_png(tf.zeros([1, 1, 1], tf.uint8)).numpy(), object)
    if spec.dtype == tf.int32:
        return np.zeros(shape, np.int32)
    if spec.name == "temperature":
        return np.array(1.0, np.float32)
    if spec.name.startswith(("image", "mask")):
        return random.uniform(size=shape).astype(np.float32)
    return random.normal(size=shape).astype(np.float32)
