import math

import numpy as np
import pytest
import tensorflow as tf
from toys import moons

from dvae_tf import DisentangledVAE
from dvae_tf.models import ConditionalVAE, Recipe


def made(model=DisentangledVAE, n_gm=2):
    return model(
        (2,), 3, "toy", Recipe.named("balanced").replace(n_gm=n_gm, flow_share=0.0), seed=0
    )


@pytest.mark.slow
def test_an_epoch_without_a_joint_step_says_that_its_losses_are_not_computed():
    x, label = moons(8)
    history = made().fit(x, label, batch_size=8, epochs=2, verbose=0).history
    assert np.isnan(history["reconstruction"]).tolist() == [True, False]
    assert all(map(math.isfinite, history["loss"] + history["classification"]))


def test_a_baseline_that_trained_nothing_has_no_loss():
    x, label = moons(8)
    history = made(ConditionalVAE).fit(x, label, batch_size=8, epochs=2, verbose=0).history
    assert np.isnan(history["loss"]).tolist() == [True, False]


def test_where_the_data_end_no_step_is_counted():
    x, label = moons(8)
    data = tf.data.Dataset.from_generator(
        lambda: iter([(x, label)]),
        output_signature=(tf.TensorSpec((8, 2), tf.float32), tf.TensorSpec((8,), tf.int32)),
    )
    history = made(ConditionalVAE).fit(data, epochs=4, verbose=0).history
    assert np.isnan(history["reconstruction"]).tolist() == [True, False] * 2
