"""What the models with a discriminator share."""

import keras
import tensorflow as tf

from dvae_tf import losses
from dvae_tf.models.augmentation import augment
from dvae_tf.networks.presets import seeded_initializers


class Adversarial:
    """Mixin of a `ClassConditionalModel` with a discriminator D."""

    @property
    def generation_losses(self):
        """The losses of samples that train what makes them: tuple of names."""
        return ("generation", *(["mode_seeking"] if self.loss_weights["mode_seeking"] else []))

    def _complete_with_discriminator(self, discriminator, networks=()):
        """Takes the user's discriminator or makes the preset's; the model is ready to fit then."""
        with seeded_initializers(self.seed):
            self.discriminator = discriminator or self._family().discriminator(
                self.sample_shape, self.num_classes
            )
            x = keras.KerasTensor((None, *self.sample_shape), dtype="float32")
            label = keras.KerasTensor((None,), dtype="int32")
            self._expect("discriminator", self.discriminator((x, label)), ())
        metrics = ("discrimination", *self.generation_losses)
        self._complete((*networks, "discriminator"), metrics)

    def _decode_and_judge(self, x, label, z, seed, training):
        """Decodes codes, then samples, and judges inputs, then both.

        Apart, so that no gradient goes through what it does not need: that of E_U not through
        samples, that of L_G not through judgements of inputs.

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
        sampled_label = self._drawn_labels(batch, seed_label)
        codes, labels = [self._draw_codes(sampled_label, seeds)], [sampled_label]
        if z is not None:
            codes, labels = [z, *codes], [label, *labels]
        images = [self.decoder(single, training=training) for single in codes]
        shown = augment(tf.concat([x, *images], axis=0), self.rules.augmentation, seed)
        real, generated = shown[:batch], shown[batch:]
        on_real = self.discriminator((real, label), training=training)
        on_generated = tf.split(
            self.discriminator((generated, tf.concat(labels, axis=0)), training=training),
            len(codes),
        )
        return None if z is None else images[0], {
            "discrimination": losses.discrimination(
                on_real, *on_generated, averaged=self.rules.averaged_hinge
            ),
            "generation": losses.generation(*on_generated),
            **self._diversity(images[-1], codes[-1]),
        }

    def _drawn_labels(self, count, seed):
        """Draws classes uniformly: each twice in a row, where samples of one class are compared."""
        repeats = 2 if self.loss_weights["mode_seeking"] else 1
        label = tf.random.stateless_uniform(
            [-(-count // repeats)], seed, maxval=self.num_classes, dtype=tf.int32, alg="philox"
        )
        return tf.repeat(label, repeats)[:count]

    def _diversity(self, images, codes):
        """L_ms of the samples, two by two, where it has a weight."""
        if not self.loss_weights["mode_seeking"]:
            return {}
        even = tf.shape(images)[0] // 2 * 2
        images, codes = ((kind[:even:2], kind[1:even:2]) for kind in (images, codes))
        return {"mode_seeking": losses.mode_seeking(images, codes)}
