import keras
import numpy as np
import pytest
import tensorflow as tf
from toys import batches, moons

from dvae_tf import DisentangledVAE
from dvae_tf.models import recipe


def toy(**options):
    return DisentangledVAE((2,), 3, preset="toy", **({"recipe": "paper", "n_gm": 1} | options))


def test_a_weight_follows_its_schedule():
    model = toy(loss_weights={"kl": (0.0, 2.0, 1.0)}, training_steps=20)
    seen = []
    watch = keras.callbacks.LambdaCallback(
        on_train_batch_begin=lambda batch, logs: seen.append(float(model._weight("kl")))
    )
    model.fit(batches(), epochs=4, callbacks=[watch], verbose=0)  # 24 batches
    expected = np.interp(np.minimum(np.arange(24), 20), [0, 10, 20], [0.0, 2.0, 1.0])
    np.testing.assert_allclose(seen, expected, atol=1e-6)


def test_a_scheduled_weight_weighs_the_loss_and_is_saved(tmp_path):
    model = toy(loss_weights={"kl": (0.0, 2.0), "likelihood": 0.0, "classification": 0.0})
    model.fit(batches(), epochs=1, verbose=0)
    model.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    logs = loaded.evaluate(batches(), return_dict=True, verbose=0)
    expected = 10.0 * logs["reconstruction"] + 2.0 * logs["kl"]
    assert logs["loss"] == pytest.approx(expected, rel=1e-5)


def test_a_schedule_ends_before_the_flow_settles():
    model = DisentangledVAE(
        (2,), 3, preset="toy", training_steps=100, loss_weights={"kl": (1.0, 3.0)}
    )
    ends = 100 * (1.0 - model.rules.settling)
    for batch, weight in ((0, 1.0), (ends / 2, 2.0), (ends, 3.0), (100, 3.0)):
        model.batches_trained.assign(int(batch))
        assert float(model._weight("kl")) == pytest.approx(weight, abs=0.05)


def test_the_decoder_ends_as_the_average_of_its_weights():
    decay, ends = 0.5, []
    model = toy(recipe={"base": "paper", "average_decay": decay}, training_steps=12)
    watch = keras.callbacks.LambdaCallback(
        on_train_batch_end=lambda batch, logs: ends.append(model.decoder.get_weights())
    )
    model.fit(batches(), epochs=1, callbacks=[watch], verbose=0)
    for weight, last in zip(model.decoder.get_weights(), ends[-1], strict=True):
        np.testing.assert_array_equal(weight, last)  # half-way: as trained
    model.fit(batches(), epochs=1, callbacks=[watch], verbose=0)
    average = ends[0]
    for weights in ends[1:]:
        average = [decay * a + (1 - decay) * w for a, w in zip(average, weights, strict=True)]
    for weight, expected, last in zip(model.decoder.get_weights(), average, ends[-1], strict=True):
        np.testing.assert_allclose(weight, expected, atol=1e-6)
        assert np.abs(expected - last).max() > 1e-5
    encoder = model.optimizers["encoder_u"]
    assert not encoder.use_ema


def test_what_follows_the_training_needs_its_length():
    for options in ({"loss_weights": {"kl": (0, 1)}}, {"recipe": recipe("balanced")}):
        with pytest.raises(ValueError, match="training_steps"):
            toy(**options).fit(batches().repeat(), verbose=0)


def test_no_loss_goes_back_through_what_it_does_not_hang_on():
    model = toy()
    x, label = map(tf.constant, moons(8))
    with tf.GradientTape() as tape:
        values = model._joint_losses(x, label, (0, 1), training=True)
        kl = model._means(values, ("kl", "reconstruction"), label)["kl"]
    decoders = model.decoder.trainable_variables
    gradients = tape.gradient(kl, [*decoders, *model.encoder_u.trainable_variables])
    assert all(gradient is None for gradient in gradients[: len(decoders)])
    assert any(gradient is not None for gradient in gradients)
