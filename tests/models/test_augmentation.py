import numpy as np
import pytest
import tensorflow as tf

from dvae_tf.models.augmentation import POLICIES, augment, shifted


def pictures(count=64, side=16, channels=3):
    return tf.random.stateless_uniform((count, side, side, channels), (0, 0), -1.0, 1.0)


def test_a_translation_moves_the_image_and_zeros_move_in():
    x = pictures()
    moved = augment(x, ["translation"], (0, 1)).numpy()
    padded = np.pad(x, ((0, 0), (2, 2), (2, 2), (0, 0)))
    shifts = set()
    for before, after in zip(padded, moved, strict=True):
        fits = [
            (row, column)
            for row in range(5)
            for column in range(5)
            if np.array_equal(before[row : row + 16, column : column + 16], after)
        ]
        assert len(fits) == 1
        shifts |= set(fits)
    assert len(shifts) > 15  # of 25


def test_a_shift_moves_the_image_and_its_edges_are_repeated():
    x = pictures(count=256)
    padded = np.pad(x, ((0, 0), (1, 1), (1, 1), (0, 0)), mode="edge")
    shifts = set()
    for before, after in zip(padded, shifted(x, 1, (0, 1)).numpy(), strict=True):
        shifts |= {
            (row, column)
            for row in range(3)
            for column in range(3)
            if np.array_equal(before[row : row + 16, column : column + 16], after)
        }
    assert len(shifts) == 9


def test_a_cutout_is_one_square_of_zeros():
    kept = augment(tf.ones((64, 16, 16, 1)), ["cutout"], (0, 1)).numpy()[..., 0]
    assert set(np.unique(kept)) == {0.0, 1.0}
    places = set()
    for image in kept:
        rows, columns = np.any(image == 0.0, axis=1), np.any(image == 0.0, axis=0)
        assert np.count_nonzero(image == 0.0) == rows.sum() * columns.sum()
        assert 4 <= rows.sum() <= 8
        assert 4 <= columns.sum() <= 8
        places.add((int(np.argmax(rows)), int(np.argmax(columns))))
    assert len(places) > 20


def test_color_keeps_the_picture_up_to_brightness_saturation_and_contrast():
    x = pictures()
    grey = tf.reduce_mean(x, axis=-1)
    changed = tf.reduce_mean(augment(x, ["color"], (0, 1)), axis=-1)
    for before, after in zip(grey.numpy(), changed.numpy(), strict=True):
        slope, _ = np.polyfit(before.ravel(), after.ravel(), 1)
        assert 0.5 <= slope <= 1.5
        assert np.corrcoef(before.ravel(), after.ravel())[0, 1] == pytest.approx(1.0, abs=1e-4)


@pytest.mark.parametrize("name", POLICIES)
def test_gradients_pass_through_and_the_seed_decides(name):
    x = pictures(4)
    with tf.GradientTape() as tape:
        tape.watch(x)
        total = tf.reduce_sum(augment(x, [name], (0, 1)))
    assert np.count_nonzero(tape.gradient(total, x)) > x.numpy().size // 3
    first, again, other = (augment(x, [name], (0, seed)).numpy() for seed in (1, 1, 2))
    np.testing.assert_array_equal(first, again)
    assert not np.array_equal(first, other)


def test_what_cannot_be_augmented_is_refused():
    with pytest.raises(ValueError, match="No augmentation is called 'blur'; choose from transl"):
        augment(pictures(), ["blur"], (0, 0))
    with pytest.raises(ValueError, match="for images"):
        augment(tf.zeros((4, 2)), ["cutout"], (0, 0))
    assert augment(tf.zeros((4, 2)), [], (0, 0)).shape == (4, 2)
