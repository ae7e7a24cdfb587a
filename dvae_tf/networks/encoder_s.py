"""The label-relevant encoder E_S."""

import keras


@keras.saving.register_keras_serializable("dvae_tf")
class EncoderS(keras.Model):
    """Deterministic encoder of what the class explains: x -> z_s.

    Zheng & Sun (CVPR 2019), section 3: q(z_s | x) is a delta at E_S(x).

    Args:
        latent_dim: int, size of z_s.
        body: keras.layers.Layer, a feature extractor [batch, ...] -> [batch, features].

    Returns (of a call):
        float32 tensor [batch, latent_dim].

    Examples:
        >>> from dvae_tf.networks import MLP
        >>> encoder = EncoderS(16, MLP((32, 32)))
        >>> tuple(encoder(keras.ops.zeros((8, 2))).shape)
        (8, 16)
    """

    def __init__(self, latent_dim: int, body, **kwargs):
        super().__init__(**kwargs)
        self.latent_dim = latent_dim
        self.body = body
        self.code = keras.layers.Dense(latent_dim, dtype="float32")

    def build(self, input_shape):
        self.body.build(input_shape)
        self.code.build(self.body.compute_output_shape(input_shape))

    def call(self, inputs, training=False):
        return self.code(self.body(inputs, training=training))

    def get_config(self):
        body = keras.saving.serialize_keras_object(self.body)
        return super().get_config() | {"latent_dim": self.latent_dim, "body": body}

    @classmethod
    def from_config(cls, config):
        config["body"] = keras.saving.deserialize_keras_object(config["body"])
        return cls(**config)
