"""`sample_weight` and `class_weight` count in the losses that need a label."""

import keras
import numpy as np
import pytest
import tensorflow as tf
from toys import changed, moons, snapshot

from dvae_tf import DisentangledVAE
from dvae_tf.models import ConditionalVAE, Recipe

X, LABEL = moons(24)
WEIGHT = np.where(np.arange(24) < 12, 0.0, 2.0).astype(np.float32)


def toy(model=DisentangledVAE):
    recipe = Recipe.named("balanced").replace(flow=False, annealed=False)
    made = model((2,), 3, preset="toy", recipe=recipe)
    made.compile(run_eagerly=True)
    return made


def test_what_weighs_nothing_does_not_count():
    model = toy()
    whole = model.evaluate(X, LABEL, sample_weight=WEIGHT, return_dict=True, verbose=0)
    half = model.evaluate(X[12:], LABEL[12:], return_dict=True, verbose=0)
    plain = model.evaluate(X, LABEL, return_dict=True, verbose=0)
    for name in ("accuracy", "classification"):
        assert whole[name] == pytest.approx(half[name], rel=1e-5)
    assert whole["reconstruction"] == pytest.approx(plain["reconstruction"], rel=1e-6)


def test_weights_of_zero_leave_the_latent_classifier_alone():
    model = toy()
    before = snapshot(model)
    model.train_on_batch(X, LABEL, sample_weight=np.zeros(24))
    assert "latent_classifier" not in changed(model, before)
    assert all(np.isfinite(weight).all() for weight in model.get_weights())


SAME = {
    "sample_weight": lambda m: m.train_on_batch(X, LABEL, sample_weight=1.0 + LABEL),
    "class_weight": lambda m: m.train_on_batch(X, LABEL, class_weight={1: 2.0, 2: 3.0}),
    "fit": lambda m: m.fit(X, LABEL, 24, class_weight={0: 1, 1: 2, 2: 3}, shuffle=False, verbose=0),
    "a dataset of three": lambda m: m.fit(
        tf.data.Dataset.from_tensors((X, LABEL, 1.0 + LABEL)), verbose=0
    ),
    "class_weight with a dataset": lambda m: m.fit(
        tf.data.Dataset.from_tensors((X, LABEL)), class_weight={1: 2.0, 2: 3.0}, verbose=0
    ),
    "class_weight with a generator": lambda m: m.fit(
        (batch for batch in [(X, LABEL)]),
        steps_per_epoch=1,
        class_weight={1: 2.0, 2: 3.0},
        verbose=0,
    ),
}


def trained(way):
    model = toy()
    way(model)
    return np.concatenate([np.ravel(w) for w in model.latent_classifier.get_weights()])


@pytest.fixture(scope="module")
def expected():
    return trained(SAME["sample_weight"])


@pytest.mark.slow
@pytest.mark.parametrize("way", SAME)
def test_every_way_of_giving_weights_is_the_same(way, expected):
    np.testing.assert_allclose(trained(SAME[way]), expected, atol=1e-6)
    assert np.abs(trained(lambda m: m.train_on_batch(X, LABEL)) - expected).max() > 1e-6


def test_the_weights_of_classes_end_with_the_fit():
    model = toy()
    model.fit(X, LABEL, class_weight={0: 0.0}, verbose=0)
    assert float(tf.reduce_min(model._class_weight)) == 1.0


def test_a_missing_label_needs_no_weight():
    hidden = np.where(np.arange(24) < 12, -1, LABEL)
    model = toy()
    ours = model.evaluate(X, hidden, sample_weight=np.ones(24), return_dict=True, verbose=0)
    half = model.evaluate(X[12:], LABEL[12:], return_dict=True, verbose=0)
    assert ours["classification"] == pytest.approx(half["classification"], rel=1e-5)
    model.fit(X, hidden, class_weight={0: 2.0}, verbose=0)


def test_validation_data_may_have_weights():
    history = toy().fit(X, LABEL, validation_data=(X, LABEL, WEIGHT), verbose=0).history
    assert np.isfinite(history["val_loss"]).all()


@pytest.mark.slow
def test_weights_are_summed_over_replicas():
    strategy = tf.distribute.MirroredStrategy(["cpu:0"])
    with strategy.scope():
        model = toy()
    model.compile(keras.optimizers.SGD(0.1), run_eagerly=False)
    logs = model.evaluate(X, LABEL, sample_weight=WEIGHT, return_dict=True, verbose=0)
    half = model.evaluate(X[12:], LABEL[12:], return_dict=True, verbose=0)
    assert logs["classification"] == pytest.approx(half["classification"], rel=1e-5)


WRONG = {
    "negative": (lambda m: m.train_on_batch(X, LABEL, sample_weight=-np.ones(24)), "negative"),
    "not a number": (
        lambda m: m.train_on_batch(X, LABEL, sample_weight=np.full(24, np.nan)),
        "not finite",
    ),
    "an unknown class": (lambda m: m.fit(X, LABEL, class_weight={3: 1.0}), "class_weight has 3"),
    "a negative class": (lambda m: m.fit(X, LABEL, class_weight={0: -1.0}), "at least 0"),
}


@pytest.mark.parametrize("case", WRONG)
def test_weights_that_cannot_be(case):
    call, message = WRONG[case]
    with pytest.raises(ValueError, match=message):
        call(toy())


@pytest.mark.parametrize("name", ["sample_weight", "class_weight"])
def test_a_model_without_such_losses_refuses_weights(name):
    weights = {"sample_weight": np.ones(24), "class_weight": {0: 2.0}}[name]
    with pytest.raises(ValueError, match=r"ConditionalVAE has none; leave out"):
        toy(ConditionalVAE).fit(X, LABEL, **{name: weights}, verbose=0)
