"""Models of tables: training, saving, tables in and out."""

import keras
import numpy as np
import pandas as pd
import pytest

from dvae_tf import DisentangledVAE, tasks
from dvae_tf.data import from_table
from dvae_tf.evaluation import Subject
from dvae_tf.evaluation.bench import kinds_of_z_u
from dvae_tf.evaluation.metrics.leakage import FittedProbes, leakage
from dvae_tf.evaluation.metrics.probes import boosted_trees
from dvae_tf.models import ConditionalVAE, Recipe
from dvae_tf.models.likelihoods import SharedGaussian
from dvae_tf.networks import ConditionalFlow

RECIPE = Recipe.named("balanced").replace(kl=0.3, learning_rate=3e-3, beta_1=0.9, beta_2=0.99)


def people(count, seed=0):
    """Height tells the sex, and job and wealth hang together."""
    random = np.random.default_rng(seed)
    sex = random.choice(["f", "m"], count)
    rich = random.random(count) < 0.5
    return pd.DataFrame(
        {
            "height": random.normal(np.where(sex == "m", 180, 165), 4),
            "wealth": random.normal(np.where(rich, 500, 100), 30).round().astype(int),
            "job": np.where(rich, "banker", random.choice(["baker", "smith"], count)),
            "owner": rich ^ (random.random(count) < 0.05),
            "sex": sex,
        }
    )


def made(frame, **networks):
    dataset, info = from_table(frame, "sex", batch_size=64)
    model = DisentangledVAE(
        info.shape,
        info.num_classes,
        columns=info.columns,
        class_names=info.class_names,
        recipe=RECIPE,
        width=0.25,
        latent_dim_s=2,
        latent_dim_u=4,
        seed=0,
        **networks,
    )
    return model, dataset


@pytest.fixture(scope="module")
def untrained():
    return made(people(100))[0]


@pytest.fixture(scope="module")
def trained():
    model, dataset = made(people(1500))
    model.fit(dataset, epochs=12, verbose=0)
    return model


@pytest.mark.slow
def test_rows_are_reconstructed_column_by_column(trained):
    frame = people(400, seed=1)
    codes = tasks.encode(trained, frame)
    back = trained.columns.frame(tasks.decode(trained, codes.z_s, codes.z_u_mean))
    assert (back.job == frame.job).mean() > 0.7
    assert (back.owner == frame.owner).mean() > 0.9
    assert np.corrcoef(back.wealth, frame.wealth)[0, 1] > 0.9
    assert back.wealth.dtype == frame.wealth.dtype


def with_a_copy(count, seed):
    """A sensitive column, its copy (correlation 0.95), and columns that do not depend on it."""
    random = np.random.default_rng(seed)
    sensitive = random.random(count) < 0.5
    size = random.normal(size=count)
    return pd.DataFrame(
        {
            "copy": sensitive ^ (random.random(count) < 0.025),
            "size": size,
            "weight": size + random.normal(0.0, 0.3, count),
            "town": random.choice(["north", "south", "west"], count),
            "sensitive": np.where(sensitive, "yes", "no"),
        }
    )


@pytest.mark.slow
def test_a_copy_of_the_sensitive_column_is_gone_from_z_u():
    frames = with_a_copy(4000, 0), with_a_copy(2000, 1)
    dataset, info = from_table(frames[0], "sensitive", batch_size=64)
    model = DisentangledVAE(info.shape, 2, columns=info.columns, recipe="table", seed=0)
    model.fit(dataset, epochs=8, verbose=0)
    labels = [(frame.sensitive == "yes").to_numpy().astype(int) for frame in frames]
    codes = [tasks.encode(model, *pair) for pair in zip(frames, labels, strict=True)]
    of_kind = [kinds_of_z_u(code, seed) for seed, code in enumerate(codes)]
    for kind in ("mean", "sample"):
        known, asked = (kinds[kind] for kinds in of_kind)
        probes = FittedProbes(known, labels[0], Subject(), 0)
        found = leakage(probes.predict(asked), labels[1], probes.share)[0]
        # The column itself tells it in 0.975; of six probes, the luckiest may be a bit above 0.5.
        assert found["strongest"].value < 0.55, (kind, found["strongest_probe"])
        # What does not depend on it is still there.
        kept = boosted_trees(known, (frames[0]["size"] > 0).to_numpy().astype(int))(asked)
        assert np.mean(kept.argmax(axis=-1) == (frames[1]["size"] > 0)) > 0.9


@pytest.mark.slow
def test_drawn_rows_hang_together_as_real_ones_do(trained):
    label = np.repeat([0, 1], 400)
    drawn = trained.columns.frame(tasks.sample(trained, label, seed=0))
    assert set(drawn.job) == {"banker", "baker", "smith"}
    assert drawn.wealth[drawn.job == "banker"].mean() > 400
    assert drawn.wealth[drawn.job != "banker"].mean() < 200
    assert drawn.height[label == 1].mean() - drawn.height[label == 0].mean() > 8
    # Not only the mean of each row is drawn.
    assert drawn.height[label == 1].std() == pytest.approx(4, rel=0.5)


def test_keras_verbs_take_tables(untrained):
    frame = people(20, seed=3)
    rows = untrained.columns.wide(untrained.columns.read("people", frame))
    expected = untrained.predict(rows, verbose=0)
    np.testing.assert_array_equal(untrained.predict(frame, verbose=0), expected)
    np.testing.assert_allclose(untrained(frame), untrained(rows), atol=1e-6)
    label = (frame.sex == "m").to_numpy().astype(int)
    found = [untrained.evaluate(x, label, verbose=0) for x in (frame, rows)]
    np.testing.assert_array_equal(*found)


@pytest.mark.slow
def test_a_table_trains_a_model_and_its_flow():
    frame, label = people(64), np.arange(64) % 2
    # One without splines is quickly compiled.
    model, _ = made(frame, flow=ConditionalFlow(4, 2, couplings=2, units=8))
    history = model.fit(frame, label, validation_data=(frame, label), epochs=1, verbose=0)
    assert np.isfinite(history.history["val_loss"][-1])
    assert not model.needs_flow_fit


@pytest.mark.slow
def test_a_saved_model_takes_and_gives_tables(untrained, tmp_path):
    untrained.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    frame = people(20, seed=2)
    np.testing.assert_allclose(loaded.encode(frame).z_u_mean, untrained.encode(frame).z_u_mean)
    np.testing.assert_array_equal(
        loaded.generate([0, 1], seed=3), untrained.generate([0, 1], seed=3)
    )
    np.testing.assert_allclose(
        loaded.likelihood.variances.numpy(), untrained.likelihood.variances.numpy()
    )
    assert loaded.columns == untrained.columns


def test_a_known_class_takes_the_place_of_the_predicted_one(untrained):
    frame, random = people(200, seed=3), np.random.default_rng(0)
    for weight in untrained.flow.trainable_variables:  # A new flow is the identity.
        weight.assign(0.3 * random.normal(size=weight.shape))
    predicted = tasks.classify(untrained, frame).argmax(axis=-1)
    same = tasks.encode(untrained, frame, predicted)
    np.testing.assert_allclose(same.z_u_mean, tasks.encode(untrained, frame).z_u_mean, atol=1e-5)
    other = tasks.encode(untrained, frame, 1 - predicted)
    means = untrained.prior_s.means.numpy()
    np.testing.assert_allclose(other.z_s, means[1 - predicted], atol=1e-6)
    assert np.abs(other.z_u_mean - same.z_u_mean).max() > 1e-3
    unknown = tasks.encode(untrained, frame, np.full(200, -1))
    np.testing.assert_allclose(unknown.z_u_mean, same.z_u_mean, atol=1e-5)
    with pytest.raises(ValueError, match="label 7 is no class of the model's 2"):
        untrained.encode(frame, np.full(200, 7))


def test_columns_of_another_table_are_refused(untrained):
    with pytest.raises(ValueError, match="there is no column 'job'"):
        untrained.encode(people(3).drop(columns="job"))
    with pytest.raises(ValueError, match="but the columns take 6 values a row"):
        DisentangledVAE((3,), 2, columns=untrained.columns)


@pytest.mark.slow
def test_the_likelihood_can_be_another():

    class Halved(SharedGaussian):
        def loss(self, x, decoded, training):
            return 0.5 * super().loss(x, decoded, training)

    x, label = np.random.default_rng(0).normal(size=(8, 3)), np.arange(8) % 2
    plain, halved = (
        DisentangledVAE((3,), 2, preset="toy", likelihood=one, seed=0) for one in (None, Halved())
    )
    errors = [
        model.evaluate(x, label, verbose=0, return_dict=True)["reconstruction"]
        for model in (plain, halved)
    ]
    assert errors[1] == pytest.approx(0.5 * errors[0])


@pytest.mark.slow
def test_baselines_take_tables_too():
    dataset, info = from_table(people(100), "sex")
    model = ConditionalVAE(info.shape, 2, columns=info.columns, width=0.1, seed=0)
    model.fit(dataset, epochs=1, verbose=0)
    drawn = model.generate([0, 1], seed=0).numpy()
    np.testing.assert_array_equal(drawn[:, 2:5].sum(axis=-1), [1.0, 1.0])
