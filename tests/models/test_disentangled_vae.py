import keras
import numpy as np
import pytest
import tensorflow as tf
from toys import batches, changed, moons, snapshot

from dvae_tf import DisentangledVAE, DisentangledVAEGAN
from dvae_tf.models import Recipe
from dvae_tf.networks import ConditionalFlow
from dvae_tf.networks.seeding import seeded_initializers


def toy(model=DisentangledVAEGAN, changes=None, **options):
    recipe = Recipe.named("paper").replace(**(changes or {}))
    return model((2,), 3, **({"preset": "toy", "recipe": recipe} | options))


def assert_same_state(model, other):
    for ours, theirs in zip(model.variables, other.variables, strict=True):
        np.testing.assert_array_equal(ours, theirs, err_msg=ours.path)
    for name, optimizer in model.optimizers.items():
        for ours, theirs in zip(optimizer.variables, other.optimizers[name].variables, strict=True):
            np.testing.assert_array_equal(ours, theirs, err_msg=f"{name} {ours.path}")


# The column "trains" of the published table of losses.
ROUTES = [
    ("classification", {"encoder_s", "prior_means", "prior_variances"}),
    ("likelihood", {"encoder_s", "prior_means", "prior_variances"}),
    ("joint_likelihood", {"encoder_s"}),
    ("reconstruction", {"encoder_s", "encoder_u", "decoder"}),
    ("kl", {"encoder_u"}),
    ("latent_confusion", {"encoder_u"}),
    ("latent_classification", {"latent_classifier"}),
    ("discrimination", {"discriminator"}),
    ("generation", {"decoder"}),
]


@pytest.mark.parametrize(("loss", "trained"), ROUTES, ids=[loss for loss, _ in ROUTES])
def test_each_loss_reaches_exactly_its_networks(loss, trained):
    silent = dict.fromkeys((*dict(ROUTES), "joint_likelihood"), 0.0)
    model = toy(changes={"n_gm": 1} | silent | {loss: 1.0})
    before = snapshot(model)
    model.train_step(tuple(map(tf.constant, moons(16))))
    assert changed(model, before) == trained


@pytest.mark.parametrize("flow", [False, True])
def test_no_group_of_weights_depends_on_the_losses_of_another_that_shares_its_pass(flow):
    model = toy(changes={"flow": flow})
    x, label = map(tf.constant, moons(16))
    with tf.GradientTape(persistent=True) as tape:
        values = model._joint_losses(x, label, (0, 1), training=True)
        means = model.joint_objectives.means(values, tf.ones_like(values["kl"]))
    trains = {row.name: row.trains for row in model.joint_objectives.table}
    for groups, names in model.joint_objectives.passes().items():
        for group in groups:
            for name in set(names):
                if group not in trains[name]:
                    weights = model.weight_groups()[group]
                    assert not any(g is not None for g in tape.gradient(means[name], weights))
    assert (("encoder_s", "encoder_u") in model.joint_objectives.passes()) is not flow


def test_no_loss_goes_back_through_what_it_does_not_depend_on():
    model = toy()
    x, label = map(tf.constant, moons(8))
    with tf.GradientTape() as tape:
        values = model._joint_losses(x, label, (0, 1), training=True)
        kl = model.joint_objectives.means(values, tf.ones_like(values["kl"]))["kl"]
    decoder = model.decoder.trainable_variables
    gradients = tape.gradient(kl, [*decoder, *model.encoder_u.trainable_variables])
    assert all(gradient is None for gradient in gradients[: len(decoder)])
    assert any(gradient is not None for gradient in gradients)


@pytest.mark.slow
def test_one_step_of_everything_for_n_gm_batches():
    model = toy()
    model.compile(run_eagerly=True)
    model.fit(batches(count=112), epochs=1, verbose=0)  # 7 batches
    steps = {name: int(optimizer.iterations) for name, optimizer in model.optimizers.items()}
    joint = dict.fromkeys(set(steps) - {"encoder_s", "prior_means", "prior_variances"}, 2)
    assert "encoder_s_joint" in joint
    assert steps == {"encoder_s": 7, "prior_means": 7, "prior_variances": 7, **joint}
    model.fit(batches(count=32), epochs=1, verbose=0)  # the count goes on: batch 9 is joint
    assert int(model.optimizers["decoder"].iterations) == 3


@pytest.mark.slow
def test_same_seed_same_run():
    first, second = toy(seed=5), toy(seed=5)
    for model in (first, second):
        model.compile(run_eagerly=True)
    histories = [model.fit(batches(48), epochs=2, verbose=0).history for model in (first, second)]
    assert histories[0] == histories[1]
    assert_same_state(first, second)


def test_another_seed_gives_other_weights_and_other_noise():
    first, other = toy(seed=5), toy(seed=6)
    for ours, theirs in zip(first.trainable_variables, other.trainable_variables, strict=True):
        if np.std(ours) > 0:
            assert not np.array_equal(ours, theirs), ours.path
    other.set_weights(first.get_weights())
    assert not np.array_equal(first.generate([0, 1]), other.generate([0, 1]))


@pytest.mark.slow
def test_train_4_is_train_2_save_load_train_2(tmp_path):
    straight, stopped = toy(), toy()
    for model in (straight, stopped):
        model.compile(run_eagerly=True)
    straight.fit(batches(64), epochs=4, verbose=0)  # 4 batches, of which n_gm is no divisor
    stopped.fit(batches(64), epochs=2, verbose=0)
    stopped.save(tmp_path / "model.keras")
    resumed = keras.saving.load_model(tmp_path / "model.keras")
    assert_same_state(resumed, stopped)
    resumed.run_eagerly = True
    resumed.fit(batches(64), initial_epoch=2, epochs=4, verbose=0)
    assert_same_state(resumed, straight)


@pytest.mark.slow
def test_images_survive_saving(tmp_path):
    model = DisentangledVAEGAN((8, 8, 1), 3, recipe="paper")
    model.compile(run_eagerly=True)
    x = np.random.default_rng(0).uniform(-1, 1, (6, 8, 8, 1)).astype(np.float32)
    model.fit(x, np.array([0, 1, 2, 0, 1, 2]), batch_size=2, verbose=0)
    model.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    assert_same_state(model, loaded)
    np.testing.assert_array_equal(model.predict(x, verbose=0), loaded.predict(x, verbose=0))
    settings = ("shape", "num_classes", "recipe", "width", "latent_dim_s", "seed")
    ours, theirs = model.get_config(), loaded.get_config()
    assert {name: ours[name] for name in settings} == {name: theirs[name] for name in settings}


@pytest.mark.slow
@pytest.mark.parametrize("shape", [(2,), (8, 8, 1)], ids=str)
def test_xla_gives_the_same_losses(shape):
    random = np.random.default_rng(0)
    x = random.uniform(-1, 1, (6, *shape)).astype(np.float32)
    label = np.array([0, 1, 2, 0, 1, 2], np.int32)
    preset = "toy" if len(shape) == 1 else "compact"
    histories = []
    for jit_compile in (False, True):
        # The balanced recipe takes long to compile: points and a short flow are enough of it.
        options = {"recipe": Recipe.named("paper").replace(n_gm=1)}
        if len(shape) == 1:
            with seeded_initializers(0):
                flow = ConditionalFlow(2, 2, couplings=2, units=16)
            options = {"recipe": "balanced", "flow": flow}
        model = DisentangledVAEGAN(shape, 3, preset=preset, **options)
        model.compile(jit_compile=jit_compile)
        assert model.jit_compile is jit_compile
        histories.append([model.train_on_batch(x, label, return_dict=True) for _ in range(2)])
    for plain, compiled in zip(*histories, strict=True):
        for name in plain:
            np.testing.assert_allclose(compiled[name], plain[name], rtol=1e-4, atol=1e-4)


def test_auto_compiles_only_where_a_gpu_is():
    assert toy().jit_compile is bool(tf.config.list_physical_devices("GPU"))


@pytest.mark.slow
def test_validation_is_the_same_every_time_and_trains_nothing():
    model = toy()
    model.compile(run_eagerly=True)
    history = model.fit(batches(), validation_data=batches(count=48), verbose=0).history
    assert set(history) == {
        f"{prefix}{name}" for prefix in ("", "val_") for name in ("loss", "accuracy", *dict(ROUTES))
    }
    before = snapshot(model)
    first = model.evaluate(batches(count=48), return_dict=True, verbose=0)
    second = model.evaluate(batches(count=48), return_dict=True, verbose=0)
    assert first == second
    assert first == {name: history[f"val_{name}"][0] for name in first}
    assert not changed(model, before)


def test_reported_loss_is_what_the_autoencoder_minimises():
    model = toy(DisentangledVAE, {"reconstruction": 4.0, "kl": 0.5})
    logs = model.evaluate(batches(), return_dict=True, verbose=0)
    expected = (
        logs["classification"]
        + 0.1 * logs["likelihood"]
        + 4.0 * logs["reconstruction"]
        + 0.5 * logs["kl"]
    )
    assert logs["loss"] == pytest.approx(expected, rel=1e-5)


@pytest.mark.slow
@pytest.mark.parametrize("passes_per_epoch", [1, 2])
def test_rate_of_the_variances_falls_tenfold_every_so_many_passes(passes_per_epoch):
    model = toy(DisentangledVAE, {"variance_decay_passes": 2})
    model.passes_per_epoch = passes_per_epoch
    model.compile(run_eagerly=True)
    rates = []
    watch = keras.callbacks.LambdaCallback(
        on_train_batch_end=lambda batch, logs: rates.append(
            float(model.optimizers["prior_variances"].learning_rate)
        )
    )
    for epochs in (3, 2):  # The count goes on from one `fit` to the next.
        model.fit(batches(count=32), epochs=epochs, callbacks=[watch], verbose=0)
    passes = passes_per_epoch * np.repeat(np.arange(5), 2)
    np.testing.assert_allclose(rates, 5e-4 * 0.1 ** (passes // 2), rtol=1e-5)
    assert float(model.optimizers["prior_means"].learning_rate) == pytest.approx(5e-4)


def test_the_published_rate_falls_every_thirty_passes():
    assert Recipe.named("paper").variance_decay_passes == 30
    model = toy(DisentangledVAE)
    for passes, factor in [(0, 1.0), (29, 1.0), (30, 0.1), (59, 0.1), (60, 0.01), (95, 0.001)]:
        model.passes_trained.assign(passes)
        model.rates.follow(model.recipe, model.progress, model.passes_trained)
        rates = {name: float(one.learning_rate) for name, one in model.optimizers.items()}
        assert rates.pop("prior_variances") == pytest.approx(5e-4 * factor)
        assert list(rates.values()) == pytest.approx([5e-4] * len(rates))


@pytest.mark.slow
def test_learns_to_classify_and_reconstruct():
    model = toy(changes={"n_gm": 1})
    model.compile(keras.optimizers.Adam(5e-3, beta_1=0.0, beta_2=0.9))
    data = batches(count=960, batch_size=48)
    start = model.evaluate(data, return_dict=True, verbose=0)
    model.fit(data, epochs=15, verbose=0)
    end = model.evaluate(data, return_dict=True, verbose=0)
    assert end["accuracy"] > 0.85
    assert end["reconstruction"] < 0.25 * start["reconstruction"]


@pytest.mark.slow
@pytest.mark.parametrize("policy", ["mixed_bfloat16", "mixed_float16"])
def test_mixed_precision_trains(policy):
    keras.config.set_dtype_policy(policy)
    try:
        recipe = Recipe.named("balanced" if policy == "mixed_bfloat16" else "paper")
        model = DisentangledVAEGAN((8, 8, 1), 3, recipe=recipe.replace(n_gm=1))
    finally:
        keras.config.set_dtype_policy("float32")
    assert model.encoder_s.body.compute_dtype == policy.removeprefix("mixed_")
    model.compile(run_eagerly=True)
    before = snapshot(model)
    x = np.random.default_rng(0).uniform(-1, 1, (6, 8, 8, 1)).astype(np.float32)
    history = model.fit(x, np.array([0, 1, 2, 0, 1, 2]), epochs=3, verbose=0).history
    assert all(np.isfinite(values).all() for values in history.values())
    assert changed(model, before) == set(model.weight_groups())
    assert model.generate([0, 1]).dtype == tf.float32


def test_own_networks_are_used_and_their_sizes_taken():
    x = keras.Input((2,))
    mean = keras.layers.Dense(7)(x)
    stddev = keras.layers.Dense(7, activation="softplus")(x)
    networks = {
        "encoder_s": keras.Sequential([keras.Input((2,)), keras.layers.Dense(5)]),
        "encoder_u": keras.Model(x, [mean, stddev]),
        "decoder": keras.Sequential([keras.Input((12,)), keras.layers.Dense(2)]),
        "latent_classifier": keras.Sequential([keras.Input((7,)), keras.layers.Dense(3)]),
    }
    model = toy(DisentangledVAE, preset="no preset is asked", **networks)
    assert model.networks() == networks
    assert (model.latent_dim_s, model.latent_dim_u) == (5, 7)
    model.compile(run_eagerly=True)
    model.fit(batches(), verbose=0)
    assert model.encode(moons(4)[0]).z_u_mean.shape == (4, 7)


@pytest.mark.slow
def test_own_discriminator_is_used():
    x, label = keras.Input((2,)), keras.Input((), dtype="int32")
    features = keras.layers.Concatenate()([x, keras.layers.Embedding(3, 4)(label)])
    logits = keras.layers.Reshape(())(keras.layers.Dense(1)(features))
    own = keras.Model([x, label], logits)
    model = toy(discriminator=own)
    model.compile(run_eagerly=True)
    before = snapshot(model)
    model.fit(batches(), verbose=0)
    assert model.discriminator is own
    assert "discriminator" in changed(model, before)


def test_a_network_that_does_not_fit_is_named():
    wrong = keras.Sequential([keras.Input((2,)), keras.layers.Dense(5)])
    with pytest.raises(ValueError, match=r"encoder_s gives an output of shape \(5,\), but \(2,\)"):
        toy(encoder_s=wrong, latent_dim_s=2)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"recipe": "none"}, "No recipe is called 'none'"),
        ({"preset": "none"}, "No preset is called 'none'"),
        ({"changes": {"kld": 1.0}}, "A recipe has no 'kld'"),
        ({"changes": {"n_gm": 0}}, "n_gm is 0"),
        ({"width": 0.0}, "width is 0.0; give a factor above 0"),
    ],
)
def test_wrong_arguments_are_named(options, message):
    with pytest.raises(ValueError, match=message):
        toy(**options)


@pytest.mark.parametrize(
    ("batch", "message"),
    [
        ((np.zeros((8, 2), "f4"),), r"only x; give \(x, label\)"),
        (
            (np.zeros((8, 2), "f4"), np.zeros(8, int), np.ones((8, 2))),
            r"sample_weight has shape \(8, 2\)",
        ),
        ((np.zeros((8, 2), bool), np.zeros(8, int)), "x has dtype bool; give floats"),
    ],
    ids=["only x", "tables of weights", "booleans"],
)
def test_batches_of_another_kind_are_named(batch, message):
    with pytest.raises(ValueError, match=message):
        toy(DisentangledVAE).fit(tf.data.Dataset.from_tensors(batch), verbose=0)


def test_optimisers_for_unknown_groups_are_refused():
    with pytest.raises(ValueError, match="give one for each of decoder, discriminator"):
        toy().compile({"decoder": keras.optimizers.Adam()})


@pytest.mark.slow
def test_generate_is_reproducible_in_range_and_of_the_class():
    model = toy()
    label = np.array([0, 1, 2])
    np.testing.assert_array_equal(model.generate(label, seed=3), model.generate(label, seed=3))
    assert not np.array_equal(model.generate(label), model.generate(label))
    assert model.generate(2).shape == (1, 2)
    means = model.decode(model.prior_s.means, np.zeros((3, 2)))
    np.testing.assert_allclose(model.generate(label, temperature=0.0), means, rtol=1e-5, atol=1e-6)


def test_decode_of_encode_is_the_reconstruction():
    model, x = toy(), moons(4)[0]
    codes = model.encode(x)
    expected = model.predict(x, verbose=0)
    np.testing.assert_allclose(model.decode(codes.z_s, codes.z_u_mean), expected, rtol=1e-5)


def test_classify_is_the_posterior():
    model, x = toy(), moons(4)[0]
    posterior = model.prior_s.posterior(model.encode(x).z_s)
    np.testing.assert_allclose(model.classify(x), posterior.probs_parameter(), rtol=1e-5)
    np.testing.assert_allclose(np.sum(model.classify(x), axis=-1), 1.0, rtol=1e-5)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda model: model.generate(3), r"label 3 is outside \[0, 3\)"),
        (lambda model: model.generate([-1]), r"label -1 is outside \[0, 3\)"),
        (lambda model: model.generate(1.5), "give integers"),
        (lambda model: model.generate(1, temperature=-1), "temperature is -1"),
        (lambda model: model.encode(np.zeros((3, 5))), r"x has shape \(3, 5\); give \[batch, 2\]"),
        (lambda model: model.classify(1.0), r"x has shape \(\)"),
        (lambda model: model.decode(np.zeros((1, 2)), np.zeros(2)), r"z_u has shape \(2,\)"),
    ],
)
def test_wrong_input_is_named(call, message):
    with pytest.raises(ValueError, match=message):
        call(toy())


@pytest.mark.slow
def test_classes_are_learnt_from_some_at_a_time():
    random = np.random.default_rng(0)
    label = random.permutation(np.repeat(np.arange(64, dtype=np.int32), 12))
    x = random.normal(size=(64, 8))[label] + 0.1 * random.normal(size=(len(label), 8))
    recipe = Recipe.named("paper").replace(sampled_classes=24, n_gm=1_000_000)
    model = DisentangledVAE((8,), 64, "toy", recipe, latent_dim_s=8)
    model.compile(keras.optimizers.Adam(3e-3))
    model.fit(x, label, batch_size=16, epochs=6, verbose=0)
    assert model.evaluate(x, label, return_dict=True, verbose=0)["accuracy"] > 0.95
