"""What several metrics compute from one subject, cached when first needed."""

import functools
from typing import Any, NamedTuple

import numpy as np

from dvae_tf.data.examples import Arrays, Info
from dvae_tf.evaluation.judge import Judge, NeighboursJudge, train_judge, train_second_judge
from dvae_tf.evaluation.subject import Subject

# The number of samples and of swaps that the judge classifies.
DRAWS = 1000
# The most training examples whose codes probes learn from.
MOST_TRAINING_CODES = 50_000


class Swaps(NamedTuple):
    """Decoded pairs of codes of test examples, drawn at random with replacement.

    Args:
        donor_s, donor_u: int arrays [n], indices of the test examples that z_s and z_u come from.
        x: array [n, *shape], the decoded pairs.
    """

    donor_s: np.ndarray
    donor_u: np.ndarray
    x: np.ndarray


def kinds_of_z_u(codes, seed: int = 0) -> dict[str, np.ndarray]:
    """The two kinds of z_u that metrics look at.

    Args:
        codes: Codes of n examples.
        seed: int, for the noise. Defaults to 0. Examples in the same row get the same noise.

    Returns:
        dict of "mean", the posterior means, and "sample", one posterior sample each, to float
        array [n, latent].

    Raises:
        ValueError: if a code is NaN or infinite.

    Examples:
        >>> from dvae_tf.models import Codes
        >>> kinds = kinds_of_z_u(Codes(np.ones((2, 1)), np.ones((2, 3)), np.zeros((2, 3))))
        >>> bool((kinds["sample"] == kinds["mean"]).all())
        True
    """
    noise = np.random.default_rng(seed).normal(size=codes.z_u_mean.shape).astype(np.float32)
    sample = codes.z_u_mean + codes.z_u_stddev * noise
    if not np.isfinite(sample).all():
        raise ValueError(
            "z_u of some examples is NaN or infinite, so that nothing can be measured on it. Train "
            "the model anew, with a smaller learning rate."
        )
    return {"mean": codes.z_u_mean, "sample": sample}


class Bench:
    """A subject, the data that it is measured on, and what several metrics compute from both.

    Args:
        subject: Subject.
        train: Arrays, the real examples that the judge and the probes are trained on.
        test: Arrays, held-out examples.
        info: Info of the data.
        seed: int, for samples, swaps, splits and classifiers. Defaults to 0.

    Examples:
        >>> from dvae_tf import data
        >>> test, info = data.load_arrays("three_moons", "test", count=30)
        >>> subject = Subject(classify=lambda x: np.eye(3)[test.label])
        >>> bench = Bench(subject, test, test, info)
        >>> bool((bench.predicted == test.label).all())
        True
    """

    def __init__(self, subject: Subject, train: Arrays, test: Arrays, info: Info, seed: int = 0):
        # Any: a metric declares which functions it needs, so that none of them is None.
        self.subject: Any = subject
        self.train, self.test = train, test
        self.info, self.seed = info, seed

    @functools.cached_property
    def judge(self) -> Judge:
        """Judge, trained on the training split."""
        return train_judge(self.train.x, self.train.label, self.info.num_classes, self.seed)

    @functools.cached_property
    def judges(self) -> dict[str, Judge | NeighboursJudge]:
        """`judge` ("first") and one of another family ("second"), trained on the same data."""
        second = train_second_judge(
            self.train.x, self.train.label, self.info.num_classes, self.seed
        )
        return {"first": self.judge, "second": second}

    @functools.cached_property
    def codes(self):
        """Codes of the test examples."""
        return self.subject.encode(self.test.x)

    @functools.cached_property
    def z_u(self) -> dict[str, np.ndarray]:
        """Means and samples of z_u of the test examples, as from `kinds_of_z_u`."""
        return kinds_of_z_u(self.codes, self.seed)

    @functools.cached_property
    def learnt(self) -> Arrays:
        """Training examples whose codes probes learn from: all, or 50,000 drawn at random."""
        count = len(self.train.label)
        if count <= MOST_TRAINING_CODES:
            return self.train
        chosen = np.random.default_rng(self.seed).choice(count, MOST_TRAINING_CODES, replace=False)
        factors = self.train.factors
        return Arrays(
            self.train.x[chosen],
            self.train.label[chosen],
            None if factors is None else factors[chosen],
        )

    @functools.cached_property
    def learnt_codes(self):
        """Codes of `learnt`."""
        return self.subject.encode(self.learnt.x)

    @functools.cached_property
    def learnt_z_u(self) -> dict[str, np.ndarray]:
        """Means and samples of z_u of `learnt`, as from `kinds_of_z_u`, with noise of their own."""
        return kinds_of_z_u(self.learnt_codes, self.seed + 1)

    @functools.cached_property
    def probabilities(self) -> np.ndarray:
        """float array [n, C], the mixture posterior of z_s of the test examples."""
        return self.subject.classify(self.test.x)

    @property
    def predicted(self) -> np.ndarray:
        """int array [n], the class predicted from z_s of each test example."""
        return np.argmax(self.probabilities, axis=-1)

    @functools.cached_property
    def swaps(self) -> Swaps:
        """Swaps of 1,000 random pairs of test examples."""
        random = np.random.default_rng(self.seed)
        donor_s, donor_u = random.integers(0, len(self.test.label), (2, DRAWS))
        z_s, z_u = self.codes.z_s[donor_s], self.codes.z_u_mean[donor_u]
        return Swaps(donor_s, donor_u, self.subject.decode(z_s, z_u))
