"""Under half precision, what a model gives is float32, and so is what is exported."""

import keras
import numpy as np
import pytest

from dvae_tf import DisentangledVAE
from dvae_tf.export.functions import Functions
from dvae_tf.models import ConditionalVAE, Recipe

X = np.random.default_rng(0).uniform(-1, 1, (4, 8, 8, 1)).astype(np.float32)
LABEL = np.array([0, 1, 2, 0])


@pytest.fixture(scope="module", params=["mixed_bfloat16", "mixed_float16"])
def model(request):
    before = keras.config.dtype_policy()
    keras.config.set_dtype_policy(request.param)
    recipe = Recipe.named("balanced").replace(flow=False)
    yield DisentangledVAE((8, 8, 1), 3, width=0.25, recipe=recipe)
    keras.config.set_dtype_policy(before)


@pytest.mark.parametrize("door", ["call", "predict", "generate", "encode", "classify"])
def test_what_it_gives_is_float32(model, door):
    given = {
        "call": lambda: model(X),
        "predict": lambda: model.predict(X, verbose=0),
        "generate": lambda: model.generate([0], seed=0),
        "encode": lambda: model.encode(X).z_u_mean,
        "classify": lambda: model.classify(X),
    }[door]()
    assert given.dtype == np.float32
    assert np.isfinite(given).all()


def test_its_exports_compute_in_float32(model):
    copy = Functions(model).model
    assert copy.dtype_policy.name == "float32"
    assert keras.config.dtype_policy().name == model.dtype_policy.name
    np.testing.assert_allclose(copy(X), model(X), atol=0.02)
    assert "float16" not in str(copy.get_config())


def test_a_baseline_reconstructs_too(model):
    recipe = Recipe.named("balanced")
    baseline = ConditionalVAE((8, 8, 1), 3, width=0.25, recipe=recipe)
    assert baseline.dtype_policy.name == model.dtype_policy.name
    assert baseline((X, LABEL)).dtype == np.float32
