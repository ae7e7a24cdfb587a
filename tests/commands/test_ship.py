import shutil

import numpy as np
import pytest
from rich.console import Console

from dvae_tf import runs, tasks
from dvae_tf.commands import ship as shipping
from dvae_tf.commands.settings import ShippingSettings
from dvae_tf.files import read_json
from dvae_tf.models import ConditionalVAE, DisentangledVAEGAN, Recipe
from dvae_tf.runs import shipped


@pytest.fixture
def place(tmp_path, monkeypatch):
    """A folder in place of saved_models, and a quick export."""
    monkeypatch.setattr(shipped, "FOLDER", tmp_path)

    def export(settings, console):
        for numbers in settings.numbers:
            (tmp_path / settings.output / f"model_{numbers}.tflite").write_text("a model")

    monkeypatch.setattr(shipping, "export", export)
    return tmp_path


def ship(run, name):
    return shipping.ship(ShippingSettings(str(run), name), Console(quiet=True))


def test_a_discriminator_does_not_ship():
    model = DisentangledVAEGAN((2,), 3, preset="toy", recipe=Recipe.named("balanced"))
    small = shipping.without_training(model)
    assert small.discriminator is None
    np.testing.assert_array_equal(tasks.sample(model, [0, 1]), tasks.sample(small, [0, 1]))


@pytest.mark.slow
def test_a_shipped_model_draws_what_the_run_draws(moons_run, place):
    folder = ship(moons_run, "mine")
    assert folder == place / "mine"
    model, small = runs.load(moons_run), runs.load_pretrained("mine")
    np.testing.assert_array_equal(
        tasks.sample(model, [0, 1, 2], seed=4), tasks.sample(small, [0, 1, 2], seed=4)
    )
    assert int(small.batches_trained.numpy()) == int(model.batches_trained.numpy())
    assert small.discriminator is None
    # Without Adam's two moments; the layout of the file is the same for both.
    small_file, large_file = (one / "model.keras" for one in (folder, moons_run))
    assert small_file.stat().st_size < 0.6 * large_file.stat().st_size
    assert read_json(folder / "run.json") == read_json(moons_run / "run.json")
    assert {path.name for path in folder.iterdir()} == {
        "SHA256SUMS", "model.keras", "model_float32.tflite", "model_int8.tflite", "report.json",
        "run.json",
    }  # fmt: skip


def test_it_takes_the_place_of_the_one_before(moons_run, place):
    (place / "mine").mkdir()
    (place / "mine" / "old").write_text("old")
    assert not (ship(moons_run, "mine") / "old").exists()
    assert [path.name for path in place.iterdir()] == ["mine"]


@pytest.mark.parametrize("name", ["../elsewhere", "..", "", "two/folders"])
def test_names_that_are_no_folder_below_saved_models_are_refused(name, moons_run, place):
    with pytest.raises(ValueError, match="is no name of a folder"):
        ship(moons_run, name)
    assert list(place.iterdir()) == []


def test_a_run_that_is_not_measured_is_named_and_leaves_nothing(moons_run, place, tmp_path_factory):
    run = tmp_path_factory.mktemp("unmeasured") / "run"
    shutil.copytree(moons_run, run, ignore=shutil.ignore_patterns("report.json"))
    with pytest.raises(OSError, match=r"report\.json"):
        ship(run, "mine")
    assert list(place.iterdir()) == []


def test_a_baseline_does_not_ship():
    with pytest.raises(ValueError, match="A ConditionalVAE has no codes and does not ship"):
        shipping.without_training(ConditionalVAE((2,), 3, preset="toy"))
