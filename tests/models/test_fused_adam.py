import keras
import numpy as np
import pytest

from dvae_tf.models.fused_adam import FusedAdam


def test_makes_the_same_steps_as_keras():
    random = np.random.default_rng(0)
    start = random.normal(size=(5, 4)).astype("float32")
    found = []
    for kind in (FusedAdam, keras.optimizers.Adam):
        random, weight = np.random.default_rng(1), keras.Variable(start)
        optimizer = kind(1e-2, beta_1=0.3, beta_2=0.9)
        for _ in range(20):
            optimizer.apply([keras.ops.array(random.normal(size=(5, 4)), "float32")], [weight])
        found.append([np.array(weight), *map(np.array, optimizer.variables)])
    for ours, keras_own in zip(*found, strict=True):
        np.testing.assert_allclose(ours, keras_own, rtol=1e-5, atol=1e-6)
    assert np.abs(found[0][0] - start).max() > 0.05


def test_names_what_knows_amsgrad():
    with pytest.raises(ValueError, match=r"keras.optimizers.Adam"):
        FusedAdam(amsgrad=True)
