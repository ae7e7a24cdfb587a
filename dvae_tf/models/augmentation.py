"""Random changes of images, those for the inputs of a discriminator such that gradients pass.

Zhao, Liu, Lin, Zhu & Han, "Differentiable Augmentation for Data-Efficient GAN Training" (NeurIPS
2020): where real and generated images go through the same random changes, the discriminator cannot
learn a small data set by heart, and the generated images do not take the changes over.
"""

from collections.abc import Sequence

import tensorflow as tf

# The farthest that an image is moved and the side of the hole in it, as shares of its side.
FARTHEST = 0.125
HOLE = 0.5


def augment(images: tf.Tensor, policies: Sequence[str], seed: tf.Tensor) -> tf.Tensor:
    """Changes every image in ways of its own.

    Args:
        images: float tensor [batch, side, side, channels] in [-1, 1].
        policies: sequence of str, a key each of `POLICIES`: "translation" (up to an eighth of the
            side, zeros move in), "cutout" (a square of half the side becomes zeros), "color"
            (brightness, saturation and contrast).
        seed: int32 tensor [2]; the same seed makes the same changes.

    Returns:
        float tensor of the shape of `images`.

    Raises:
        ValueError: if a policy is unknown, or the inputs are no images.

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
    """Names a policy that there is not.

    Args:
        policies: sequence of str.

    Raises:
        ValueError: if one is no key of `POLICIES`.

    Examples:
        >>> check_policies(["cutout", "color"])
    """
    for name in policies:
        if name not in POLICIES:
            raise ValueError(
                f"No augmentation is called {name!r}; choose from {', '.join(POLICIES)}."
            )


def shifted(images: tf.Tensor, farthest: int, seed: tf.Tensor) -> tf.Tensor:
    """Moves every image by whole pixels in a direction of its own; its edges are repeated.

    Args:
        images: float tensor [batch, side, side, channels].
        farthest: int, the longest way along each axis, in pixels.
        seed: int32 tensor [2].

    Returns:
        float tensor of the shape of `images`.

    Examples:
        >>> bool(tf.reduce_all(shifted(tf.ones((2, 8, 8, 1)), 1, [0, 0]) == 1.0))
        True
    """
    side = images.shape[1]
    shifts = tf.random.stateless_uniform(
        [2, tf.shape(images)[0]], seed, -farthest, farthest + 1, dtype=tf.int32, alg="philox"
    )
    for axis in (1, 2):
        sources = tf.range(side) + shifts[axis - 1][:, tf.newaxis]
        sources = tf.clip_by_value(sources, 0, side - 1)
        images = tf.gather(images, sources, axis=axis, batch_dims=1)
    return images


def _translation(images, seed):
    farthest = max(1, round(FARTHEST * images.shape[1]))
    # A frame of zeros is the edge that is repeated.
    framed = tf.pad(images, [[0, 0], [1, 1], [1, 1], [0, 0]])
    return shifted(framed, farthest, seed)[:, 1:-1, 1:-1]


def _cutout(images, seed):
    side = images.shape[1]
    hole = round(HOLE * side)
    centres = tf.random.stateless_uniform(
        [2, tf.shape(images)[0]], seed, 0, side + 1, dtype=tf.int32, alg="philox"
    )
    starts = centres[:, :, tf.newaxis] - hole // 2
    rows, columns = tf.unstack((tf.range(side) >= starts) & (tf.range(side) < starts + hole))
    outside = ~(rows[:, :, tf.newaxis] & columns[:, tf.newaxis, :])
    return images * tf.cast(outside, images.dtype)[..., tf.newaxis]


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
