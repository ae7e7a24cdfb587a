"""The label-irrelevant encoder E_U of a decoder that places what it draws."""

import keras
import tensorflow as tf

from dvae_tf.networks.encoder_u import EncoderU
from dvae_tf.networks.placement import POSE, unplaced


@keras.saving.register_keras_serializable("dvae_tf")
class PlacedEncoderU(EncoderU):
    """E_U whose last four numbers say where the object is, how large and how turned.

    A first network finds position and size; a second one sees the object in the middle and in its
    usual size, and finds its turn and the rest of the code. By one network the turn is not learnt.
    No gradient of another loss than `equivariance` reaches the pose (`dvae_tf.models.poses`); the
    features that the turn is read from serve the rest of the code as well.

    Args:
        latent_dim: int, size of z_u, above 4.
        body: keras.layers.Layer, a feature extractor [batch, ...] -> [batch, features].
        locator: keras.layers.Layer, another one.
        log_variance: bool, as in `EncoderU`. Defaults to False.

    Returns (of a call):
        mean, stddev: two float32 tensors [batch, latent_dim]; stddev is positive.

    Raises:
        ValueError: if z_u has no room for a pose and more.

    Examples:
        >>> from dvae_tf.networks import Downsampler
        >>> encoder = PlacedEncoderU(12, Downsampler(((8,),)), Downsampler(((8,),)))
        >>> mean, stddev = encoder(keras.ops.zeros((2, 16, 16, 1)))
        >>> pose = encoder.with_pose(keras.ops.zeros((2, 16, 16, 1)))[2]
        >>> tuple(mean.shape), tuple(pose.shape)
        ((2, 12), (2, 4))
    """

    def __init__(self, latent_dim: int, body, locator, log_variance: bool = False, **kwargs):
        if latent_dim <= POSE:
            raise ValueError(
                f"latent_dim is {latent_dim}, but {POSE} numbers of z_u are the pose; give "
                f"latent_dim_u={POSE + 1} or more."
            )
        super().__init__(latent_dim, body, log_variance, **kwargs)
        self.locator = locator
        # All poses are 0 at first.
        self.location = keras.layers.Dense(3, kernel_initializer="zeros", dtype="float32")
        self.direction = keras.layers.Dense(
            2,
            kernel_initializer=keras.initializers.RandomNormal(stddev=0.01),
            bias_initializer=_upright,
            dtype="float32",
        )

    def _free_dimensions(self):
        return self.latent_dim - POSE

    def build(self, input_shape):
        super().build(input_shape)
        self.locator.build(input_shape)
        self.location.build(self.locator.compute_output_shape(input_shape))
        self.direction.build(self.body.compute_output_shape(input_shape))

    def call(self, inputs, training=False):
        mean, stddev, _ = self.with_pose(inputs, training)
        return mean, stddev

    def with_pose(self, inputs, training=False):
        """Mean, deviation and the pose [batch, 4] again, as that which its own loss trains."""
        features, pose = self._features(inputs, training)
        # Other losses do not change the pose while the decoder is still poor.
        mean = tf.concat([self.mean(features), tf.stop_gradient(pose)], axis=-1)
        return mean, self._stddev(features), pose

    @property
    def pose_weights(self) -> list:
        """The trainable weights that a pose depends on."""
        parts = self.locator, self.location, self.body, self.direction
        return [weight for part in parts for weight in part.trainable_variables]

    def _features(self, inputs, training):
        location = self.location(self.locator(inputs, training=training))
        still = tf.pad(tf.stop_gradient(location), [[0, 0], [0, 1]])
        features = self.body(unplaced(inputs, still), training=training)
        cosine, sine = tf.unstack(self.direction(features), axis=-1)
        turn = tf.atan2(sine, cosine)
        return features, tf.concat([location, turn[:, tf.newaxis]], axis=-1)

    def get_config(self):
        return super().get_config() | {"locator": keras.saving.serialize_keras_object(self.locator)}

    @classmethod
    def from_config(cls, config):
        config["locator"] = keras.saving.deserialize_keras_object(config["locator"])
        return super().from_config(config)


@keras.saving.register_keras_serializable("dvae_tf")
def _upright(shape, dtype=None):
    return tf.constant([1.0, 0.0], dtype or tf.float32)
