import keras
import numpy as np
import pytest
import tensorflow as tf
from toys import batches, moons

from dvae_tf import DisentangledVAE
from dvae_tf.models import Recipe
from dvae_tf.models.objectives import weighted


def toy(**changes):
    recipe = Recipe.named("paper").replace(n_gm=1, **changes)
    model = DisentangledVAE((2,), 3, preset="toy", recipe=recipe)
    model.compile(run_eagerly=True)  # A few steps take less time than tracing one.
    return model


def progress_seen(model, **options):
    """The progress before every step of a `fit`."""
    seen = []
    watch = keras.callbacks.LambdaCallback(
        on_train_batch_begin=lambda batch, logs: seen.append(float(model.progress))
    )
    model.fit(batches(), callbacks=[watch], verbose=0, **options)
    return seen


@pytest.mark.slow
def test_progress_is_that_of_one_fit():
    model = toy()
    for _ in range(2):
        np.testing.assert_allclose(progress_seen(model, epochs=2), np.arange(12) / 12, atol=1e-6)
    np.testing.assert_allclose(
        progress_seen(model, initial_epoch=2, epochs=3), np.arange(12, 18) / 18, atol=1e-6
    )
    assert float(model.progress) == 1.0


@pytest.mark.slow
def test_without_a_known_length_progress_moves_between_epochs():
    model, seen = toy(kl=(0.0, 2.0)), []
    watch = keras.callbacks.LambdaCallback(
        on_train_batch_begin=lambda batch, logs: seen.append(float(model.progress))
    )
    unknown = batches(count=48).filter(lambda x, label: True)
    model.fit(unknown, epochs=2, callbacks=[watch], verbose=0)
    assert seen == sorted(seen)
    assert set(seen) == {0.0, 0.5}


@pytest.mark.slow
def test_train_on_batch_is_as_at_the_begin_of_a_training():
    model = toy(annealed=True)
    model.fit(batches(), verbose=0)
    assert float(model.optimizers["decoder"].learning_rate) < 5e-5
    model.train_on_batch(*moons(16))
    assert float(model.optimizers["decoder"].learning_rate) == pytest.approx(5e-4)


def test_a_weight_follows_its_schedule():
    model = toy(kl=(0.0, 2.0, 1.0))
    for progress in (0.0, 0.25, 0.5, 0.8, 1.0):
        model.progress.assign(progress)
        expected = np.interp(progress, [0.0, 0.5, 1.0], [0.0, 2.0, 1.0])
        assert float(weighted(model, "kl", tf.constant(1.0))) == pytest.approx(expected)


@pytest.mark.slow
def test_a_scheduled_weight_weighs_the_loss_and_is_saved(tmp_path):
    model = toy(kl=(0.0, 2.0), likelihood=0.0, classification=0.0)
    model.fit(batches(), epochs=1, verbose=0)
    model.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    logs = loaded.evaluate(batches(), return_dict=True, verbose=0)
    expected = 10.0 * logs["reconstruction"] + 2.0 * logs["kl"]
    assert logs["loss"] == pytest.approx(expected, rel=1e-5)


@pytest.mark.slow
def test_the_average_counts_where_a_fit_stops_early():
    model = toy(average_decay=0.5)
    stop = keras.callbacks.LambdaCallback(
        on_epoch_end=lambda epoch, logs: setattr(model, "stop_training", True)
    )
    model.fit(batches(), epochs=3, callbacks=[stop], fit_flow=False, verbose=0)
    average = model.optimizers["decoder"]._model_variables_moving_average
    for weight, expected in zip(model.decoder.trainable_weights, average, strict=True):
        np.testing.assert_array_equal(weight, expected)


@pytest.mark.slow
def test_the_decoder_ends_as_the_average_of_its_weights():
    decay, ends = 0.5, []
    model = toy(average_decay=decay)
    watch = keras.callbacks.LambdaCallback(
        on_train_batch_end=lambda batch, logs: ends.append(model.decoder.get_weights()),
        on_epoch_end=lambda epoch, logs: ends.append(model.decoder.get_weights()),
    )
    model.fit(batches(), epochs=2, callbacks=[watch], verbose=0)
    first, last = ends[:7], ends[7:]
    for weight, trained in zip(first.pop(), first[-1], strict=True):
        np.testing.assert_array_equal(weight, trained)  # half-way: as trained
    final = last.pop()
    average = first[0]
    for weights in first[1:] + last:
        average = [decay * a + (1 - decay) * w for a, w in zip(average, weights, strict=True)]
    for weight, expected, trained in zip(final, average, last[-1], strict=True):
        np.testing.assert_allclose(weight, expected, atol=1e-6)
        assert np.abs(expected - trained).max() > 1e-5
    assert not model.optimizers["encoder_u"].use_ema


def test_steps_that_are_not_alike_are_not_executed_together():
    model = DisentangledVAE((2,), 3, preset="toy", recipe="paper")
    with pytest.raises(ValueError, match="steps_per_execution is 2, but with n_gm = 3"):
        model.compile(steps_per_execution=2)
    toy().compile(steps_per_execution=2)
