import keras
import numpy as np
import pytest
import scipy.ndimage
import tensorflow as tf

from dvae_tf import DisentangledVAE
from dvae_tf.networks import Decoder, Upsampler, preset
from dvae_tf.networks.placement import (
    LOG_SCALE,
    SHIFT,
    Placement,
    grid,
    inverse_grid,
    move,
    moved,
    random_moves,
    sampled_at,
    unplaced,
)

RANDOM = np.random.default_rng(0)


def placed(features, pose):
    """Where a pose is: shifts right and down, log of the scale, turn."""
    pose = tf.constant([pose], tf.float32)
    return sampled_at(features, grid(pose, features.shape[1:3])).numpy()


def test_no_pose_leaves_the_map_as_it_is():
    features = RANDOM.normal(size=(1, 6, 8, 3)).astype(np.float32)
    np.testing.assert_allclose(placed(features, [0.0, 0.0, 0.0, 0.0]), features, atol=1e-5)


def test_a_shift_moves_right_and_down_and_edges_are_repeated():
    features = RANDOM.normal(size=(1, 5, 5, 1)).astype(np.float32)
    one_pixel = 1.0 / 5 / SHIFT
    shifted = placed(features, [one_pixel, 0.0, 0.0, 0.0])
    np.testing.assert_allclose(shifted[:, :, 1:], features[:, :, :-1], atol=1e-5)
    np.testing.assert_allclose(shifted[:, :, 0], features[:, :, 0], atol=1e-5)
    down = placed(features, [0.0, one_pixel, 0.0, 0.0])
    np.testing.assert_allclose(down[:, 1:], features[:, :-1], atol=1e-5)


def test_a_larger_scale_shows_a_larger_object():
    features = np.zeros((1, 33, 33, 1), np.float32)
    features[:, 12:21, 12:21] = 1.0
    area = [float(placed(features, [0.0, 0.0, scale, 0.0]).sum()) for scale in (-2.0, 0.0, 2.0)]
    ratio = np.exp(2 * 2.0 * LOG_SCALE)
    assert area[2] / area[1] == pytest.approx(ratio, rel=0.1)
    assert area[1] / area[0] == pytest.approx(ratio, rel=0.1)


def test_it_is_the_bilinear_interpolation_of_scipy():
    features = RANDOM.normal(size=(1, 12, 9, 2)).astype(np.float32)
    points = RANDOM.uniform(-2.0, 12.0, (1, 12, 9, 2)).astype(np.float32)
    expected = [
        scipy.ndimage.map_coordinates(
            features[0, ..., channel],
            [points[0, ..., 1], points[0, ..., 0]],
            order=1,
            mode="nearest",
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
    expected = scipy.ndimage.rotate(features[0, ..., 0], -np.degrees(0.5), reshape=False, order=1)
    assert np.abs(turned - expected).mean() < 0.01


def points_of(pose, points, sides):
    """`grid` of other points than the pixels, by NumPy."""
    half_height, half_width = ((side - 1) / 2 for side in sides)
    right, down, log_scale, turn = (number[:, None, None] for number in np.array(pose, float).T)
    points = np.array(points)
    x = points[..., 0] - half_width - SHIFT * sides[1] * right
    y = points[..., 1] - half_height - SHIFT * sides[0] * down
    about_centre = np.exp(-LOG_SCALE * log_scale - 1j * turn) * (x + 1j * y)
    return np.stack([about_centre.real + half_width, about_centre.imag + half_height], axis=-1)


def test_a_placed_and_then_moved_map_is_placed_by_the_moved_pose():
    sides, (pose, by) = (16, 10), (random_moves(5, [0, seed]) for seed in (1, 2))
    expected = points_of(pose, grid(by, sides), sides)
    np.testing.assert_allclose(grid(moved(pose, by, sides), sides), expected, atol=1e-4)


def test_the_inverse_undoes_a_pose():
    sides, pose = (16, 10), random_moves(5, [0, 1])
    pixels = np.stack(np.meshgrid(np.arange(10), np.arange(16)), axis=-1)
    found = points_of(pose, inverse_grid(pose, sides), sides)
    np.testing.assert_allclose(found, np.broadcast_to(pixels, found.shape), atol=1e-4)


def test_an_object_comes_to_the_middle_and_edges_are_repeated():
    image = np.full((1, 33, 33, 1), 0.25, np.float32)
    image[:, 14:19, 14:19] = 1.0
    pose = tf.constant([[4.0 / 33 / SHIFT, -2.0 / 33 / SHIFT, 0.0, 0.0]])
    there = move(tf.constant(image), pose)
    assert float(tf.reduce_min(there)) == pytest.approx(0.25)
    assert float(there[0, 16 - 2, 16 + 4, 0]) == pytest.approx(1.0)
    np.testing.assert_allclose(unplaced(there, pose), image, atol=1e-5)


def test_moves_go_everywhere():
    moves = np.abs(random_moves(1000, [0, 0]))
    assert moves[:, :3].max() <= 1.0
    assert 3.1 < moves[:, 3].max() <= np.pi


def test_every_pose_and_colour_is_learnt():
    layer = Placement()
    features = tf.constant(RANDOM.normal(size=(2, 6, 6, 3)).astype(np.float32))
    pose = tf.Variable(RANDOM.normal(size=(2, 4)).astype(np.float32))
    with tf.GradientTape() as tape:
        out = layer((features, tf.constant([[1.0, 2.0], [0.5, -1.0]]), pose))
        loss = tf.reduce_sum(out**2)
    for gradient in tape.gradient(loss, [pose, *layer.trainable_variables]):
        assert np.abs(gradient).max(axis=0).min() > 0.0


def test_parts_are_pixels_of_a_finer_map():
    layer = Placement(parts=2)
    features = tf.constant(RANDOM.normal(size=(1, 6, 6, 8)).astype(np.float32))
    code, one_fine_pixel = tf.zeros((1, 2)), 1.0 / 12 / SHIFT
    moved_right = layer((features, code, tf.constant([[one_fine_pixel, 0.0, 0.0, 0.0]])))
    fine, found = (tf.nn.depth_to_space(part, 2) for part in (features, moved_right))
    np.testing.assert_allclose(found[:, :, 1:], fine[:, :, :-1], atol=1e-5)


def test_a_pose_refers_to_the_picture_where_the_finer_map_is_larger():
    layer = Placement(parts=2, sides=(9, 9))
    features = tf.constant(RANDOM.normal(size=(1, 5, 5, 4)).astype(np.float32))
    half_a_turn = layer((features, tf.zeros((1, 2)), tf.constant([[0.0, 0.0, 0.0, np.pi]])))
    fine, found = (tf.nn.depth_to_space(part, 2)[:, :9, :9] for part in (features, half_a_turn))
    np.testing.assert_allclose(found, fine[:, ::-1, ::-1], atol=1e-4)


def test_channels_that_are_not_whole_pixels_are_filled_up():
    layer, shapes = Placement(parts=2), ((1, 6, 6, 6), (1, 2), (1, 4))
    assert layer.compute_output_shape(shapes) == (1, 6, 6, 8)
    assert layer(tuple(map(tf.ones, shapes))).shape == (1, 6, 6, 8)


def test_a_decoder_that_places_is_saved_and_loaded(tmp_path):
    decoder = Decoder((16, 16, 3), Upsampler(8, ((8,),), start_size=4), 4, placed=True)
    z = RANDOM.normal(size=(2, 7)).astype(np.float32)
    inputs = keras.Input((7,))
    model = keras.Model(inputs, decoder(inputs))
    model.save(tmp_path / "decoder.keras")
    again = keras.saving.load_model(tmp_path / "decoder.keras")
    np.testing.assert_allclose(again(z), decoder(z), atol=1e-6)


def test_the_last_four_numbers_place_what_the_others_draw():
    decoder = Decoder((16, 16, 1), Upsampler(8, ((8,),), start_size=4), 4, placed=True)
    z = np.zeros((2, 9), np.float32)
    z[:, :5] = RANDOM.normal(size=5)
    z[1, -4] = 4.0 / 16.0 / SHIFT  # Two pixels of the map's, four of the image's.
    there, moved_right = decoder(z).numpy()[..., 0]
    np.testing.assert_allclose(moved_right[4:12, 9:13], there[4:12, 5:9], atol=1e-5)


def test_the_preset_is_compact_with_poses_and_for_images():
    placing, plain = (preset(name, (20, 12, 3)) for name in ("placed", "compact"))
    counts = []
    for family in (placing, plain):
        decoder = family.decoder((20, 12, 3))
        assert decoder(tf.zeros((1, 8))).shape == (1, 20, 12, 3)
        counts.append(decoder.count_params())
    # The first dense layer reads four numbers less, and one for colours is added.
    assert counts[0] - counts[1] == (4 + 1) * 48 - 4 * 256
    with pytest.raises(ValueError, match="'placed' is for images"):
        DisentangledVAE((2,), 3, preset="placed")
    with pytest.raises(ValueError, match="latent_dim_u=5 or more"):
        DisentangledVAE((16, 16, 1), 3, preset="placed", latent_dim_u=4)


def test_codes_of_any_size_place_finite_images():
    features = tf.ones((2, 6, 8, 3))
    pose = tf.constant([[1e4, -1e4, 1e4, 1e4], [0.0, 1e30, -1e30, 0.0]])
    assert np.isfinite(sampled_at(features, grid(pose, (6, 8)))).all()
    assert np.isfinite(move(features, pose)).all()
