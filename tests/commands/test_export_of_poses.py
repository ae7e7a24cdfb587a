import numpy as np
import pytest
import tensorflow as tf
from rich.console import Console

from dvae_tf import runs
from dvae_tf.commands.export import export
from dvae_tf.commands.settings import ExportSettings, TrainingSettings
from dvae_tf.commands.train import train

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def run(short_epochs, tmp_path_factory):
    """The folder of a short run whose decoder places what it draws."""
    folder = tmp_path_factory.mktemp("placed") / "run"
    given = {"dataset": "digits", "model": "disentangled_vae", "preset": "placed", "epochs": 2}
    sizes = {"width": 0.25, "latent_dim_u": 8}
    train(TrainingSettings(**given, **sizes, output=str(folder)), evaluate=False)
    return folder


def test_every_format_draws_what_keras_draws(run, tmp_path):
    # In int8, poses are too coarse after a training as short as this.
    wanted = {"saved_model": True, "tflite": True, "numbers": ("float32", "float16"), "onnx": True}
    rows = export(ExportSettings(str(run), output=str(tmp_path), **wanted), Console(quiet=True))
    assert len(rows) == 4
    model, x = runs.load(run), np.random.default_rng(0).uniform(size=(3, 16, 16, 1))
    swap = tf.saved_model.load(str(tmp_path / "1")).signatures["swap"]
    image = tf.constant(x, tf.float32)
    codes = model.encode(2.0 * x - 1.0)
    expected = (model.decode(codes.z_s, codes.z_u_mean[::-1]) + 1.0) / 2.0
    found = swap(image_s=image, image_u=image[::-1])["image"]
    np.testing.assert_allclose(found, expected, atol=1e-5)
