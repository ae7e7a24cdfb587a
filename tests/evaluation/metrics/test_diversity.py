import numpy as np
import pytest
import tensorflow as tf

from dvae_tf.data.pixels import as_floats
from dvae_tf.evaluation.metrics.copies import copies, nearest_moved
from dvae_tf.evaluation.metrics.diversity import (
    SCALE_WEIGHTS,
    feature_diversity,
    pairs_of_one_class,
    structural_diversity,
)
from dvae_tf.evaluation.metrics.generation import diversity_of_right
from dvae_tf.evaluation.metrics.reconstruction import squared_error, structural_similarity
from dvae_tf.tasks import nearest

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


def test_copies_are_found_where_held_out_examples_are_training_examples_too():
    train, held_out = RANDOM.normal(size=(2, 400, 5)).astype(np.float32)
    held_out[:40] = train[:40]
    found = copies(train[:100], held_out, train)
    assert found["suspect_share"].value == 1.0
    assert found["duplicates"].value == 0.1
    assert "suspect_share" not in copies(train[:100], train, train)
    small = 1e-6 * RANDOM.normal(size=(2, 400, 5))
    assert copies(small[0], small[1], small[0])["duplicates"].value == 0.0


def test_moved_and_mirrored_copies_are_found():
    train, held_out = images(60, 16), images(40, 16)
    moved = np.roll(train[:20], (2, -1), axis=(1, 2))
    flipped = np.roll(train[20:40], 1, axis=1)
    cheat = np.concatenate([moved, flipped[:10, :, ::-1], flipped[10:, ::-1]])
    # At one place the copies are as far as any image, and so they passed.
    plain = nearest(cheat, train).distance
    assert plain.min() > 0.5
    found = copies(cheat, held_out, train)
    assert found["samples"].value == pytest.approx(0.0, abs=1e-5)
    assert found["suspect_share"].value == 1.0
    assert copies(images(40, 16), held_out, train)["suspect_share"].value < 0.2


def test_copies_of_another_contrast_and_brightness_are_found():
    train, held_out = as_floats(images(60, 16)), images(40, 16)
    dim = 0.7 * train[:30] - 0.2
    found = copies(dim, held_out, train)
    assert found["samples"].value == pytest.approx(0.0, abs=1e-5)
    assert found["suspect_share"].value == 1.0


def test_images_without_contrast_are_compared_too():
    train, held_out = images(20, 16), images(20, 16)
    flat = np.full_like(train[:4], 128)
    assert copies(flat, held_out, train)["suspect_share"].value == 0.0


def standardised(image):
    return (image - image.mean()) / image.std()


def test_the_nearest_moved_image_is_that_of_a_search_through_all():
    x, train = (as_floats(images(count, 16)) for count in (4, 5))
    inner = np.stack([standardised(image[2:14, 2:14]) for image in train])
    expected = []
    for image in x:
        best = np.inf
        for view in (image, image[:, ::-1], image[::-1]):
            for down in range(5):
                for right in range(5):
                    part = standardised(view[down : down + 12, right : right + 12])
                    error = (part - inner) ** 2
                    best = min(best, np.sqrt(error.mean(axis=(1, 2, 3))).min())
        expected.append(best)
    np.testing.assert_allclose(nearest_moved(x, train), expected, rtol=1e-5)


def test_copies_in_features_are_found():
    """Copies with other brightness: far in pixels, the same in features."""
    train, held_out = RANDOM.normal(size=(2, 200, 6)).astype(np.float32)
    cheat = train + 5.0

    def embed(x):
        return x - x.mean(axis=1, keepdims=True)

    found = copies(cheat, held_out, train, embed)
    assert found["suspect_share"].value < 0.05
    assert found["features"]["suspect_share"].value == 1.0
    assert found["features"]["samples"].value < 1e-5


def test_samples_of_a_wrong_class_are_no_diversity():
    """One picture of its class and many of others: varied, but without style."""
    label = np.zeros(100, int)
    features = np.zeros((100, 2))
    features[50:] = RANDOM.normal(size=(50, 2))
    right = np.arange(100) < 50
    assert diversity_of_right(np.ones(100, bool), features, features, label)["features"].value > 0.5
    assert diversity_of_right(right, features, features, label)["features"].value == 0.0
    assert diversity_of_right(np.arange(100) < 1, features, features, label) == {}


def test_reconstruction_errors_of_bytes_and_floats_agree():
    x, decoded = images(3, 16), images(3, 16)
    as_float = x.astype(np.float32) / 127.5 - 1.0
    error = squared_error(x, decoded)
    np.testing.assert_allclose(squared_error(as_float, decoded), error, rtol=1e-5)
    expected = np.mean((x.astype(float) - decoded) ** 2, axis=(1, 2, 3)) / 127.5**2
    np.testing.assert_allclose(error, expected, rtol=1e-4)
    assert np.all(structural_similarity(x, decoded) < 0.5)
