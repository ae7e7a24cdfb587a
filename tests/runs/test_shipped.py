import shutil

import numpy as np
import pytest

from dvae_tf import load_pretrained, runs, tasks
from dvae_tf.data import load_arrays
from dvae_tf.runs import shipped


def test_the_shipped_model_knows_digits():
    model = load_pretrained()
    test, _ = load_arrays("digits", "test")
    assert np.mean(tasks.classify(model, test.x).argmax(axis=-1) == test.label) >= 0.97
    assert float(model.optimizers["decoder"].learning_rate) == pytest.approx(5e-4)


def test_together_they_are_under_20_megabytes():
    size = 0
    for name in ("digits", "fashion_mnist"):
        files = [path for path in shipped.find(name).rglob("*") if path.is_file()]
        size += sum(path.stat().st_size for path in files)
        listed = (shipped.find(name) / "SHA256SUMS").read_text().splitlines()
        assert len(listed) == len(files) - 1
    assert size < 20_000_000


def test_fashion_mnist_draws_as_much_of_each_class_as_it_should():
    """Sneakers are wide and flat, trousers tall: no data are needed to see that."""
    model = load_pretrained("fashion_mnist")
    drawn = tasks.sample(model, np.repeat([1, 7], 20), seed=0)[..., 0].astype(float)
    height, width = ((drawn.mean(axis=axis) > 20).sum(axis=-1) for axis in (2, 1))
    assert np.mean(height[:20] > width[:20]) > 0.8
    assert np.mean(width[20:] > height[20:]) > 0.8


@pytest.fixture
def copy(tmp_path, monkeypatch):
    shutil.copytree(shipped.find(), tmp_path / "digits")
    monkeypatch.setattr(shipped, "FOLDER", tmp_path)
    return tmp_path / "digits"


def test_a_changed_and_a_missing_file_are_named(copy):
    file = copy / "model_int8.tflite"
    content = bytearray(file.read_bytes())
    content[1000] ^= 1
    file.write_bytes(content)
    with pytest.raises(ValueError, match=r"model_int8\.tflite has changed since it was shipped"):
        load_pretrained()
    file.unlink()  # As in the wheel, which brings no exports.
    load_pretrained()
    (copy / "model.keras").unlink()
    with pytest.raises(ValueError, match=r"model\.keras is missing"):
        load_pretrained()


def test_an_unknown_name_is_named():
    with pytest.raises(ValueError, match="'faces'; there are digits, fashion_mnist"):
        load_pretrained("faces")


def test_results_of_a_shipped_model_go_elsewhere(tmp_path):
    assert runs.results(shipped.find()) == runs.run.ROOT / "shipped-digits"
    assert runs.results(tmp_path) == tmp_path
