"""Codes of classes that were not in the training data."""

import warnings

import numpy as np
import pytest
import tensorflow as tf
from PIL import Image
from toys import changed, moons, snapshot

from dvae_tf import DisentangledVAE, data, runs, tasks
from dvae_tf.data.examples import Arrays
from dvae_tf.data.pipeline import batches
from dvae_tf.models import Recipe
from dvae_tf.models.exemplars import partners

CLASSES, EACH = 120, 20
# At first z_u costs so much that the class goes through z_s.
RECIPE = Recipe.named("balanced").replace(
    exemplars=0.8, kl=(2.0, 0.28, 0.28), flow=False, beta_1=0.9, learning_rate=2e-3
)


def test_a_partner_is_any_other_of_the_class():
    label = tf.constant([7, 3, 7, 7, 4])
    found = [partners(label, 1.0, (0, seed)) for seed in range(60)]
    partner = np.stack([index for index, _ in found])
    assert {tuple(chosen.numpy()) for _, chosen in found} == {(True, False, True, True, False)}
    assert set(partner[:, 0]) == {2, 3}
    assert set(partner[:, 2]) == {0, 3}
    assert not np.any(partners(tf.constant([-1, -1, 0]), 1.0, (0, 1))[1])


def test_the_share_is_kept():
    label = tf.zeros(4000, tf.int32)
    assert np.mean(partners(label, 0.3, (0, 1))[1]) == pytest.approx(0.3, abs=0.03)
    assert not np.any(partners(label, 0.0, (0, 1))[1])


@pytest.mark.parametrize("exemplars", [0.0, 1.0])
def test_the_reconstruction_trains_the_encoder_of_z_s_only_with_exemplars(exemplars):
    alone = dict.fromkeys(Recipe.named("balanced").weights, 0.0) | {"reconstruction": 1.0}
    recipe = Recipe.named("balanced").replace(exemplars=exemplars, **alone)
    model = DisentangledVAE((2,), 3, preset="toy", recipe=recipe)
    before = snapshot(model)
    model.train_step(tuple(map(tf.constant, moons(16))))
    assert ("encoder_s" in changed(model, before)) == bool(exemplars)


def test_a_decoder_of_class_vectors_alone_has_no_code_of_other_classes():
    model = DisentangledVAE((2,), 3, preset="toy")
    with pytest.raises(ValueError, match="train with exemplars"):
        model.class_code(np.zeros((2, 2)))


def test_a_class_without_inputs_has_no_code():
    model = DisentangledVAE((2,), 3, preset="toy", recipe="paper")
    with pytest.raises(ValueError, match="There are no inputs"):
        model.class_code(np.zeros((0, 2)))


@pytest.mark.parametrize("share", [-0.1, 1.5, "half"])
def test_a_share_that_is_none_is_refused(share):
    with pytest.raises(ValueError, match="give a share from 0 to 1"):
        RECIPE.replace(exemplars=share)


def test_examples_come_in_pairs_where_a_class_has_two():
    label = np.random.default_rng(0).integers(0, 50, 301).astype(np.int32)
    x = np.arange(301, dtype=np.float32)[:, np.newaxis]
    passes = [
        [(x, label) for x, label in batches(Arrays(x, label), 20, True, 0, pairs=True)]
        for _ in range(2)
    ]
    for one in passes:
        assert sorted(np.concatenate([x for x, _ in one])[:, 0]) == list(range(301))
        _, first = one[0]
        assert (first[::2] == first[1::2]).numpy().all()


def test_pairs_of_a_stream_are_counted_and_leave_what_has_no_label(tmp_path):
    for number in range(24):
        folder = tmp_path / "train" / str(number % 6)
        folder.mkdir(parents=True, exist_ok=True)
        image = np.random.default_rng(number).integers(0, 256, (8, 8, 3), np.uint8)
        Image.fromarray(image).save(folder / f"{number}.png")
    name = f"folder:{tmp_path / 'train'}"
    loaded = [data.load(name, "train", batch_size=4, size=8, pairs=pairs)[0] for pairs in (0, 1)]
    assert loaded[0].cardinality() == loaded[1].cardinality()
    first = next(iter(loaded[1]))[1].numpy()
    assert (first[::2] == first[1::2]).all()

    label = np.full(12, -1, np.int32)
    x = np.arange(12, dtype=np.float32)[:, np.newaxis]
    kept = [x.numpy() for x, _ in batches(Arrays(x, label), 3, False, 0, pairs=True)]
    np.testing.assert_array_equal(np.concatenate(kept), x)


@pytest.mark.parametrize(("changes", "pairs"), [({}, False), ({"exemplars": 0.5}, True)])
def test_a_run_with_exemplars_reads_its_data_in_pairs(changes, pairs):
    arguments = {
        "dataset": "digits", "seed": 0, "size": None, "batch_size": 96, "labelled": 1.0,
        "recipe": "balanced", "changes": changes,
    }  # fmt: skip
    found = runs.Data(arguments)
    assert found.pairs == pairs
    label = next(iter(found.train))[1].numpy()
    assert (label[::2] == label[1::2]).all() == pairs


@pytest.mark.parametrize(("label", "warned"), [([0, 1, 2, 3], True), ([0, 0, 1, 1], False)])
def test_a_training_in_which_no_example_has_a_partner_is_warned_of(label, warned):
    recipe = RECIPE.replace(exemplars=1.0)
    model = DisentangledVAE((4,), 4, preset="toy", recipe=recipe, seed=0)
    x = np.zeros((4, 4), np.float32)
    with warnings.catch_warnings(record=True) as found:
        warnings.simplefilter("always")
        model.fit(x, np.array(label), batch_size=4, verbose=0)
    assert warned == any("no example got the z_s of another" in str(each.message) for each in found)


def many_classes(random, count):
    """The first two columns are the class's, the other two are style."""
    centres = random.uniform(-1.5, 1.5, (count, 2))
    label = np.repeat(np.arange(count), EACH).astype(np.int32)
    style = random.normal(size=(len(label), 2))
    return np.concatenate([centres[label], style], axis=-1).astype(np.float32), label


@pytest.mark.slow
def test_a_class_never_seen_is_encoded_from_its_examples():
    random = np.random.default_rng(0)
    x, label = many_classes(random, CLASSES)
    unseen, of_unseen = many_classes(random, 30)
    model = DisentangledVAE((4,), CLASSES, recipe=RECIPE, latent_dim_s=4, latent_dim_u=4, seed=0)
    train = batches(Arrays(x, label), 96, shuffle=True, seed=0, pairs=True)
    history = model.fit(train, epochs=15, verbose=0).history
    assert history["exemplars"][-1] > 0.7

    style_of = unseen[random.permutation(len(unseen))]
    z_s = np.stack([model.class_code(unseen[of_unseen == c][:5]) for c in of_unseen])
    drawn = model.decode(z_s, model.encode(style_of).z_u_mean).numpy()
    error = np.mean(
        (drawn - np.concatenate([unseen[:, :2], style_of[:, 2:]], axis=-1)) ** 2, axis=0
    )
    variance = np.var(unseen, axis=0)
    assert (error < 0.15 * variance).all()

    few = unseen[of_unseen == 7][:3]
    code, better = model.class_code(few), model.class_code(few, steps=50)
    style = model.encoder_u(few)[0]

    def of(z_s):
        rows = tf.tile(z_s[tf.newaxis], (3, 1))
        return float(np.mean((model.decoder(tf.concat([rows, style], axis=-1)) - few) ** 2))

    assert of(better) < of(code)


@pytest.mark.slow
def test_classes_that_are_known_score_higher():
    x, label = moons(600)
    model = DisentangledVAE((2,), 3, preset="toy", seed=0)
    model.fit(x, label, batch_size=100, epochs=15, verbose=0, fit_flow=False)
    known, other = model.known_class_score(x[:200]), model.known_class_score(x[:200] + 9.0)
    assert np.mean(known.numpy()[:, np.newaxis] > other.numpy()) > 0.95
    expected = model.prior_s.mixture().log_prob(model.encoder_s(x[:200]))
    np.testing.assert_allclose(known, expected, rtol=1e-4)


def test_codes_of_classes_are_generated_swapped_and_interpolated():
    model = DisentangledVAE((2,), 3, preset="toy", recipe="paper", seed=0)
    x = moons(6)[0]
    code = model.class_code(x[:2])
    np.testing.assert_allclose(code, np.mean(model.encode(x[:2]).z_s, axis=0), rtol=1e-5)
    codes = np.stack([code, code + 1.0])

    drawn = model.generate(z_s=codes, seed=3)
    np.testing.assert_array_equal(drawn, model.generate(z_s=codes, seed=3))
    np.testing.assert_allclose(
        model.generate(z_s=codes, temperature=0.0), model.decode(codes, np.zeros((2, 2))), atol=1e-6
    )
    assert tasks.sample(model, z_s=np.repeat(codes, 200, axis=0)).shape == (400, 2)

    swaps = tasks.swap_code(model, codes, x)
    expected = model.decode(codes[1:], model.encode(x[2:3]).z_u_mean)
    np.testing.assert_allclose(swaps[1, 2], expected[0], atol=1e-6)
    np.testing.assert_allclose(
        tasks.swap(model, x[:2], x), tasks.swap_code(model, model.encode(x[:2]).z_s, x)
    )

    between = tasks.interpolate_class(model, codes[:1], codes[1:], x[:1], steps=3)
    np.testing.assert_allclose(between[0, [0, 2]], swaps[:, 0], atol=1e-5)
    with pytest.raises(ValueError, match=r"classes have shape \(1, 1\) and dtype float32"):
        tasks.interpolate_class(model, codes[:1], codes[1:, :1], x[:1])


@pytest.mark.parametrize("given", [{}, {"label": [0], "z_s": np.zeros((1, 2))}])
def test_a_label_or_a_code_not_both(given):
    model = DisentangledVAE((2,), 3, preset="toy")
    with pytest.raises(ValueError, match="one of them"):
        model.generate(**given)
    with pytest.raises(ValueError, match="one of them"):
        tasks.sample(model, **given)


def test_an_encoder_that_exemplars_train_is_asked_itself():
    """Its z_s is no vector of a known class, so that other classes are encoded too."""
    model = DisentangledVAE((2,), 3, preset="toy", recipe=RECIPE)
    x = moons(5)[0]
    np.testing.assert_allclose(model.encode(x).z_s, model.encoder_s(x), rtol=1e-5)
