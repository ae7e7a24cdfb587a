"""Batch normalisation over all devices that share a batch."""

import keras
import tensorflow as tf

# Short runs have only a few hundred steps: with Keras's default of 0.99, the initial statistics
# would still count when training ends.
MOMENTUM = 0.9


@keras.saving.register_keras_serializable("dvae_tf")
class BatchNormalization(keras.layers.BatchNormalization):
    """`keras.layers.BatchNormalization` with the statistics of the whole batch.

    Under a tf.distribute.Strategy with several replicas they are computed over all replicas, so a
    layer that was saved on one device behaves the same on several, and vice versa.

    Args:
        momentum: float, for the running statistics. Defaults to 0.9.
        **kwargs: of `keras.layers.BatchNormalization`.

    Examples:
        >>> tuple(BatchNormalization()(keras.ops.ones((4, 2)), training=True).shape)
        (4, 2)
    """

    def __init__(self, momentum: float = MOMENTUM, **kwargs):
        super().__init__(momentum=momentum, **kwargs)

    def call(self, inputs, training=None, mask=None):
        self.synchronized = tf.distribute.get_strategy().num_replicas_in_sync > 1
        return super().call(inputs, training=training, mask=mask)

    def get_config(self):
        return super().get_config() | {"synchronized": False}
