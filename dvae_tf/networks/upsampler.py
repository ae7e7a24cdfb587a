"""Transposed convolutions from a code to the feature map of an image."""

import math
from collections.abc import Sequence

import keras

from dvae_tf.networks.batch_normalization import BatchNormalization
from dvae_tf.networks.body import Body


def _pair(sides):
    """(height, width) of one side or of both."""
    return (sides, sides) if isinstance(sides, int) else tuple(sides)


@keras.saving.register_keras_serializable("dvae_tf")
class Upsampler(Body):
    """Dense layers, a small feature map, then blocks of transposed convolutions that enlarge it.

    The output of block i of n has ceil(size / 2^(n - 1 - i)) pixels a side: the first transposed
    convolution has the strides that reach this size, and surplus pixels are cropped. The preset
    "compact" is made of these; the published networks are `LayerStack`s.

    Args:
        size: int, side of the image in pixels, or (height, width).
        blocks: sequence of sequences of int, the filters of each transposed convolution.
        start_size: int, side of the first feature map in pixels, or (height, width). Defaults to 2.
        start_filters: int, channels of the first feature map. Defaults to 256.
        kernel_size: int, side of the kernels in pixels. Defaults to 5.
        dense_units: sequence of int, widths of dense layers before the first feature map.
            Defaults to none.
        batch_norm: bool, whether batch normalisation follows each transposed convolution.
            Defaults to False.

    Examples:
        >>> body = Upsampler(28, ((64,), (32,), (16,)))
        >>> tuple(body(keras.ops.zeros((4, 48))).shape)
        (4, 28, 28, 16)
    """

    def __init__(
        self,
        size: int | Sequence[int],
        blocks,
        start_size: int | Sequence[int] = 2,
        start_filters: int = 256,
        kernel_size: int = 5,
        dense_units: Sequence[int] = (),
        batch_norm: bool = False,
        **kwargs,
    ):
        super().__init__(**kwargs)
        self.size = _pair(size)
        self.blocks = tuple(tuple(block) for block in blocks)
        self.start_size = _pair(start_size)
        self.start_filters = start_filters
        self.kernel_size = kernel_size
        self.dense_units = tuple(dense_units)
        self.batch_norm = batch_norm
        self.set_stack(self._start() + self._transposed_convolutions())

    def _start(self):
        layers = []
        for units in (*self.dense_units, math.prod(self.start_size) * self.start_filters):
            layers += [keras.layers.Dense(units), keras.layers.ReLU()]
        shape = (*self.start_size, self.start_filters)
        return [*layers, keras.layers.Reshape(shape)]

    def _transposed_convolutions(self):
        layers = []
        sides = self.start_size
        for number, block in enumerate(self.blocks):
            scale = 2 ** (len(self.blocks) - 1 - number)
            targets = tuple(math.ceil(side / scale) for side in self.size)
            for filters in block:
                pairs = [*zip(sides, targets, strict=True)]
                strides = tuple(math.ceil(target / side) for side, target in pairs)
                surplus = [
                    (0, side * stride - target)
                    for (side, target), stride in zip(pairs, strides, strict=True)
                ]
                layers.append(
                    keras.layers.Conv2DTranspose(
                        filters, self.kernel_size, strides=strides, padding="same"
                    )
                )
                if any(after for _, after in surplus):
                    layers.append(keras.layers.Cropping2D(surplus))
                if self.batch_norm:
                    layers.append(BatchNormalization())
                layers.append(keras.layers.ReLU())
                sides = targets
        return layers

    def get_config(self):
        return super().get_config() | {
            "size": self.size,
            "blocks": self.blocks,
            "start_size": self.start_size,
            "start_filters": self.start_filters,
            "kernel_size": self.kernel_size,
            "dense_units": self.dense_units,
            "batch_norm": self.batch_norm,
        }
