"""The decoder G."""

import math
from collections.abc import Sequence

import keras

from dvae_tf.data.columns import FURTHEST, Columns
from dvae_tf.networks.placement import POSE, Placement

# A probability so near 0 or 1 would have no gradient any more.
LARGEST_LOGIT = 10.0


def _bounded(logits):
    return LARGEST_LOGIT * keras.ops.tanh(logits / LARGEST_LOGIT)


@keras.saving.register_keras_serializable("dvae_tf")
class Decoder(keras.Model):
    """Decodes the two codes: [z_s, z_u] -> x.

    Zheng & Sun (CVPR 2019), section 3. For images the last layer is a convolution with tanh, for
    other shapes a dense layer without activation. If the body's feature map is smaller than the
    image, the last layer is a transposed convolution that enlarges it.

    Args:
        output_shape: sequence of int, shape of one x: (height, width, channels) or any other.
        body: keras.layers.Layer, [batch, latent] -> features, either [batch, features] or a feature
            map [batch, height, width, features].
        kernel_size: int, side of the last convolution's kernel in pixels. Defaults to 5.
        placed: bool, whether the body's feature map is shifted, scaled and turned as the last four
            numbers of z_u say before the last layer (see `Placement`). Defaults to False.
        columns: Columns of a table, or a list of dicts of them: of numbers the output is the mean,
            of all else probabilities. Defaults to None: x is no table.

    Returns (of a call):
        float32 tensor [batch, *output_shape]; in [-1, 1] for images.

    Examples:
        >>> from dvae_tf.networks import Upsampler
        >>> decoder = Decoder((28, 28, 1), Upsampler(28, ((32,), (16,))))
        >>> tuple(decoder(keras.ops.zeros((8, 48))).shape)
        (8, 28, 28, 1)
    """

    def __init__(
        self,
        output_shape: Sequence[int],
        body,
        kernel_size: int = 5,
        placed: bool = False,
        columns: Columns | Sequence | None = None,
        **kwargs,
    ):
        super().__init__(**kwargs)
        self.sample_shape = tuple(output_shape)
        self.body = body
        self.kernel_size = kernel_size
        self.placed = placed
        self.columns = Columns(columns) if columns else None

    def build(self, input_shape):
        code = (*input_shape[:-1], input_shape[-1] - POSE) if self.placed else input_shape
        self.body.build(code)
        features = self.body.compute_output_shape(code)
        activation = "tanh" if len(self.sample_shape) == 3 else None
        if len(features) == 2:
            units = math.prod(self.sample_shape)
            self.head = keras.layers.Dense(units, activation=activation, dtype="float32")
        else:
            sides = zip(self.sample_shape[:2], features[1:3], strict=True)
            strides = tuple(math.ceil(side / found) for side, found in sides)
            if self.placed:
                self.placement = Placement(min(strides), self.sample_shape[:2])
                placed = features, code, (*input_shape[:-1], POSE)
                self.placement.build(placed)
                features = self.placement.compute_output_shape(placed)
            convolution = keras.layers.Conv2D if strides == (1, 1) else keras.layers.Conv2DTranspose
            self.head = convolution(
                self.sample_shape[-1],
                self.kernel_size,
                strides=strides,
                padding="same",
                activation=activation,
                dtype="float32",
            )
        self.head.build(features)

    def call(self, inputs, training=False):
        code = inputs[:, :-POSE] if self.placed else inputs
        features = self.body(code, training=training)
        if self.placed:
            features = self.placement((features, code, inputs[:, -POSE:]))
        outputs = self.head(features)
        if len(outputs.shape) == 4:
            return outputs[:, : self.sample_shape[0], : self.sample_shape[1]]
        if self.columns:
            return self._means_and_probabilities(outputs)
        return keras.ops.reshape(outputs, (-1, *self.sample_shape))

    def _means_and_probabilities(self, outputs):
        parts = []
        for column, block in zip(self.columns, self.columns.blocks(), strict=True):
            part = outputs[:, block]
            if column.kind == "numeric":
                mean = keras.ops.clip(part[:, :1], -FURTHEST, FURTHEST)
                parts += [mean, keras.ops.sigmoid(_bounded(part[:, 1:]))]
            elif column.kind == "binary":
                parts.append(keras.ops.sigmoid(_bounded(part)))
            elif column.width == 1:  # Of one value, which is certain.
                parts.append(keras.ops.ones_like(part))
            else:
                parts.append(keras.ops.softmax(_bounded(part), axis=-1))
        return keras.ops.concatenate(parts, axis=-1)

    def get_config(self):
        return super().get_config() | {
            "output_shape": self.sample_shape,
            "body": keras.saving.serialize_keras_object(self.body),
            "kernel_size": self.kernel_size,
            "placed": self.placed,
            "columns": self.columns.as_dicts() if self.columns else None,
        }

    @classmethod
    def from_config(cls, config):
        config["body"] = keras.saving.deserialize_keras_object(config["body"])
        return cls(**config)
