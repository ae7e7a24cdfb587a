"""A schedule belongs to one call of `fit`: whatever was trained before, a further call trains."""

import keras
import numpy as np
import pytest
from toys import batches, changed, snapshot

from dvae_tf import DisentangledVAEGAN, data, load_pretrained
from dvae_tf.models import Recipe
from dvae_tf.networks import ConditionalFlow
from dvae_tf.networks.seeding import seeded_initializers

pytestmark = pytest.mark.slow

MOVED = {"encoder_s", "encoder_u", "decoder", "discriminator", "prior_means", "prior_variances"}


DATA = batches(count=960, batch_size=32)


@pytest.fixture(scope="module")
def trained():
    """A model after a first, short training."""
    with seeded_initializers(0):
        flow = ConditionalFlow(2, 2, couplings=2, units=16)
    recipe = Recipe.named("balanced").replace(learning_rate=2e-3)
    model = DisentangledVAEGAN((2,), 3, preset="toy", recipe=recipe, flow=flow)
    model.fit(DATA, verbose=0)
    return model


def loss(model, dataset=DATA):
    logs = model.evaluate(dataset, return_dict=True, verbose=0)
    return logs["classification"] + logs["reconstruction"]


def assert_trains(model, dataset=DATA, still=frozenset(), epochs=1):
    """Disturbs the decoder: a fit moves everything, and the loss falls again."""
    random = np.random.default_rng(0)
    weights = model.decoder.get_weights()
    model.decoder.set_weights([w + 0.1 * random.normal(size=w.shape) for w in weights])
    before, first = snapshot(model), loss(model, dataset)
    model.fit(dataset, epochs=epochs, verbose=0)
    assert changed(model, before) >= MOVED - still
    assert loss(model, dataset) < first


def test_a_second_fit_trains(trained):
    assert_trains(trained)


def test_freezing_after_a_fit_is_answered(trained):
    trained.decoder.trainable = False
    with pytest.warns(UserWarning, match="counts from the next `compile` on"):
        trained.fit(DATA.take(1), verbose=0, fit_flow=False)
    trained.decoder.trainable = True


def test_the_code_is_traced_once_for_all_fits_of_the_flow(trained):
    traced = trained.traced_codes_for_flow
    before = traced.experimental_get_tracing_count()
    for _ in range(2):
        trained.fit_flow(DATA, steps=2, verbose=0)
    assert traced.experimental_get_tracing_count() <= before + 1


def test_every_fit_of_a_loop_trains(trained):
    for _ in range(2):
        assert_trains(trained)


@pytest.mark.slow
def test_a_fit_after_another_compile_trains(trained):
    trained.compile(keras.optimizers.Adam(2e-3, 0.5, 0.99))
    assert_trains(trained)


@pytest.mark.slow
def test_the_model_that_ships_trains_on():
    train, _ = data.load("digits", "train[:10%]", 32)
    assert_trains(load_pretrained("digits"), train, still={"discriminator"}, epochs=12)
