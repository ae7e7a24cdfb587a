"""What a user does with a trained model: plain functions, arrays in, arrays out.

Images go in as uint8 in [0, 255] or float in [-1, 1] and come out as uint8; other data is float32
both ways.
"""

import numpy as np

from dvae_tf.data.pipeline import to_float, to_uint8

CHUNK = 256


def sample(model, label, temperature=1.0, seed=0):
    """Draws examples of given classes.

    Args:
        model: DisentangledVAE.
        label: int array [n].
        temperature: float >= 0, factor on the standard deviations of both priors. Defaults to 1.
        seed: int. Defaults to 0: the same images every time.

    Returns:
        array [n, *shape].

    Raises:
        ValueError: if a label is outside [0, num_classes) or the temperature is negative.

    Example:

    >>> from dvae_tf import DisentangledVAE
    >>> sample(DisentangledVAE((2,), 3, preset="toy"), [0, 1, 2]).shape
    (3, 2)
    """
    label = np.atleast_1d(np.asarray(label))
    chunks = [label[start : start + CHUNK] for start in range(0, len(label), CHUNK)]
    drawn = [
        model.generate(chunk, temperature, seed=seed * 1_000_003 + number).numpy()
        for number, chunk in enumerate(chunks)
    ]
    return outward(np.concatenate(drawn))


def reconstruct(model, x):
    """Encodes and decodes, z_u at its posterior mean.

    Args:
        model: DisentangledVAE.
        x: array [n, *shape].

    Returns:
        array [n, *shape].

    Example:

    >>> from dvae_tf import DisentangledVAE
    >>> reconstruct(DisentangledVAE((2,), 3, preset="toy"), np.zeros((4, 2))).shape
    (4, 2)
    """
    codes = encode(model, x)
    return outward(_decode(model, codes.z_s, codes.z_u_mean))


def classify(model, x):
    """The class posterior of the mixture.

    Args:
        model: DisentangledVAE.
        x: array [n, *shape].

    Returns:
        float32 array [n, num_classes], probabilities.

    Example:

    >>> from dvae_tf import DisentangledVAE
    >>> classify(DisentangledVAE((2,), 3, preset="toy"), np.zeros((4, 2))).shape
    (4, 3)
    """
    return np.concatenate([model.classify(chunk).numpy() for chunk in _chunks(inward(x))])


def swap(model, x_s, x_u):
    """Gives each example of one set the class of each example of another.

    Args:
        model: DisentangledVAE.
        x_s: array [n, *shape], donors of z_s: what the class explains.
        x_u: array [m, *shape], donors of z_u: pose, style and all else.

    Returns:
        array [n, m, *shape]: entry (i, j) has z_s of x_s[i] and z_u of x_u[j].

    Example:

    >>> from dvae_tf import DisentangledVAE
    >>> swap(DisentangledVAE((2,), 3, preset="toy"), np.zeros((4, 2)), np.zeros((5, 2))).shape
    (4, 5, 2)
    """
    z_s, z_u = encode(model, x_s).z_s, encode(model, x_u).z_u_mean
    decoded = _decode(model, np.repeat(z_s, len(z_u), axis=0), np.tile(z_u, (len(z_s), 1)))
    return outward(decoded).reshape(len(z_s), len(z_u), *decoded.shape[1:])


def swap_pairs(model, x_s, x_u):
    """Swaps pair by pair: `swap` for long lists.

    Args:
        model: DisentangledVAE.
        x_s, x_u: arrays [n, *shape], donors of z_s and of z_u.

    Returns:
        array [n, *shape].

    Example:

    >>> from dvae_tf import DisentangledVAE
    >>> swap_pairs(DisentangledVAE((2,), 3, preset="toy"), np.zeros((4, 2)), np.ones((4, 2))).shape
    (4, 2)
    """
    return outward(_decode(model, encode(model, x_s).z_s, encode(model, x_u).z_u_mean))


def encode(model, x):
    """The codes of many examples.

    Args:
        model: DisentangledVAE.
        x: array [n, *shape].

    Returns:
        dvae_tf.models.Codes(z_s, z_u_mean, z_u_stddev) of float32 arrays [n, latent].

    Example:

    >>> from dvae_tf import DisentangledVAE
    >>> encode(DisentangledVAE((2,), 3, preset="toy"), np.zeros((4, 2))).z_s.shape
    (4, 2)
    """
    parts = [model.encode(chunk) for chunk in _chunks(inward(x))]
    return type(parts[0])(*(np.concatenate(column) for column in zip(*parts, strict=True)))


def inward(x):
    """Turns uint8 images into the package's floats; floats pass."""
    x = np.asarray(x)
    return to_float(x).numpy() if x.dtype == np.uint8 else x.astype(np.float32)


def outward(x):
    """Turns float images [..., height, width, channels] into uint8; uint8 and other data pass."""
    return to_uint8(x) if x.ndim >= 4 and x.dtype != np.uint8 else x


def _decode(model, z_s, z_u):
    pairs = zip(_chunks(z_s), _chunks(z_u), strict=True)
    return np.concatenate([model.decode(*pair).numpy() for pair in pairs])


def _chunks(x):
    return [x[start : start + CHUNK] for start in range(0, len(x), CHUNK)]
