"""What importing does, in new processes: speed, the classes of saved files, Keras's settings."""

import json
import os
import subprocess
import sys

import keras
import pytest

import dvae_tf.models
from dvae_tf import DisentangledVAE
from dvae_tf.models import Recipe


def run(code, **environment):
    return subprocess.run(
        [sys.executable, "-c", code],
        env=os.environ | environment,
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.fixture(scope="module")
def saved(tmp_path_factory):
    path = tmp_path_factory.mktemp("models") / "m.keras"
    recipe = Recipe.named("balanced").replace(flow=False)
    DisentangledVAE((2,), 3, preset="toy", recipe=recipe, class_names=("a", "b", "c")).save(path)
    return path


@pytest.mark.slow
def test_importing_computes_nothing_so_that_devices_can_be_configured():
    code = (
        "import dvae_tf, dvae_tf.models, dvae_tf.evaluation, dvae_tf.runs; "
        "from tensorflow.python.eager import context; "
        "print('ready', not context.context()._initialized)"
    )
    done = run(code)
    assert "ready True" in done.stdout, done.stderr


@pytest.mark.slow
@pytest.mark.parametrize("first", ["keras, dvae_tf", "dvae_tf, keras"], ids=str.split)
def test_keras_finds_the_classes_of_a_file(saved, first):
    done = run(f"import {first}; print(keras.saving.load_model({str(saved)!r}).class_names)")
    assert "('a', 'b', 'c')" in done.stdout, done.stderr


def test_the_package_alone_is_quick():
    code = "import sys, time; start = time.time(); import dvae_tf; print(time.time() - start < 0.3)"
    done = run(f"{code}; print('keras' in sys.modules)")
    assert done.stdout.split() == ["True", "False"], done.stderr


def test_every_class_of_a_file_is_known_beforehand():
    known = {name for names in dvae_tf._SAVED.values() for name in names}
    assert {model.__name__ for model in dvae_tf.models.MODELS.values()} <= known
    for module, names in dvae_tf._SAVED.items():
        assert all(hasattr(sys.modules[module], name) for name in names)
    registry = keras.saving.get_custom_objects()
    assert all(isinstance(registry[f"dvae_tf>{name}"], type) for name in known)


SETTINGS = {
    "jax": ({"KERAS_BACKEND": "jax"}, {}, "set KERAS_BACKEND=tensorflow"),
    "channels_first": ({}, {"image_data_format": "channels_first"}, "needs channels_last"),
    "float64": ({}, {"floatx": "float64"}, "needs float32"),
}


@pytest.mark.slow
@pytest.mark.parametrize("case", SETTINGS)
def test_settings_of_keras_are_named_in_a_sentence(case, tmp_path):
    environment, content, message = SETTINGS[case]
    (tmp_path / "keras.json").write_text(json.dumps({"backend": "tensorflow"} | content))
    code = "import dvae_tf; dvae_tf.DisentangledVAE((2,), 3, preset='toy')"
    done = run(code, KERAS_HOME=str(tmp_path), **environment)
    assert message in done.stderr.splitlines()[-1]
