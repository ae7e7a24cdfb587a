"""Families of networks by name."""

import dataclasses
import functools
import math
from collections.abc import Callable, Sequence

from dvae_tf.networks.conditional_flow import ConditionalFlow
from dvae_tf.networks.decoder import Decoder
from dvae_tf.networks.discriminator import Discriminator
from dvae_tf.networks.downsampler import Downsampler
from dvae_tf.networks.encoder_s import EncoderS
from dvae_tf.networks.encoder_u import EncoderU
from dvae_tf.networks.latent_classifier import LatentClassifier
from dvae_tf.networks.layer_stack import LayerStack
from dvae_tf.networks.mlp import MLP
from dvae_tf.networks.placed_encoder_u import PlacedEncoderU
from dvae_tf.networks.published import (
    PUBLISHED,
    Row,
    decoder_layers,
    encoder_layers,
    halvings,
    widened,
)
from dvae_tf.networks.upsampler import Upsampler

# Sides in pixels of images that the presets take.
LEAST_SIDE, MOST_SIDE = 8, 512
# Of the splines of a table's flow.
SPLINE_BINS = 16
# z_u of a table has this share of as many dimensions as there are columns: few are easier made
# blind than many.
LATENT_SHARE, LEAST_LATENT, MOST_LATENT = 0.4, 2, 32
# The entries of a body's configuration that are numbers of filters or units.
WIDTHS = ("blocks", "dense_units", "start_filters", "units")


@dataclasses.dataclass(frozen=True)
class Preset:
    """Sizes of the two codes and how to make each body for data of one shape.

    Args:
        latent_dim_s, latent_dim_u: int, sizes of z_s and z_u.
        encoder_body, decoder_body, discriminator_body: functions of the data's shape that return
            a new keras.layers.Layer.
        classifier_units: int, width of Q's hidden layer.
        classifier_slope: float, slope of its leaky ReLU.
        kernel_size: int, side of the decoder's last kernel in pixels.
        couplings, coupling_units: int, couplings of the flow and their width.
        bins: int, of the flow's splines, or 0 for none.
        log_variance: bool, whether E_U gives the logarithm of the variance.
        placed: bool, whether the decoder places what it draws, by a pose that E_U finds.
        locator_body: as `encoder_body`, of the network that finds position and size, if `placed`.
    """

    latent_dim_s: int
    latent_dim_u: int
    encoder_body: Callable
    decoder_body: Callable
    discriminator_body: Callable
    classifier_units: int = 256
    classifier_slope: float = 0.2
    kernel_size: int = 5
    couplings: int = 8
    coupling_units: int = 128
    bins: int = 0
    log_variance: bool = False
    placed: bool = False
    locator_body: Callable | None = None

    def encoder_s(self, shape, latent_dim=None):
        """Returns a new EncoderS for data of `shape`."""
        return EncoderS(latent_dim or self.latent_dim_s, self.encoder_body(shape), name="encoder_s")

    def encoder_u(self, shape, latent_dim=None, finds_poses=False):
        """Returns a new EncoderU, or a PlacedEncoderU that is trained to find poses."""
        sizes = latent_dim or self.latent_dim_u, self.encoder_body(shape)
        if self.placed and finds_poses:
            locator = self.locator_body(shape)
            return PlacedEncoderU(*sizes, locator, self.log_variance, name="encoder_u")
        return EncoderU(*sizes, log_variance=self.log_variance, name="encoder_u")

    def decoder(self, shape, columns=None):
        """Returns a new Decoder for data of `shape`, of a table with such columns."""
        body = self.decoder_body(shape)
        return Decoder(shape, body, self.kernel_size, self.placed, columns, name="decoder")

    def discriminator(self, shape, num_classes):
        """Returns a new Discriminator for data of `shape`."""
        return Discriminator(num_classes, self.discriminator_body(shape), name="discriminator")

    def latent_classifier(self, num_classes):
        """Returns a new LatentClassifier."""
        sizes = num_classes, self.classifier_units, self.classifier_slope
        return LatentClassifier(*sizes, name="latent_classifier")

    def flow(self, latent_dim, condition_dim, seed):
        """Returns a new ConditionalFlow."""
        sizes = self.couplings, self.coupling_units, self.bins
        return ConditionalFlow(latent_dim, condition_dim, *sizes, seed=seed, name="flow")


def _with_width(family, factor):
    """The family with `factor` times as many filters and units everywhere, at least 1 each."""
    bodies = ["encoder_body", "decoder_body", "discriminator_body"]
    if family.locator_body:
        bodies.append("locator_body")
    return dataclasses.replace(
        family,
        classifier_units=_scaled(family.classifier_units, factor),
        coupling_units=_scaled(family.coupling_units, factor),
        **{name: functools.partial(_wider, getattr(family, name), factor) for name in bodies},
    )


def _wider(make_body, factor, shape):
    body = make_body(shape)
    config = body.get_config()
    widths = {name: _scaled(config[name], factor) for name in WIDTHS if name in config}
    if "layers" in config:
        widths["layers"] = widened(config["layers"], factor)
    return type(body).from_config(config | widths)


def _scaled(widths, factor):
    if isinstance(widths, int):
        return max(1, round(factor * widths))
    return tuple(_scaled(width, factor) for width in widths)


def _published(row: Row, couplings=8, coupling_units=128):
    """The networks of a row of the published table."""

    def body(layers, **norm):
        return LayerStack(layers, **{"negative_slope": row.negative_slope} | norm)

    return Preset(
        row.latent_dim_s,
        row.latent_dim_u,
        encoder_body=lambda shape: body(
            encoder_layers(row.encoder, shape), batch_norm=row.batch_norm
        ),
        decoder_body=lambda shape: body(decoder_layers(row, shape), batch_norm=row.batch_norm),
        discriminator_body=lambda shape: body(
            encoder_layers(row.discriminator, shape), spectral_norm=True, negative_slope=0.1
        ),
        classifier_units=row.classifier_units,
        classifier_slope=row.negative_slope,
        kernel_size=row.last[0] if row.last else 1,
        couplings=couplings,
        coupling_units=coupling_units,
        log_variance=True,
    )


def _compact_images(shape, placed):
    """Small 3x3 networks: about a twentieth of the computation of the published ones."""
    tiny = max(shape[:2]) <= 16
    return Preset(
        placed=placed,
        couplings=6 if tiny else 8,
        coupling_units=64 if tiny else 256,
        latent_dim_s=16,
        latent_dim_u=16,
        encoder_body=lambda shape: Downsampler(
            _deeper(((32,), (64,), (128,)), shape),
            kernel_size=3,
            dense_units=256,
            batch_norm=True,
        ),
        decoder_body=_compact_decoder,
        locator_body=lambda shape: Downsampler(
            _deeper(((16,), (32,), (64,)), shape), kernel_size=3, dense_units=128, batch_norm=True
        ),
        discriminator_body=lambda shape: Downsampler(
            _deeper(((32,), (64,), (128,)), shape),
            kernel_size=3,
            dense_units=256,
            spectral_norm=True,
            negative_slope=0.1,
        ),
        kernel_size=4,
    )


def _compact_decoder(shape):
    blocks = _deeper_from_start(((48,),), shape)
    return Upsampler(
        [math.ceil(side / 2) for side in shape[:2]],
        blocks,
        start_size=[math.ceil(side / 2 ** (1 + len(blocks))) for side in shape[:2]],
        start_filters=64,
        kernel_size=4,
        dense_units=(256,),
    )


def _deeper(blocks, shape):
    """Blocks that halve an image: the last one again for each halving of a large one."""
    return (*blocks, *blocks[-1:] * halvings(shape))


def _deeper_from_start(blocks, shape):
    """Blocks that double an image: the first one again for each halving of a large one."""
    return (*blocks[:1] * halvings(shape), *blocks)


COMPACT_VECTORS = Preset(
    16,
    32,
    encoder_body=lambda shape: MLP((256, 256)),
    decoder_body=lambda shape: MLP((256, 256)),
    discriminator_body=lambda shape: MLP((256, 256), spectral_norm=True),
)
PRESETS = ("toy", "compact", "placed", "paper", *(f"paper-{row}" for row in PUBLISHED))


def is_image(shape: Sequence[int]) -> bool:
    """Whether one example of this shape is an image that the convolutions accept.

    Args:
        shape: sequence of int, the shape of one example.

    Returns:
        bool: three axes, 1 or 3 channels.
    """
    return len(shape) == 3 and shape[2] in (1, 3)


def preset(
    name: str, shape: Sequence[int], width: float = 1.0, columns: Sequence | None = None
) -> Preset:
    """Looks up a family of networks.

    Args:
        name: str. "toy": the row for three moons, for any shape. "compact": small convolutions for
            images, dense layers 256-256 otherwise; trains in minutes on two CPU cores. "placed":
            "compact", for images only, whose decoder places what it draws: for objects that move,
            turn and change their size. "paper":
            the row of the published table that fits the shape (vectors: three moons; up to 32
            pixels a side: MNIST with one channel, CIFAR-10 with three; larger: VGG-16 as for
            FaceScrub). Images of other sizes than published get the same layers, of another
            size; above 128 pixels a side, layers are repeated.
            "paper-ROW" selects one row: three_moons, mnist, fashion_mnist, svhn_cropped, cifar10,
            facescrub, cub200.
        shape: sequence of int, the shape of one example.
        width: float, the factor on the numbers of filters and units; the codes keep their size.
            Defaults to 1.
        columns: sequence, the columns of a table: its flow has splines, and of "compact" z_s has 4
            dimensions, z_u two fifths as many as there are columns, 2 to 32. Defaults to none.

    Returns:
        Preset.

    Raises:
        ValueError: if the name is unknown, the width is not above 0, or images do not have 8 to
            512 pixels a side and 1 or 3 channels.

    Examples:
        >>> preset("paper", (28, 28, 1)).latent_dim_u
        100
        >>> preset("toy", (2,), width=2).classifier_units
        128
    """
    if name not in PRESETS:
        raise ValueError(f"No preset is called {name!r}; choose one of {', '.join(PRESETS)}.")
    if not 0.0 < width < math.inf:
        raise ValueError(f"width is {width}; give a factor above 0, such as 2.")
    family = _family(name, shape)
    if columns:
        family = _for_table(family, len(columns))
    return family if width == 1.0 else _with_width(family, width)


def _family(name, shape):
    if name in ("toy", "paper-three_moons"):
        return _named("three_moons")
    if len(shape) != 3:
        if name == "placed" or name.startswith("paper-"):
            raise ValueError(f"Preset {name!r} is for images; the data's shape is {tuple(shape)}.")
        return COMPACT_VECTORS if name == "compact" else _named("three_moons")
    if not (is_image(shape) and all(LEAST_SIDE <= side <= MOST_SIDE for side in shape[:2])):
        raise ValueError(
            f"Preset {name!r} takes images of {LEAST_SIDE} to {MOST_SIDE} pixels a side with 1 or "
            f"3 channels, but the data's shape is {tuple(shape)}. Resize the images, take preset "
            "'toy', or pass your own networks."
        )
    if name in ("compact", "placed"):
        return _compact_images(shape, placed=name == "placed")
    if name == "paper":
        if max(shape[:2]) > 32:
            return _named("facescrub")
        return _named("mnist" if shape[2] == 1 else "cifar10")
    return _named(name.removeprefix("paper-"))


def _for_table(family, columns):
    """The family for a table. Splines do more with fewer units, each of which computes more."""
    if family is COMPACT_VECTORS:
        latent_dim_u = min(max(round(LATENT_SHARE * columns), LEAST_LATENT), MOST_LATENT)
        family = dataclasses.replace(family, latent_dim_s=4, latent_dim_u=latent_dim_u)
    units = max(1, family.coupling_units // 2)
    return dataclasses.replace(family, coupling_units=units, bins=SPLINE_BINS)


def _named(row):
    if row == "three_moons":  # A smaller flow is enough for codes of two dimensions.
        return _published(PUBLISHED[row], couplings=4, coupling_units=32)
    return _published(PUBLISHED[row])
