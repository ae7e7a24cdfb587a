import numpy as np
import pytest

from dvae_tf import DisentangledVAE, tasks
from dvae_tf.data.pixels import as_floats, as_pixels


@pytest.fixture(scope="module")
def model():
    return DisentangledVAE((8, 8, 1), 3)


@pytest.fixture(scope="module")
def images():
    return np.random.default_rng(0).integers(0, 256, (5, 8, 8, 1)).astype(np.uint8)


def test_images_come_out_as_uint8_whatever_went_in(model, images):
    as_float = as_floats(images)
    assert as_float.dtype == np.float32
    np.testing.assert_array_equal(as_pixels(as_float), images)
    from_uint8, from_float = tasks.reconstruct(model, images), tasks.reconstruct(model, as_float)
    assert from_uint8.dtype == np.uint8
    np.testing.assert_array_equal(from_uint8, from_float)


def test_vectors_stay_floats(points):
    model = DisentangledVAE((2,), 3, preset="toy")
    assert tasks.reconstruct(model, points[0]).dtype == np.float32
    assert tasks.sample(model, [0, 1]).shape == (2, 2)


def test_sample_is_reproducible_and_new_for_another_seed(model):
    label = np.arange(300) % 3
    first = tasks.sample(model, label, seed=1)
    np.testing.assert_array_equal(first, tasks.sample(model, label, seed=1))
    assert not np.array_equal(first, tasks.sample(model, label, seed=2))
    assert not np.array_equal(first[:44], first[256:])  # chunks do not repeat one another


def test_swap_puts_rows_of_z_s_and_columns_of_z_u_together(model, images):
    grid = tasks.swap(model, images[:2], images[2:])
    assert grid.shape == (2, 3, 8, 8, 1)
    codes = model.encode(as_floats(images))
    expected = model.decode(codes.z_s[1:2], codes.z_u_mean[4:5])
    np.testing.assert_allclose(as_floats(grid[1, 2:3]), expected, atol=1 / 127)
    pairs = tasks.swap_pairs(model, images[:2], images[2:4])
    np.testing.assert_array_equal(pairs, np.stack([grid[0, 0], grid[1, 1]]))


def test_swap_with_oneself_is_the_reconstruction(model, images):
    own = tasks.swap_pairs(model, images, images)
    np.testing.assert_array_equal(own, tasks.reconstruct(model, images))


def test_long_lists_are_cut_into_chunks(model, images):
    many = np.tile(images, (60, 1, 1, 1))
    codes = tasks.encode(model, many)
    assert codes.z_s.shape == (300, model.latent_dim_s)
    np.testing.assert_allclose(codes.z_s[295:], tasks.encode(model, images).z_s, atol=1e-5)


def test_classify_gives_probabilities(model, images):
    np.testing.assert_allclose(tasks.classify(model, images).sum(axis=-1), 1.0, rtol=1e-5)


def test_interpolation_of_classes_goes_from_mean_to_mean(model, images):
    walk = tasks.interpolate_class(model, [0, 1], [2, 2], images[:2], steps=5)
    assert walk.shape == (2, 5, 8, 8, 1)
    z_u = tasks.encode(model, images[:2]).z_u_mean
    means = np.asarray(model.prior_s.means)
    np.testing.assert_array_equal(walk[:, 0], tasks.decode(model, means[[0, 1]], z_u))
    np.testing.assert_array_equal(walk[:, -1], tasks.decode(model, means[[2, 2]], z_u))


@pytest.mark.parametrize("path", ["straight", "spherical"])
def test_interpolation_of_style_keeps_the_class_code(model, images, path):
    walk = tasks.interpolate_style(model, images[:2], images[2:4], steps=4, path=path)
    np.testing.assert_array_equal(walk[:, 0], tasks.reconstruct(model, images[:2]))
    swaps = tasks.swap_pairs(model, images[:2], images[2:4])
    assert np.abs(as_floats(walk[:, -1]) - as_floats(swaps)).max() < 0.02


def test_a_spherical_walk_keeps_the_length():
    start, stop = np.array([[3.0, 0.0, 0.0]]), np.array([[0.0, 0.0, 3.0]])
    walk = tasks._interpolated(start, stop, 7, "spherical")
    np.testing.assert_allclose(np.linalg.norm(walk, axis=-1), 3.0, rtol=1e-5)
    np.testing.assert_allclose(walk[0, 3], np.array([1.0, 0.0, 1.0]) * 3 / np.sqrt(2), rtol=1e-5)
    straight = tasks._interpolated(start, 2 * start, 3, "spherical")  # One direction: no angle.
    np.testing.assert_allclose(straight[0, :, 0], [3.0, 4.5, 6.0])


def test_traverse_moves_one_dimension(model, images):
    walk = tasks.traverse(model, images[:2], 3, [-2.0, 0.0, 2.0])
    codes = tasks.encode(model, images[:2])
    codes.z_u_mean[:, 3] = 2.0
    expected = tasks.decode(model, codes.z_s, codes.z_u_mean)
    np.testing.assert_array_equal(walk[:, 2], expected)
    assert walk.shape == (2, 3, 8, 8, 1)


def test_inpainting_touches_the_hole_alone_and_does_not_look_into_it(model, images):
    mask = np.zeros((8, 8), bool)
    mask[2:5, 3:6] = True
    filled = tasks.inpaint(model, images, mask, iterations=3)
    np.testing.assert_array_equal(filled[:, ~mask], images[:, ~mask])
    spoilt = np.where(mask[..., None], np.uint8(77), images)
    np.testing.assert_array_equal(tasks.inpaint(model, spoilt, mask, iterations=3), filled)
    each = np.broadcast_to(mask, (5, 8, 8))
    np.testing.assert_array_equal(tasks.inpaint(model, images, each, iterations=3), filled)
    once = tasks.inpaint(model, images, mask, iterations=1)
    grey = np.where(mask[..., None], np.float32(0.0), as_floats(images))
    np.testing.assert_array_equal(once[:, mask], tasks.reconstruct(model, grey)[:, mask])


def test_nearest_is_the_nearest(images):
    random = np.random.default_rng(1)
    among = random.integers(0, 256, (40, 8, 8, 1)).astype(np.uint8)
    found = tasks.nearest(images, among, count=3)
    difference = as_floats(images)[:, None] - as_floats(among)[None]
    distance = np.sqrt(np.mean(difference**2, axis=(2, 3, 4)))
    np.testing.assert_array_equal(found.index, np.argsort(distance, axis=1)[:, :3])
    np.testing.assert_allclose(found.distance, np.sort(distance, axis=1)[:, :3], rtol=1e-4)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda m, x: tasks.inpaint(m, x, np.zeros((8, 8))), "mask has dtype float64"),
        (lambda m, x: tasks.inpaint(m, x, np.zeros((8, 7), bool)), r"shape \(8, 7\); give bool"),
        (lambda m, x: tasks.inpaint(m, x, np.zeros((8, 8), bool), 0), "iterations is 0"),
        (lambda m, x: tasks.traverse(m, x, 16, [0.0]), "dimension is 16; .* 0 to 15"),
        (lambda m, x: tasks.traverse(m, x, 0.5, [0.0]), "dimension is 0.5"),
        (lambda m, x: tasks.traverse(m, x, 0, 1.0), "give a list of finite ones"),
        (lambda m, x: tasks.interpolate_class(m, [0], [3], x[:1]), "label 3 is no integer in"),
        (
            lambda m, x: tasks.interpolate_class(m, [[0, 1]], [1], x[:1]),
            r"The classes have shape \(1, 2\) and dtype int64; give labels",
        ),
        (
            lambda m, x: tasks.interpolate_class(m, [0], [1], x),
            "1 start and 1 stop and 5 x;",
        ),
        (lambda m, x: tasks.interpolate_style(m, x[:1], x), "1 x_start and 5 x_stop; give as many"),
        (lambda m, x: tasks.interpolate_style(m, x, x, steps=1), "steps is 1"),
        (lambda m, x: tasks.interpolate_style(m, x, x, steps=2.5), "steps is 2.5"),
        (lambda m, x: tasks.interpolate_style(m, x, x, path="bent"), "No path is called 'bent'"),
        (lambda m, x: tasks.nearest(x, x, count=6), "count is 6; give a whole number, 1 to 5"),
        (lambda m, x: tasks.nearest(x, x, count=True), "count is True"),
        (lambda m, x: tasks.nearest(x, x[:, :4]), "differ; make them alike"),
        (lambda m, x: tasks.decode(m, [], []), "There are no codes"),
        (lambda m, x: tasks.swap_pairs(m, x, x[:2]), "5 x_s and 2 x_u; give as many of each"),
    ],
)
def test_wrong_input_is_named(model, images, call, message):
    with pytest.raises(ValueError, match=message):
        call(model, images)
