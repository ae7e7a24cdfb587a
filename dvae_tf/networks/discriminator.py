"""The projection discriminator D."""

import keras

from dvae_tf.networks.spectral_normalization import SpectralDense, SpectralEmbedding


@keras.saving.register_keras_serializable("dvae_tf")
class Discriminator(keras.Model):
    """Tells real from generated inputs, given the class: D(x, y) = w . phi(x) + (V y) . phi(x).

    Miyato & Koyama, "cGANs with Projection Discriminator" (ICLR 2018), as Zheng & Sun (CVPR 2019)
    use it; every weight is spectrally normalised.

    Args:
        num_classes: int, number of classes C.
        body: keras.layers.Layer, phi: [batch, ...] -> [batch, features], spectrally normalised.

    Returns (of a call on (x, label)):
        float32 tensor [batch], the hinge logits: positive means real.

    Examples:
        >>> from dvae_tf.networks import MLP
        >>> discriminator = Discriminator(10, MLP((32, 32), spectral_norm=True))
        >>> logits = discriminator((keras.ops.zeros((8, 2)), keras.ops.zeros((8,), "int32")))
        >>> tuple(logits.shape)
        (8,)
    """

    def __init__(self, num_classes: int, body, **kwargs):
        super().__init__(**kwargs)
        self.num_classes = num_classes
        self.body = body
        self.realness = SpectralDense(1, dtype="float32")

    def build(self, input_shape):
        shape, _ = input_shape
        self.body.build(shape)
        features = self.body.compute_output_shape(shape)
        self.realness.build(features)
        self.class_vector = SpectralEmbedding(self.num_classes, features[-1], dtype="float32")
        self.class_vector.build()

    def call(self, inputs, training=False):
        x, label = inputs
        features = keras.ops.cast(self.body(x, training=training), "float32")
        realness = self.realness(features, training=training)[:, 0]
        class_vector = self.class_vector(label, training=training)
        return realness + keras.ops.sum(class_vector * features, axis=-1)

    def get_config(self):
        body = keras.saving.serialize_keras_object(self.body)
        return super().get_config() | {"num_classes": self.num_classes, "body": body}

    @classmethod
    def from_config(cls, config):
        config["body"] = keras.saving.deserialize_keras_object(config["body"])
        return cls(**config)
