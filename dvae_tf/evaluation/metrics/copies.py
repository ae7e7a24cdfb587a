"""Whether a model copies its training data, moved, mirrored or dimmed copies included."""

import itertools

import numpy as np
from sklearn.neighbors import NearestNeighbors

from dvae_tf.data.pixels import as_floats
from dvae_tf.evaluation.estimate import mean_estimate
from dvae_tf.tasks import nearest

CLOSEST_SHARE = 0.05
# Nearer than this, in deviations of the training data, is the same example but for rounding.
DUPLICATE = 1e-4
# Images are compared at shifts of up to so many pixels, at most an eighth of their side.
LARGEST_SHIFT = 2
# Candidates are sought among images of about so many pixels a side, so many for each shift.
COARSE_SIDE = 8
CANDIDATES = 5
# Images that deviate less have no contrast to bring to 1.
FLAT = 1e-3
# The distance of two images of deviation 1 that do not correlate.
UNRELATED = np.sqrt(2.0)


def copies(samples: np.ndarray, held_out: np.ndarray, train: np.ndarray, embed=None) -> dict:
    """Compares how near samples and held-out examples are to the training set.

    Samples of a model that generalises are as near as held-out examples; copies are nearer.

    Args:
        samples: array [n, *shape] of the model.
        held_out: array [m, *shape] that the model has not seen.
        train: array [k, *shape] that it was trained on.
        embed: function x -> features [n, features]. Defaults to none: features are not compared.

    Returns:
        dict of Estimate: "samples" and "held_out", the distance to the nearest training example as
        `nearest_moved` measures it; "suspect_share", the share of samples that are nearer than
        the nearest 5 % of held-out examples: 0.05 if nothing is copied, 1 if everything is;
        "duplicates", the share of held-out examples that are training examples themselves, and
        are not compared with ("suspect_share" is left out if all are). With `embed`, "features"
        holds the same four of the features.

    Examples:
        >>> train = np.arange(20.0)[:, np.newaxis]
        >>> copies(train[:5], train + 0.4, train)["suspect_share"].value
        1.0
    """
    near = [nearest_moved(x, train) for x in (samples, held_out)]
    scale = 1.0 if train.ndim == 4 else as_floats(train).std()
    found: dict = _compared(near[0], near[1], scale)
    if embed:
        known = embed(train)
        scale = np.sqrt(known.shape[1])
        near = [_neighbours(embed(x), known, 1)[0][:, 0] / scale for x in (samples, held_out)]
        found["features"] = _compared(near[0], near[1], known.std())
    return found


def _compared(near, near_held_out, scale):
    same = near_held_out <= DUPLICATE * scale
    found = {
        "samples": mean_estimate(near),
        "held_out": mean_estimate(near_held_out),
        "duplicates": mean_estimate(same),
    }
    if not same.all():
        threshold = np.quantile(near_held_out[~same], CLOSEST_SHARE)
        found["suspect_share"] = mean_estimate(near < threshold)
    return found


def nearest_moved(x: np.ndarray, among: np.ndarray) -> np.ndarray:
    """The distance of each example to the nearest of a set, wherever it was moved to.

    Images are compared at all shifts of up to two pixels (one pixel where the shorter side is below
    16, none below 8), as they are and mirrored along either axis, on the part that all shifts show,
    and with brightness and contrast set alike. The nearest are sought among coarse copies first.

    Args:
        x: array [n, *shape].
        among: array [m, *shape].

    Returns:
        float array [n], the root mean squared difference: of images with a mean of 0 and a
        deviation of 1 each, else of the values themselves.

    Examples:
        >>> image = np.random.default_rng(0).uniform(-1, 1, (1, 16, 16, 1)).astype(np.float32)
        >>> moved = 0.5 * np.roll(image, (1, -2), axis=(1, 2))[:, :, ::-1]
        >>> bool(nearest_moved(moved, image)[0] < 1e-6)
        True
    """
    if x.ndim != 4:
        return nearest(x, among).distance[:, 0]
    x, among = as_floats(x), as_floats(among)
    reach = min(LARGEST_SHIFT, min(x.shape[1:3]) // 8)
    among = _standardised(_window(among, reach, 0, 0))
    coarse = _coarse(among)
    ends = [*itertools.product(sorted({-reach, 0, reach}), repeat=2)]
    everywhere = [*itertools.product(range(-reach, reach + 1), repeat=2)]
    candidates = np.concatenate(
        [
            _neighbours(_coarse(view), coarse, min(CANDIDATES, len(among)))[1]
            for view in _views(x, reach, ends)
        ],
        axis=1,
    )
    views = np.stack(list(_views(x, reach, everywhere)), axis=1)
    views = views.reshape(*views.shape[:2], -1)
    among = among.reshape(len(among), -1)
    found = np.array(
        [_closest(own, among[rows]) for own, rows in zip(views, candidates, strict=True)]
    )
    # One without contrast is as far as one that has nothing to do with any.
    return np.where(views.any(axis=(1, 2)), found, UNRELATED)


def _neighbours(points, among, count):
    """Distances to, and indices of, the nearest rows of an array."""
    finder = NearestNeighbors(n_neighbors=count, algorithm="brute").fit(among)
    return finder.kneighbors(points)


def _closest(views, candidates):
    """The root mean squared difference of the closest pair of a view and a candidate."""
    # The square expanded is fast and finds the pair; its own difference is exact.
    square = np.sum(views**2, axis=1)[:, np.newaxis] + np.sum(candidates**2, axis=1)
    view, row = np.unravel_index(np.argmin(square - 2.0 * views @ candidates.T), square.shape)
    return np.sqrt(np.mean((views[view] - candidates[row]) ** 2))


def _views(x, reach, shifts):
    """Images as they are and mirrored, at each shift: the part that all shifts show."""
    for images in (x, x[:, :, ::-1], x[:, ::-1]):
        for down, right in shifts:
            yield _standardised(_window(images, reach, down, right))


def _standardised(images):
    """Images with a mean of 0 and a deviation of 1 each; 0 where all pixels are the same."""
    axes = (1, 2, 3)
    centred = images - images.mean(axis=axes, keepdims=True)
    deviation = centred.std(axis=axes, keepdims=True)
    return np.divide(centred, deviation, out=np.zeros_like(centred), where=deviation > FLAT)


def _window(images, reach, down, right):
    height, width = images.shape[1:3]
    rows = slice(reach + down, height - reach + down)
    return images[:, rows, reach + right : width - reach + right]


def _coarse(images):
    """The means of blocks of pixels, one row per image."""
    count, height, width, channels = images.shape
    block = max(1, round(min(height, width) / COARSE_SIDE))
    rows, columns = height // block, width // block
    images = images[:, : rows * block, : columns * block]
    blocks = images.reshape(count, rows, block, columns, block, channels)
    return blocks.mean(axis=(2, 4)).reshape(count, -1)
