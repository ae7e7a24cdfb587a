"""The newest version of a SavedModel, updated while it is in use."""

import os
import pathlib
import threading

import numpy as np
import tensorflow as tf

from dvae_tf.runs.invocation import invocation
from dvae_tf.serving.rate_limit import RateLimit

POLL_SECONDS = 1.0
MOST_EXAMPLES = 1024
IMAGE_RANK = 4
DEFAULT_SIGNATURE = "serving_default"


class RequestError(Exception):
    """An error in a request.

    Args:
        code: str, the name of a gRPC status code, such as "INVALID_ARGUMENT".
        message: str.
    """

    def __init__(self, code: str, message: str):
        super().__init__(message)
        self.code = code


class Version:
    """A loaded version.

    Args:
        number: int.
        folder: pathlib.Path of the SavedModel.
    """

    def __init__(self, number: int, folder: pathlib.Path):
        self.number = number
        self._loaded = tf.saved_model.load(str(folder))
        self.signatures = dict(self._loaded.signatures)

    def signature(self, name):
        """Looks up a signature; raises RequestError if there is none."""
        name = name or DEFAULT_SIGNATURE
        if name not in self.signatures:
            known = ", ".join(sorted(self.signatures))
            raise RequestError(
                "INVALID_ARGUMENT", f"Serving signature name: {name!r} not found; there are {known}"
            )
        return self.signatures[name]

    def inputs(self, name):
        """The inputs of a signature: {name: tf.TensorSpec}."""
        return dict(self.signature(name).structured_input_signature[1])

    def predict(self, name: str, values: dict) -> dict:
        """Calls a signature.

        Args:
            name: str, the signature, or "" for the default.
            values: dict of input name to array.

        Returns:
            dict of output name to array.

        Raises:
            RequestError: if the inputs do not fit, or the model refuses them.
        """
        specs = self.inputs(name)
        if set(values) != set(specs):
            raise RequestError(
                "INVALID_ARGUMENT",
                f"inputs are {sorted(values)}; the signature wants {sorted(specs)}",
            )
        tensors = {key: _fitting(key, value, specs[key]) for key, value in values.items()}
        try:
            found = self.signature(name)(**tensors)
        except tf.errors.InvalidArgumentError as error:
            raise RequestError("INVALID_ARGUMENT", _reason(error)) from error
        return {key: value.numpy() for key, value in found.items()}


def _fitting(name, value, spec):
    try:
        tensor = tf.constant(value, spec.dtype)
    except (TypeError, ValueError) as error:
        raise RequestError(
            "INVALID_ARGUMENT", f"input {name!r} is no {spec.dtype.name} tensor"
        ) from error
    if not spec.shape.is_compatible_with(tensor.shape):
        raise RequestError(
            "INVALID_ARGUMENT",
            f"input {name!r} has shape {tensor.shape.as_list()}; expected {spec.shape.as_list()}",
        )
    if spec.dtype.is_floating:
        _check_values(name, tensor, spec)
    if spec.shape.rank and spec.shape[0] is None and tensor.shape[0] > MOST_EXAMPLES:
        raise RequestError(
            "INVALID_ARGUMENT",
            f"input {name!r} has {tensor.shape[0]} examples; at most {MOST_EXAMPLES} a request",
        )
    return tensor


def _check_values(name, tensor, spec):
    """Refuses values that would give meaningless outputs: NaN, and images outside [0, 1]."""
    if not tf.reduce_all(tf.math.is_finite(tensor)):
        raise RequestError("INVALID_ARGUMENT", f"input {name!r} holds NaN or infinity")
    is_image = spec.shape.rank == IMAGE_RANK
    if is_image and not tf.reduce_all((tensor >= 0.0) & (tensor <= 1.0)):
        least, most = tf.reduce_min(tensor), tf.reduce_max(tensor)
        raise RequestError(
            "INVALID_ARGUMENT",
            f"input {name!r} ranges from {least:.3g} to {most:.3g}; images are in [0, 1]",
        )


def _reason(error):
    """The line of TensorFlow's message that comes from the model, without details of the graph."""
    lines = [line.strip() for line in error.message.splitlines()]
    messages = [line for line in lines if line.startswith("assertion failed")]
    return messages[0] if messages else "the inputs do not fit together"


class ModelVersions:
    """Loads the newest version below a folder, and each newer one that appears.

    A request that has started keeps its version until it ends.

    Args:
        name: str, the model's name.
        folder: str or pathlib.Path with a folder for each version, as TF Serving expects.
        most_requests: float, requests a second that are answered. Defaults to None: all.

    Raises:
        ValueError: if there is no version, or the rate is not above 0.
    """

    def __init__(self, name: str, folder: str | os.PathLike, most_requests: float | None = None):
        self.name = name
        self._rate = RateLimit(most_requests)
        self.folder = pathlib.Path(folder)
        numbers = self._numbers()
        if not numbers:
            raise ValueError(
                f"{folder} holds no version of a SavedModel (a folder with a number for a name); "
                f"give the --output of {invocation('export')}."
            )
        self.current = self._load(numbers[-1])
        self._stop = threading.Event()
        self._watcher = threading.Thread(target=self._watch, daemon=True)
        self._watcher.start()

    def _numbers(self):
        return sorted(
            int(path.name)
            for path in self.folder.glob("[0-9]*")
            if path.name.isdecimal() and (path / "saved_model.pb").exists()
        )

    def _load(self, number):
        version = Version(number, self.folder / str(number))
        for name in version.signatures:
            self._warm_up(version, name)
        return version

    @staticmethod
    def _warm_up(version, name):
        """Runs a signature once, so that no user waits for the slow first call."""
        values = {
            key: np.zeros([1 if side is None else side for side in spec.shape], spec.dtype.name)
            for key, spec in version.inputs(name).items()
        }
        version.predict(name, values)

    def _watch(self):
        while not self._stop.wait(POLL_SECONDS):
            newest = self._numbers()[-1:]
            if newest and newest[0] > self.current.number:
                try:
                    self.current = self._load(newest[0])
                except (OSError, ValueError, tf.errors.OpError) as error:
                    # Half-copied or damaged: the current version stays in use.
                    print(f"version {newest[0]} cannot be loaded yet: {error}", flush=True)

    def version(self, number=None):
        """Returns the current Version.

        Raises:
            RequestError: if `number` is that of another version, or there are too many requests.
        """
        if not self._rate.takes_one():
            raise RequestError(
                "UNAVAILABLE", f"more than {self._rate.most:g} requests a second; try again later"
            )
        current = self.current
        if number is not None and number != current.number:
            raise RequestError(
                "NOT_FOUND",
                f"Servable not found for request: Specific({self.name}, {number})",
            )
        return current

    def close(self) -> None:
        """Stops looking for newer versions."""
        self._stop.set()
        self._watcher.join()
