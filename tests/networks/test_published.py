"""Every published network: its feature maps, weights, and where batch normalisation stands."""

import keras
import numpy as np
import pytest

from dvae_tf import networks
from dvae_tf.networks.presets import preset
from dvae_tf.networks.published import PUBLISHED, decoder_layers

SHAPES = {
    "three_moons": (2,),
    "mnist": (28, 28, 1),
    "fashion_mnist": (28, 28, 1),
    "svhn_cropped": (32, 32, 3),
    "cifar10": (32, 32, 3),
    "facescrub": (64, 64, 3),
    "cub200": (64, 64, 3),
}
CODES = {
    "three_moons": (2, 2),
    "mnist": (32, 100),
    "fashion_mnist": (32, 100),
    "svhn_cropped": (8, 128),
    "cifar10": (100, 200),
    "facescrub": (512, 512),
    "cub200": (512, 512),
}


def square(side, filters):
    return (side, side, filters)


def vgg(*sides):
    """The maps of VGG-16 with sides before and after each pool, the last one a mean pool."""
    first, second, third, fourth, fifth, pooled = sides
    return [
        *2 * [square(first, 64)], square(second, 64),
        *2 * [square(second, 128)], square(third, 128),
        *3 * [square(third, 256)], square(fourth, 256),
        *3 * [square(fourth, 512)], square(fifth, 512),
        *3 * [square(fifth, 512)], square(pooled, 512),
        (1024,),
    ]  # fmt: skip


def vgg_mirrored(start, *sides):
    """The maps of G from the first one, `start` pixels wide, through its five doublings."""
    first, second, third, fourth, fifth = sides
    return [
        (1024,), (start * start * 512,), square(start, 512),
        *3 * [square(first, 512)],
        *2 * [square(second, 512)], square(second, 256),
        *2 * [square(third, 256)], square(third, 128),
        square(fourth, 128), square(fourth, 64),
        square(fifth, 64),
    ]  # fmt: skip


def face_judge(*sides):
    filters = (64, 128, 256, 256, 512, 512, 512)
    convolved = [square(*both) for both in zip(sides, filters, strict=True)]
    return [*convolved, (1, 1, 512), (1024,)]


# Dense layers, convolutions, reshaped maps and pools, in order, of E, G (before its last) and D.
MNIST = (
    [(14, 14, 64), (7, 7, 128), (4, 4, 256), (1024,)],
    [(1024,), (2, 2, 256), (7, 7, 256), (14, 14, 128), (28, 28, 32)],
    [(28, 28, 32), (14, 14, 128), (7, 7, 256), (4, 4, 256), (512,)],
)
SVHN_JUDGE = [(16, 16, 32), (8, 8, 128), (8, 8, 256), (4, 4, 256), (1, 1, 256), (1024,)]
MAPS = {
    ("three_moons", None): (
        [(32,), (64,), (64,)],
        [(64,), (64,), (32,)],
        [(32,), (64,), (64,)],
    ),
    ("mnist", None): MNIST,
    ("fashion_mnist", None): MNIST,
    ("svhn_cropped", None): (
        [(16, 16, 64), (8, 8, 128), (4, 4, 256), (1024,)],
        [(1024,), (2, 2, 256), (4, 4, 256), (8, 8, 128), (16, 16, 32)],
        SVHN_JUDGE,
    ),
    ("cifar10", None): (
        [(16, 16, 32), (8, 8, 64), (4, 4, 128), (2, 2, 256), (1024,)],
        [
            (1024,), (2, 2, 256), (4, 4, 256), (4, 4, 256),
            (8, 8, 128), (16, 16, 64), (32, 32, 32),
        ],
        SVHN_JUDGE,
    ),
    ("facescrub", 64): (
        vgg(64, 32, 16, 8, 4, 2),
        vgg_mirrored(2, 4, 8, 16, 32, 64),
        face_judge(32, 16, 16, 8, 8, 4, 2),
    ),
    ("cub200", 128): (
        vgg(128, 64, 32, 16, 8, 2),
        vgg_mirrored(4, 8, 16, 32, 64, 128),
        face_judge(64, 32, 32, 16, 16, 8, 4),
    ),
}  # fmt: skip
SILENT = (keras.layers.ReLU, keras.layers.LeakyReLU, keras.layers.Flatten)


def networks_of(name, shape=None, num_classes=10):
    shape = shape or SHAPES[name]
    family = preset(f"paper-{name}", shape)
    return {
        "encoder_s": family.encoder_s(shape),
        "encoder_u": family.encoder_u(shape),
        "decoder": family.decoder(shape),
        "discriminator": family.discriminator(shape, num_classes),
        "latent_classifier": family.latent_classifier(num_classes),
    }


def traced(network, shape):
    """The shapes that the layers of a body give, without activations and normalisation."""
    found, x = [], keras.KerasTensor((None, *shape))
    for layer in network.body.stack.layers:
        x = layer(x)
        if not isinstance(layer, (*SILENT, keras.layers.BatchNormalization)):
            found.append(x.shape[1:])
    return found


@pytest.mark.parametrize(("name", "side"), MAPS, ids=lambda value: str(value))
def test_every_feature_map(name, side):
    shape = (side, side, 3) if side else SHAPES[name]
    built, codes = networks_of(name, shape), sum(CODES[name])
    encoder, decoder, discriminator = MAPS[name, side]
    assert traced(built["encoder_s"], shape) == encoder
    assert traced(built["encoder_u"], shape) == encoder
    assert traced(built["decoder"], (codes,)) == decoder
    assert traced(built["discriminator"], shape) == discriminator
    assert built["decoder"](keras.KerasTensor((None, codes))).shape == (None, *shape)
    z_s = built["encoder_s"](keras.KerasTensor((None, *shape)))
    mean, stddev = built["encoder_u"](keras.KerasTensor((None, *shape)))
    sizes = (CODES[name][0], CODES[name][1], CODES[name][1])
    assert (z_s.shape[1], mean.shape[1], stddev.shape[1]) == sizes


# Kernels, then two numbers an output where batch normalisation follows, else a bias.
MNIST_ENCODER = (
    25 * 1 * 64 + 2 * 64 + 25 * 64 * 128 + 2 * 128 + 25 * 128 * 256 + 2 * 256
    + 4 * 4 * 256 * 1024 + 2 * 1024
)  # fmt: skip
SVHN_ENCODER = MNIST_ENCODER + 25 * 2 * 64
CIFAR_ENCODER = (
    25 * 3 * 32 + 2 * 32 + 25 * 32 * 64 + 2 * 64 + 25 * 64 * 128 + 2 * 128
    + 25 * 128 * 256 + 2 * 256 + 2 * 2 * 256 * 1024 + 2 * 1024
)  # fmt: skip
VGG = (
    9 * (3 * 64 + 64 * 64 + 64 * 128 + 128 * 128 + 128 * 256 + 2 * 256 * 256 + 256 * 512)
    + 9 * 5 * 512 * 512 + 2 * (2 * 64 + 2 * 128 + 3 * 256 + 6 * 512)
    + 2 * 2 * 512 * 1024 + 2 * 1024
)  # fmt: skip
SVHN_D = (
    9 * 3 * 32 + 32 + 9 * 32 * 128 + 128 + 9 * 128 * 256 + 256 + 9 * 256 * 256 + 256
    + 256 * 1024 + 1024
)  # fmt: skip
# The weights that are trained. D ends with w (and its bias) and a vector for each of 10 classes.
WEIGHTS = {
    "three_moons": {
        "encoder_s": 2 * 32 + 32 + 32 * 64 + 64 + 64 * 64 + 64 + 64 * 2 + 2,
        "encoder_u": 2 * 32 + 32 + 32 * 64 + 64 + 64 * 64 + 64 + 2 * (64 * 2 + 2),
        "decoder": 4 * 64 + 64 + 64 * 64 + 64 + 64 * 32 + 32 + 32 * 2 + 2,
        "discriminator": 2 * 32 + 32 + 32 * 64 + 64 + 64 * 64 + 64 + 64 + 1 + 10 * 64,
        "latent_classifier": 2 * 64 + 64 + 64 * 10 + 10,
    },
    "mnist": {
        "encoder_s": MNIST_ENCODER + 1024 * 32 + 32,
        "encoder_u": MNIST_ENCODER + 2 * (1024 * 100 + 100),
        "decoder": 132 * 1024 + 2 * 1024 + 25 * 256 * 256 + 2 * 256 + 25 * 256 * 128 + 2 * 128
        + 25 * 128 * 32 + 2 * 32 + 25 * 32 * 1 + 1,
        "discriminator": 25 * 1 * 32 + 32 + 25 * 32 * 128 + 128 + 25 * 128 * 256 + 256
        + 25 * 256 * 256 + 256 + 4 * 4 * 256 * 512 + 512 + 512 + 1 + 10 * 512,
        "latent_classifier": 100 * 256 + 256 + 256 * 10 + 10,
    },
    "svhn_cropped": {
        "encoder_s": SVHN_ENCODER + 1024 * 8 + 8,
        "encoder_u": SVHN_ENCODER + 2 * (1024 * 128 + 128),
        "decoder": 136 * 1024 + 2 * 1024 + 25 * 256 * 256 + 2 * 256 + 25 * 256 * 128 + 2 * 128
        + 25 * 128 * 32 + 2 * 32 + 25 * 32 * 3 + 3,
        "discriminator": SVHN_D + 1024 + 1 + 10 * 1024,
        "latent_classifier": 128 * 256 + 256 + 256 * 10 + 10,
    },
    "cifar10": {
        "encoder_s": CIFAR_ENCODER + 1024 * 100 + 100,
        "encoder_u": CIFAR_ENCODER + 2 * (1024 * 200 + 200),
        "decoder": 300 * 1024 + 2 * 1024 + 2 * (25 * 256 * 256 + 2 * 256) + 25 * 256 * 128
        + 2 * 128 + 25 * 128 * 64 + 2 * 64 + 25 * 64 * 32 + 2 * 32 + 25 * 32 * 3 + 3,
        "discriminator": SVHN_D + 1024 + 1 + 10 * 1024,
        "latent_classifier": 200 * 256 + 256 + 256 * 10 + 10,
    },
    "facescrub": {
        "encoder_s": VGG + 1024 * 512 + 512,
        "encoder_u": VGG + 2 * (1024 * 512 + 512),
        "decoder": 1024 * 1024 + 2 * 1024 + 1024 * 2048 + 2 * 2048
        + 9 * (5 * 512 * 512 + 512 * 256 + 2 * 256 * 256 + 256 * 128 + 128 * 128 + 128 * 64)
        + 9 * 64 * 64 + 2 * (5 * 512 + 3 * 256 + 2 * 128 + 2 * 64) + 9 * 64 * 3 + 3,
        "discriminator": 9 * (3 * 64 + 64 * 128 + 128 * 256 + 256 * 256 + 256 * 512)
        + 9 * 2 * 512 * 512 + 64 + 128 + 2 * 256 + 3 * 512 + 512 * 1024 + 1024
        + 1024 + 1 + 10 * 1024,
        "latent_classifier": 512 * 256 + 256 + 256 * 10 + 10,
    },
}  # fmt: skip


@pytest.mark.parametrize("name", WEIGHTS)
def test_the_weights_are_as_many_as_counted_by_hand(name):
    shape, (dim_s, dim_u) = SHAPES[name], CODES[name]
    x, label = keras.KerasTensor((None, *shape)), keras.KerasTensor((None,), dtype="int32")
    inputs = {
        "encoder_s": x,
        "encoder_u": x,
        "decoder": keras.KerasTensor((None, dim_s + dim_u)),
        "discriminator": (x, label),
        "latent_classifier": keras.KerasTensor((None, dim_u)),
    }
    for key, network in networks_of(name).items():
        network(inputs[key])
        found = sum(int(np.prod(weight.shape)) for weight in network.trainable_weights)
        assert found == WEIGHTS[name][key], key


def test_rows_that_share_their_networks():
    assert PUBLISHED["fashion_mnist"] == PUBLISHED["mnist"]
    assert PUBLISHED["cub200"] == PUBLISHED["facescrub"]
    assert set(PUBLISHED) == set(CODES) == {name for name, _ in MAPS}


KERNELS = (keras.layers.Dense, keras.layers.Conv2D, keras.layers.Conv2DTranspose)


def after_each_kernel(network):
    """The layers between one kernel and the next, without what only reshapes."""
    found = []
    for layer in network.body.stack.layers:
        if isinstance(layer, KERNELS):
            found.append([])
        elif isinstance(layer, (*SILENT[:2], keras.layers.BatchNormalization)):
            found[-1].append(layer)
    return found


@pytest.mark.parametrize("name", [name for name in SHAPES if name != "three_moons"])
def test_batch_norm_follows_every_layer_of_encoders_and_decoder_and_none_of_d(name):
    built = networks_of(name)
    for key in ("encoder_s", "encoder_u", "decoder"):
        for normalisation, activation in after_each_kernel(built[key]):
            assert isinstance(normalisation, networks.batch_normalization.BatchNormalization)
            assert normalisation.scale
            assert normalisation.center
            assert isinstance(activation, keras.layers.ReLU)
    for (activation,) in after_each_kernel(built["discriminator"]):
        assert activation.negative_slope == pytest.approx(0.1)
    code = np.zeros((2, sum(CODES[name])), np.float32)
    assert built["decoder"](code).shape[1:] == SHAPES[name]
    assert built["decoder"].head.activation is keras.activations.tanh


def test_the_toy_has_leaky_activations_and_no_batch_norm():
    built = networks_of("three_moons")
    for key in ("encoder_s", "encoder_u", "decoder", "discriminator"):
        for (activation,) in after_each_kernel(built[key]):
            assert activation.negative_slope == pytest.approx(0.1)
    decoder = built["decoder"]
    decoder(np.zeros((2, 4), np.float32))
    assert decoder.head.activation is keras.activations.linear
    assert preset("toy", (2,)).encoder_s((2,)).body.kinds == built["encoder_s"].body.kinds


@pytest.mark.parametrize(("name", "slope"), [("mnist", 0.0), ("three_moons", 0.1)])
def test_q_is_a_dense_layer_with_its_activation(name, slope):
    q = networks_of(name)["latent_classifier"]
    z_u = np.random.default_rng(0).normal(size=(5, CODES[name][1])).astype(np.float32)
    logits = q(z_u)
    first, first_bias, last, last_bias = q.get_weights()
    hidden = z_u @ first + first_bias
    hidden = np.where(hidden > 0, hidden, slope * hidden)
    np.testing.assert_allclose(logits, hidden @ last + last_bias, rtol=1e-4, atol=1e-5)


def test_e_u_gives_the_logarithm_of_the_variance():
    encoder = networks_of("three_moons")["encoder_u"]
    x = np.random.default_rng(0).normal(size=(5, 2)).astype(np.float32)
    mean, stddev = encoder(x)
    features = encoder.body(x)
    np.testing.assert_allclose(mean, encoder.mean(features), rtol=1e-6)
    log_variance = np.log(np.asarray(stddev) ** 2)
    np.testing.assert_allclose(log_variance, encoder.raw_stddev(features), rtol=1e-3, atol=1e-4)


@pytest.mark.parametrize("name", ["svhn_cropped", "cifar10", "mnist", "facescrub"])
def test_nothing_is_cut_off_at_published_sizes(name):
    sides = (64, 128) if name == "facescrub" else SHAPES[name][:1]
    for side in sides:
        for kind, *numbers in decoder_layers(PUBLISHED[name], (side, side, SHAPES[name][2])):
            assert kind != "transposed" or numbers[-2:] == [0, 0]


def test_a_stack_is_saved_and_loaded():
    layers = [("map", 3, 2, 2), ("transposed", 4, 5, 2, "valid", 1, 2), ("conv", 2, 3, 1)]
    body = networks.LayerStack(layers, batch_norm=True, negative_slope=0.3)
    code = np.random.default_rng(0).normal(size=(2, 5)).astype(np.float32)
    features = body(code)
    assert features.shape == (2, 6, 5, 2)
    other = networks.LayerStack.from_config(body.get_config())
    other.build((None, 5))
    other.set_weights(body.get_weights())
    np.testing.assert_array_equal(other(code), features)


def test_an_unknown_layer_is_named():
    with pytest.raises(ValueError, match="No layer is called 'pool'; give one of dense, map, conv"):
        networks.LayerStack([("pool", 2)])
