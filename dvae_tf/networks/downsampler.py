"""Convolutional feature extractor for images."""

import keras

from dvae_tf.networks.batch_normalization import BatchNormalization
from dvae_tf.networks.body import Body
from dvae_tf.networks.spectral_normalization import SpectralConv2D, SpectralDense


@keras.saving.register_keras_serializable("dvae_tf")
class Downsampler(Body):
    """Blocks of convolutions that halve the image, then one dense layer.

    The preset "compact" is made of these; the published networks are `LayerStack`s. (Older files
    of models have networks with max and mean pools made of these.)

    Args:
        blocks: sequence of sequences of int, the filters of each convolution of each block.
        kernel_size: int, side of the kernels in pixels. Defaults to 5.
        dense_units: int, width of the dense layer at the end. Defaults to 1024.
        halving: "stride" (the first convolution of a block has stride 2), "max_pool" (a 2x2 max
            pooling ends each block, as in VGG). Defaults to "stride".
        stem_stride: int, stride of the very first convolution where `halving` is "stride".
            Defaults to 2.
        mean_pool: bool, whether the dense layer gets the mean over all positions in place of the
            flattened feature map. Defaults to False.
        batch_norm: bool, whether batch normalisation follows each layer. Defaults to False.
        spectral_norm: bool, whether each kernel has spectral norm one. Defaults to False.
        negative_slope: float, slope of the (leaky) ReLU below zero. Defaults to 0 (ReLU).

    Raises:
        ValueError: if `halving` is neither "stride" nor "max_pool".

    Examples:
        >>> body = Downsampler(((32,), (64,)), dense_units=128)
        >>> tuple(body(keras.ops.zeros((4, 28, 28, 1))).shape)
        (4, 128)
    """

    def __init__(
        self,
        blocks,
        kernel_size: int = 5,
        dense_units: int = 1024,
        halving="stride",
        stem_stride: int = 2,
        mean_pool: bool = False,
        batch_norm: bool = False,
        spectral_norm: bool = False,
        negative_slope: float = 0.0,
        **kwargs,
    ):
        super().__init__(**kwargs)
        if halving not in ("stride", "max_pool"):
            raise ValueError(f"halving is {halving!r}; give 'stride' or 'max_pool'.")
        self.blocks = tuple(tuple(block) for block in blocks)
        self.kernel_size = kernel_size
        self.dense_units = dense_units
        self.halving = halving
        self.stem_stride = stem_stride
        self.mean_pool = mean_pool
        self.batch_norm = batch_norm
        self.spectral_norm = spectral_norm
        self.negative_slope = negative_slope
        self.set_stack(self._convolutions() + self._head())

    def _convolutions(self):
        convolution = SpectralConv2D if self.spectral_norm else keras.layers.Conv2D
        layers = []
        for number, block in enumerate(self.blocks):
            first_stride = self.stem_stride if number == 0 else 2
            for position, filters in enumerate(block):
                stride = first_stride if position == 0 and self.halving == "stride" else 1
                layers.append(
                    convolution(
                        filters,
                        self.kernel_size,
                        strides=stride,
                        padding="same",
                        use_bias=not self.batch_norm,
                    )
                )
                layers += self._activation()
            if self.halving == "max_pool":
                layers.append(keras.layers.MaxPooling2D(2, padding="same"))
        return layers

    def _head(self):
        dense = SpectralDense if self.spectral_norm else keras.layers.Dense
        pool = keras.layers.GlobalAveragePooling2D if self.mean_pool else keras.layers.Flatten
        return [
            pool(),
            dense(self.dense_units, use_bias=not self.batch_norm),
            *self._activation(),
        ]

    def _activation(self):
        activation = keras.layers.ReLU()
        if self.negative_slope:
            activation = keras.layers.LeakyReLU(self.negative_slope)
        return [BatchNormalization(), activation] if self.batch_norm else [activation]

    def get_config(self):
        return super().get_config() | {
            "blocks": self.blocks,
            "kernel_size": self.kernel_size,
            "dense_units": self.dense_units,
            "halving": self.halving,
            "stem_stride": self.stem_stride,
            "mean_pool": self.mean_pool,
            "batch_norm": self.batch_norm,
            "spectral_norm": self.spectral_norm,
            "negative_slope": self.negative_slope,
        }
