"""Whether a swap has the class of the one and the style of the other."""

from collections.abc import Sequence

import numpy as np

from dvae_tf.evaluation.estimate import mean_figure


def style_distance(mean: np.ndarray, kept_mean: np.ndarray):
    """How much of z_u is lost on the way through a swap and back.

    |E_U(swap) - z_u of its donor|, over the same distance to a stranger's z_u: 0 where style is
    kept, 1 where it is that of anybody.

    Args:
        mean: float array [n, latent], z_u of the donors.
        kept_mean: float array [n, latent], z_u of the swaps, encoded again.

    Returns:
        Figure.

    Examples:
        >>> z_u = np.random.default_rng(0).normal(size=(6, 2))
        >>> style_distance(z_u, z_u).value
        0.0
    """
    strangers = np.linalg.norm(mean - np.roll(mean, 1, axis=0), axis=-1).mean()
    return mean_figure(np.linalg.norm(kept_mean - mean, axis=-1) / max(strangers, 1e-12))


def factor_errors(
    told: np.ndarray, told_of_donors, factors: np.ndarray, names: Sequence[str]
) -> dict:
    """How far the factors of swaps are from those of the donors of z_u.

    Args:
        told: float array [n, factors], what an independent regressor reads from the swaps.
        told_of_donors: the same from the donors themselves: the regressor's own error.
        factors: float array [n, factors], the truth of the donors.
        names: sequence of str.

    Returns:
        dict of factor name to dict of "swaps" and "donors", Figures: the mean absolute error in
        standard deviations of the factor.

    Examples:
        >>> truth = np.array([[0.0], [2.0]])
        >>> factor_errors(truth + 1.0, truth, truth, ["x"])["x"]["swaps"].value
        1.0
    """
    scale = factors.std(axis=0)
    return {
        name: {
            "swaps": mean_figure(np.abs(told - factors)[:, column] / scale[column]),
            "donors": mean_figure(np.abs(told_of_donors - factors)[:, column] / scale[column]),
        }
        for column, name in enumerate(names)
    }
