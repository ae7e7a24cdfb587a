"""Samples beside real examples, and what the comparison costs by itself."""

import numpy as np
import pytest

from dvae_tf.data.examples import Arrays
from dvae_tf.evaluation import Subject
from dvae_tf.evaluation.metrics.generation import generation

FEATURES, COUNT = 8, 1000


class Judge:
    """A judge whose features are the example itself and who is always sure of class 0."""

    def embed(self, x):
        return x, np.eye(2)[np.zeros(len(x), int)]


def normal(seed, mean=0.0):
    x = np.random.default_rng(seed).normal(mean, size=(COUNT, FEATURES)).astype(np.float32)
    return Arrays(x, np.zeros(COUNT, np.int32))


def found(mean):
    subject = Subject(generate=lambda label, seed: normal(3, mean).x[: len(label)])
    return generation(subject, normal(1), normal(2), Judge())


def test_floor_is_the_noise_of_two_halves():
    # Of two sets of n from N(0, I), to second order: 2 D / n by the means, D (D + 1) / 2 n by the
    # covariances.
    half = COUNT // 2
    expected = 2 * FEATURES / half + FEATURES * (FEATURES + 1) / (2 * half)
    floor = found(0.0)["floor"]["fid"].value
    assert floor == pytest.approx(expected, rel=0.35)


def test_samples_as_good_as_real_ones_are_at_the_floor_and_moved_ones_above():
    good, moved = found(0.0), found(0.5)
    assert good["samples"]["fid"].value < good["floor"]["fid"].value
    assert moved["samples"]["fid"].value == pytest.approx(FEATURES * 0.5**2, rel=0.2)
    assert moved["real"]["fid"].value == good["real"]["fid"].value
