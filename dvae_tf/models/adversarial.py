"""What the models with a discriminator share."""

import keras
import tensorflow as tf

from dvae_tf import losses
from dvae_tf.networks.presets import seeded_initializers

METRICS = ("discrimination", "generation")


class Adversarial:
    """Mixin of a `ClassConditionalModel` with a discriminator D."""

    def _make_discriminator(self, discriminator):
        """Takes the user's discriminator or makes the preset's."""
        with seeded_initializers(self.seed):
            self.discriminator = discriminator or self._family().discriminator(
                self.sample_shape, self.num_classes
            )
            x = keras.KerasTensor((None, *self.sample_shape), dtype="float32")
            label = keras.KerasTensor((None,), dtype="int32")
            self._expect("discriminator", self.discriminator((x, label)), ())

    def _decode_and_judge(self, x, label, z, seed, training):
        """Decodes codes and samples in one pass, and judges them with the inputs in another.

        One pass, so that a spectral norm's power iteration moves on once a step.

        Args:
            x: float tensor [batch, *shape].
            label: int32 tensor [batch].
            z: float tensor [batch, latent], the codes of x, or None for a model without codes.
            seed: int32 tensor [2].
            training: bool.

        Returns:
            (tensor [batch, *shape] or None, the decoded codes; dict of the losses L_D and L_G).
        """
        batch = tf.shape(x)[0]
        seed_label, *seeds = tf.unstack(tf.random.split(seed, 3))
        sampled_label = tf.random.stateless_uniform(
            [batch], seed_label, maxval=self.num_classes, dtype=tf.int32, alg="philox"
        )
        codes, labels = [self._draw_codes(sampled_label, seeds)], [sampled_label]
        if z is not None:
            codes, labels = [z, *codes], [label, *labels]
        images = self.decoder(tf.concat(codes, axis=0), training=training)
        logits = self.discriminator(
            (tf.concat([x, images], axis=0), tf.concat([label, *labels], axis=0)),
            training=training,
        )
        on_real, *on_generated = tf.split(logits, 1 + len(codes))
        return None if z is None else images[:batch], {
            "discrimination": losses.discrimination(
                on_real, *on_generated, averaged=self.rules.averaged_hinge
            ),
            "generation": losses.generation(*on_generated),
        }
