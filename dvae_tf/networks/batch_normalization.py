"""Batch normalisation over all devices that share a batch."""

import keras
import tensorflow as tf

# Short runs see a few hundred steps only: Keras's default of 0.99 would still remember the initial
# statistics when training ends.
MOMENTUM = 0.9


@keras.saving.register_keras_serializable("dvae_tf")
class BatchNormalization(keras.layers.BatchNormalization):
    """`keras.layers.BatchNormalization`, whose statistics are those of the whole batch.

    Under a tf.distribute.Strategy of several replicas they are taken over all of these, so that a
    layer that was saved on one device does the same on several, and the other way round.

    Args:
        momentum: float, of the running statistics. Defaults to 0.9.
        **kwargs: of `keras.layers.BatchNormalization`.

    Examples:
        >>> tuple(BatchNormalization()(keras.ops.ones((4, 2)), training=True).shape)
        (4, 2)
    """

    def __init__(self, momentum: float = MOMENTUM, **kwargs):
        super().__init__(momentum=momentum, **kwargs)

    def call(self, inputs, training=None, mask=None):
        self.synchronized = tf.distribute.get_strategy().num_replicas_in_sync > 1
        if not (training and self.trainable) or self.synchronized:
            return super().call(inputs, training=training, mask=mask)
        return self._normalise_batch(inputs)

    def _normalise_batch(self, inputs):
        """What Keras does with a batch, in one operation and one pass backwards."""
        rows = tf.reshape(inputs, (-1, 1, 1, inputs.shape[-1]))
        outputs, mean, variance, *_ = tf.raw_ops.FusedBatchNormV3(
            x=rows,
            scale=tf.convert_to_tensor(self.gamma),
            offset=tf.convert_to_tensor(self.beta),
            mean=(),
            variance=(),
            epsilon=self.epsilon,
        )
        # The operation divides by one less than the number of values.
        count = tf.cast(tf.size(inputs) // inputs.shape[-1], tf.float32)
        self._follow(self.moving_mean, mean)
        self._follow(self.moving_variance, variance * (count - 1.0) / count)
        return tf.reshape(outputs, tf.shape(inputs))

    def _follow(self, moving, value):
        moving.assign(self.momentum * moving + (1.0 - self.momentum) * value)

    def get_config(self):
        return super().get_config() | {"synchronized": False}
