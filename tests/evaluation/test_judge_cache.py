"""The judge that is kept: by what made it, and made again where its file cannot be read."""

import keras
import numpy as np
import pytest

from dvae_tf.evaluation import judge
from dvae_tf.evaluation.judge import (
    train_factor_regressor,
    train_judge,
    train_second_judge,
)

X = np.concatenate([np.zeros((16, 2)), np.ones((16, 2))]).astype(np.float32)
LABEL = np.repeat([0, 1], 16)


@pytest.fixture
def cache(tmp_path, monkeypatch):
    """The folder of the cache, and how often a network would have been trained."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    trained = []

    def untrained(make, x, target, outputs, loss, seed):
        trained.append(1)
        return make(x.shape[1:], outputs)

    monkeypatch.setattr(judge, "_fit", untrained)
    return tmp_path / "dvae_tf", trained


def test_a_judge_is_trained_once(cache):
    folder, trained = cache
    first, again = train_judge(X, LABEL, 2), train_judge(X, LABEL, 2)
    assert len(trained) == len(list(folder.glob("judge-*.keras"))) == 1
    np.testing.assert_array_equal(first.embed(X)[1], again.embed(X)[1])


@pytest.mark.parametrize("package", ["keras", "numpy"])
def test_another_version_has_another_file(package, cache, monkeypatch):
    folder, trained = cache
    train_judge(X, LABEL, 2)
    (version,) = [text for text in judge.VERSIONS if text.startswith(f"{package} ")]
    others = tuple(f"{package} 0.1" if text == version else text for text in judge.VERSIONS)
    monkeypatch.setattr(judge, "VERSIONS", others)
    train_judge(X, LABEL, 2)
    assert len(trained) == len(list(folder.glob("judge-*.keras"))) == 2


@pytest.mark.slow
def test_another_judge_has_another_file(cache, monkeypatch):
    """Files of judges as they were before are not taken for those of now."""
    folder, _ = cache
    train_judge(X, LABEL, 2)
    monkeypatch.setattr(judge, "VERSION", judge.VERSION + 1)
    train_judge(X, LABEL, 2)
    assert len(list(folder.glob("judge-*.keras"))) == 2
    images = np.random.default_rng(0).uniform(-1, 1, (8, 8, 8, 1)).astype(np.float32)
    train_judge(images, LABEL[12:20], 2)
    train_second_judge(images, LABEL[12:20], 2)
    assert len(list(folder.glob("judge-*.keras"))) == 3
    assert len(list(folder.glob("pooled-*.keras"))) == 1


ERRORS = (TypeError, KeyError)


@pytest.mark.parametrize("error", ERRORS)
def test_whatever_keras_raises_a_new_one_is_trained(error, cache, monkeypatch):
    _, trained = cache
    train_judge(X, LABEL, 2)

    def fail(*_, **__):
        raise error("of another version")

    with monkeypatch.context() as patch:
        patch.setattr(keras.saving, "load_model", fail)
        train_judge(X, LABEL, 2)
    train_judge(X, LABEL, 2)
    assert len(trained) == 2


@pytest.mark.parametrize("damage", ["empty", "text", "torn"])
@pytest.mark.parametrize("train", [
    lambda: train_judge(X, LABEL, 2), lambda: train_factor_regressor(X, X),
], ids=["judge", "regressor"])  # fmt: skip
def test_a_damaged_file_is_made_again(damage, train, cache):
    folder, trained = cache
    train()
    (path,) = folder.glob("*.keras")
    whole = path.read_bytes()
    path.write_bytes({"empty": b"", "text": b"hello", "torn": whole[: len(whole) // 2]}[damage])
    train()
    keras.saving.load_model(path)
    train()
    assert len(trained) == 2
