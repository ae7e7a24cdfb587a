import keras
import numpy as np
import pytest
import tensorflow as tf
from toys import batches, changed, moons, snapshot

from dvae_tf import DisentangledVAE, DisentangledVAEGAN, losses
from dvae_tf.evaluation.metrics.probes import nearest_neighbours
from dvae_tf.models import Recipe
from dvae_tf.models.samples import sampled
from dvae_tf.networks import ConditionalFlow
from dvae_tf.networks.seeding import seeded_initializers
from dvae_tf.priors import gaussian, standard_normal


def toy(model=DisentangledVAEGAN, couplings=2, **changes):
    """A model with a flow that is traced soon."""
    with seeded_initializers(0):
        flow = ConditionalFlow(2, 2, couplings, units=64)
    recipe = Recipe.named("balanced").replace(**changes)
    return model((2,), 3, preset="toy", recipe=recipe, flow=flow)


def disturbed(model):
    """Moves the flow away from the identity."""
    random = np.random.default_rng(0)
    flow = model.flow
    flow.set_weights([w + 0.2 * random.normal(size=w.shape) for w in flow.get_weights()])
    return model


ROUTES = {
    "classification": {"encoder_s", "prior_means", "prior_variances"},
    "likelihood": {"encoder_s", "prior_means", "prior_variances"},
    "separation": {"prior_means", "prior_variances"},
    "reconstruction": {"encoder_u", "decoder"},
    "kl": {"encoder_u"},
    "latent_confusion": {"encoder_u"},
    "latent_classification": {"latent_classifier"},
    "flow_likelihood": {"flow"},
    "discrimination": {"discriminator"},
    "generation": {"decoder"},
    "cycle": {"encoder_u", "decoder"},
}


@pytest.mark.parametrize("loss", ROUTES)
def test_each_loss_reaches_exactly_its_networks(loss):
    model = disturbed(toy(**dict.fromkeys(ROUTES, 0.0) | {loss: 1.0}))
    before = snapshot(model)
    model.train_step(tuple(map(tf.constant, moons(16))))
    assert changed(model, before) == ROUTES[loss]


def test_z_s_is_the_mean_of_the_most_probable_component():
    model, (x, _) = toy(), moons(32)
    probabilities = model.prior_s.probabilities(model.encoder_s(x))
    np.testing.assert_allclose(
        probabilities,
        model.prior_s.posterior(model.encoder_s(x)).probs_parameter(),
        rtol=1e-4,
        atol=1e-6,
    )
    expected = np.asarray(model.prior_s.means)[np.argmax(probabilities, axis=-1)]
    np.testing.assert_array_equal(model.encode(x).z_s, expected)


def test_nothing_is_lost_between_the_encoder_and_the_decoder():
    model, (x, _) = disturbed(toy()), moons(32)
    codes = model.encode(x)
    code, _ = model.encoder_u(x)
    assert np.abs(codes.z_u_mean - code).max() > 0.01
    direct = model.decoder(tf.concat([codes.z_s, code], axis=-1))
    np.testing.assert_allclose(model.decode(codes.z_s, codes.z_u_mean), direct, atol=1e-4)
    np.testing.assert_allclose(model.predict(x, verbose=0), direct, atol=1e-4)


def test_samples_come_through_the_flow():
    model = disturbed(toy())
    label = np.arange(3)
    expected = model.decode(model.prior_s.means, np.zeros((3, 2)))
    np.testing.assert_allclose(model.generate(label, temperature=0.0), expected, atol=1e-5)
    past_the_flow = model.decoder(tf.concat([model.prior_s.means, tf.zeros((3, 2))], axis=-1))
    assert np.abs(expected - past_the_flow).max() > 0.01


def test_kl_of_draws_is_the_kl_where_the_flow_is_the_identity():
    posterior = gaussian(tf.constant([[0.5, -1.0]]), tf.constant([[0.7, 1.5]]))
    draws = posterior.sample(20000, seed=0)[:, 0]
    estimate = losses.kl_of_draw(draws, draws, posterior, tf.zeros(len(draws)))
    exact = losses.kl(posterior, standard_normal(2))
    assert float(tf.reduce_mean(estimate)) == pytest.approx(float(exact[0]), rel=0.03)


@pytest.mark.slow
def test_learning_rates_fall_over_each_fit():
    model = toy(DisentangledVAE)
    model.compile(run_eagerly=True)
    rates = []
    watch = keras.callbacks.LambdaCallback(
        on_train_batch_end=lambda batch, logs: rates.append(
            float(model.optimizers["decoder"].learning_rate)
        )
    )
    for _ in range(2):
        model.fit(batches(count=32), epochs=2, callbacks=[watch], fit_flow=False, verbose=0)
    fall = 5e-4 * (0.01 + 0.99 * 0.5 * (1.0 + np.cos(np.pi * np.arange(4) / 4)))
    np.testing.assert_allclose(rates, [*fall, *fall], rtol=1e-4)


@pytest.mark.slow
def test_train_4_is_train_2_save_load_train_2(tmp_path):
    straight, stopped = toy(), toy()
    for model in (straight, stopped):
        model.compile(run_eagerly=True)
    straight.fit(batches(count=32), epochs=4, verbose=0)
    callback = keras.callbacks.LambdaCallback(
        on_epoch_end=lambda epoch, logs: stopped.save(tmp_path / f"{epoch}.keras")
    )
    stopped.fit(batches(count=32), epochs=4, callbacks=[callback], fit_flow=False, verbose=0)
    resumed = keras.saving.load_model(tmp_path / "1.keras")
    resumed.run_eagerly = True
    resumed.fit(batches(count=32), initial_epoch=2, epochs=4, verbose=0)
    for ours, theirs in zip(straight.variables, resumed.variables, strict=True):
        np.testing.assert_array_equal(ours, theirs, err_msg=ours.path)
    np.testing.assert_array_equal(
        straight.generate([0, 1], seed=1), resumed.generate([0, 1], 1.0, 1)
    )


def test_the_encoder_of_the_class_learns_from_shifted_images():
    x = tf.random.stateless_uniform((8, 8, 8, 1), (0, 0), -1.0, 1.0)
    label = tf.zeros(8, tf.int32)
    model = DisentangledVAE((8, 8, 1), 2, recipe=Recipe.named("balanced").replace(flow=False))
    seen, read = [], model.encoder_s.call
    model.encoder_s.call = lambda x, **options: (seen.append(x.numpy()), read(x, **options))[1]
    for training in (False, True):
        model._mixture_losses(x, label, training=training)
    np.testing.assert_array_equal(seen[0], x)
    assert not np.array_equal(seen[1], x)
    assert set(seen[1].ravel()) <= set(x.numpy().ravel())


@pytest.mark.parametrize("shift_joint", [False, True])
def test_all_losses_see_shifted_images_if_the_recipe_says_so(shift_joint):
    x = tf.random.stateless_uniform((8, 8, 8, 1), (0, 0), -1.0, 1.0)
    recipe = Recipe.named("balanced").replace(flow=False, shift_joint=shift_joint)
    model = DisentangledVAE((8, 8, 1), 2, recipe=recipe)
    model.compile(run_eagerly=True)
    seen, read = [], model.encoder_u.call
    model.encoder_u.call = lambda x, **options: (seen.append(x.numpy()), read(x, **options))[1]
    model.train_on_batch(x.numpy(), np.zeros(8, np.int32))
    assert np.array_equal(seen[0], x) != shift_joint


@pytest.mark.parametrize("gan", [False, True])
def test_the_cycle_is_that_of_the_models_own_samples(gan):
    """z_u of a draw, against the mean that `encode` would find, given the draw's class."""
    model = disturbed(toy(DisentangledVAEGAN if gan else DisentangledVAE, cycle=1.0))
    x, label = map(tf.constant, moons(16))
    seed = tf.constant([3, 4])
    found = model._joint_losses(x, label, seed, training=False)["cycle"]
    drawn = sampled(model, 16, seed, training=False)
    z_s = drawn.codes[:, : model.latent_dim_s]
    z_u = model.flow(drawn.codes[:, model.latent_dim_s :], z_s)[0]
    back = model.flow(model.encoder_u(drawn.x)[0], z_s)[0]
    np.testing.assert_allclose(found, 0.5 * np.mean((z_u - back) ** 2, axis=-1), rtol=1e-4)


def test_the_calibrated_loss_is_the_gaussians_at_its_best_variance():
    model = toy(DisentangledVAE, kl=0.0, likelihood=0.0, classification=0.0)
    logs = model.evaluate(batches(), return_dict=True, verbose=0)
    assert logs["loss"] == pytest.approx(0.5 * np.log(logs["reconstruction"]), rel=1e-5)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("change", "group"),
    [({"flow": False}, "flow"), ({"bounded": False}, None), ({"flow_share": 0.0}, None)],
)
def test_each_ingredient_can_be_left_out_and_is_saved(change, group, tmp_path):
    model = toy(**change)
    model.compile(run_eagerly=True)
    assert group not in model.weight_groups()
    model.fit(batches(32), verbose=0)
    model.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    assert loaded.recipe == model.recipe
    x, _ = moons(8)
    np.testing.assert_array_equal(loaded.predict(x, verbose=0), model.predict(x, verbose=0))


@pytest.mark.slow
def test_z_u_tells_little_of_the_class_that_the_encoder_tells():
    model = toy(DisentangledVAE, couplings=6, latent_confusion=0.0, kl=0.2)
    model.compile(keras.optimizers.Adam(5e-3, 0.5, 0.99))
    model.fit(batches(count=1920, batch_size=48), epochs=25, verbose=0)
    x, label = moons(3000)
    told = {}
    for name, code in (("code", model.encoder_u(x)[0]), ("z_u", model.encode(x).z_u_mean)):
        code = np.asarray(code)
        share = nearest_neighbours(code[:2400], label[:2400])
        told[name] = np.mean(share(code[2400:]).argmax(1) == label[2400:])
    assert told["code"] > 0.6
    assert told["z_u"] < 0.45
