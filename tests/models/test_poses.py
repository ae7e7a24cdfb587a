import keras
import numpy as np
import pytest
import tensorflow as tf

from dvae_tf import DisentangledVAE
from dvae_tf.models import Recipe, poses
from dvae_tf.networks import placement

SIDE = 16


def bars(count, seed=0):
    """Bars with a bright end, anywhere and turned by up to a radian; and their poses."""
    random = np.random.default_rng(seed)
    upright = np.full((count, SIDE, SIDE, 1), -1.0, np.float32)
    upright[:, 3:13, 6:10] = 0.0
    upright[:, 3:6, 6:10] = 1.0
    pose = random.uniform(-1.0, 1.0, (count, 4)).astype(np.float32)
    pose[:, :2] *= 0.7
    return placement.move(tf.constant(upright), tf.constant(pose)).numpy(), pose


def made(pose_steps=2, **changes):
    recipe = Recipe.named("balanced").replace(pose_steps=pose_steps, flow_share=0.0, **changes)
    return DisentangledVAE((SIDE, SIDE, 1), 2, "placed", recipe, 0.25, latent_dim_u=6, seed=0)


@pytest.fixture(scope="module")
def fitted():
    model = made(pose_steps=800)
    x, _ = bars(2000)
    before = [weight.numpy() for weight in model.decoder.weights]
    found = poses.fit_poses(model, x, verbose=0)
    for weight, old in zip(model.decoder.weights, before, strict=True):
        np.testing.assert_array_equal(weight, old)
    return model, found


@pytest.mark.slow
def test_poses_are_learnt_without_labels(fitted):
    model, found = fitted
    x, pose = bars(500, seed=1)
    of_model = model.encoder_u.pose(x).numpy()
    correlations = [np.corrcoef(of_model[:, k], pose[:, k])[0, 1] for k in range(4)]
    assert min(correlations) > 0.9, correlations
    # The turn that is none is the mean of the data's, not any.
    assert abs(of_model[:, 3].mean()) < 0.2
    assert found["steps"] == 800
    assert found["equivariance"] > 0.0


@pytest.mark.slow
def test_fit_learns_poses_once_and_before_all_else():
    x, label = bars(8)[0], np.arange(8) % 2
    model = made()
    assert model.needs_pose_fit
    kernel = model.encoder_u.location.kernel
    assert not kernel.numpy().any()
    seen = []
    model.fit_poses = lambda *_, **__: seen.append(int(model.batches_trained.numpy()))
    for _ in range(2):
        model.fit(x, label, epochs=1, batch_size=8, verbose=0)
    assert seen == [0]
    assert not model.needs_pose_fit
    assert kernel.numpy().any()  # The joint steps go on with it.


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["dataset", "arrays", "PyDataset"])
def test_every_kind_of_data_will_do(kind):
    x, label = bars(8)[0], np.arange(8, dtype=np.int32) % 2

    class Batches(keras.utils.PyDataset):
        def __len__(self):
            return 2

        def __getitem__(self, number):
            return x[4 * number :][:4], label[4 * number :][:4]

    given = {
        "dataset": (tf.data.Dataset.from_tensor_slices((x, label)).batch(4), None),
        "arrays": (x, label),
        "PyDataset": (Batches(), None),
    }[kind]
    model = made(pose_steps=3)
    assert model.fit_poses(*given, verbose=0)["steps"] == 3
    assert model.encoder_u.location.kernel.numpy().any()


def test_what_can_be_read_only_once_is_refused():
    with pytest.raises(ValueError, match="a generator was given"):
        made().fit_poses(batch for batch in ())


def test_networks_without_poses_learn_none():
    model = DisentangledVAE((2,), 3, preset="toy")
    assert not model.needs_pose_fit
    assert "equivariance" not in {row.name for row in model.joint_objectives.table}
    with pytest.raises(ValueError, match="placed"):
        model.fit_poses(np.zeros((4, 2)))


def test_a_full_turn_is_no_error_and_a_wrong_move_is_one():
    model = made()
    x = tf.constant(bars(4)[0])
    right = poses.pose_loss(model.encoder_u, x, tf.constant([0, 1]), training=False)
    # Poses are 0 at first, so that the loss is the size of the moves: of both its parts for turns.
    by = placement.random_moves(4, tf.constant([0, 1])).numpy()
    squares = (by[:, :3] ** 2).sum(axis=-1) + 2 * (2 - 2 * np.cos(by[:, 3]))
    np.testing.assert_allclose(right, squares, atol=0.3)


def test_a_model_with_poses_is_saved_and_loaded(tmp_path):
    model = made()
    model.save(tmp_path / "m.keras")
    again = keras.saving.load_model(tmp_path / "m.keras")
    x = bars(3)[0]
    np.testing.assert_allclose(again.encode(x).z_u_mean, model.encode(x).z_u_mean, atol=1e-5)


def test_poses_learn_from_moved_images_alone():
    model = made()
    x = tf.constant(bars(4)[0])
    with tf.GradientTape(persistent=True) as tape:
        values = model._joint_losses(x, tf.constant([0, 1, 0, 1]), tf.constant([0, 1]), True)
    encoder_u = model.encoder_u
    finders = [encoder_u.location.kernel, encoder_u.direction.kernel]
    for name, value in values.items():
        found = [gradient is not None for gradient in tape.gradient(value, finders)]
        assert found == [name == "equivariance"] * 2, name
