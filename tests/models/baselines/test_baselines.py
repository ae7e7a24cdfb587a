import keras
import numpy as np
import pytest
import tensorflow as tf
from toys import batches, changed, moons, snapshot

from dvae_tf.models import MODELS, ConditionalGAN, ConditionalVAE, ConditionalVAEGAN, Recipe

BASELINES = ("cvae", "cgan", "cvae_gan")


def toy(model, changes=None, **options):
    recipe = Recipe.named("paper").replace(**(changes or {}))
    return model((2,), 3, preset="toy", recipe=recipe, **options)


# loss: the groups that it reaches, by model.
ROUTES = [
    (ConditionalVAE, "reconstruction", {"encoder_u", "class_vector", "decoder"}),
    (ConditionalVAE, "kl", {"encoder_u"}),
    (ConditionalVAEGAN, "reconstruction", {"encoder_u", "class_vector", "decoder"}),
    (ConditionalVAEGAN, "kl", {"encoder_u"}),
    (ConditionalVAEGAN, "generation", {"class_vector", "decoder"}),
    (ConditionalVAEGAN, "discrimination", {"discriminator"}),
    (ConditionalGAN, "generation", {"class_vector", "decoder"}),
    (ConditionalGAN, "discrimination", {"discriminator"}),
]


@pytest.mark.parametrize(("model", "loss", "trained"), ROUTES)
def test_each_loss_reaches_exactly_its_networks(model, loss, trained):
    weights = dict.fromkeys(("reconstruction", "kl", "generation", "discrimination"), 0.0)
    model = toy(model, {"n_gm": 1} | weights | {loss: 1.0})
    before = snapshot(model)
    model.train_step(tuple(map(tf.constant, moons(16))))
    assert changed(model, before) == trained


@pytest.mark.slow
@pytest.mark.parametrize("name", MODELS)
def test_the_budget_of_updates_is_the_same_for_all_models(name):
    model = toy(MODELS[name])
    model.compile(run_eagerly=True)
    model.fit(batches(count=112), epochs=1, verbose=0)  # 7 batches
    assert int(model.batches_trained) == 7
    assert int(model.optimizers["decoder"].iterations) == 2


@pytest.mark.slow
@pytest.mark.parametrize("name", BASELINES)
def test_train_2_is_train_1_save_load_train_1(name, tmp_path):
    straight, stopped = toy(MODELS[name]), toy(MODELS[name])
    straight.fit(batches(), epochs=2, verbose=0)
    stopped.fit(batches(), verbose=0)
    stopped.save(tmp_path / "model.keras")
    resumed = keras.saving.load_model(tmp_path / "model.keras")
    resumed.fit(batches(), initial_epoch=1, epochs=2, verbose=0)
    for ours, theirs in zip(straight.variables, resumed.variables, strict=True):
        np.testing.assert_array_equal(ours, theirs, err_msg=ours.path)
    np.testing.assert_array_equal(
        straight.generate([0, 1, 2], seed=1), resumed.generate([0, 1, 2], seed=1)
    )


def test_decoder_and_discriminator_are_those_of_our_model():
    ours = MODELS["disentangled_vae_gan"]((28, 28, 1), 10)
    theirs = ConditionalVAEGAN((28, 28, 1), 10)
    for network in ("decoder", "discriminator"):
        shapes = [
            [weight.shape for weight in model.networks()[network].weights]
            for model in (ours, theirs)
        ]
        assert shapes[0] == shapes[1]
    assert theirs.class_vector.weights[0].shape == ours.prior_s.means.shape


def test_the_encoder_sees_the_label():
    model = toy(ConditionalVAE)
    x, label = moons(6)
    told = model.call((tf.constant(x), tf.constant(label)))
    model.class_vector.set_weights([np.zeros((3, 2))])
    same_vector = model.call((tf.constant(x), tf.constant(label)))
    other_label = model.call((tf.constant(x), tf.constant((label + 1) % 3)))
    assert told.shape == (6, 2)
    assert not np.allclose(same_vector, other_label)


def test_the_vectors_of_the_classes_move_as_adam_says():
    # The gradient of an embedding comes in slices, several of one row: their sum is what counts.
    model = toy(ConditionalVAE, {"n_gm": 1, "kl": 0.0})
    model.compile(keras.optimizers.Adam(0.1, beta_1=0.0, beta_2=0.9))
    x, label = map(tf.constant, moons(12))
    (vectors,) = model.class_vector.trainable_variables
    before = np.array(vectors)
    model.train_step((x, label))
    # The first step of Adam goes the whole rate along the sign of the gradient.
    np.testing.assert_allclose(np.abs(np.array(vectors) - before), 0.1, rtol=1e-3)


@pytest.mark.slow
def test_learns_to_reconstruct_and_to_sample_classes_apart():
    model = toy(ConditionalVAE, {"n_gm": 1})
    model.compile(keras.optimizers.Adam(5e-3, beta_1=0.0, beta_2=0.9))
    data = batches(count=960, batch_size=48)
    start = model.evaluate(data, return_dict=True, verbose=0)
    model.fit(data, epochs=30, verbose=0)
    end = model.evaluate(data, return_dict=True, verbose=0)
    assert end["reconstruction"] < 0.25 * start["reconstruction"]
    left, middle, right = (np.mean(model.generate([c] * 50, seed=0), axis=0)[0] for c in range(3))
    assert left < -1.0 < middle < 1.0 < right


def test_a_network_that_does_not_fit_is_named():
    wrong = keras.Sequential([keras.Input((4,)), keras.layers.Dense(5)])
    with pytest.raises(ValueError, match=r"decoder gives an output of shape \(5,\), but \(2,\)"):
        toy(ConditionalGAN, decoder=wrong)
