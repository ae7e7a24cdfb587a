"""What each key of a report says, in one line."""

import fnmatch

# Group title: {pattern of dotted keys: meaning}.
MEANINGS = {
    "The class in z_s": {
        "zs_accuracy": "share of test examples whose class the mixture posterior p(c | z_s) names",
        "zs_calibration_error": "expected calibration error of p(c | z_s), 15 bins; 0 is best",
        "mi_zs_label_nats": "lower bound H(c) + E log p(c | z_s) of the mutual information of z_s "
        "and the class; at most H(c)",
    },
    "The class in z_u": {
        "zu_leakage.mean.mlp": "accuracy of a fresh MLP on posterior means of z_u",
        "zu_leakage.mean.knn": "the same of 20 nearest neighbours",
        "zu_leakage.mean.gbdt": "the same of boosted trees",
        "zu_leakage.sample.mlp": "accuracy of a fresh MLP on posterior samples of z_u",
        "zu_leakage.sample.knn": "the same of 20 nearest neighbours",
        "zu_leakage.sample.gbdt": "the same of boosted trees",
        "zu_leakage.chance": "1 / C, what guessing gets",
        "zu_leakage.majority": "share of the most frequent class, what always naming it gets",
    },
    "Whether z_u is alive": {
        "zu_alive.active_units": "dimensions whose posterior mean has a variance above 0.01",
        "zu_alive.dimensions": "dimensions of z_u",
        "zu_alive.kl_nats": "KL(q(z_u | x) : N(0, I)), summed over the dimensions",
        "zu_alive.kl_per_dimension_nats": "the same of each dimension",
        "zu_alive.reconstruction_mse.true": "reconstruction error with the image's own z_u",
        "zu_alive.reconstruction_mse.prior": "with z_u drawn from N(0, I): as low as that means "
        "a collapsed z_u",
        "zu_alive.reconstruction_mse.other": "with z_u of another image",
    },
    "Known factors": {
        "factors.z_s.class": "accuracy of boosted trees that read the class from z_s; wanted: 1",
        "factors.z_u.class": "the same from z_u; wanted: chance",
        "factors.z_s.*": "R^2 (categories: accuracy) of this factor, read from z_s; wanted: 0",
        "factors.z_u.*": "the same from z_u; wanted: 1",
        "factors.z_u_and_class.class": "from z_u and the class itself: 1",
        "factors.z_u_and_class.*": "this factor, read from z_u and the class together; wanted: 1. "
        "What z_u holds of a factor may be told in each class in another way",
    },
    "Reconstructions and swaps": {
        "reconstruction_mse": "mean squared error on test examples, values in [-1, 1]",
        "reconstruction_ssim": "structural similarity on test images; 1 is equal",
        "swap_consistency": "share of 1,000 swaps in which the judge names the class of the donor "
        "of z_s",
        "swap_agreement": "share of them in which the judge names the class that z_s names, right "
        "or wrong",
        "swap_style_distance": "distance of the swap's z_u to that of its donor, over that of "
        "strangers: 0 kept, 1 lost",
        "swap_factor_error.*.swaps": "mean absolute error of this factor in swaps, against the "
        "donor of z_u, in standard deviations",
        "swap_factor_error.*.donors": "the same in the donors themselves: the reader's own error",
    },
    "Samples": {
        "sample_consistency": "share of 1,000 samples in which the judge names the class asked for",
        "judge_accuracy": "the judge's own accuracy on test examples: how far its word goes",
        "arc_distance": "mean distance of 1,000 samples to the noise-free arc of their class",
        "*.fid": "Frechet distance to held-out examples, on the judge's features; 0 is best",
        "*.kid": "kernel distance to held-out examples; 0 is best",
        "*.inception_score": "exp E KL(p(y | x) : p(y)) of the judge; at most C",
        "*.precision": "share of samples within the support of held-out examples",
        "*.recall": "share of held-out examples within the support of samples",
        "*.density": "held-out balls that a sample lies in, over 5; about 1 for real data",
        "*.coverage": "share of held-out examples whose ball holds a sample",
        "*.diversity.ms_ssim": "1 - MS-SSIM of 1,000 pairs of one class; 0 for copies",
        "*.diversity.features": "distance of the judge's features of those pairs",
        "generation.copies.samples": "root mean squared difference of samples to the nearest "
        "training example",
        "generation.copies.held_out": "the same of held-out examples",
        "generation.copies.suspect_share": "share of samples nearer than the nearest 5 % of "
        "held-out examples; 0.05 where nothing is copied",
    },
    "Cost": {"training_seconds": "wall-clock time of training"},
}


def meaning(key: str):
    """Says what a figure of a report is.

    Args:
        key: str, the dotted key, such as "zu_leakage.mean.mlp".

    Returns:
        (str, str): the title of its group and its meaning.

    Raises:
        KeyError: if the key is unknown.

    Examples:
        >>> meaning("zu_leakage.chance")
        ('The class in z_u', '1 / C, what guessing gets')
    """
    for title, patterns in MEANINGS.items():
        for pattern, text in patterns.items():
            if fnmatch.fnmatchcase(key, pattern):
                return title, text
    raise KeyError(key)


def flat(figures: dict, prefix: str = "") -> dict:
    """Lists the figures of a report.

    Args:
        figures: dict, what report.json holds, or a part of it.
        prefix: str, before each key. Defaults to none.

    Returns:
        dict of dotted key to number or list, without the intervals.

    Examples:
        >>> flat({"a": {"b": 1.0}, "intervals": {}})
        {'a.b': 1.0}
    """
    found: dict = {}
    for name, value in figures.items():
        if isinstance(value, dict) and name != "intervals":
            found |= flat(value, f"{prefix}{name}.")
        elif name != "intervals":
            found[f"{prefix}{name}"] = value
    return found
