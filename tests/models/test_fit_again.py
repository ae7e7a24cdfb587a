"""A schedule belongs to one call of `fit`: whatever was trained before, a further call trains."""

import keras
import numpy as np
import pytest
from toys import batches, changed, snapshot

from dvae_tf import DisentangledVAEGAN, data, load_pretrained
from dvae_tf.models import Recipe
from dvae_tf.networks import ConditionalFlow
from dvae_tf.networks.seeding import seeded_initializers

MOVED = {"encoder_s", "encoder_u", "decoder", "discriminator", "prior_means", "prior_variances"}


@pytest.fixture(scope="module")
def trained():
    with seeded_initializers(0):
        flow = ConditionalFlow(2, 2, couplings=2, units=16)
    recipe = Recipe.named("balanced").replace(learning_rate=2e-3)
    model = DisentangledVAEGAN((2,), 3, preset="toy", recipe=recipe, flow=flow)
    model.fit(DATA, epochs=2, verbose=0)
    return model


DATA = batches(count=960, batch_size=32)


def loss(model):
    logs = model.evaluate(DATA, return_dict=True, verbose=0)
    return logs["classification"] + logs["reconstruction"]


def farthest(model, before):
    """The largest change of any weight of the decoder."""
    after = snapshot(model)["decoder"]
    return max(np.abs(a - b).max() for a, b in zip(after, before["decoder"], strict=True))


def test_a_second_fit_trains(trained):
    before, first = snapshot(trained), loss(trained)
    trained.fit(DATA, epochs=2, verbose=0)
    assert changed(trained, before) >= MOVED
    assert farthest(trained, before) > 0.01
    assert loss(trained) < first


def test_every_fit_of_a_loop_trains(trained):
    losses = [loss(trained)]
    for _ in range(3):
        before = snapshot(trained)
        trained.fit(DATA, epochs=1, verbose=0)
        assert changed(trained, before) >= MOVED
        assert farthest(trained, before) > 0.01
        losses.append(loss(trained))
    assert losses[-1] < losses[0]


def test_a_fit_after_another_compile_trains(trained):
    trained.compile(keras.optimizers.Adam(1e-3, 0.5, 0.99))
    before, first = snapshot(trained), loss(trained)
    trained.fit(DATA, epochs=2, verbose=0)
    assert changed(trained, before) >= MOVED
    assert loss(trained) < first
    assert isinstance(trained.optimizers["decoder"], keras.optimizers.Adam)


def test_the_model_that_ships_trains_on():
    model = load_pretrained("digits")
    train, _ = data.load("digits", "train[:10%]", 32)
    before = snapshot(model)
    first = model.evaluate(train, return_dict=True, verbose=0)["reconstruction"]
    model.fit(train, epochs=4, verbose=0)
    assert changed(model, before) >= MOVED - {"discriminator"}
    assert model.evaluate(train, return_dict=True, verbose=0)["reconstruction"] < first
