"""What to do with a trained model: plain functions, arrays in, arrays out.

Images go in as uint8 in [0, 255] or float in [-1, 1] and come out as uint8; other data is float32
in both directions. A model of a table takes a pandas.DataFrame too, and `model.columns.frame(x)`
makes one of what comes out.
"""

import collections

import numpy as np
import numpy.typing as npt
import tensorflow as tf
from sklearn.neighbors import NearestNeighbors

from dvae_tf.data.examples import check_seed, check_x, whole_number
from dvae_tf.data.pixels import as_floats, as_pixels

CHUNK = 256

Nearest = collections.namedtuple("Nearest", ["index", "distance"])


def in_chunks(function, *columns: np.ndarray):
    """Applies a function to 256 rows at a time, so that memory is bounded.

    Args:
        function: function of one array for each of `columns` that returns an array or a tensor of
            as many rows, or a list or tuple of these.
        *columns: arrays [n, ...], n > 0.

    Returns:
        what the function returns, of all rows, as arrays.

    Examples:
        >>> float(in_chunks(lambda x, y: (x + y, x), np.ones(300), np.ones(300))[0].sum())
        600.0
    """
    starts = range(0, len(columns[0]), CHUNK)
    parts = [function(*(column[at : at + CHUNK] for column in columns)) for at in starts]
    return tf.nest.map_structure(lambda *outputs: np.concatenate(outputs), *parts)


def labels_in_turn(count, num_classes):
    """Returns 0, 1, ... num_classes - 1, 0, 1, ...: an int array [count]."""
    return np.arange(count) % num_classes


def sample(
    model,
    label: npt.ArrayLike | None = None,
    temperature: float = 1.0,
    seed: int = 0,
    z_s: npt.ArrayLike | None = None,
) -> np.ndarray:
    """Generates examples of given classes, or of given codes of classes.

    Args:
        model: DisentangledVAE.
        label: int array [n].
        temperature: float >= 0, factor on the standard deviations of both priors. Defaults to 1.
        seed: int in [0, 2**32). Defaults to 0: the same images every time.
        z_s: float array [n, latent_dim_s] in place of the labels, such as results of
            `model.class_code`, stacked.

    Returns:
        array [n, *shape].

    Raises:
        ValueError: if both or none of label and z_s are given, a label is outside [0,
            num_classes), the temperature is negative, or the seed is no integer in its range.

    Examples:
        >>> from dvae_tf import DisentangledVAE
        >>> sample(DisentangledVAE((2,), 3, preset="toy"), [0, 1, 2]).shape
        (3, 2)
    """
    if (label is None) == (z_s is None):
        raise ValueError("Give the labels or z_s to generate from: one of them.")
    seed, name = check_seed(seed), "label" if z_s is None else "z_s"
    column = np.atleast_1d(np.asarray(label)) if z_s is None else np.asarray(z_s, np.float32)
    if not column.size:
        raise ValueError("There are no labels or codes; give at least one.")
    chunks = [column[start : start + CHUNK] for start in range(0, len(column), CHUNK)]
    drawn = [
        model.generate(
            temperature=temperature, seed=seed * 1_000_003 + number, **{name: chunk}
        ).numpy()
        for number, chunk in enumerate(chunks)
    ]
    return as_pixels(np.concatenate(drawn))


def reconstruct(model, x: np.ndarray) -> np.ndarray:
    """Encodes and decodes, with z_u at its posterior mean.

    Args:
        model: DisentangledVAE.
        x: array [n, *shape].

    Returns:
        array [n, *shape].

    Examples:
        >>> from dvae_tf import DisentangledVAE
        >>> reconstruct(DisentangledVAE((2,), 3, preset="toy"), np.zeros((4, 2))).shape
        (4, 2)
    """
    codes = encode(model, x)
    return decode(model, codes.z_s, codes.z_u_mean)


def classify(model, x: np.ndarray) -> np.ndarray:
    """The class posterior of the mixture.

    Args:
        model: DisentangledVAE.
        x: array [n, *shape].

    Returns:
        float32 array [n, num_classes], probabilities.

    Examples:
        >>> from dvae_tf import DisentangledVAE
        >>> classify(DisentangledVAE((2,), 3, preset="toy"), np.zeros((4, 2))).shape
        (4, 3)
    """
    return in_chunks(model.classify, _taken(model, x))


def swap(model, x_s: np.ndarray, x_u: np.ndarray) -> np.ndarray:
    """Combines the class of each example of one set with the style of each example of another.

    Args:
        model: DisentangledVAE.
        x_s: array [n, *shape], donors of z_s: the class.
        x_u: array [m, *shape], donors of z_u: pose, style and all else.

    Returns:
        array [n, m, *shape]: entry (i, j) has z_s of x_s[i] and z_u of x_u[j].

    Examples:
        >>> from dvae_tf import DisentangledVAE
        >>> swap(DisentangledVAE((2,), 3, preset="toy"), np.zeros((4, 2)), np.zeros((5, 2))).shape
        (4, 5, 2)
    """
    return swap_code(model, encode(model, x_s).z_s, x_u)


def swap_code(model, z_s: np.ndarray, x_u: np.ndarray) -> np.ndarray:
    """Combines codes of classes with the style of each example of a set.

    Args:
        model: DisentangledVAE.
        z_s: float array [n, latent_dim_s], such as results of `model.class_code`, stacked.
        x_u: array [m, *shape], donors of z_u.

    Returns:
        array [n, m, *shape].

    Examples:
        >>> from dvae_tf import DisentangledVAE
        >>> model = DisentangledVAE((2,), 3, preset="toy")
        >>> swap_code(model, np.zeros((1, 2)), np.zeros((5, 2))).shape
        (1, 5, 2)
    """
    z_s, z_u = np.asarray(z_s, np.float32), encode(model, x_u).z_u_mean
    if z_s.ndim != 2:
        raise ValueError(f"z_s has shape {z_s.shape}; give [n, {model.latent_dim_s}].")
    shape = (len(z_s), len(z_u))
    z_s = np.broadcast_to(z_s[:, np.newaxis], (*shape, z_s.shape[1]))
    z_u = np.broadcast_to(z_u[np.newaxis], (*shape, z_u.shape[1]))
    return _decode_grid(model, z_s, z_u)


def swap_pairs(model, x_s: np.ndarray, x_u: np.ndarray) -> np.ndarray:
    """Swaps pair by pair, for long lists.

    Args:
        model: DisentangledVAE.
        x_s, x_u: arrays [n, *shape], donors of z_s and of z_u.

    Returns:
        array [n, *shape].

    Raises:
        ValueError: if their numbers differ.

    Examples:
        >>> from dvae_tf import DisentangledVAE
        >>> model = DisentangledVAE((2,), 3, preset="toy")
        >>> swap_pairs(model, np.zeros((4, 2)), np.ones((4, 2))).shape
        (4, 2)
    """
    _expect_as_many(x_s=x_s, x_u=x_u)
    return decode(model, encode(model, x_s).z_s, encode(model, x_u).z_u_mean)


def interpolate_class(
    model,
    start: npt.ArrayLike,
    stop: npt.ArrayLike,
    x: np.ndarray,
    steps: int = 8,
    path: str = "straight",
) -> np.ndarray:
    """Interpolates z_s from class to class, with z_u fixed.

    Args:
        model: DisentangledVAE.
        start, stop: int arrays [n], the classes between whose means to interpolate; or float arrays
            [n, latent_dim_s], codes of classes such as results of `model.class_code`, stacked.
        x: array [n, *shape], donors of z_u.
        steps: int, examples per interpolation, both ends included. Defaults to 8.
        path: str, "straight" or "spherical". Defaults to "straight".

    Returns:
        array [n, steps, *shape].

    Raises:
        ValueError: if `steps` is below 2, a label is outside [0, num_classes), or the path is
            unknown.

    Examples:
        >>> from dvae_tf import DisentangledVAE
        >>> model = DisentangledVAE((2,), 3, preset="toy")
        >>> interpolate_class(model, [0], [1], np.zeros((1, 2)), steps=5).shape
        (1, 5, 2)
    """
    start, stop = (_class_codes(model, of_class) for of_class in (start, stop))
    _expect_as_many(start=start, stop=stop, x=x)
    z_s = _interpolated(start, stop, steps, path)
    z_u = np.repeat(encode(model, x).z_u_mean[:, np.newaxis], steps, axis=1)
    return _decode_grid(model, z_s, z_u)


def interpolate_style(
    model, x_start: np.ndarray, x_stop: np.ndarray, steps: int = 8, path: str = "straight"
) -> np.ndarray:
    """Interpolates z_u from one example to another, with z_s of the first.

    Args:
        model: DisentangledVAE.
        x_start, x_stop: arrays [n, *shape].
        steps: int, examples per interpolation, both ends included. Defaults to 8.
        path: str, "straight" or "spherical": the latter stays where a Gaussian of many dimensions
            has its mass. Defaults to "straight".

    Returns:
        array [n, steps, *shape].

    Raises:
        ValueError: if `steps` is below 2 or the path is unknown.

    Examples:
        >>> from dvae_tf import DisentangledVAE
        >>> model = DisentangledVAE((2,), 3, preset="toy")
        >>> interpolate_style(model, np.zeros((1, 2)), np.ones((1, 2)), steps=5).shape
        (1, 5, 2)
    """
    _expect_as_many(x_start=x_start, x_stop=x_stop)
    codes = encode(model, x_start)
    z_u = _interpolated(codes.z_u_mean, encode(model, x_stop).z_u_mean, steps, path)
    return _decode_grid(model, np.repeat(codes.z_s[:, np.newaxis], steps, axis=1), z_u)


def traverse(model, x: np.ndarray, dimension: int, values: np.ndarray) -> np.ndarray:
    """Sets one dimension of z_u to several values and keeps all else as encoded.

    Args:
        model: DisentangledVAE.
        x: array [n, *shape].
        dimension: int in [0, latent_dim_u).
        values: float array [steps], such as np.linspace(-3, 3, 7): the prior's deviation is 1.

    Returns:
        array [n, steps, *shape].

    Raises:
        ValueError: if the dimension is outside [0, latent_dim_u).

    Examples:
        >>> from dvae_tf import DisentangledVAE
        >>> traverse(DisentangledVAE((2,), 3, preset="toy"), np.zeros((4, 2)), 1, [-1, 0, 1]).shape
        (4, 3, 2)
    """
    dimension = whole_number("dimension", dimension, 0, model.latent_dim_u - 1)
    values = np.asarray(values, np.float32)
    if values.ndim != 1 or not len(values) or not np.isfinite(values).all():
        raise ValueError(f"The values of z_u are {values}; give a list of finite ones.")
    codes = encode(model, x)
    z_s = np.repeat(codes.z_s[:, np.newaxis], len(values), axis=1)
    z_u = np.repeat(codes.z_u_mean[:, np.newaxis], len(values), axis=1)
    z_u[:, :, dimension] = values
    return _decode_grid(model, z_s, z_u)


def inpaint(model, x: np.ndarray, mask: np.ndarray, iterations: int = 10) -> np.ndarray:
    """Fills a hole: encodes, decodes, replaces only the hole, and repeats.

    Zheng & Sun (CVPR 2019), section 4: one iteration. The hole starts at 0, the middle of the
    range.

    Args:
        model: DisentangledVAE.
        x: array [n, *shape]; the values in the hole are ignored.
        mask: bool array, True in the hole: [height, width] or [*shape] for all examples alike, or
            one of these for each example.
        iterations: int >= 1. Defaults to 10.

    Returns:
        array [n, *shape], equal to x outside the hole.

    Raises:
        ValueError: if the mask does not fit or `iterations` is below 1.

    Examples:
        >>> from dvae_tf import DisentangledVAE
        >>> model = DisentangledVAE((8, 8, 1), 3)
        >>> mask = np.zeros((8, 8), bool)
        >>> mask[2:5, 2:5] = True
        >>> inpaint(model, np.zeros((4, 8, 8, 1), np.uint8), mask).shape
        (4, 8, 8, 1)
    """
    iterations = whole_number("iterations", iterations, 1)
    x = check_x("the input", x)
    mask = _fitting_mask(mask, x.shape)
    filled = np.where(mask, np.float32(0.0), as_floats(x))
    for _ in range(iterations):
        codes = encode(model, filled)
        filled = np.where(mask, in_chunks(model.decode, codes.z_s, codes.z_u_mean), filled)
    return np.where(mask, as_pixels(filled), as_pixels(x) if x.ndim >= 4 else x)


def nearest(x: np.ndarray, among: np.ndarray, count: int = 1):
    """Finds the nearest examples in a set, such as the training images nearest to a sample.

    Args:
        x: array [n, *shape].
        among: array [m, *shape].
        count: int, how many neighbours. Defaults to 1.

    Returns:
        Nearest(index int array [n, count], distance float array [n, count]): the distance is the
        root mean squared difference, values in the package's range.

    Raises:
        ValueError: if `count` is below 1 or above m.

    Examples:
        >>> found = nearest(np.array([[0.9]]), np.array([[0.0], [1.0]]))
        >>> found.index.tolist(), found.distance.round(3).tolist()
        ([[1]], [[0.1]])
    """
    count = whole_number("count", count, 1, len(among))
    x, among = as_floats(x), as_floats(among)
    if x.shape[1:] != among.shape[1:]:
        raise ValueError(f"The shapes {x.shape[1:]} and {among.shape[1:]} differ; make them alike.")
    x, among = (values.reshape(len(values), -1) for values in (x, among))
    finder = NearestNeighbors(n_neighbors=count, algorithm="brute").fit(among)
    distance, index = finder.kneighbors(x)
    return Nearest(index, distance / np.sqrt(x.shape[1]))


def encode(model, x: np.ndarray, label: npt.ArrayLike | None = None):
    """The codes of many examples.

    Args:
        model: DisentangledVAE.
        x: array [n, *shape].
        label: int array [n], the classes where they are known, else -1: see `model.encode`.
            Defaults to the predicted classes.

    Returns:
        dvae_tf.models.Codes(z_s, z_u_mean, z_u_stddev) of float32 arrays [n, latent].

    Examples:
        >>> from dvae_tf import DisentangledVAE
        >>> encode(DisentangledVAE((2,), 3, preset="toy"), np.zeros((4, 2))).z_s.shape
        (4, 2)
    """
    x = _taken(model, x)
    if label is None:
        return in_chunks(model.encode, x)
    label = np.asarray(label, np.int32)
    _expect_as_many(x=x, label=label)
    return in_chunks(model.encode, x, label)


def decode(model, z_s: np.ndarray, z_u: np.ndarray) -> np.ndarray:
    """Decodes many pairs of codes.

    Args:
        model: DisentangledVAE.
        z_s: float array [n, latent_dim_s].
        z_u: float array [n, latent_dim_u].

    Returns:
        array [n, *shape].

    Examples:
        >>> from dvae_tf import DisentangledVAE
        >>> decode(DisentangledVAE((2,), 3, preset="toy"), np.zeros((4, 2)), np.zeros((4, 2))).shape
        (4, 2)
    """
    z_s, z_u = np.asarray(z_s), np.asarray(z_u)
    _expect_as_many(z_s=z_s, z_u=z_u)
    if not len(z_s):
        raise ValueError("There are no codes; give at least one pair.")
    return as_pixels(in_chunks(model.decode, z_s, z_u))


def _taken(model, x):
    """A user's examples in the package's range; of a table, a pandas.DataFrame too."""
    return as_floats(model.as_rows(x))


def _decode_grid(model, z_s, z_u):
    """Decodes codes [rows, columns, latent] into [rows, columns, *shape]."""
    rows, columns = z_s.shape[:2]
    flat = (code.reshape(rows * columns, -1) for code in (z_s, z_u))
    decoded = decode(model, *flat)
    return decoded.reshape(rows, columns, *decoded.shape[1:])


def _class_codes(model, classes):
    """The codes of classes that are given by label, or as codes: float array [n, latent_dim_s]."""
    classes = np.asarray(classes)
    codes = classes.ndim == 2 and np.issubdtype(classes.dtype, np.floating)
    if classes.ndim > 1 and not (codes and classes.shape[1] == model.latent_dim_s):
        raise ValueError(
            f"The classes have shape {classes.shape} and dtype {classes.dtype}; give labels, "
            f"integers [n], or codes, floats [n, {model.latent_dim_s}]."
        )
    if codes:
        return classes.astype(np.float32)
    means = np.asarray(model.prior_s.means)
    for label in np.ravel(classes):
        if not isinstance(label, np.integer) or not 0 <= label < len(means):
            raise ValueError(f"label {label} is no integer in [0, {len(means)}).")
    return means[np.atleast_1d(classes)]


def _interpolated(start, stop, steps, path):
    """Codes between start and stop [n, latent]: an array [n, steps, latent]."""
    steps = whole_number("steps", steps, 2)
    if path not in ("straight", "spherical"):
        raise ValueError(f"No path is called {path!r}; choose straight or spherical.")
    t = np.linspace(0.0, 1.0, steps, dtype=np.float32)[:, np.newaxis]
    start, stop = start[:, np.newaxis], stop[:, np.newaxis]
    if path == "straight":
        return (1.0 - t) * start + t * stop
    lengths = np.linalg.norm(start, axis=-1) * np.linalg.norm(stop, axis=-1)
    cosine = np.sum(start * stop, axis=-1) / np.maximum(lengths, 1e-12)
    angle = np.arccos(np.clip(cosine, -1.0, 1.0))[..., np.newaxis]
    sine = np.sin(angle)
    # Codes in the same or opposite directions span no plane to rotate in: interpolate linearly.
    flat = sine < 1e-4
    sine = np.where(flat, 1.0, sine)
    first = np.where(flat, 1.0 - t, np.sin((1.0 - t) * angle) / sine)
    return first * start + np.where(flat, t, np.sin(t * angle) / sine) * stop


def _expect_as_many(**columns):
    """Refuses columns of different lengths: one entry of each belongs to one result."""
    if len(set(map(len, columns.values()))) > 1:
        found = " and ".join(f"{len(column)} {name}" for name, column in columns.items())
        raise ValueError(f"There are {found}; give as many of each.")


def _fitting_mask(mask, shape):
    """Checks a mask and adds the channel axis if it is missing."""
    mask = np.asarray(mask)
    wanted = [shape[1:], shape]
    if len(shape) == 4:
        wanted = [shape[1:3], shape[:3], *wanted]
    if mask.dtype != bool or mask.shape not in wanted:
        raise ValueError(
            f"mask has dtype {mask.dtype} and shape {mask.shape}; give bool of shape "
            f"{' or '.join(map(str, wanted))}, True in the hole."
        )
    return mask[..., np.newaxis] if mask.shape in wanted[:-2] else mask
