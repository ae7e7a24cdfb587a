"""A client for TF Serving and for the embedded server: NumPy in, NumPy out."""

import base64
import json
import time

import numpy as np
import numpy.typing as npt

from dvae_tf.extras import needed_for
from dvae_tf.serving.protocol import HTTP_STATUS, MOST_BYTES, as_json

FIRST_PAUSE = 0.1
BYTES = "image_bytes"
INT32 = np.iinfo(np.int32)


class ServerError(Exception):
    """An error that a server returned.

    Args:
        code: str, the name of a gRPC status code, such as "INVALID_ARGUMENT".
        message: str, the server's message.
    """

    def __init__(self, code: str, message: str):
        super().__init__(f"{code}: {message}")
        self.code = code


class Client:
    """A client of a served model.

    Args:
        address: str, "http://host:8501" for REST, "host:8500" for gRPC.
        name: str, the model's name on the server. Defaults to "dvae".
        timeout: float, seconds per request, retries included. Defaults to 10.
        retries: int, how often a request is repeated, after growing pauses, while the server is
            UNAVAILABLE; any other error is raised at once. Defaults to 3.

    Raises:
        ModuleNotFoundError: if httpx (REST) or grpcio and tensorflow-serving-api (gRPC) are
            missing; names the extra to install.
    """

    def __init__(self, address: str, name: str = "dvae", timeout: float = 10.0, retries: int = 3):
        transport = _Rest if address.startswith(("http://", "https://")) else _Rpc
        self._transport = transport(address, name)
        self.timeout, self.retries = timeout, retries

    def generate(self, label: npt.ArrayLike, seed: int = 0, temperature: float = 1.0) -> np.ndarray:
        """Generates images of given classes.

        Args:
            label: int array [n].
            seed: int; the same seed gives the same images. Defaults to 0.
            temperature: float >= 0. Defaults to 1.

        Returns:
            float32 array [n, height, width, channels] in [0, 1].

        Raises:
            ValueError: if labels or seed are no integers of 32 bits.
            ServerError: if the server refuses or cannot be reached.
        """
        return self.predict("generate", **_generate_inputs(label, seed, temperature))["image"]

    def generate_png(self, label, seed=0, temperature=1.0):
        """Generates images of given classes; returns a list of bytes, one PNG file each."""
        answer = self.predict("generate_png", **_generate_inputs(label, seed, temperature))
        return list(answer[BYTES])

    def encode(self, image: npt.ArrayLike) -> dict:
        """Encodes images into their two codes.

        Args:
            image: float array [n, height, width, channels] in [0, 1], uint8 array in [0, 255], or a
                list of bytes, one PNG or JPEG file of any size each, which the server decodes.

        Returns:
            dict of "z_s", "z_u_mean", "z_u_stddev" to float32 array [n, latent].

        Raises:
            ValueError: if images are neither.
            ServerError: as `generate`.
        """
        return self._predict_images("encode", image=image)

    def classify(self, image):
        """Returns dict of "probabilities" float32 [n, C] and "label" int32 [n]; see `encode`."""
        return self._predict_images("classify", image=image)

    def swap(self, image_s, image_u) -> np.ndarray:
        """Combines z_s of one image with z_u of another, pair by pair.

        Args:
            image_s, image_u: as in `encode`.

        Returns:
            float32 array [n, height, width, channels] in [0, 1].

        Raises:
            ServerError: as `generate`.
        """
        return self._predict_images("swap", image_s=image_s, image_u=image_u)["image"]

    def _predict_images(self, signature, **images):
        """Calls a signature with arrays, or the one that takes files in their place."""
        given = {name: as_images(image) for name, image in images.items()}
        files = {image.dtype == object for image in given.values()}
        if files == {True}:
            given = {f"{name}_bytes": image for name, image in given.items()}
            return self.predict(f"{signature}_image", **given)
        if True in files:
            raise ValueError("Both files and arrays came; give either.")
        return self.predict(signature, **given)

    def predict(self, signature: str, **inputs) -> dict:
        """Calls any signature.

        Args:
            signature: str.
            **inputs: arrays by their names in the signature.

        Returns:
            dict of output name to array.

        Raises:
            ServerError: as `generate`.
        """
        deadline = time.monotonic() + self.timeout
        pause, attempts = FIRST_PAUSE, 0
        while True:
            try:
                left = max(deadline - time.monotonic(), 1e-3)
                return self._transport.predict(signature, inputs, left)
            except ServerError as error:
                attempts += 1
                last = attempts > self.retries or time.monotonic() + pause > deadline
                if error.code != "UNAVAILABLE" or last:
                    raise
            time.sleep(pause)
            pause *= 2.0

    def close(self) -> None:
        """Closes the connection."""
        self._transport.close()

    def __enter__(self):
        return self

    def __exit__(self, *error):
        self.close()


def as_images(image: npt.ArrayLike) -> np.ndarray:
    """Converts images to what the server takes.

    Args:
        image: float array in [0, 1] or uint8 array in [0, 255], [n, height, width, channels]; a
            list of bytes, files; or other data, a float array [n, *shape].

    Returns:
        float32 array of the same shape, images in [0, 1]; for files, object array [n] of bytes.

    Raises:
        ValueError: if it is neither, or images are out of their range.

    Examples:
        >>> as_images(np.full((1, 1, 1, 1), 255, np.uint8)).tolist()
        [[[[1.0]]]]
    """
    if isinstance(image, (list, tuple)) and image and all(isinstance(one, bytes) for one in image):
        return np.array(image, object)
    image = np.asarray(image)
    if image.dtype == np.uint8 and image.ndim == 4:
        return (image / 255.0).astype(np.float32)
    if image.dtype.kind not in "fiu":
        raise ValueError(
            f"The images are of type {image.dtype}; give floats in [0, 1], uint8 in [0, 255], or a "
            "list of bytes, one PNG or JPEG file each."
        )
    if image.ndim == 4 and image.size and not (image.min() >= 0.0 and image.max() <= 1.0):
        raise ValueError(
            f"The images range from {image.min():g} to {image.max():g}; give floats in [0, 1] or "
            "uint8 in [0, 255]."
        )
    return image.astype(np.float32)


def _generate_inputs(label, seed, temperature):
    return {
        "label": np.atleast_1d(_int32("label", label)),
        "seed": np.append(_int32("seed", seed), np.int32(0)),
        "temperature": np.array(temperature, np.float32),
    }


def _int32(name, value):
    """Integers as the server takes them; what does not fit is refused, not wrapped."""
    value = np.asarray(value)
    if not np.issubdtype(value.dtype, np.integer) and value.size:
        raise ValueError(f"{name} is {value.tolist()!r}; give integers.")
    outside = value[(value < INT32.min) | (value > INT32.max)] if value.size else value
    if outside.size:
        raise ValueError(f"{name} is {outside[0]}; give {INT32.min} to {INT32.max}.")
    return value.astype(np.int32)


class _Rest:
    CODES = {status: code for code, status in HTTP_STATUS.items()}  # noqa: RUF012

    def __init__(self, address, name):
        with needed_for("The REST client", "serve"):
            import httpx
        self._httpx = httpx
        self._client = httpx.Client(base_url=f"{address.rstrip('/')}/v1/models/{name}")

    def predict(self, signature, inputs, timeout):
        values = {name: as_json(value) for name, value in inputs.items()}
        body = {"signature_name": signature, "inputs": values}
        url = f"{str(self._client.base_url).rstrip('/')}:predict"
        try:
            # Not by httpx, which refuses NaN: the server says what is wrong with it.
            answer = self._client.post(url, content=json.dumps(body), timeout=timeout)
        except self._httpx.TimeoutException as error:
            raise ServerError("DEADLINE_EXCEEDED", f"no answer in {timeout:.1f} s") from error
        except self._httpx.TransportError as error:
            raise ServerError("UNAVAILABLE", str(error)) from error
        if answer.status_code != 200:
            raise ServerError(self.CODES.get(answer.status_code, "UNKNOWN"), _message(answer))
        return self._outputs(signature, answer.json()["outputs"])

    def _outputs(self, signature, outputs):
        if not isinstance(outputs, dict):  # TF Serving omits the name of a single output.
            outputs = {BYTES if signature == "generate_png" else "image": outputs}
        return {name: _array(name, value) for name, value in outputs.items()}

    def close(self):
        self._client.close()


def _message(answer):
    try:
        return answer.json()["error"]
    except (ValueError, KeyError, TypeError):
        return answer.text


def _array(name, value):
    if name == BYTES:
        return [base64.b64decode(item["b64"]) for item in value]
    return np.array(value, np.int32 if name == "label" else np.float32)


class _Rpc:
    def __init__(self, address, name):
        with needed_for("The gRPC client", "serve"):
            import grpc
            from tensorflow_serving.apis import predict_pb2, prediction_service_pb2_grpc
        self._grpc, self._request = grpc, predict_pb2.PredictRequest
        limit = [("grpc.max_receive_message_length", MOST_BYTES)]
        self._channel = grpc.insecure_channel(address, options=limit)
        self._stub = prediction_service_pb2_grpc.PredictionServiceStub(self._channel)
        self._name = name

    def predict(self, signature, inputs, timeout):
        import tensorflow as tf

        request = self._request()
        request.model_spec.name = self._name
        request.model_spec.signature_name = signature
        for name, value in inputs.items():
            request.inputs[name].CopyFrom(tf.make_tensor_proto(value))
        try:
            answer = self._stub.Predict(request, timeout=timeout)
        except self._grpc.RpcError as error:
            raise ServerError(error.code().name, error.details()) from error
        return {name: tf.make_ndarray(value) for name, value in answer.outputs.items()}

    def close(self):
        self._channel.close()
