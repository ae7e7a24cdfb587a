import os
import pathlib
import socket
import subprocess
import sys

import numpy as np
import pytest
from distributed_training import trained_weights

from dvae_tf.commands.devices import make_strategy

SCRIPT = pathlib.Path(__file__).parents[1] / "distributed_training.py"


@pytest.fixture(scope="module")
def on_one_device():
    return trained_weights(make_strategy())


def start(output, *arguments):
    quiet = os.environ | {"TF_CPP_MIN_LOG_LEVEL": "3"}
    return subprocess.Popen([sys.executable, SCRIPT, output, *arguments], env=quiet)


def load(path):
    with np.load(path) as arrays:
        return [arrays[f"arr_{number}"] for number in range(len(arrays))]


def assert_close(weights, others, atol):
    assert len(weights) == len(others) > 40
    for ours, theirs in zip(weights, others, strict=True):
        np.testing.assert_allclose(ours, theirs, atol=atol)


@pytest.mark.slow
def test_two_devices_train_as_one_does(on_one_device, tmp_path):
    assert start(tmp_path / "two.npz", "mirrored").wait(300) == 0
    assert_close(load(tmp_path / "two.npz"), on_one_device, 1e-4)


@pytest.mark.slow
def test_two_processes_train_as_one_does(on_one_device, tmp_path):
    with socket.socket() as first, socket.socket() as second:
        ports = []
        for single in (first, second):
            single.bind(("localhost", 0))
            ports.append(single.getsockname()[1])
    workers = ",".join(f"localhost:{port}" for port in ports)
    paths = [tmp_path / f"{index}.npz" for index in range(2)]
    processes = [
        start(path, "multi_worker", workers, str(index)) for index, path in enumerate(paths)
    ]
    assert [process.wait(300) for process in processes] == [0, 0]
    ours, theirs = map(load, paths)
    assert_close(ours, theirs, 0.0)
    assert_close(ours, on_one_device, 1e-4)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("mirorred",), "No strategy is called 'mirorred'; choose one of mirrored, multi_worker"),
        (("multi_worker",), "give --workers HOST:PORT"),
        (("multi_worker", ["a:1", "b:1"], 2), "worker_index is 2; with 2 workers give one of 0 to"),
    ],
)
def test_wrong_arguments_are_named(arguments, message, monkeypatch):
    monkeypatch.delenv("TF_CONFIG", raising=False)
    with pytest.raises(ValueError, match=message):
        make_strategy(*arguments)
