"""How often judges of different families give examples the class that they should have."""

from collections.abc import Mapping

import numpy as np
import scipy.ndimage

from dvae_tf.data.pixels import as_floats
from dvae_tf.evaluation.estimate import Estimate

# The deviation of the blur, in pixels and as a share of the longer side, whichever is more.
BLUR_PIXELS, BLUR_SHARE = 0.5, 0.02


def blurred(x: np.ndarray) -> np.ndarray:
    """Blurs images slightly.

    With a Gaussian whose deviation is 2 % of the longer side, at least half a pixel. What shows a
    class shows it blurred too; a pattern of single pixels that pleases a network is gone.

    Args:
        x: array [n, height, width, channels], uint8 or floats in [-1, 1].

    Returns:
        float32 array of that shape.

    Examples:
        >>> flat = np.full((1, 8, 8, 1), 0.5, np.float32)
        >>> bool(np.allclose(blurred(flat), flat))
        True
    """
    width = max(BLUR_PIXELS, BLUR_SHARE * max(x.shape[1:3]))
    return scipy.ndimage.gaussian_filter(as_floats(x), (0, width, width, 0), mode="nearest")


def agreements(judges: Mapping, x: np.ndarray, label: np.ndarray) -> dict[str, dict[str, Estimate]]:
    """The share of examples that each judge gives the wanted class, as they are and blurred.

    Args:
        judges: mapping of name to Judge.
        x: array [n, *shape].
        label: int array [n], the wanted classes.

    Returns:
        dict of name to dict of "plain" and, for images, "blurred" to Estimate.
    """
    views = {"plain": x} | ({"blurred": blurred(x)} if x.ndim == 4 else {})
    return {
        name: {view: judge.accuracy(seen, label) for view, seen in views.items()}
        for name, judge in judges.items()
    }


def lowest(found: Mapping[str, Mapping[str, Estimate]]) -> Estimate:
    """The smallest of all shares.

    Args:
        found: mapping as from `agreements`.

    Returns:
        Estimate.

    Examples:
        >>> low, high = Estimate(0.1, 0.0, 0.2, 9), Estimate(0.9, 0.8, 1.0, 9)
        >>> lowest({"first": {"plain": high}, "second": {"plain": low}}).value
        0.1
    """
    return min((value for views in found.values() for value in views.values()), key=lambda e: e[0])
