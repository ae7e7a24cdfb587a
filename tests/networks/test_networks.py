"""Every network of every preset: shapes and serialisation; the published ones: test_published."""

import keras
import numpy as np
import pytest

from dvae_tf import networks
from dvae_tf.data import Column
from dvae_tf.networks.presets import preset
from dvae_tf.networks.seeding import seeded_initializers

SHAPES = [(2,), (8, 8, 1), (16, 16, 3), (27, 27, 1), (28, 28, 1), (32, 32, 3), (64, 64, 3)]


def build_all(name, shape, num_classes=4):
    family = preset(name, shape)
    return {
        "encoder_s": family.encoder_s(shape, family.latent_dim_s),
        "encoder_u": family.encoder_u(shape, family.latent_dim_u),
        "decoder": family.decoder(shape),
        "discriminator": family.discriminator(shape, num_classes),
        "latent_classifier": family.latent_classifier(num_classes),
    }


def inputs_of(name, shape, preset_name):
    family = preset(preset_name, shape)
    x = np.random.default_rng(0).uniform(-1, 1, (3, *shape)).astype(np.float32)
    return {
        "encoder_s": x,
        "encoder_u": x,
        "decoder": np.ones((3, family.latent_dim_s + family.latent_dim_u), np.float32),
        "discriminator": (x, np.array([0, 1, 3], np.int32)),
        "latent_classifier": np.ones((3, family.latent_dim_u), np.float32),
    }[name]


@pytest.mark.parametrize("shape", SHAPES, ids=str)
@pytest.mark.parametrize("name", ["toy", "compact"])
def test_outputs_fit_the_data(name, shape):
    family = preset(name, shape)
    built = build_all(name, shape)
    outputs = {key: built[key](inputs_of(key, shape, name)) for key in built}
    assert outputs["encoder_s"].shape == (3, family.latent_dim_s)
    mean, stddev = outputs["encoder_u"]
    assert mean.shape == stddev.shape == (3, family.latent_dim_u)
    assert np.all(stddev.numpy() > 0)
    assert outputs["decoder"].shape == (3, *shape)
    assert outputs["discriminator"].shape == (3,)
    assert outputs["latent_classifier"].shape == (3, 4)


@pytest.mark.slow
@pytest.mark.parametrize("size", [64, 96, 128])
def test_large_images_build_symbolically(size):
    family = preset("paper", (size, size, 3))
    code = family.encoder_s((size, size, 3), 256)(keras.KerasTensor((None, size, size, 3)))
    image = family.decoder((size, size, 3))(keras.KerasTensor((None, 512)))
    label = keras.KerasTensor((None,), dtype="int32")
    judge = family.discriminator((size, size, 3), 5)
    logits = judge((keras.KerasTensor((None, size, size, 3)), label))
    assert (code.shape, image.shape, logits.shape) == ((None, 256), (None, size, size, 3), (None,))


@pytest.mark.parametrize(("name", "shape"), [("compact", (16, 16, 1)), ("toy", (2,))])
def test_each_network_is_saved_and_loaded(name, shape, tmp_path):
    for key, network in build_all(name, shape).items():
        inputs = inputs_of(key, shape, name)
        network(inputs, training=True)
        network.save(tmp_path / f"{key}.keras")
        loaded = keras.saving.load_model(tmp_path / f"{key}.keras")
        for ours, theirs in zip(
            keras.tree.flatten(network(inputs)), keras.tree.flatten(loaded(inputs)), strict=True
        ):
            np.testing.assert_array_equal(ours, theirs, err_msg=key)


def test_stddev_starts_near_the_priors():
    encoder = preset("toy", (2,)).encoder_u((2,), 8)
    _, stddev = encoder(np.zeros((1, 2), np.float32))
    np.testing.assert_allclose(stddev, 1.0, atol=1e-4)


def test_images_stay_in_range():
    decoder = preset("compact", (28, 28, 1)).decoder((28, 28, 1))
    image = decoder(100.0 * np.random.default_rng(0).normal(size=(4, 48)).astype(np.float32))
    assert -1.0 <= np.min(image) < np.max(image) <= 1.0


def test_seeded_initializers_depend_on_the_seed_alone():
    def first_weights(seed):
        with seeded_initializers(seed):
            return build_and_read()

    def build_and_read():
        network = networks.LatentClassifier(3)
        network.build((None, 5))
        return network.get_weights()[0]

    np.testing.assert_array_equal(first_weights(1), first_weights(1))
    assert not np.array_equal(first_weights(1), first_weights(2))


@pytest.mark.parametrize(
    ("name", "shape", "message"),
    [
        ("huge", (28, 28, 1), "No preset is called 'huge'; choose one of toy, compact, placed"),
        ("compact", (28, 7, 1), "images of 8 to 512 pixels a side"),
        ("compact", (6, 6, 1), "images of 8 to 512 pixels a side"),
        ("paper", (513, 256, 3), "images of 8 to 512 pixels a side"),
        ("compact", (28, 28, 4), "1 or 3 channels"),
        ("paper-cifar10", (2,), "is for images"),
    ],
)
def test_what_no_preset_takes_is_named(name, shape, message):
    with pytest.raises(ValueError, match=message):
        preset(name, shape)


@pytest.mark.parametrize("width", [0.0, -1.0, float("nan"), float("inf")])
def test_widths_that_cannot_be_are_named(width):
    with pytest.raises(ValueError, match=f"width is {width}; give a factor above 0"):
        preset("compact", (28, 28, 1), width)


def test_twice_the_width_is_twice_the_filters_and_codes_of_the_same_size():
    shape = (28, 28, 1)
    plain, wide = (preset("compact", shape, width) for width in (1, 2))
    assert (plain.latent_dim_s, plain.latent_dim_u) == (wide.latent_dim_s, wide.latent_dim_u)
    for name in ("encoder_s", "encoder_u", "decoder"):
        narrow, broad = (getattr(family, name)(shape).body for family in (plain, wide))
        assert broad.blocks == tuple(tuple(2 * n for n in block) for block in narrow.blocks)
    assert wide.latent_classifier(10).hidden_units == 2 * plain.latent_classifier(10).hidden_units


def test_unknown_halving_is_refused():
    with pytest.raises(ValueError, match="'stride' or 'max_pool'"):
        networks.Downsampler(((8,),), halving="none")


@pytest.mark.parametrize(("count", "latent_dim_u"), [(1, 2), (12, 5), (13, 5), (200, 32)])
def test_z_u_of_a_table_grows_with_its_columns(count, latent_dim_u):
    columns = [Column(f"c{number}", "numeric", "float64") for number in range(count)]
    family = preset("compact", (count,), columns=columns)
    assert family.latent_dim_u == latent_dim_u
    assert family.flow(latent_dim_u, family.latent_dim_s, seed=0).bins > 0
    assert preset("compact", (count,)).latent_dim_u == 32
