"""The published networks, layer by layer, and how they fit images of other sizes.

Zheng & Sun, CVPR 2019, as the authors' code has them. The layers are those of
`dvae_tf.networks.LayerStack`, without what depends on the size of the image:

- ("map", filters) has the size from which the transposed convolutions reach the image.
- ("mean_pool", side) leaves side x side positions.
"""

import dataclasses
import math
from collections.abc import Sequence

# The largest side in pixels of an image that the rows without a mean pool take as they are.
PLAIN_SIDE = 128


@dataclasses.dataclass(frozen=True)
class Row:
    """A row of the table of published networks.

    Args:
        latent_dim_s, latent_dim_u: int, sizes of z_s and z_u.
        encoder: tuple of layers of E_S and of E_U, before the dense layers that give the code.
        decoder: tuple of layers of G before its last.
        discriminator: tuple of layers of D, each spectrally normalised.
        last: (int, int), kernel and stride of G's last layer. Defaults to None: a dense layer.
        classifier_units: int, width of Q's hidden layer.
        negative_slope: float, slope of the (leaky) ReLU of E_S, E_U, G and Q. That of D is 0.1.
        batch_norm: bool, whether batch normalisation follows each listed layer of E_S, E_U and G.
    """

    latent_dim_s: int
    latent_dim_u: int
    encoder: tuple
    decoder: tuple
    discriminator: tuple
    last: tuple[int, int] | None = None
    classifier_units: int = 256
    negative_slope: float = 0.0
    batch_norm: bool = True


THREE_MOONS = Row(
    latent_dim_s=2,
    latent_dim_u=2,
    encoder=(("dense", 32), ("dense", 64), ("dense", 64)),
    decoder=(("dense", 64), ("dense", 64), ("dense", 32)),
    discriminator=(("dense", 32), ("dense", 64), ("dense", 64)),
    classifier_units=64,
    negative_slope=0.1,
    batch_norm=False,
)
MNIST = Row(
    latent_dim_s=32,
    latent_dim_u=100,
    encoder=(("conv", 64, 5, 2), ("conv", 128, 5, 2), ("conv", 256, 5, 2), ("dense", 1024)),
    decoder=(
        ("map", 256),
        ("transposed", 256, 5, 2, "valid"),
        ("transposed", 128, 5, 2),
        ("transposed", 32, 5, 2),
    ),
    last=(5, 1),
    discriminator=(
        ("conv", 32, 5, 1),
        ("conv", 128, 5, 2),
        ("conv", 256, 5, 2),
        ("conv", 256, 5, 2),
        ("dense", 512),
    ),
)
SVHN = Row(
    latent_dim_s=8,
    latent_dim_u=128,
    encoder=MNIST.encoder,
    decoder=(
        ("map", 256),
        ("transposed", 256, 5, 2),
        ("transposed", 128, 5, 2),
        ("transposed", 32, 5, 2),
    ),
    last=(5, 2),
    discriminator=(
        ("conv", 32, 3, 2),
        ("conv", 128, 3, 2),
        ("conv", 256, 3, 1),
        ("conv", 256, 3, 2),
        ("mean_pool", 1),
        ("dense", 1024),
    ),
)
CIFAR_10 = Row(
    latent_dim_s=100,
    latent_dim_u=200,
    encoder=(("conv", 32, 5, 2), *MNIST.encoder),
    decoder=(
        ("map", 256),
        ("transposed", 256, 5, 2),
        ("transposed", 256, 5, 1),
        ("transposed", 128, 5, 2),
        ("transposed", 64, 5, 2),
        ("transposed", 32, 5, 2),
    ),
    last=(5, 1),
    # The authors' file for CIFAR-10 has none.
    discriminator=SVHN.discriminator,
)
# VGG-16 with batch normalisation, and its mirror image; also for CUB-200.
FACESCRUB = Row(
    latent_dim_s=512,
    latent_dim_u=512,
    encoder=(
        *2 * (("conv", 64, 3, 1),),
        ("max_pool", 2),
        *2 * (("conv", 128, 3, 1),),
        ("max_pool", 2),
        *3 * (("conv", 256, 3, 1),),
        ("max_pool", 2),
        *3 * (("conv", 512, 3, 1),),
        ("max_pool", 2),
        *3 * (("conv", 512, 3, 1),),
        # Windows of side size / 32 on a map of side size / 16.
        ("mean_pool", 2),
        ("dense", 1024),
    ),
    decoder=(
        ("dense", 1024),
        ("map", 512),
        ("transposed", 512, 3, 2),
        ("transposed", 512, 3, 1),
        ("transposed", 512, 3, 1),
        ("transposed", 512, 3, 2),
        ("transposed", 512, 3, 1),
        ("transposed", 256, 3, 1),
        ("transposed", 256, 3, 2),
        ("transposed", 256, 3, 1),
        ("transposed", 128, 3, 1),
        ("transposed", 128, 3, 2),
        ("transposed", 64, 3, 1),
        ("transposed", 64, 3, 2),
    ),
    last=(3, 1),
    discriminator=(
        ("conv", 64, 3, 2),
        ("conv", 128, 3, 2),
        ("conv", 256, 3, 1),
        ("conv", 256, 3, 2),
        ("conv", 512, 3, 1),
        ("conv", 512, 3, 2),
        ("conv", 512, 3, 2),
        ("mean_pool", 1),
        ("dense", 1024),
    ),
)

PUBLISHED = {
    "three_moons": THREE_MOONS,
    "mnist": MNIST,
    "fashion_mnist": MNIST,
    "svhn_cropped": SVHN,
    "cifar10": CIFAR_10,
    "facescrub": FACESCRUB,
    "cub200": FACESCRUB,
}


def halvings(shape: Sequence[int]) -> int:
    """How often an image must be halved until it has the size that the networks are for.

    Args:
        shape: sequence of int, (height, width, channels).

    Returns:
        int, 0 for images of at most 128 pixels a side.

    Examples:
        >>> halvings((128, 64, 3)), halvings((200, 96, 3)), halvings((512, 512, 3))
        (0, 1, 2)
    """
    return max(0, math.ceil(math.log2(max(shape[:2]) / PLAIN_SIDE)))


def encoder_layers(layers: tuple, shape: Sequence[int]) -> tuple:
    """The layers of an encoder or discriminator for images of one size.

    Where the feature map is flattened, large images get the last convolution again for each of
    their `halvings`. A mean pool needs none: it leaves as many positions of any map.

    Args:
        layers: tuple of layers, from a Row.
        shape: sequence of int, the shape of one input.

    Returns:
        tuple of layers, for `dvae_tf.networks.LayerStack`.

    Examples:
        >>> encoder_layers((("conv", 8, 3, 2), ("mean_pool", 2)), (64, 32, 1))
        (('conv', 8, 3, 2), ('mean_pool', 16, 8))
    """
    if len(shape) != 3 or not any(kind == "conv" for kind, *_ in layers):
        return layers
    if not any(kind == "mean_pool" for kind, *_ in layers):
        last = max(at for at, layer in enumerate(layers) if layer[0] == "conv")
        layers = (*layers[:last], *(1 + halvings(shape)) * (layers[last],), *layers[last + 1 :])
    found, sides = [], shape[:2]
    for layer in layers:
        if layer[0] == "mean_pool":
            layer = ("mean_pool", *(math.ceil(side / layer[1]) for side in sides))
        elif layer[0] in ("conv", "max_pool"):
            sides = [math.ceil(side / layer[-1]) for side in sides]
        found.append(layer)
    return tuple(found)


def decoder_layers(row: Row, shape: Sequence[int]) -> tuple:
    """The layers of a decoder, but for its last, for images of one size.

    Backwards from the image, every transposed convolution gets the smallest input that reaches
    what the next one needs, and surplus pixels are cut off. Nothing is cut for the published
    sizes. Large images get a transposed convolution of stride 2 more, with as many filters as the
    first, for each of their `halvings`.

    Args:
        row: Row.
        shape: sequence of int, the shape of one input.

    Returns:
        tuple of layers, for `dvae_tf.networks.LayerStack`.

    Examples:
        >>> decoder_layers(MNIST, (28, 28, 1))[:2]
        (('map', 256, 2, 2), ('transposed', 256, 5, 2, 'valid', 0, 0))
    """
    if row.last is None:
        return row.decoder
    first = next(at for at, layer in enumerate(row.decoder) if layer[0] == "transposed")
    more = halvings(shape) * ((*row.decoder[first][:3], 2),)
    layers = (*row.decoder[: first + 1], *more, *row.decoder[first + 1 :])
    found: list = []
    sides = [math.ceil(side / row.last[1]) for side in shape[:2]]
    for kind, width, *numbers in reversed(layers):
        if kind == "transposed":
            kernel, stride, padding = (*numbers, "same")[:3]
            grown = kernel - stride if padding == "valid" else 0
            before = [max(1, math.ceil((side - grown) / stride)) for side in sides]
            surplus = [b * stride + grown - side for b, side in zip(before, sides, strict=True)]
            found.append((kind, width, kernel, stride, padding, *surplus))
            sides = before
        else:
            found.append((kind, width, *(sides if kind == "map" else ())))
    return tuple(reversed(found))


def widened(layers: Sequence[tuple], factor: float) -> tuple:
    """Layers with `factor` times as many filters and units, at least 1 each.

    Args:
        layers: sequence of layers.
        factor: float.

    Returns:
        tuple of layers.

    Examples:
        >>> widened((("conv", 64, 5, 2), ("max_pool", 2)), 0.5)
        (('conv', 32, 5, 2), ('max_pool', 2))
    """

    def wider(kind, width, *numbers):
        if kind in ("max_pool", "mean_pool"):
            return kind, width, *numbers
        return kind, max(1, round(factor * width)), *numbers

    return tuple(wider(*layer) for layer in layers)
