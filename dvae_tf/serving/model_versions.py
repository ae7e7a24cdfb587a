"""The newest version of a SavedModel, updated while it is in use."""

import contextlib
import os
import pathlib
import re
import threading

import tensorflow as tf
from tensorflow.core.protobuf import saved_model_pb2

from dvae_tf.runs.invocation import invocation
from dvae_tf.serving.inputs import as_tensor, example
from dvae_tf.serving.protocol import RequestError
from dvae_tf.serving.rate_limit import RateLimit

POLL_SECONDS = 1.0
DEFAULT_SIGNATURE = "serving_default"


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
        saved = saved_model_pb2.SavedModel.FromString((folder / "saved_model.pb").read_bytes())
        # The signatures as TensorFlow wrote them: what the metadata of TF Serving show.
        self.definitions = dict(saved.meta_graphs[0].signature_def)

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
        tensors = {key: as_tensor(key, value, specs[key]) for key, value in values.items()}
        try:
            found = self.signature(name)(**tensors)
        except tf.errors.InvalidArgumentError as error:
            raise RequestError("INVALID_ARGUMENT", _reason(error, specs)) from error
        return {key: value.numpy() for key, value in found.items()}


def _reason(error, specs):
    """What is wrong, as the model's own check says it, without details of the graph."""
    said = re.search(r"assertion failed: \[([^\]]*)\]", error.message)
    if said:
        return said[1]
    if any(spec.dtype == tf.string for spec in specs.values()):
        return "a file is damaged: it is no whole PNG or JPEG image"
    return "the inputs do not fit together"


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
        values = {key: example(spec) for key, spec in version.inputs(name).items()}
        # A model of another origin may refuse what is made up here.
        with contextlib.suppress(RequestError):
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
