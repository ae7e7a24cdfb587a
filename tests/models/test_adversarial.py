import numpy as np
import pytest
import tensorflow as tf
from toys import changed, moons, snapshot

from dvae_tf.models import ConditionalGAN, ConditionalVAEGAN, DisentangledVAEGAN, recipe

GANS = (ConditionalGAN, ConditionalVAEGAN, DisentangledVAEGAN)


def test_the_discriminator_sees_augmented_images_real_and_generated_alike():
    seen, model = [], None
    for augmentation in ((), ("cutout",)):
        own = recipe({"base": "paper", "augmentation": augmentation})
        model = ConditionalGAN((8, 8, 1), 2, recipe=own)
        judge = model.discriminator.call
        model.discriminator.call = lambda inputs, judge=judge, **options: (
            seen.append(inputs[0].numpy()),
            judge(inputs, **options),
        )[1]
        model._joint_losses(tf.ones((4, 8, 8, 1)), tf.zeros(4, tf.int32), (0, 1), training=False)
    plain, augmented = np.concatenate(seen[:2]), np.concatenate(seen[2:])
    assert np.count_nonzero(plain == 0.0) == 0
    for image in augmented:
        assert 4 <= np.count_nonzero(image == 0.0) <= 16
    kept = augmented != 0.0
    np.testing.assert_allclose(augmented[kept], plain[kept], atol=1e-6)


@pytest.mark.parametrize("model", GANS)
def test_mode_seeking_trains_what_makes_samples(model):
    weights = dict.fromkeys(recipe("paper").weights, 0.0)
    if model is not DisentangledVAEGAN:
        weights = {name: weights[name] for name in ("reconstruction", "kl", "generation")}
    model = model(
        (2,), 3, preset="toy", recipe="paper", n_gm=1, loss_weights=weights | {"mode_seeking": 1.0}
    )
    groups = {"decoder", "class_vector"} & set(model.weight_groups())
    before = snapshot(model)
    logs = model.train_step(tuple(map(tf.constant, moons(17))))
    assert changed(model, before) - {"discriminator"} == groups
    assert logs["mode_seeking"] > 0.0


def test_mode_seeking_compares_samples_of_one_class_and_spreads_them():
    spread = {}
    for weight in (0.0, 1.0):
        model = ConditionalVAEGAN(
            (2,),
            3,
            preset="toy",
            recipe="paper",
            n_gm=1,
            loss_weights={"mode_seeking": weight, "reconstruction": 0.0, "generation": 0.0},
        )
        model.fit(*moons(96), batch_size=16, epochs=8, verbose=0)
        samples = model.generate([0] * 200, seed=0)
        spread[weight] = float(tf.reduce_mean(tf.math.reduce_std(samples, axis=0)))
    assert spread[1.0] > 2.0 * spread[0.0]
    pairs = np.reshape(model._drawn_labels(16, (0, 1)), (8, 2))
    np.testing.assert_array_equal(pairs[:, 0], pairs[:, 1])
    assert model._drawn_labels(17, (0, 1)).shape == (17,)
