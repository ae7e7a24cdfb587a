import hypothesis
import matplotlib
import numpy as np
import pytest

import dvae_tf.runs.data
from dvae_tf.commands.settings import TrainingSettings
from dvae_tf.commands.train import train

matplotlib.use("agg")
# --hypothesis-profile fuzz: on and on, until somebody stops it.
hypothesis.settings.register_profile("fuzz", max_examples=10**7)


@pytest.fixture(scope="session", autouse=True)
def cache(tmp_path_factory):
    """Keeps what the package caches away from the user's own."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_CACHE_HOME", str(tmp_path_factory.mktemp("cache")))
        yield


@pytest.fixture(scope="session")
def short_epochs():
    """Makes epochs of small data short: two passes over three moons."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(dvae_tf.runs.data, "LEAST_STEPS", 110)
        yield


@pytest.fixture(scope="session")
def moons_run(short_epochs, tmp_path_factory):
    """The folder of a run on three moons, two epochs of the toy networks."""
    folder = tmp_path_factory.mktemp("runs") / "moons"
    settings = {"dataset": "three_moons", "model": "disentangled_vae", "preset": "toy"}
    train(TrainingSettings(**settings, epochs=2, output=str(folder)))
    return folder


@pytest.fixture(scope="session")
def digits_run(short_epochs, tmp_path_factory):
    """The folder of a run on digits, two epochs of the toy networks."""
    folder = tmp_path_factory.mktemp("runs") / "digits"
    train(TrainingSettings(dataset="digits", preset="toy", epochs=2, output=str(folder)))
    return folder


@pytest.fixture
def points():
    """Six points of the plane in three classes."""
    x = np.random.default_rng(0).normal(size=(6, 2)).astype(np.float32)
    return x, np.array([0, 1, 2, 0, 1, 2], np.int32)
