import numpy as np
import tensorflow as tf

from dvae_tf.models import ConditionalGAN, Recipe


def test_the_discriminator_sees_augmented_images_real_and_generated_alike():
    seen, model = [], None
    for augmentation in ((), ("cutout",)):
        own = Recipe.named("paper").replace(augmentation=augmentation)
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
