"""The adversarial classifier Q."""

import keras

from dvae_tf.networks.mlp import MLP


@keras.saving.register_keras_serializable("dvae_tf")
class LatentClassifier(keras.Model):
    """Predicts the class from z_u, so that E_U learns to hide it: z_u -> logits.

    Zheng & Sun (CVPR 2019), section 3.

    Args:
        num_classes: int, number of classes C.
        hidden_units: int, width of the hidden layer. Defaults to 256; the toy preset has 64.
        negative_slope: float, slope of its leaky ReLU below zero. Defaults to 0.2; published are 0
            and, for three moons, 0.1.

    Returns (of a call):
        float32 tensor [batch, num_classes], logits.

    Examples:
        >>> tuple(LatentClassifier(10)(keras.ops.zeros((8, 32))).shape)
        (8, 10)
    """

    def __init__(
        self, num_classes: int, hidden_units: int = 256, negative_slope: float = 0.2, **kwargs
    ):
        super().__init__(**kwargs)
        self.num_classes = num_classes
        self.hidden_units = hidden_units
        self.negative_slope = negative_slope
        self.body = MLP((hidden_units,), negative_slope)
        self.logits = keras.layers.Dense(num_classes, dtype="float32")

    def build(self, input_shape):
        self.body.build(input_shape)
        self.logits.build(self.body.compute_output_shape(input_shape))

    def call(self, inputs, training=False):
        return self.logits(self.body(inputs, training=training))

    def get_config(self):
        return super().get_config() | {
            "num_classes": self.num_classes,
            "hidden_units": self.hidden_units,
            "negative_slope": self.negative_slope,
        }
