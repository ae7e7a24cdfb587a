"""The quality and the diversity of samples."""

import numpy as np

from dvae_tf.data.examples import Arrays
from dvae_tf.evaluation.bench import Bench
from dvae_tf.evaluation.metric import Metric, Row
from dvae_tf.evaluation.metrics.copies import copies
from dvae_tf.evaluation.metrics.diversity import (
    feature_diversity,
    pairs_of_one_class,
    structural_diversity,
)
from dvae_tf.evaluation.metrics.frechet_distance import frechet_distance
from dvae_tf.evaluation.metrics.inception import inception, weights_file
from dvae_tf.evaluation.metrics.inception_score import inception_score
from dvae_tf.evaluation.metrics.kernel_distance import kernel_distance
from dvae_tf.evaluation.metrics.manifold import manifold

MOST_EXAMPLES = 5000
INCEPTION_EXAMPLES = 1000
PAIRS = 1000
COPIES = 500


def generation(subject, train: Arrays, test: Arrays, judge, seed: int = 0) -> dict:
    """Compares samples with held-out examples.

    There are as many samples as held-out examples (at most 5,000), of the same classes. For "real",
    real training examples take the place of the samples: what a perfect model could reach. For
    "floor", the held-out examples are cut in two halves: the distance that their number costs.

    Args:
        subject: Subject with `generate`.
        train: Arrays that the model was trained on.
        test: Arrays that it has not seen.
        judge: Judge, whose features are compared.
        seed: int, for samples and the choice of examples. Defaults to 0.

    Returns:
        dict of "samples" and "real", each a dict of Estimate (see `distances` and `diversity`),
        "floor", and "copies"; if the weights of InceptionV3 are on disk, also "inception" with
        another three.
    """
    random = np.random.default_rng(seed)
    count = min(MOST_EXAMPLES, len(test.label))
    chosen = _some(random, test, count)
    x, label = test.x[chosen], test.label[chosen]
    samples = subject.generate(label, seed)
    sets = {"held_out": x, "samples": samples, "real": train.x[_some(random, train, count)]}
    embedded = {name: judge.embed(values) for name, values in sets.items()}
    right = {name: found[1].argmax(axis=-1) == label for name, found in embedded.items()}
    found = {
        **_compared(sets, embedded, right, label),
        "copies": copies(
            samples[:COPIES], x[:COPIES], train.x, lambda pictures: judge.embed(pictures)[0]
        ),
    }
    weights = weights_file() if x.ndim == 4 else None
    if weights:
        few = slice(INCEPTION_EXAMPLES)
        sets, right = ({name: rows[few] for name, rows in of.items()} for of in (sets, right))
        embed = inception(weights)
        embedded = {name: embed(values) for name, values in sets.items()}
        found["inception"] = _compared(sets, embedded, right, label[few])
    return found


def _some(random, examples, count):
    return random.permutation(len(examples.label))[:count]


def _compared(sets, embedded, right, label):
    """Samples, real examples and the two halves of the held-out ones, by their features."""
    features, _ = embedded["held_out"]
    half = len(features) // 2
    # The classes of the real examples are not those of `label`: held-out ones have theirs.
    diverse = {"samples": "samples", "real": "held_out"}
    found = {
        name: distances(features, *embedded[name])
        | {"diversity": diversity_of_right(right[of], sets[of], embedded[of][0], label)}
        for name, of in diverse.items()
    }
    if half < 2:
        return found
    floor = frechet_distance(features[:half], features[half : 2 * half])
    return found | {"floor": {"fid": floor}}


def diversity_of_right(
    right: np.ndarray, x: np.ndarray, features: np.ndarray, label: np.ndarray
) -> dict:
    """The diversity of those examples that have the right class.

    A picture of another class differs from the rest, but that is no diversity of its class.

    Args:
        right: bool array [n], whether the judge gives the example its class.
        x: array [n, *shape].
        features: float array [n, features].
        label: int array [n].

    Returns:
        dict as from `diversity`; empty where no class has two such examples.
    """
    if np.bincount(label[right], minlength=1).max() < 2:
        return {}
    return diversity(x[right], features[right], label[right])


def distances(
    features: np.ndarray, other_features: np.ndarray, other_probabilities: np.ndarray
) -> dict:
    """Compares a set with held-out examples.

    Args:
        features: float array [n, features] of held-out examples.
        other_features: float array [m, features] of the other set.
        other_probabilities: float array [m, C], the judge's for the other set.

    Returns:
        dict of "fid", "kid", "inception_score", "precision", "recall", "density", "coverage" to
        Estimate.
    """
    return {
        "fid": frechet_distance(features, other_features),
        "kid": kernel_distance(features, other_features),
        "inception_score": inception_score(other_probabilities),
        **manifold(features, other_features),
    }


def diversity(x: np.ndarray, features: np.ndarray, label: np.ndarray, seed: int = 0) -> dict:
    """Measures how different examples of one class are, over 1,000 pairs.

    Args:
        x: array [n, *shape].
        features: float array [n, features].
        label: int array [n].
        seed: int, for the choice of pairs. Defaults to 0.

    Returns:
        dict of "features" and, for images, "ms_ssim" (1 - MS-SSIM) to Estimate.
    """
    first, second = pairs_of_one_class(label, PAIRS, seed)
    found = {"features": feature_diversity(features[first], features[second])}
    if x.ndim == 4:
        found["ms_ssim"] = structural_diversity(x[first], x[second])
    return found


def _measure(bench: Bench) -> dict:
    found = generation(bench.subject, bench.train, bench.test, bench.judge, bench.seed)
    return {"generation": found}


def _row(name, title):
    """A row with the value of samples, and that of real training examples in their place."""
    return Row(f"generation.samples.{name}", title, real=f"generation.real.{name}")


METRIC = Metric(
    name="generation",
    group="Samples",
    needs=("generate",),
    measure=_measure,
    meanings={
        "generation.*floor.fid": "the distance of two halves of the held-out examples: what is not "
        "above it is noise. Half as many examples have more noise than the other distances",
        "generation.*.fid": "Frechet distance to held-out examples, on the judge's features (under "
        "`inception` on InceptionV3's); 0 is best. The features are the judge's own, so it "
        "compares with no published FID",
        "generation.*.kid": "kernel distance to held-out examples; 0 is best",
        "generation.*.inception_score": "exp E KL(p(y | x) : p(y)) of the judge; at most C",
        "generation.*.precision": "share of samples within the support of held-out examples",
        "generation.*.recall": "share of held-out examples within the support of samples",
        "generation.*.density": "number of held-out examples' balls that a sample lies in, divided "
        "by 5; about 1 for real data",
        "generation.*.coverage": "share of held-out examples whose ball holds a sample",
        "generation.*.diversity.ms_ssim": "1 - MS-SSIM of 1,000 pairs of one class, among those "
        "that the judge gives that class; 0 for copies",
        "generation.*.diversity.features": "distance of the judge's features of those pairs",
        "generation.copies.features.suspect_share": "the share, by distances of the judge's "
        "features",
        "generation.copies.features.*": "the same distance, of the judge's features",
        "generation.copies.samples": "root mean squared difference of samples to the nearest "
        "training example; of images, at shifts of up to two pixels and mirrored",
        "generation.copies.held_out": "the same of held-out examples",
        "generation.copies.*duplicates": "share of held-out examples that are training examples, "
        "and are left out of the comparison",
        "generation.copies.suspect_share": "share of samples nearer than the nearest 5 % of "
        "held-out examples; 0.05 where nothing is copied",
    },
    rows=(
        _row("fid", "Fréchet distance ↓"),
        Row("generation.floor.fid", "Fréchet distance of two halves of real data, its noise"),
        _row("kid", "kernel distance ↓"),
        _row("inception_score", "inception-style score ↑"),
        _row("precision", "precision ↑"),
        _row("recall", "recall ↑"),
        _row("density", "density ↑"),
        _row("coverage", "coverage ↑"),
        _row("diversity.ms_ssim", "diversity within a class, 1 - MS-SSIM"),
        _row("diversity.features", "diversity within a class, features"),
        Row("generation.copies.suspect_share", "samples suspiciously near a training example"),
        Row("generation.copies.features.suspect_share", "the same by features"),
    ),
)
