"""The label-irrelevant encoder E_U."""

import math

import keras


@keras.saving.register_keras_serializable("dvae_tf")
class EncoderU(keras.Model):
    """Gaussian encoder of what all classes share: x -> q(z_u | x) = N(mean, diag(stddev^2)).

    Zheng & Sun (CVPR 2019), section 3. The standard deviation is 1, as in the prior, when the
    network's output is 0.

    Args:
        latent_dim: int, size of z_u.
        body: keras.layers.Layer, a feature extractor [batch, ...] -> [batch, features].
        log_variance: bool, whether the network's second output is the logarithm of the variance, as
            published. Defaults to False: the deviation is its softplus, with an offset.

    Returns (of a call):
        mean, stddev: two float32 tensors [batch, latent_dim]; stddev is positive.

    Examples:
        >>> from dvae_tf.networks import MLP
        >>> encoder = EncoderU(32, MLP((32, 32)))
        >>> mean, stddev = encoder(keras.ops.zeros((8, 2)))
        >>> tuple(mean.shape), tuple(stddev.shape)
        ((8, 32), (8, 32))
    """

    UNIT_SOFTPLUS = math.log(math.e - 1.0)
    SMALLEST_STDDEV = 1e-6

    def __init__(self, latent_dim: int, body, log_variance: bool = False, **kwargs):
        super().__init__(**kwargs)
        self.latent_dim = latent_dim
        self.body = body
        self.log_variance = log_variance
        self.mean = keras.layers.Dense(self._free_dimensions(), dtype="float32")
        self.raw_stddev = keras.layers.Dense(latent_dim, dtype="float32")

    def _free_dimensions(self):
        """The numbers of z_u whose means are a dense layer of the features: all."""
        return self.latent_dim

    def build(self, input_shape):
        self.body.build(input_shape)
        features = self.body.compute_output_shape(input_shape)
        self.mean.build(features)
        self.raw_stddev.build(features)

    def call(self, inputs, training=False):
        features = self.body(inputs, training=training)
        return self.mean(features), self._stddev(features)

    def _stddev(self, features):
        raw = self.raw_stddev(features)
        if self.log_variance:
            stddev = keras.ops.exp(0.5 * raw)
        else:
            stddev = keras.ops.softplus(raw + self.UNIT_SOFTPLUS)
        return stddev + self.SMALLEST_STDDEV

    def get_config(self):
        body = keras.saving.serialize_keras_object(self.body)
        return super().get_config() | {
            "latent_dim": self.latent_dim,
            "body": body,
            "log_variance": self.log_variance,
        }

    @classmethod
    def from_config(cls, config):
        config["body"] = keras.saving.deserialize_keras_object(config["body"])
        return cls(**config)
