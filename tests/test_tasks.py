import numpy as np
import pytest

from dvae_tf import DisentangledVAE, tasks


@pytest.fixture(scope="module")
def model():
    return DisentangledVAE((8, 8, 1), 3)


@pytest.fixture(scope="module")
def images():
    return np.random.default_rng(0).integers(0, 256, (5, 8, 8, 1)).astype(np.uint8)


def test_images_come_out_as_uint8_whatever_went_in(model, images):
    as_float = tasks.inward(images)
    assert as_float.dtype == np.float32
    np.testing.assert_array_equal(tasks.outward(as_float), images)
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
    codes = model.encode(tasks.inward(images))
    expected = model.decode(codes.z_s[1:2], codes.z_u_mean[4:5])
    np.testing.assert_allclose(tasks.inward(grid[1, 2]), expected[0], atol=1 / 127)
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
