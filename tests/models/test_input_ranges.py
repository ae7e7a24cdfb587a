"""Rows of values: uint8 is converted, ranges that are no one's are refused, at every door."""

import warnings

import keras
import numpy as np
import pytest
import tensorflow as tf
from toys import moons

from dvae_tf import DisentangledVAE, tasks
from dvae_tf.models import ConditionalVAE, Recipe

RECIPE = Recipe.named("balanced").replace(flow=False)
PIXELS = np.random.default_rng(0).integers(0, 256, (12, 8, 8, 1)).astype(np.uint8)
FLOATS = PIXELS.astype(np.float32) / 127.5 - 1.0
LABEL = np.arange(12) % 3
CODES = np.zeros((12, 2), np.float32)


def toy(shape=(8, 8, 1), model=DisentangledVAE):
    made = model(shape, 3, preset="toy", recipe=RECIPE)
    made.compile(run_eagerly=True)
    return made


@pytest.fixture(scope="module")
def model():
    return toy()


@pytest.fixture(scope="module")
def points():
    return toy((4,))


def dataset(x):
    return tf.data.Dataset.from_tensor_slices((x, LABEL)).batch(6)


class Sequence(keras.utils.PyDataset):
    def __init__(self, x):
        super().__init__()
        self.x = x

    def __len__(self):
        return 2

    def __getitem__(self, at):
        return self.x[6 * at : 6 * at + 6], LABEL[6 * at : 6 * at + 6]


FITTING = {
    "fit": lambda m, x: m.fit(x, LABEL, verbose=0),
    "fit a dataset": lambda m, x: m.fit(dataset(x), verbose=0),
    "fit a PyDataset": lambda m, x: m.fit(Sequence(x), verbose=0),
    "fit a generator": lambda m, x: m.fit(iter(Sequence(x)), steps_per_epoch=2, verbose=0),
    "fit lists": lambda m, x: m.fit(list(x), LABEL.tolist(), verbose=0),
    "validation": lambda m, x: m.fit(FLOATS, LABEL, validation_data=(x, LABEL), verbose=0),
    "train_on_batch": lambda m, x: m.train_on_batch(x, LABEL),
    "test_on_batch": lambda m, x: m.test_on_batch(x, LABEL),
    "evaluate": lambda m, x: m.evaluate(x, LABEL, verbose=0),
    "evaluate a dataset": lambda m, x: m.evaluate(dataset(x), verbose=0),
}
ASKING = {
    "call": lambda m, x: m(x),
    "predict": lambda m, x: m.predict(x, verbose=0),
    "predict a dataset": lambda m, x: m.predict(dataset(x), verbose=0),
    "predict_on_batch": lambda m, x: m.predict_on_batch(x),
    "encode": lambda m, x: m.encode(x).z_u_mean,
    "classify": lambda m, x: m.classify(x),
    "tasks.classify": lambda m, x: tasks.classify(m, x),
    "tasks.encode": lambda m, x: tasks.encode(m, x).z_u_mean,
    "tasks.reconstruct": lambda m, x: tasks.reconstruct(m, x),
    "tasks.swap": lambda m, x: tasks.swap(m, x[:2], x),
    "tasks.inpaint": lambda m, x: tasks.inpaint(m, x, np.zeros((8, 8), bool), iterations=1),
}


@pytest.mark.parametrize("door", ASKING)
def test_pixels_are_converted(model, door):
    ask = ASKING[door]
    np.testing.assert_allclose(ask(model, PIXELS), ask(model, FLOATS), atol=1e-5)


@pytest.mark.parametrize("door", [*FITTING, *ASKING])
def test_floats_of_pixels_are_refused_with_their_range(model, door):
    before = [np.array(weight) for weight in model.trainable_weights]
    with pytest.raises(ValueError, match=r"range\S* from \S+ to 25\d"):
        (FITTING | ASKING)[door](model, PIXELS.astype(np.float32))
    if door != "validation":
        for weight, kept in zip(model.trainable_weights, before, strict=True):
            np.testing.assert_array_equal(weight, kept)


def test_training_on_pixels_is_training_on_floats():
    losses = [toy().train_on_batch(x, LABEL)[0] for x in (PIXELS, FLOATS)]
    assert losses[0] == pytest.approx(losses[1], rel=1e-5)


WARNED = ["fit", "fit a dataset", "evaluate", "call", "predict", "predict a dataset", "encode"]


@pytest.mark.parametrize("door", WARNED)
def test_masks_of_0_and_1_are_warned_about(door):
    with pytest.warns(UserWarning, match="0 or 1 of 255.* give 255 \\* x"):
        (FITTING | ASKING)[door](toy(), (PIXELS > 127).astype(np.uint8))


@pytest.mark.parametrize("door", ["predict", "predict a dataset", "encode", "evaluate"])
@pytest.mark.parametrize("x", [np.zeros_like(PIXELS), PIXELS // 2 + 128], ids=["black", "bright"])
def test_pixels_that_may_well_be_meant_are_not_warned_about(door, x):
    own = toy()
    own.compile()
    with warnings.catch_warnings():
        warnings.simplefilter("error", UserWarning)
        (FITTING | ASKING)[door](own, x)


@pytest.mark.parametrize("door", WARNED)
def test_floats_from_0_to_1_are_warned_about_once(door):
    own = toy()
    with pytest.warns(UserWarning, match=r"lie in \[0, 1\].* give 2 \* x - 1"):
        (FITTING | ASKING)[door](own, (FLOATS + 1.0) / 2.0)
    with warnings.catch_warnings():
        warnings.simplefilter("error", UserWarning)
        own.classify((FLOATS + 1.0) / 2.0)


@pytest.mark.slow
def test_xla_says_it_after_the_first_batch():
    own = toy()
    own.compile(jit_compile=True)
    with pytest.raises(ValueError, match="x ranges from 0 to 255"):
        own.fit(dataset(PIXELS.astype(np.float32)), verbose=0)


def test_a_pair_is_checked_too():
    model = toy(model=ConditionalVAE)
    np.testing.assert_allclose(model((PIXELS, LABEL)), model((FLOATS, LABEL)), atol=1e-5)
    with pytest.raises(ValueError, match="from 0 to 255"):
        model((PIXELS.astype(np.float32), LABEL))
    with pytest.raises(ValueError, match=r"called with \(x, label\)"):
        model(FLOATS)


COLUMNS = np.random.default_rng(0).normal(size=(64, 4)).astype(np.float32)
CLASSES = np.arange(64) % 3


def column(values):
    changed = COLUMNS.copy()
    changed[:, 2] = values
    return changed


AGE = np.linspace(18, 90, 64)
UNSCALED = {
    "age": AGE,
    "income": AGE * 1000.0,
    "ages of students": np.linspace(18, 25, 64),
    "thousandths": COLUMNS[:, 2] * 1e-3,
}
FAIR = {
    "constant": 7.0,
    "heavy tails": np.where(np.arange(64) == 5, 45.0, COLUMNS[:, 2]),
    "a rare one": (np.arange(64) == 5).astype(np.float32),
    "doubled": 2.0 * COLUMNS[:, 2],
}


@pytest.mark.parametrize("kind", UNSCALED)
def test_columns_that_are_not_standardised_are_refused(points, kind):
    x = column(UNSCALED[kind])
    with pytest.raises(ValueError, match=r"Column 2 of x ranges from .*\(x - mean\) / deviation"):
        points.fit(tf.data.Dataset.from_tensor_slices((x, CLASSES)).batch(64), verbose=0)
    with pytest.raises(ValueError, match=r"ranges from .*\(x - mean\) / deviation"):
        points.fit(x, CLASSES, batch_size=64, verbose=0)


@pytest.mark.parametrize("door", ["encode", "classify", "predict", "call", "tasks.classify"])
def test_large_columns_are_refused_at_the_other_doors(points, door):
    with pytest.raises(ValueError, match=r"ranges from .*\(x - mean\) / deviation"):
        ASKING[door](points, column(AGE))


@pytest.mark.parametrize("kind", FAIR)
def test_ordinary_columns_pass(points, kind):
    points.fit(column(FAIR[kind]), CLASSES, batch_size=64, verbose=0)
    points.encode(column(FAIR[kind]))


def test_three_moons_pass():
    toy((2,)).fit(*moons(48), verbose=0)


LABELS = {
    "one too many": LABEL + 1,
    "2^31": LABEL.astype(np.int64) + 2**31,
    "2^32 + 1": LABEL.astype(np.int64) + 2**32,
    "the largest uint64": np.full(12, 2**64 - 1, np.uint64),
}


@pytest.mark.parametrize("kind", LABELS)
def test_labels_outside_are_refused_before_they_are_cast(model, kind):
    with pytest.raises(ValueError, match=f"the label {LABELS[kind].max()}|the label"):
        model.fit(FLOATS, LABELS[kind], batch_size=12, verbose=0)
    with pytest.raises(ValueError, match=r"outside \[0, 3\)"):
        model.generate(LABELS[kind].max())
    with pytest.raises(ValueError, match="dtype float"):
        model.fit(FLOATS, LABEL + 0.7, verbose=0)


TEMPERATURES = [-1.0, np.inf, np.nan, "hot", np.ones(2), tf.constant(-1.0), tf.constant(np.nan)]


@pytest.mark.parametrize("temperature", TEMPERATURES, ids=str)
def test_temperatures_that_are_none_are_refused(model, temperature):
    with pytest.raises(ValueError, match="give a finite number, 0 or more"):
        model.generate([0], temperature=temperature)


@pytest.mark.parametrize("door", [lambda m: m.decode, lambda m: lambda *z: tasks.decode(m, *z)])
@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_codes_that_are_not_finite_are_refused(model, door, value):
    z_s, z_u = model.encode(FLOATS)[:2]
    with pytest.raises(ValueError, match="z_u holds NaN or infinite"):
        door(model)(z_s.numpy(), np.full_like(z_u, value))
    with pytest.raises(ValueError, match="3 z_s and 12 z_u"):
        model.decode(z_s[:3], z_u)


def test_a_bool_is_no_seed(model):
    with pytest.raises(ValueError, match="seed is True"):
        model.generate([0], seed=True)


def test_nothing_asked_for_and_halves_of_classes_are_refused(model):
    with pytest.raises(ValueError, match="There are no labels"):
        tasks.sample(model, [])
    with pytest.raises(ValueError, match=r"label 0\.5 is no integer"):
        tasks.interpolate_class(model, [0.5], [1], FLOATS[:1])
