"""What a discriminator adds to the joint step: the losses L_D and L_G."""

import tensorflow as tf

from dvae_tf import losses
from dvae_tf.models.augmentation import augment
from dvae_tf.models.objectives import Loss

ROWS = (
    Loss("discrimination", trains=("discriminator",)),
    Loss("generation", trains=("decoder",)),
)


def adversarial_losses(model, real, generated, seed: tf.Tensor, training: bool) -> dict:
    """Runs the discriminator on real inputs, then on generated ones: L_D and L_G.

    In two calls, so that the gradient of L_G does not go through the one on real inputs.

    Args:
        model: ClassConditionalModel with a discriminator.
        real: (float tensor [batch, *shape], int32 tensor [batch]), inputs and their classes.
        generated: list of such pairs, or Samples: reconstructions, samples of the model, or both.
        seed: int32 tensor [2], for the recipe's augmentation.
        training: bool, whether the estimates of the spectral norms are updated.

    Returns:
        dict of "discrimination" and "generation" to float32 tensors [batch].
    """
    recipe, discriminator = model.recipe, model.discriminator
    images, labels = zip(*(pair[:2] for pair in (real, *generated)), strict=True)
    augmented = augment(tf.concat(images, axis=0), recipe.augmentation, seed)
    batch = tf.shape(labels[0])[0]
    on_real = discriminator((augmented[:batch], labels[0]), training=training)
    on_generated = tf.split(
        discriminator((augmented[batch:], tf.concat(labels[1:], axis=0)), training=training),
        len(generated),
    )
    return {
        "discrimination": losses.discrimination(
            on_real, *on_generated, averaged=recipe.averaged_hinge
        ),
        "generation": losses.generation(*on_generated),
    }
