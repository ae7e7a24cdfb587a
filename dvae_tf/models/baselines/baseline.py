"""The base class of the baselines: one trained vector per class in place of z_s."""

import keras
import tensorflow as tf

from dvae_tf.models import replicas
from dvae_tf.models.base import ClassConditionalModel
from dvae_tf.models.poses import expect_room_for_pose
from dvae_tf.priors import noise

LABEL = keras.InputSpec(shape=(None,), dtype="int32", name="label")


class Baseline(ClassConditionalModel):
    """A decoder of [class vector, z_u], z_u ~ N(0, I), with the networks of `DisentangledVAE`.

    As in `DisentangledVAE`, every n_gm-th batch is a joint step; nothing is trained in between. So
    the same number of steps of `fit` gives the same number of updates of the decoder, on the same
    batches. With n_gm = 1, every batch trains.

    A subclass implements `_joint_losses(x, label, seed, training)`.
    """

    def train_step(self, data, stage: str = "joint") -> dict:
        """One step of `fit`.

        Args:
            data: (x, label) or (x, label, weight).
            stage: str, "joint" to train everything, "mixture" to train nothing. Defaults to
                "joint"; `fit` passes "mixture" except on every n_gm-th batch.

        Returns:
            dict of metric name to float tensor, means since the epoch began.
        """
        x, label, weight = self._begin_step(data)
        if stage != "joint":
            return self._end_step({}, weight)
        seed = replicas.step_seed(self.seed_generator)
        with tf.GradientTape(persistent=True) as tape:
            values = self._joint_losses(x, label, seed, training=True)
            totals = self.joint_objectives.totals(values, weight, self)
        self.joint_objectives.apply_gradients(tape, totals, self)
        return self._end_step(values, weight)

    def _test_losses(self, x, label):
        return self._joint_losses(x, label, replicas.TEST_SEED, training=False)

    def _make_decoder(self, decoder, latent_dim_s, latent_dim_u):
        """Takes the user's decoder or makes the preset's, and the vectors of the classes."""
        self._expect_sizes(latent_dim_s=latent_dim_s, latent_dim_u=latent_dim_u)
        family = self._preset() if None in (decoder, latent_dim_s, latent_dim_u) else None
        self.latent_dim_s = latent_dim_s or family.latent_dim_s
        self.latent_dim_u = latent_dim_u or family.latent_dim_u
        # Initialised like the means of the mixture.
        self.class_vector = keras.layers.Embedding(
            self.num_classes, self.latent_dim_s, "glorot_uniform", name="class_vector"
        )
        self.class_vector.build()
        self.decoder = decoder or family.decoder(self.sample_shape, self.columns)
        expect_room_for_pose(self.decoder, self.latent_dim_u)
        z = keras.KerasTensor((None, self.latent_dim_s + self.latent_dim_u), dtype="float32")
        self._expect("decoder", self.decoder(z), self.sample_shape)

    def _pair(self, name, inputs, label):
        """The two inputs of `call`, which come as a pair or as x and label of a batch."""
        pair = inputs if label is None else (inputs, label)
        if not isinstance(pair, list | tuple) or len(pair) != 2:
            raise ValueError(f"A {type(self).__name__} is called with ({name}, label); give both.")
        return pair

    def _labels(self, label, values):
        label = tf.convert_to_tensor(label)
        checked = values or (values is None and tf.executing_eagerly())
        return self._checked_label(label) if checked else tf.cast(label, tf.int32)

    def _codes(self, label, z_u):
        class_vector = tf.cast(self.class_vector(label), tf.float32)
        return tf.concat([class_vector, z_u], axis=-1)

    def draw_codes(self, label, seeds, temperature: float = 1.0, training: bool = False):
        """Draws the decoder's inputs for given classes, as part of a graph.

        Args:
            label: int32 tensor [n].
            seeds: two int32 tensors [2]; only the second, for z_u, is used.
            temperature: float, factor on the standard deviation. Defaults to 1.
            training: bool, without effect. Defaults to False.

        Returns:
            float32 tensor [n, latent_dim_s + latent_dim_u].
        """
        z_u = temperature * noise((tf.size(label), self.latent_dim_u), seeds[1])
        return self._codes(label, z_u)

    def get_config(self):
        config = super().get_config()
        del config["class_vector"]  # Not an argument: only its weights are saved.
        return config | {"latent_dim_s": self.latent_dim_s, "latent_dim_u": self.latent_dim_u}
