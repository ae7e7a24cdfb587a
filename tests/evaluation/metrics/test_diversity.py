import numpy as np
import pytest
import tensorflow as tf

from dvae_tf.evaluation.metrics.copies import copies
from dvae_tf.evaluation.metrics.diversity import (
    SCALE_WEIGHTS,
    feature_diversity,
    pairs_of_one_class,
    structural_diversity,
)
from dvae_tf.evaluation.metrics.reconstruction import squared_error, structural_similarity

RANDOM = np.random.default_rng(0)


def images(count, side, channels=1):
    return RANDOM.integers(0, 256, (count, side, side, channels)).astype(np.uint8)


@pytest.mark.parametrize("side", [8, 16, 28, 32, 64])
def test_diversity_of_copies_is_0_and_of_noise_is_large(side):
    one, other = images(6, side), images(6, side)
    assert structural_diversity(one, one).value == pytest.approx(0.0, abs=1e-5)
    assert structural_diversity(one, other).value > 0.5


def test_diversity_of_large_images_is_the_published_ms_ssim():
    one = tf.image.resize(images(2, 24, 3), (192, 192)).numpy() / 127.5 - 1.0
    other = np.clip(one + RANDOM.normal(0.0, 0.2, one.shape), -1, 1).astype(np.float32)
    expected = 1.0 - tf.image.ssim_multiscale(one, other, 2.0, SCALE_WEIGHTS).numpy()
    assert structural_diversity(one, other).value == pytest.approx(expected.mean(), abs=1e-5)


def test_feature_diversity_of_gaussians():
    one, other = RANDOM.normal(size=(2, 5000, 1))
    assert feature_diversity(one, other).value == pytest.approx(2 / np.sqrt(np.pi), rel=0.05)
    assert feature_diversity(one, one).value == 0.0


def test_pairs_are_of_one_class_and_of_different_examples():
    label = np.array([0] * 30 + [1] * 10 + [2])
    first, second = pairs_of_one_class(label, 400)
    assert np.all(label[first] == label[second])
    assert np.all(first != second)
    assert np.mean(label[first] == 0) == pytest.approx(0.75, abs=0.07)
    with pytest.raises(ValueError, match="No class has two examples"):
        pairs_of_one_class(np.arange(3), 10)


def test_copies_are_found_and_inventions_are_not():
    train, held_out, invented = RANDOM.normal(size=(3, 400, 5)).astype(np.float32)
    found = copies(train[:100], held_out, train)
    assert found["samples"].value == pytest.approx(0.0, abs=1e-4)
    assert found["suspect_share"].value == 1.0
    fair = copies(invented, held_out, train)
    assert fair["samples"].value == pytest.approx(fair["held_out"].value, rel=0.1)
    assert fair["suspect_share"].value == pytest.approx(0.05, abs=0.05)


def test_reconstruction_errors_of_bytes_and_floats_agree():
    x, decoded = images(3, 16), images(3, 16)
    as_float = x.astype(np.float32) / 127.5 - 1.0
    error = squared_error(x, decoded)
    np.testing.assert_allclose(squared_error(as_float, decoded), error, rtol=1e-5)
    expected = np.mean((x.astype(float) - decoded) ** 2, axis=(1, 2, 3)) / 127.5**2
    np.testing.assert_allclose(error, expected, rtol=1e-4)
    assert np.all(structural_similarity(x, decoded) < 0.5)
