import keras
import numpy as np
import pytest
import scipy.ndimage
import tensorflow as tf

from dvae_tf import DisentangledVAE
from dvae_tf.networks import Decoder, Upsampler, preset
from dvae_tf.networks.placement import (
    LARGEST_LOG_SCALE,
    LARGEST_SHIFT,
    LARGEST_TURN,
    Placement,
    grid,
    sampled_at,
)

RANDOM = np.random.default_rng(0)


def placed(features, pose):
    """Where tanh(pose) is `pose`: shifts right and down, log of the scale, turn, all in [-1, 1]."""
    pose = np.arctanh(np.array([pose], np.float32))
    return sampled_at(features, grid(tf.constant(pose), features.shape[1:3])).numpy()


def test_no_pose_leaves_the_map_as_it_is():
    features = RANDOM.normal(size=(1, 6, 8, 3)).astype(np.float32)
    np.testing.assert_allclose(placed(features, [0.0, 0.0, 0.0, 0.0]), features, atol=1e-5)


def test_a_shift_moves_right_and_down_and_zeros_come_in():
    features = RANDOM.normal(size=(1, 5, 5, 1)).astype(np.float32)
    one_pixel = 2.0 / 4 / LARGEST_SHIFT
    moved = placed(features, [one_pixel, 0.0, 0.0, 0.0])
    np.testing.assert_allclose(moved[:, :, 1:], features[:, :, :-1], atol=1e-5)
    np.testing.assert_allclose(moved[:, :, 0], 0.0, atol=1e-5)
    down = placed(features, [0.0, one_pixel, 0.0, 0.0])
    np.testing.assert_allclose(down[:, 1:], features[:, :-1], atol=1e-5)


def test_a_larger_scale_shows_a_larger_object():
    features = np.zeros((1, 33, 33, 1), np.float32)
    features[:, 12:21, 12:21] = 1.0
    area = [float(placed(features, [0.0, 0.0, scale, 0.0]).sum()) for scale in (-0.9, 0.0, 0.9)]
    ratio = np.exp(2 * 0.9 * LARGEST_LOG_SCALE)
    assert area[2] / area[1] == pytest.approx(ratio, rel=0.1)
    assert area[1] / area[0] == pytest.approx(ratio, rel=0.1)


def test_it_is_the_bilinear_interpolation_of_scipy():
    features = RANDOM.normal(size=(1, 12, 9, 2)).astype(np.float32)
    points = RANDOM.uniform(-2.0, 12.0, (1, 12, 9, 2)).astype(np.float32)
    expected = [
        scipy.ndimage.map_coordinates(
            np.pad(features[0, ..., channel], 3),
            [points[0, ..., 1] + 3.0, points[0, ..., 0] + 3.0],
            order=1,
            mode="constant",
        )
        for channel in range(2)
    ]
    found = sampled_at(tf.constant(features), tf.constant(points))[0]
    np.testing.assert_allclose(found, np.stack(expected, axis=-1), atol=1e-5)


@pytest.mark.parametrize("width", [41, 61])
def test_a_turn_is_a_rotation_of_the_picture(width):
    features = np.zeros((1, 41, width, 1), np.float32)
    features[:, 18:23, 20:36] = 1.0
    turned = placed(features, [0.0, 0.0, 0.0, 0.5])[0, ..., 0]
    # Rows run down, so that a positive turn is clockwise to the eye.
    expected = scipy.ndimage.rotate(
        features[0, ..., 0], -np.degrees(0.5 * LARGEST_TURN), reshape=False, order=1
    )
    assert np.abs(turned - expected).mean() < 0.01


def test_every_pose_is_learnt():
    layer = Placement()
    features = tf.constant(RANDOM.normal(size=(2, 6, 6, 3)).astype(np.float32))
    with tf.GradientTape() as tape:
        out = layer((features, tf.constant([[1.0, 2.0], [0.5, -1.0]])))
        loss = tf.reduce_sum(out**2)
    gradients = tape.gradient(loss, layer.trainable_variables)
    assert all(np.abs(g).max(axis=0).min() > 0.0 for g in gradients)


def test_a_decoder_that_places_is_saved_and_loaded(tmp_path):
    decoder = Decoder((16, 16, 3), Upsampler(8, ((8,),), start_size=4), 4, placed=True)
    z = RANDOM.normal(size=(2, 5)).astype(np.float32)
    inputs = keras.Input((5,))
    model = keras.Model(inputs, decoder(inputs))
    model.save(tmp_path / "decoder.keras")
    again = keras.saving.load_model(tmp_path / "decoder.keras")
    np.testing.assert_allclose(again(z), decoder(z), atol=1e-6)


def test_the_preset_is_compact_with_a_placement_and_for_images():
    placing, plain = (preset(name, (20, 12, 3)) for name in ("placed", "compact"))
    counts = []
    for family in (placing, plain):
        decoder = family.decoder((20, 12, 3))
        assert decoder(tf.zeros((1, 8))).shape == (1, 20, 12, 3)
        counts.append(decoder.count_params())
    assert counts[0] - counts[1] == (8 + 1) * 4 + (8 + 1) * 48
    with pytest.raises(ValueError, match="'placed' is for images"):
        DisentangledVAE((2,), 3, preset="placed")
