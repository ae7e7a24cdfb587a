"""Keras's own verbs do with a model of ours what they do with any, or say why not."""

import copy
import pickle

import keras
import numpy as np
import pytest
import tensorflow as tf
from toys import moons

from dvae_tf import DisentangledVAE
from dvae_tf.models import ConditionalGAN, ConditionalVAE, Recipe

X, LABEL = moons(12)
RECIPES = {
    "balanced": Recipe.named("balanced").replace(flow=False),
    "paper": Recipe.named("paper").replace(n_gm=1, variance_decay_passes=1),
}


def toy(recipe="balanced", model=DisentangledVAE, **options):
    made = model((2,), 3, preset="toy", recipe=RECIPES[recipe], **options)
    made.compile(run_eagerly=True)
    return made


@pytest.fixture(scope="module")
def model():
    return toy(class_names=("left", "middle", "right"), background="black")


def rates(model):
    return [float(one.learning_rate) for one in model.optimizers.values()]


@pytest.mark.parametrize("recipe", RECIPES)
def test_learning_rate_scheduler_sets_all_groups(recipe):
    model = toy(recipe)
    schedule = keras.callbacks.LearningRateScheduler(lambda epoch: 1e-5 * (epoch + 1))
    history = model.fit(X, LABEL, epochs=2, callbacks=[schedule], verbose=0).history
    assert {f"learning_rate_{name}" for name in model.optimizers} <= set(history)
    assert rates(model) == pytest.approx([2e-5] * len(model.optimizers))


def test_reduce_on_plateau_reduces_all_groups():
    model = toy()
    reduce = keras.callbacks.ReduceLROnPlateau("loss", 0.1, patience=1, min_delta=100.0)
    model.fit(X, LABEL, epochs=2, callbacks=[reduce], verbose=0)
    fallen = 0.1 * (0.505 * 0.99 + 0.01) * 5e-4
    assert all(rate < 2.0 * fallen for rate in rates(model))
    assert len(set(rates(model))) == 1


def test_a_rate_that_was_set_is_kept_over_saving(tmp_path):
    model = toy()
    model.optimizer.learning_rate = 1e-4
    model.fit(X, LABEL, verbose=0)
    model.save(tmp_path / "m.keras")
    loaded = keras.saving.load_model(tmp_path / "m.keras")
    loaded.run_eagerly = True
    loaded.fit(X, LABEL, verbose=0)
    assert rates(loaded) == pytest.approx([1e-4] * len(loaded.optimizers))


@pytest.mark.slow
def test_averaged_weights_are_swapped_in():
    model = toy()
    model.compile(keras.optimizers.Adam(1e-2, use_ema=True, ema_momentum=0.5), run_eagerly=True)
    swap = keras.callbacks.SwapEMAWeights(swap_on_epoch=True)
    model.fit(X, LABEL, epochs=2, callbacks=[swap], validation_data=(X, LABEL), verbose=0)
    for one in model.optimizers.values():
        for weight, mean in zip(
            one._trainable_variables, one._model_variables_moving_average, strict=True
        ):
            np.testing.assert_array_equal(weight, mean)


def test_weights_with_two_optimisers_have_one_average():
    model = toy("paper")
    model.compile(keras.optimizers.Adam(1e-2, use_ema=True), run_eagerly=True)
    without = {name for name, one in model.optimizers.items() if not one.use_ema}
    assert without == {"encoder_s_joint"}


GIVEN = {"loss": "mse", "metrics": ["mae"], "loss_weights": [1.0], "weighted_metrics": ["mae"]}


@pytest.mark.parametrize("name", GIVEN)
def test_losses_and_metrics_of_compile_are_refused(model, name):
    with pytest.raises(ValueError, match=f"compile was given {name}, but the losses"):
        model.compile("adam", **{name: GIVEN[name]})


@pytest.mark.parametrize("verb", ["evaluate", "train_on_batch", "test_on_batch"])
def test_loss_comes_first(verb):
    model = toy()
    assert model.metrics_names[0] == "loss"
    call, quiet = getattr(model, verb), {"verbose": 0} if verb == "evaluate" else {}
    values = call(X, LABEL, **quiet)
    assert len(values) == len(model.metrics_names)
    if verb != "train_on_batch":
        logs = call(X, LABEL, return_dict=True, **quiet)
        assert dict(zip(model.metrics_names, values, strict=True)) == pytest.approx(logs)


def pair(model):
    if isinstance(model, ConditionalGAN):
        return [np.ones((4, model.latent_dim_u), np.float32), LABEL[:4]]
    return [X[:4], LABEL[:4]] if isinstance(model, ConditionalVAE) else X[:4]


@pytest.mark.slow
@pytest.mark.parametrize("kind", [DisentangledVAE, ConditionalVAE, ConditionalGAN])
def test_export_is_what_call_does(kind, tmp_path):
    model = toy(model=kind)
    inputs = pair(model)
    expected = model(inputs)
    np.testing.assert_allclose(model.predict(inputs, verbose=0), expected, atol=1e-6)
    model.export(tmp_path / "model", verbose=False)
    loaded = tf.saved_model.load(str(tmp_path / "model"))
    np.testing.assert_allclose(loaded.serve(inputs), expected, atol=1e-6)


def test_hdf5_is_refused_and_nothing_is_left(model, tmp_path):
    for name in ("x.h5", "x.hdf5"):
        with pytest.raises(ValueError, match=r"saved whole as \.keras only"):
            model.save(tmp_path / name)
    assert not list(tmp_path.iterdir())
    model.save_weights(tmp_path / "x.weights.h5")
    other = toy(seed=1)
    other.load_weights(tmp_path / "x.weights.h5")
    np.testing.assert_array_equal(other(X), model(X))


COPIES = {
    "deepcopy": copy.deepcopy,
    "pickle": lambda model: pickle.loads(pickle.dumps(model)),
    "config": lambda model: type(model).from_config(model.get_config()),
    "clone": keras.models.clone_model,
}


@pytest.mark.parametrize("way", COPIES)
def test_copies_know_what_belongs_to_the_model(model, way):
    made = COPIES[way](model)
    assert made.class_names == ("left", "middle", "right")
    assert made.background == "black"
    assert made.seed == model.seed
    again = COPIES[way](model)
    np.testing.assert_array_equal(made(X), again(X))  # The seed is that of the weights, too.
    if way in ("deepcopy", "pickle"):
        np.testing.assert_array_equal(made(X), model(X))


@pytest.mark.parametrize("names", [("a", "b"), ("a", "a", "b"), (1, 2, 3)])
def test_class_names_that_do_not_fit(names):
    with pytest.raises(ValueError, match="give 3 different strings"):
        toy(class_names=names)


def test_what_else_keras_does(model):
    model.summary(print_fn=lambda text: None)
    model.fit(X, LABEL, validation_split=0.25, verbose=0)
    model.fit(X, LABEL, 6, 1, 0, [keras.callbacks.TerminateOnNaN()])


@pytest.mark.parametrize("recipe", RECIPES)
def test_what_is_frozen_does_not_move(recipe):
    frozen = toy(recipe)
    frozen.trainable = False
    before = [np.array(weight) for weight in frozen.weights]
    frozen.fit(X, LABEL, verbose=0)
    for weight, kept in zip(frozen.weights, before, strict=True):
        if weight.name not in frozen._saved_counters:
            np.testing.assert_array_equal(weight, kept, err_msg=weight.path)


POINTS = np.zeros((4, 2), np.float32)
NO_EXAMPLES = {
    "no rows": (POINTS[:0], LABEL[:0], "holds no example"),
    "an empty list": ([], [], "holds no example"),
    "a masked label": (X, np.ma.masked_array(LABEL, LABEL == 0), "y is a masked array"),
    "a masked x": (np.ma.masked_array(X, X > 0), LABEL, "x is a masked array"),
    "a sparse x": (tf.sparse.from_dense(POINTS), LABEL[:4], "x is a SparseTensor; give a dense"),
    "a ragged x": (tf.ragged.constant([[0.0], [0.0, 1.0]]), LABEL[:2], "x is a RaggedTensor"),
    "a dict": ({"x": X}, LABEL, "x is a dict; give a dense array"),
}


@pytest.mark.parametrize("case", NO_EXAMPLES)
@pytest.mark.parametrize("verb", ["fit", "evaluate", "train_on_batch", "test_on_batch"])
def test_what_holds_no_examples_is_refused(model, case, verb):
    x, label, message = NO_EXAMPLES[case]
    with pytest.raises(ValueError, match=message):
        getattr(model, verb)(x, label)


def test_an_empty_dataset_is_refused(model):
    empty = tf.data.Dataset.from_tensor_slices((X[:0], LABEL[:0])).batch(6)
    for verb in (model.fit, model.evaluate, model.predict):
        with pytest.raises(ValueError, match="x holds no example"):
            verb(empty)


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"y": LABEL[:-1]}, "11 values in label for 12 examples"),
        ({"y": LABEL, "sample_weight": np.ones(11)}, "11 values in sample_weight for 12 examples"),
        ({"y": LABEL, "class_weight": {1.0: 2.0}}, "class_weight has 1.0: 2.0; give"),
        ({"y": LABEL, "class_weight": {1: "2"}}, "class_weight has 1: '2'; give"),
        ({"y": LABEL, "class_weight": {True: 2.0}}, "class_weight has True: 2.0; give"),
    ],
    ids=str,
)
def test_labels_and_weights_that_do_not_fit_the_batch(model, given, message):
    with pytest.raises(ValueError, match=message):
        model.train_on_batch(X, **given)


@pytest.mark.parametrize("preset", ["toy", "compact"])
def test_a_summary_shows_what_is_nested(preset):
    lines: list = []
    DisentangledVAE((8, 8, 1), 3, preset=preset).summary(expand_nested=True, print_fn=lines.append)
    assert "encoder_u" in str(lines)


def test_a_dataset_without_end_is_refused(model):
    endless = tf.data.Dataset.from_tensor_slices((X, LABEL)).batch(6).repeat()
    with pytest.raises(ValueError, match="has no end; give steps_per_epoch"):
        model.fit(endless, verbose=0)


@pytest.mark.parametrize("weight", [[1.0, 2.0, 1.0], "balanced"], ids=str)
def test_class_weights_are_a_dict(model, weight):
    with pytest.raises(ValueError, match="give a dict of label to weight"):
        model.fit(X, LABEL, class_weight=weight, verbose=0)
