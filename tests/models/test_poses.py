import keras
import numpy as np
import pytest
import tensorflow as tf

from dvae_tf import DisentangledVAE
from dvae_tf.models import ConditionalVAE, Recipe, poses
from dvae_tf.networks import Downsampler, EncoderU, PlacedEncoderU, placement, preset

SIDE = 16
SHAPE = (SIDE, SIDE, 1)


def bars(count, seed=0):
    """Bars with a bright end, anywhere and turned by up to a radian; and their poses."""
    random = np.random.default_rng(seed)
    upright = np.full((count, SIDE, SIDE, 1), -1.0, np.float32)
    upright[:, 5:11, 6:10] = 0.0
    upright[:, 5:7, 6:10] = 1.0
    pose = random.uniform(-1.0, 1.0, (count, 4)).astype(np.float32)
    pose[:, :2] *= 1.5
    return placement.move(tf.constant(upright), tf.constant(pose)).numpy(), pose


def labels(count):
    return np.arange(count, dtype=np.int32) % 2


def made(**changes):
    recipe = Recipe.named("balanced").replace(flow_share=0.0, **changes)
    return DisentangledVAE(SHAPE, 2, "placed", recipe, 0.25, latent_dim_u=6, seed=0)


def without_training(model):
    """The model, whose steps only count what they are, and the list of their stages."""
    stages = []

    def train_step(data, stage="joint"):
        stages.append(stage)
        model.batches_trained.assign_add(1)
        model.poses_trained.assign_add(int(stage == "poses"))
        return {"loss": tf.constant(0.0)}

    model.train_step = train_step
    model.compile(run_eagerly=True)
    return model, stages


def fitted(model, **options):
    """The stages of the batches of a fit to eight images, in twos."""
    model, stages = model
    stages.clear()
    model.fit(bars(8)[0], labels(8), batch_size=2, verbose=0, **options)
    return list(stages)


@pytest.mark.slow
def test_poses_are_learnt_from_moved_images():
    model = made(pose_share=0.95)
    x, _ = bars(1900)
    data = tf.data.Dataset.from_tensor_slices((x, labels(1900))).shuffle(1900, seed=0).batch(50)
    history = model.fit(data, epochs=20, verbose=0).history
    assert np.isnan(history["reconstruction"][:19]).all()
    assert np.isfinite(history["loss"]).all()
    x, pose = bars(500, seed=1)
    of_model = model.encoder_u(x)[0].numpy()[:, -4:]
    correlations = [np.corrcoef(of_model[:, k], pose[:, k])[0, 1] for k in range(4)]
    assert min(correlations) > 0.9, correlations
    # The turn that is none is the mean of the data's, not any.
    assert abs(of_model[:, 3].mean()) < 0.2


def test_the_first_batches_of_the_first_training_alone_train_poses():
    model = without_training(made(pose_share=0.4))
    assert fitted(model, epochs=2) == ["poses"] * 3 + ["joint"] * 5
    assert fitted(model, epochs=2) == ["joint"] * 8


def test_a_resumed_training_goes_on_with_its_stage(tmp_path):
    model, stages = without_training(made(pose_share=0.7))
    assert fitted((model, stages), epochs=4, callbacks=[StopAfter(1)]) == ["poses"] * 4
    model.save(tmp_path / "m.keras")
    again = without_training(keras.saving.load_model(tmp_path / "m.keras"))
    assert fitted(again, epochs=4, initial_epoch=1) == ["poses"] * 7 + ["joint"] * 5


def test_a_training_that_is_extended_does_not_begin_with_poses_again():
    model = without_training(made(pose_share=0.5, n_gm=2))
    assert fitted(model, epochs=2) == ["poses"] * 4 + ["mixture", "joint"] * 2
    assert "poses" not in fitted(model, epochs=20, initial_epoch=2)


def test_data_of_unknown_length_train_poses_for_whole_epochs():
    model, stages = without_training(made(pose_share=0.2))
    x, label = bars(4)[0], labels(4)
    data = tf.data.Dataset.from_generator(
        lambda: iter([(x, label)]),
        output_signature=(tf.TensorSpec((4, *SHAPE), tf.float32), tf.TensorSpec((4,), tf.int32)),
    )
    model.fit(data, epochs=3, verbose=0, callbacks=[StopAfter(1)])
    assert stages == ["poses"]
    model.train_on_batch(x, label)  # A training of its own.
    assert stages == ["poses", "joint"]


class StopAfter(keras.callbacks.Callback):
    """Stops a training after so many epochs."""

    def __init__(self, epochs):
        super().__init__()
        self.epochs = epochs

    def on_epoch_end(self, epoch, logs=None):
        self.model.stop_training = epoch + 1 == self.epochs


@pytest.mark.slow
def test_a_step_of_poses_changes_what_finds_them_and_e_s():
    model = made()
    before = {v.path: v.numpy() for v in model.trainable_variables}
    for _ in range(2):  # The first moves only what finds positions from the locator's features.
        model.train_step((tf.constant(bars(8)[0]), tf.constant(labels(8))), stage="poses")
    changed = {v.path for v in model.trainable_variables if (v.numpy() != before[v.path]).any()}
    finders = {v.path for v in model.encoder_u.pose_weights}
    assert changed & {v.path for v in model.encoder_u.weights} == finders
    assert {v.path for v in model.encoder_s.trainable_variables} <= changed
    assert not changed & {v.path for v in model.decoder.weights}


@pytest.mark.slow
def test_poses_learn_from_moved_images_alone():
    model = made()
    x = tf.constant(bars(4)[0])
    with tf.GradientTape(persistent=True) as tape:
        values = model._joint_losses(x, tf.constant(labels(4)), tf.constant([0, 1]), True)
    finders = [model.encoder_u.location.kernel, model.encoder_u.direction.kernel]
    for name, value in values.items():
        found = [gradient is not None for gradient in tape.gradient(value, finders)]
        assert found == [name == "equivariance"] * 2, name


def test_steps_that_differ_are_not_executed_several_at_a_time():
    with pytest.raises(ValueError, match="pose_share"):
        made().compile(steps_per_execution=2)
    made(pose_share=0.0).compile(steps_per_execution=2)


@pytest.mark.parametrize("share", [-0.1, 1.0, np.nan, "half"])
def test_what_is_no_share_is_refused(share):
    with pytest.raises(ValueError, match="pose_share"):
        Recipe.named("balanced").replace(pose_share=share)


def test_networks_without_poses_learn_none():
    model = DisentangledVAE((2,), 3, preset="toy")
    assert not model.learns_poses_first
    assert "equivariance" not in {row.name for row in model.joint_objectives.table}


def test_one_network_with_poses_alone_is_refused():
    plain = EncoderU(6, Downsampler(((4,),)))
    with pytest.raises(ValueError, match="both or neither"):
        DisentangledVAE(SHAPE, 2, "placed", width=0.25, encoder_u=plain)
    decoder = preset("compact", SHAPE, 0.25).decoder(SHAPE)
    with pytest.raises(ValueError, match="both or neither"):
        DisentangledVAE(SHAPE, 2, "placed", width=0.25, decoder=decoder)


@pytest.mark.parametrize("model", [DisentangledVAE, ConditionalVAE])
def test_a_code_without_room_for_more_than_a_pose_is_refused(model):
    with pytest.raises(ValueError, match="latent_dim_u=5"):
        model(SHAPE, 2, "placed", width=0.25, latent_dim_u=4)


def test_the_encoder_of_a_baseline_finds_no_poses_since_nothing_would_train_them():
    model = ConditionalVAE(SHAPE, 2, "placed", width=0.25)
    assert not isinstance(model.encoder_u, PlacedEncoderU)


def test_a_wrong_turn_counts_twice_and_a_full_turn_not_at_all():
    zeros, by = tf.zeros((1, 4)), tf.constant([[0.5, -0.5, 1.0, 0.3]])
    for turn, expected in ((0.0, 0.0), (2 * np.pi, 0.0), (0.1, 2 * (2 - 2 * np.cos(0.1)))):
        after = tf.concat([by[:, :3], by[:, 3:] + turn], axis=-1)
        found = float(poses.pose_loss(zeros, after, by, (16, 16))[0])
        assert found == pytest.approx(expected, rel=1e-4, abs=1e-5)


@pytest.mark.slow
def test_a_model_with_poses_is_saved_and_loaded(tmp_path):
    model = made()
    model.save(tmp_path / "m.keras")
    again = keras.saving.load_model(tmp_path / "m.keras")
    x = bars(3)[0]
    np.testing.assert_allclose(again.encode(x).z_u_mean, model.encode(x).z_u_mean, atol=1e-5)
