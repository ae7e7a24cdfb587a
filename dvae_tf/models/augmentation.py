"""Random augmentations of images; those for a discriminator are differentiable.

Zhao, Liu, Lin, Zhu & Han, "Differentiable Augmentation for Data-Efficient GAN Training" (NeurIPS
2020): if real and generated images are augmented in the same way, the discriminator cannot memorise
a small data set, and generated images do not look augmented.
"""

from collections.abc import Sequence

import tensorflow as tf

# The largest translation and the side of the cutout, as shares of the image's side.
FARTHEST = 0.125
HOLE = 0.5


def augment(images: tf.Tensor, policies: Sequence[str], seed: tf.Tensor) -> tf.Tensor:
    """Augments every image, each with its own random draws.

    Args:
        images: float tensor [batch, height, width, channels] in [-1, 1].
        policies: sequence of str, a key each of `POLICIES`: "translation" (up to an eighth of the
            side, zeros move in), "cutout" (a part of half the height and width becomes zeros),
            "color" (brightness, saturation and contrast).
        seed: int32 tensor [2]; the same seed gives the same augmentations.

    Returns:
        float tensor of the shape of `images`.

    Raises:
        ValueError: if a policy is unknown, or the inputs are not images.

    Examples:
        >>> images = tf.ones((2, 8, 8, 1))
        >>> int(tf.math.count_nonzero(augment(images, ["cutout"], [0, 0]))) < 2 * 64
        True
    """
    check_policies(policies)
    if policies and images.shape.rank != 4:
        raise ValueError(
            f"Augmentation is for images, but the inputs have the shape {images.shape[1:]}. "
            "Take a recipe with augmentation=()."
        )
    for number, name in enumerate(policies):
        images = POLICIES[name](images, tf.random.fold_in(seed, number, alg="philox"))
    return images


def check_policies(policies: Sequence[str]) -> None:
    """Checks the names of augmentation policies.

    Args:
        policies: sequence of str.

    Raises:
        ValueError: if one is not a key of `POLICIES`; names it.

    Examples:
        >>> check_policies(["cutout", "color"])
    """
    for name in policies:
        if name not in POLICIES:
            raise ValueError(
                f"No augmentation is called {name!r}; choose from {', '.join(POLICIES)}."
            )


def shifted(images: tf.Tensor, farthest: int, seed: tf.Tensor) -> tf.Tensor:
    """Translates every image by a random number of whole pixels; edges are repeated.

    Args:
        images: float tensor [batch, height, width, channels].
        farthest: int, the largest translation along each axis, in pixels.
        seed: int32 tensor [2].

    Returns:
        float tensor of the shape of `images`.

    Examples:
        >>> bool(tf.reduce_all(shifted(tf.ones((2, 8, 8, 1)), 1, [0, 0]) == 1.0))
        True
    """
    shifts = tf.random.stateless_uniform(
        [2, tf.shape(images)[0]], seed, -farthest, farthest + 1, dtype=tf.int32, alg="philox"
    )
    for axis in (1, 2):
        side = images.shape[axis]
        sources = tf.range(side) + shifts[axis - 1][:, tf.newaxis]
        sources = tf.clip_by_value(sources, 0, side - 1)
        images = tf.gather(images, sources, axis=axis, batch_dims=1)
    return images


def _translation(images, seed):
    farthest = max(1, round(FARTHEST * min(images.shape[1:3])))
    # With a border of zeros, the edge that is repeated is zero.
    framed = tf.pad(images, [[0, 0], [1, 1], [1, 1], [0, 0]])
    return shifted(framed, farthest, seed)[:, 1:-1, 1:-1]


def _cutout(images, seed):
    sides = images.shape[1:3]
    draws = tf.random.stateless_uniform(
        [2, tf.shape(images)[0]], seed, 0, max(sides) + 1, dtype=tf.int32, alg="philox"
    )
    rows, columns = (
        _inside_hole(centres * (side + 1) // (max(sides) + 1), side)
        for centres, side in zip(tf.unstack(draws), sides, strict=True)
    )
    outside = ~(rows[:, :, tf.newaxis] & columns[:, tf.newaxis, :])
    return images * tf.cast(outside, images.dtype)[..., tf.newaxis]


def _inside_hole(centres, side):
    """Which pixels along an axis are in the hole around each centre: bool tensor [batch, side]."""
    hole = round(HOLE * side)
    starts = centres[:, tf.newaxis] - hole // 2
    return (tf.range(side) >= starts) & (tf.range(side) < starts + hole)


def _color(images, seed):
    shape = [3, tf.shape(images)[0], 1, 1, 1]
    draws = tf.random.stateless_uniform(shape, seed, alg="philox")
    brightness, saturation, contrast = tf.unstack(tf.cast(draws, images.dtype))
    images = images + brightness - 0.5
    grey = tf.reduce_mean(images, axis=-1, keepdims=True)
    images = grey + 2.0 * saturation * (images - grey)
    mean = tf.reduce_mean(images, axis=(1, 2, 3), keepdims=True)
    return mean + (0.5 + contrast) * (images - mean)


POLICIES = {"translation": _translation, "cutout": _cutout, "color": _color}
