"""Whether a swap has the class of one input and the style of another."""

from collections.abc import Sequence

import numpy as np

from dvae_tf.evaluation.bench import Bench
from dvae_tf.evaluation.estimate import Estimate, mean_estimate, resampled_estimate
from dvae_tf.evaluation.judge import train_factor_regressor
from dvae_tf.evaluation.metric import Metric, Row
from dvae_tf.evaluation.metrics.agreement import agreements, lowest


def style_distance(mean: np.ndarray, kept_mean: np.ndarray) -> Estimate:
    """How much of z_u is lost when a swap is decoded and encoded again.

    |E_U(swap) - z_u of its donor|, divided by the distance of the z_u of two donors, by means or by
    medians, whichever is more: a few donors far from all others would else hide what the rest lose.
    0 where style is kept, 1 where it is that of any other donor, or where all donors have the same
    z_u, so that there is no style to keep.

    Args:
        mean: float array [n, latent], z_u of the donors.
        kept_mean: float array [n, latent], z_u of the swaps, encoded again.

    Returns:
        Estimate.

    Examples:
        >>> z_u = np.random.default_rng(0).normal(size=(6, 2))
        >>> style_distance(z_u, z_u).value
        0.0
    """
    others = np.linalg.norm(mean - np.roll(mean, 1, axis=0), axis=-1)
    lost = np.linalg.norm(kept_mean - mean, axis=-1)
    if np.median(others) == 0.0:
        return mean_estimate(np.ones(len(mean)))
    by_mean = mean_estimate(lost / others.mean())
    by_median = resampled_estimate(
        lambda rows: np.median(lost[rows]) / np.median(others), len(lost)
    )
    return max(by_mean, by_median, key=lambda found: found.value)


def factor_errors(
    predicted: np.ndarray,
    predicted_of_donors: np.ndarray,
    factors: np.ndarray,
    names: Sequence[str],
) -> dict:
    """Errors of the factors of swaps, compared with those of the donors of z_u.

    Args:
        predicted: float array [n, factors], an independent regressor's predictions for the swaps.
        predicted_of_donors: float array [n, factors], the same for the donors of z_u themselves.
        factors: float array [n, factors], the true values of the donors.
        names: sequence of str.

    Returns:
        dict of factor name to dict of "swaps" and "donors", Estimates: the mean absolute error in
        standard deviations of the factor; for the donors it is the regressor's own error.

    Examples:
        >>> truth = np.array([[0.0], [2.0]])
        >>> factor_errors(truth + 1.0, truth, truth, ["x"])["x"]["swaps"].value
        1.0
    """
    scale = factors.std(axis=0)
    return {
        name: {
            "swaps": mean_estimate(np.abs(predicted - factors)[:, column] / scale[column]),
            "donors": mean_estimate(
                np.abs(predicted_of_donors - factors)[:, column] / scale[column]
            ),
        }
        for column, name in enumerate(names)
    }


def _measure(bench: Bench) -> dict:
    donor_s, donor_u, x = bench.swaps
    donor_mean = bench.codes.z_u_mean[donor_u]
    agreement = agreements(bench.judges, x, bench.predicted[donor_s])
    reconstructions = bench.subject.decode(bench.codes.z_s[donor_u], donor_mean)

    def lost(pictures):
        return style_distance(donor_mean, bench.subject.encode(pictures).z_u_mean)

    found = {
        "swap_consistency": bench.judge.accuracy(x, bench.test.label[donor_s]),
        "swap_agreement": lowest(agreement),
        "swap_agreement_by": agreement,
        "swap_style_distance": lost(x),
        "swap_style_distance_floor": lost(reconstructions),
    }
    if "continuous" in bench.info.factor_kinds and bench.info.is_image:
        found["swap_factor_error"] = _factor_errors(bench)
    return found


def _factor_errors(bench):
    _, donor_u, x = bench.swaps
    columns = [at for at, kind in enumerate(bench.info.factor_kinds) if kind == "continuous"]
    regressor = train_factor_regressor(bench.train.x, bench.train.factors[:, columns], bench.seed)
    return factor_errors(
        regressor.predict(x),
        regressor.predict(bench.test.x[donor_u]),
        bench.test.factors[donor_u][:, columns],
        [bench.info.factor_names[at] for at in columns],
    )


METRIC = Metric(
    name="swap",
    group="Reconstructions and swaps",
    needs=("encode", "decode", "classify"),
    quick=True,
    measure=_measure,
    meanings={
        "swap_consistency": "share of 1,000 swaps that the judge classifies as the true class of "
        "the donor of z_s",
        "swap_agreement": "share of them classified as the class predicted from z_s, whether that "
        "is the true one or not: by two judges of different families, on the swaps as they are and "
        "slightly blurred, the lowest of these",
        "swap_agreement_by.*.plain": "the same by this judge",
        "swap_agreement_by.*.blurred": "the same by this judge, on blurred swaps; for real images "
        "see `judge_accuracies`",
        "swap_style_distance": "distance of the swap's z_u, encoded again, to its donor's z_u, "
        "divided by the distance of two test examples (of means and medians the larger): 0 where "
        "style is kept, 1 where it is lost. The model's own encoder measures it: no evidence "
        "against a decoder that hides z_u where nobody sees it",
        "swap_style_distance_floor": "the same of reconstructions of the donors: what encoding "
        "again costs by itself",
        "swap_factor_error.*.swaps": "mean absolute difference of this factor in swaps, as an "
        "independent regressor predicts it, to its true value in the donor of z_u, in standard "
        "deviations of the factor",
        "swap_factor_error.*.donors": "the same in the donors themselves: the regressor's own "
        "error",
    },
    rows=(
        Row("swap_consistency", "swaps of the donor's true class ↑"),
        Row("swap_agreement", "swaps of the class predicted from z_s, lowest of two judges ↑"),
        Row("swap_style_distance", "style lost in swaps ↓"),
        Row("swap_style_distance_floor", "style lost in reconstructions, the floor of that ↓"),
    ),
    card={"swap_consistency": "swaps that the judge classifies as the class of the donor of z_s"},
)
