"""Images of any height and width from 8 to 512: the networks of the presets take and give them."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from dvae_tf.models.augmentation import augment, shifted
from dvae_tf.networks import Upsampler
from dvae_tf.networks.presets import preset

SHAPES = [(8, 8, 1), (8, 20, 3), (37, 53, 1), (200, 96, 3), (9, 512, 1), (512, 8, 3), (512, 512, 3)]
MOST_WEIGHTS = 60e6


def outputs(family, shape):
    """What the networks make of inputs of a shape, without computing it."""
    x = keras.KerasTensor((None, *shape))
    code = keras.KerasTensor((None, family.latent_dim_s + family.latent_dim_u))
    label = keras.KerasTensor((None,), dtype="int32")
    networks = {
        "encoder_s": (family.encoder_s(shape), x),
        "encoder_u": (family.encoder_u(shape), x),
        "decoder": (family.decoder(shape), code),
        "discriminator": (family.discriminator(shape, 5), (x, label)),
    }
    return {name: (network(given), network) for name, (network, given) in networks.items()}


@pytest.mark.slow
@pytest.mark.parametrize("shape", SHAPES, ids=str)
@pytest.mark.parametrize("name", ["toy", "compact"])
def test_outputs_fit_images_of_any_size(name, shape):
    family = preset(name, shape)
    found = outputs(family, shape)
    assert found["encoder_s"][0].shape == (None, family.latent_dim_s)
    assert [part.shape for part in found["encoder_u"][0]] == 2 * [(None, family.latent_dim_u)]
    assert found["decoder"][0].shape == (None, *shape)
    assert found["discriminator"][0].shape == (None,)
    for name, (_, network) in found.items():
        assert network.count_params() < MOST_WEIGHTS, name


@pytest.mark.parametrize("name", ["paper", "paper-mnist", "paper-svhn_cropped", "paper-cifar10"])
@pytest.mark.parametrize("shape", [(8, 20, 1), (20, 32, 3), (37, 53, 1)], ids=str)
def test_the_decoder_of_the_published_rows_gives_the_shape(name, shape):
    family = preset(name, shape)
    code = keras.KerasTensor((None, family.latent_dim_s + family.latent_dim_u))
    assert family.decoder(shape)(code).shape == (None, *shape)
    x, label = keras.KerasTensor((None, *shape)), keras.KerasTensor((None,), dtype="int32")
    assert family.encoder_s(shape)(x).shape == (None, family.latent_dim_s)
    assert family.discriminator(shape, 5)((x, label)).shape == (None,)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "shape"),
    [
        ("paper-mnist", (9, 512, 1)),
        ("paper-svhn_cropped", (200, 96, 3)),
        ("paper-cifar10", (37, 300, 3)),
        ("paper-facescrub", (512, 512, 3)),
    ],
)
def test_the_published_rows_take_large_images(name, shape):
    for key, (output, network) in outputs(preset(name, shape), shape).items():
        if key == "decoder":
            assert output.shape == (None, *shape)
        assert network.count_params() < MOST_WEIGHTS, key


@pytest.mark.parametrize("shape", [(8, 20, 3), (37, 53, 1), (200, 96, 3)], ids=str)
def test_a_forward_pass(shape):
    family = preset("compact", shape)
    x = np.random.default_rng(0).uniform(-1, 1, (2, *shape)).astype(np.float32)
    code = family.encoder_s(shape)(x)
    image = family.decoder(shape)(keras.ops.concatenate([code, code], axis=-1))
    assert image.shape == x.shape
    assert np.isfinite(image).all()


@pytest.mark.parametrize(
    ("name", "shape", "width", "latent_dim"),
    [("compact", (256, 400, 1), 1.0, 32), ("paper-mnist", (37, 53, 1), 0.1, 132)],
)
def test_every_pixel_depends_on_the_code(name, shape, width, latent_dim):
    """Strides larger than the kernel would leave holes."""
    decoder = preset(name, shape, width).decoder(shape)
    codes = np.random.default_rng(0).normal(size=(4, latent_dim)).astype(np.float32)
    assert np.all(np.std(decoder(codes), axis=0) > 0)


def test_up_to_128_pixels_nothing_changed():
    for side in (16, 28, 64, 128):
        decoder = preset("compact", (side, side, 3)).decoder((side, side, 3))
        start = decoder.body.start_size
        assert start == (-(-side // 4),) * 2
        assert decoder.body.blocks == ((48,),)


def test_a_body_that_was_saved_with_one_side_loads():
    body = Upsampler(28, ((8,), (4,)))
    config = body.get_config() | {"size": 28, "start_size": 2}
    assert Upsampler.from_config(config)(np.zeros((1, 3), np.float32)).shape == (1, 28, 28, 4)


@pytest.mark.parametrize("policy", ["translation", "cutout", "color"])
def test_augmentation_reaches_all_of_an_image_that_is_not_square(policy):
    images = np.ones((400, 8, 24, 1), np.float32)
    changed = np.any(augment(tf.constant(images), [policy], [1, 2]) != images, axis=(0, 3))
    inner = changed if policy != "translation" else changed[[0, -1]]
    assert inner.all()


def test_shifts_of_an_image_that_is_not_square_move_both_axes():
    image = np.arange(40, dtype=np.float32).reshape(1, 4, 10, 1).repeat(50, axis=0)
    moved = shifted(tf.constant(image), 1, [0, 3]).numpy()
    assert moved.shape == image.shape
    assert {row[1, 5, 0] for row in moved} == {
        value + 10 * down + across for value in [15] for down in (-1, 0, 1) for across in (-1, 0, 1)
    }
