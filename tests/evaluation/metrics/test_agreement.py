"""Judges of two families: what one network learnt to please, and what both see."""

import numpy as np
import pytest
import tensorflow as tf

from dvae_tf.data.examples import Arrays, Info
from dvae_tf.evaluation import Subject, judge, report, train_judge
from dvae_tf.evaluation.judge import train_second_judge
from dvae_tf.evaluation.metrics.agreement import agreements, blurred, lowest
from dvae_tf.models import Codes

SIDE = 12


def bars(count, seed):
    """Images of a bar at the left (class 0) or right (class 1), at any height, with noise."""
    random = np.random.default_rng(seed)
    label = random.integers(0, 2, count)
    x = 0.1 * random.normal(size=(count, SIDE, SIDE, 1)).astype(np.float32)
    for image, right, top in zip(x, label, random.integers(0, 6, count), strict=True):
        image[top : top + 6, 2 + 6 * right : 4 + 6 * right] += 0.8
    return np.clip(x, -1, 1), label


@pytest.fixture(scope="module")
def judges():
    x, label = bars(400, 0)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(judge, "EPOCHS", (1, 10))
        yield {"first": train_judge(x, label, 2), "second": train_second_judge(x, label, 2)}


def pleasing(network, x, label):
    """Images with a fine pattern for which a judge takes them for the other class.

    The pattern has the mean 0 in each square of 2x2 pixels, so that it adds no bar.
    """
    changed = tf.Variable(x)
    for _ in range(80):
        with tf.GradientTape() as tape:
            logits = network._both(changed)[1]
            margin = tf.reduce_sum(logits * (2.0 * tf.one_hot(label, 2) - 1.0), axis=-1)
        gradient = tape.gradient(margin, changed)
        coarse = tf.nn.avg_pool2d(gradient, 2, 2, "SAME")
        fine = gradient - tf.repeat(tf.repeat(coarse, 2, axis=1), 2, axis=2)
        length = tf.sqrt(tf.reduce_sum(fine**2, axis=(1, 2, 3)))
        step = tf.where(margin > -2.0, 0.3 / length, 0.0)
        changed.assign(tf.clip_by_value(changed - step[:, None, None, None] * fine, -1.0, 1.0))
    return changed.numpy()


def test_both_judges_know_the_classes(judges):
    found = agreements(judges, *bars(200, 1))
    assert lowest(found).value > 0.97
    assert set(found["first"]) == {"plain", "blurred"}


def test_what_pleases_the_first_judge_alone_is_found_out(judges):
    x, label = bars(100, 2)
    cheat = pleasing(judges["first"], x, label)
    found = agreements(judges, cheat, 1 - label)
    # By the old measure, the first judge on the pictures as they are, these are good swaps.
    assert found["first"]["plain"].value > 0.9
    assert lowest(found).value < 0.3


def test_blur_keeps_the_mean_and_removes_a_pattern_of_single_pixels():
    pattern = np.indices((56, 56)).sum(axis=0) % 2 * 2.0 - 1.0
    soft = blurred(pattern[np.newaxis, ..., np.newaxis].astype(np.float32))
    assert np.abs(soft[:, 4:-4, 4:-4]).max() < 0.01
    assert blurred(np.full((1, 9, 9, 3), 200, np.uint8)).std() == pytest.approx(0.0, abs=1e-6)


def test_second_judge_of_vectors_is_that_of_neighbours():
    x = np.random.default_rng(0).normal(size=(300, 2)).astype(np.float32)
    label = (x[:, 0] * x[:, 1] > 0).astype(int)
    second = train_second_judge(x[:200], label[:200], 2)
    assert agreements({"second": second}, x[200:], label[200:])["second"]["plain"].value > 0.85


def moons_subject(decode):
    """x is a class, one-hot, beside two numbers of style."""

    def encode(x):
        return Codes(x[:, :2], x[:, 2:], np.full_like(x[:, 2:], 0.1))

    return Subject(encode=encode, decode=decode, classify=lambda x: x[:, :2])


def figures(decode):
    random = np.random.default_rng(0)
    label = np.arange(300) % 2
    x = np.concatenate([np.eye(2)[label], random.normal(size=(300, 2))], axis=1).astype(np.float32)
    arrays, info = Arrays(x, label), Info("toy", "test", (4,), ("a", "b"), 300)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(judge, "EPOCHS", (1, 10))
        return report(moons_subject(decode), arrays, arrays, info, ["reconstruction", "swap"])


def both(z_s, z_u):
    return np.concatenate([z_s, z_u], axis=1)


def test_a_perfect_model_keeps_class_and_style():
    found = figures(both)
    assert found["reconstruction_agreement"] > 0.97
    assert found["swap_agreement"] > 0.97
    assert found["swap_style_distance"] == found["swap_style_distance_floor"] == 0.0


def test_reconstructions_without_their_class_are_found_out():
    """Style kept and the class gone: the squared error is small, the pictures show nothing."""
    found = figures(lambda z_s, z_u: both(np.full_like(z_s, 0.5), z_u))
    assert found["reconstruction_mse"] < 0.2
    assert found["reconstruction_agreement"] == pytest.approx(0.5, abs=0.12)


def test_style_that_every_decoding_loses_is_not_blamed_on_swaps():
    found = figures(lambda z_s, z_u: both(z_s, 0.5 * z_u))
    assert found["swap_style_distance_floor"] == pytest.approx(
        found["swap_style_distance"], abs=0.05
    )
    assert found["swap_style_distance_floor"] > 0.2
