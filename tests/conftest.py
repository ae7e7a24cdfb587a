import contextlib
import fcntl
import gc
import shutil

import hypothesis
import keras
import matplotlib
import numpy as np
import pytest

import dvae_tf.evaluation.estimate
import dvae_tf.runs.data
from dvae_tf.commands.settings import TrainingSettings
from dvae_tf.commands.train import train
from dvae_tf.evaluation import judge
from dvae_tf.evaluation.metrics import cycle, factors, probes

matplotlib.use("agg")
# --hypothesis-profile fuzz: on and on, until somebody stops it.
hypothesis.settings.register_profile("fuzz", max_examples=10**7)


@pytest.fixture(scope="session", autouse=True)
def imported_modules():
    """Lets the garbage collector pass over what was imported, which takes it a second each time."""
    gc.collect()
    gc.freeze()


@pytest.fixture(scope="session")
def shared(tmp_path_factory):
    """A folder that all workers of this test run share."""
    base = tmp_path_factory.getbasetemp()
    return base.parent if base.name.startswith("popen-") else base


@pytest.fixture(scope="session", autouse=True)
def cache(shared):
    """Keeps what the package caches away from the user's own."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_CACHE_HOME", str(shared / "cache"))
        yield


@pytest.fixture(scope="module", autouse=True)
def memory():
    """Frees the graphs of a file's models, which would pile up in a worker."""
    yield
    keras.backend.clear_session()
    gc.collect()


@pytest.fixture(scope="session")
def short_epochs():
    """Makes epochs of small data short: two passes over three moons."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(dvae_tf.runs.data, "LEAST_STEPS", 110)
        yield


@contextlib.contextmanager
def measured_cheaply():
    """Few resamples, short probes, few pictures of the cycle probe."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(dvae_tf.evaluation.estimate, "RESAMPLES", 30)
        patch.setattr(probes, "EPOCHS", 10)
        patch.setattr(probes, "BOOSTING_ROUNDS", 10)
        patch.setattr(factors, "ROUNDS", 20)
        patch.setattr(cycle, "MOST_PICTURES", 600)
        yield


@pytest.fixture(scope="module")
def cheap_measures():
    """Makes measures cheap."""
    with measured_cheaply():
        yield


@contextlib.contextmanager
def judged_hastily():
    """Judges of few epochs, where their verdict does not matter."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(judge, "EPOCHS", (1, 4))
        yield


@pytest.fixture(scope="module")
def hasty_judges():
    with judged_hastily():
        yield


@pytest.fixture(scope="session")
def made_once(shared):
    """A function that makes a folder once for all workers: its name, and what fills it."""

    def made(name, fill):
        kept = shared / name
        with (shared / f"{name}.lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            if not kept.exists():
                aside = shared / f"aside-{name}"
                fill(aside)
                aside.rename(kept)
        return kept

    return made


@pytest.fixture(scope="session")
def trained_run(made_once, short_epochs, tmp_path_factory):
    """A function that trains a run once for all workers and gives a copy of it."""

    def trained(name, evaluate=True, **settings):
        def fill(folder):
            of_run = TrainingSettings(**settings, preset="toy", epochs=2, output=str(folder))
            with measured_cheaply(), judged_hastily():
                train(of_run, evaluate=evaluate)

        kept = made_once(f"run-{name}", fill)
        copy = tmp_path_factory.mktemp("runs") / name
        shutil.copytree(kept, copy)
        return copy

    return trained


@pytest.fixture(scope="session")
def moons_run(trained_run):
    """The folder of a run on three moons, two epochs of the toy networks."""
    return trained_run("moons", dataset="three_moons", model="disentangled_vae")


@pytest.fixture(scope="session")
def digits_run(trained_run):
    """The folder of a run on digits, two epochs of the toy networks, no flow, not measured."""
    return trained_run(
        "digits", False, dataset="digits", model="disentangled_vae", changes={"flow": False}
    )


@pytest.fixture
def points():
    """Six points of the plane in three classes."""
    x = np.random.default_rng(0).normal(size=(6, 2)).astype(np.float32)
    return x, np.array([0, 1, 2, 0, 1, 2], np.int32)
