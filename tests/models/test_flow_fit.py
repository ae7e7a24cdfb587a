import keras
import numpy as np
import pytest
from toys import batches as batches_of
from toys import changed, moons, snapshot

from dvae_tf import DisentangledVAE
from dvae_tf.models import Recipe, flow_fit
from dvae_tf.networks import ConditionalFlow
from dvae_tf.networks.seeding import seeded_initializers


def batches(count=32):
    return batches_of(count)


class Points(keras.utils.PyDataset):
    def __len__(self):
        return 1

    def __getitem__(self, at):
        return moons(16)


def toy(**changes):
    with seeded_initializers(0):
        flow = ConditionalFlow(2, 2, couplings=1, units=8)
    recipe = Recipe.named("balanced").replace(**changes)
    model = DisentangledVAE((2,), 3, preset="toy", recipe=recipe, flow=flow)
    model.compile(run_eagerly=True)  # A few steps take less time than tracing one.
    return model


@pytest.fixture(scope="module")
def trained():
    model = toy()
    model.fit(batches(), epochs=4, fit_flow=False, verbose=0)
    return model


def test_it_follows_the_last_epoch_and_trains_the_flow_alone(trained):
    assert trained.needs_flow_fit
    before = snapshot(trained)
    found = trained.fit_flow(batches(), steps=6, verbose=0)
    assert changed(trained, before) == {"flow"}
    assert not trained.needs_flow_fit
    assert found["after"] < found["before"]
    assert 0 < found["steps"] <= 6
    assert found["seconds"] > 0.0


@pytest.mark.slow
def test_fit_ends_with_it_unless_told_otherwise():
    model = toy()
    model.fit(batches(), verbose=0)
    assert not model.needs_flow_fit
    model.fit(batches(), fit_flow=False, verbose=0)
    assert model.needs_flow_fit
    model = toy(flow_share=0.0)
    model.fit(batches(), verbose=0)
    assert int(model.flow_fitted_at) == 0


@pytest.mark.slow
def test_the_best_weights_are_kept(monkeypatch):
    model = toy(flow_learning_rate=3.0)  # Far too large: it gets worse at once.
    model.fit(batches(), epochs=2, fit_flow=False, verbose=0)
    before = model.flow.get_weights()
    found = model.fit_flow(batches(), steps=20, verbose=0)
    assert found["after"] <= found["before"]
    if found["after"] == found["before"]:
        for ours, theirs in zip(before, model.flow.get_weights(), strict=True):
            np.testing.assert_array_equal(ours, theirs)


@pytest.mark.slow
def test_it_stops_when_held_out_codes_get_no_likelier():
    model = toy(flow_patience=1, flow_learning_rate=1e-12)
    model.fit(batches(), fit_flow=False, verbose=0)
    found = model.fit_flow(batches(), steps=100, verbose=0)
    assert found["steps"] < 100


def test_codes_are_those_of_the_whole_data_once():
    model = toy()
    mean, stddev, z_s = flow_fit.codes_of(model, batches(count=40))
    x, label = moons(40)
    expected, expected_stddev = model.encoder_u(x)
    np.testing.assert_allclose(mean, expected, atol=1e-5)
    np.testing.assert_allclose(stddev, expected_stddev, atol=1e-5)
    np.testing.assert_allclose(z_s, np.asarray(model.prior_s.means)[label], atol=1e-6)


@pytest.mark.slow
def test_a_validation_split_is_held_out(monkeypatch):
    encoded = []
    codes_of = flow_fit.codes_of

    def watched(model, dataset):
        codes = codes_of(model, dataset)
        encoded.append(len(codes[0]))
        return codes

    monkeypatch.setattr(flow_fit, "codes_of", watched)
    x, label = moons(32)
    toy().fit(x, label, validation_split=0.25, batch_size=8, verbose=0)
    assert encoded == [24, 8]


@pytest.mark.slow
@pytest.mark.parametrize(
    "data",
    [
        lambda: (batches(count=32), {}),
        lambda: (batches(count=32).repeat(), {"steps_per_epoch": 2}),
        lambda: (moons(32)[0], {"y": moons(32)[1], "batch_size": 16}),
        lambda: (batches(count=32), {"validation_data": batches(count=16)}),
        lambda: (batches(count=32), {"validation_data": moons(16)}),
        lambda: (batches(count=32), {"validation_data": Points()}),
        lambda: (
            batches(count=32),
            {"validation_data": batches(count=16).repeat(), "validation_steps": 1},
        ),
    ],
    ids=[
        "dataset",
        "without end",
        "arrays",
        "validation dataset",
        "validation arrays",
        "validation PyDataset",
        "validation without end",
    ],
)
def test_fit_takes_any_data_that_can_be_read_again(data):
    x, options = data()
    model = toy()
    model.fit(x, verbose=0, **options)
    assert not model.needs_flow_fit


def test_data_that_can_be_read_only_once_is_refused_in_a_sentence():
    def generator():
        while True:
            yield moons(16)

    model = toy()
    with pytest.raises(ValueError, match="data that can be read again, but a generator was"):
        model.fit(generator(), steps_per_epoch=2, verbose=0)
    model.fit(generator(), steps_per_epoch=2, fit_flow=False, verbose=0)
    with pytest.raises(ValueError, match="data that can be read again"):
        model.fit(batches(), validation_data=generator(), validation_steps=1, verbose=0)


def test_without_a_flow_there_is_nothing_to_fit():
    with pytest.raises(ValueError, match="The model has no flow"):
        toy(flow=False).fit_flow(batches())


@pytest.mark.slow
def test_it_is_the_same_every_time():
    found = []
    for _ in range(2):
        model = toy()
        model.fit(batches(), epochs=2, verbose=0)
        found.append(model.flow.get_weights())
    for first, second in zip(*found, strict=True):
        np.testing.assert_array_equal(first, second)


@pytest.mark.slow
def test_early_stopping_restores_before_the_flow_is_fitted():
    model = toy()
    stop = keras.callbacks.EarlyStopping("val_loss", patience=1, restore_best_weights=True)
    model.fit(batches(), validation_data=batches(16), epochs=3, callbacks=[stop], verbose=0)
    assert not model.needs_flow_fit


@pytest.mark.slow
def test_xla_compiles_it(trained):
    trained.compile(jit_compile=True)
    found = trained.fit_flow(batches(), steps=4, verbose=0)
    assert found["after"] <= found["before"]


def test_inputs_that_come_several_times_are_not_on_both_sides():
    mean = np.random.default_rng(0).normal(size=(50, 3)).astype(np.float32)
    repeated = np.tile(mean, (4, 1)) + np.float32(1e-7)
    fitted, held_out = flow_fit._split((repeated, repeated, repeated), seed=0)
    rows = [{tuple(row) for row in np.round(part[0], 3)} for part in (fitted, held_out)]
    assert (len(fitted[0]), len(held_out[0])) == (45, 5)
    assert not rows[0] & rows[1]
