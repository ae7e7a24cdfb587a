"""A feature extractor described by the list of its layers."""

from collections.abc import Callable, Sequence

import keras

from dvae_tf.networks.batch_normalization import BatchNormalization
from dvae_tf.networks.body import Body
from dvae_tf.networks.spectral_normalization import SpectralConv2D, SpectralDense


@keras.saving.register_keras_serializable("dvae_tf")
class LayerStack(Body):
    """Layers in the order of a list; a (leaky) ReLU follows each dense and convolution layer.

    The published networks of Zheng & Sun (CVPR 2019), whose lists are in
    `dvae_tf.networks.published`.

    Args:
        layers: sequence of tuples, each the kind of a layer and its numbers:
            ("dense", units): flattens its input first.
            ("map", filters, height, width): a dense layer, reshaped to a feature map.
            ("conv", filters, kernel, stride): a convolution with padding "same".
            ("transposed", filters, kernel, stride, padding, rows, columns): a transposed
            convolution; of its output so many rows and columns are cut off at the end. Padding
            defaults to "same", rows and columns to 0.
            ("max_pool", side): windows of side x side pixels that do not overlap.
            ("mean_pool", height, width): the same with the mean.
        batch_norm: bool, whether batch normalisation stands between a layer and its activation; the
            layers then have no bias, since batch normalisation would subtract it. Defaults to
            False.
        spectral_norm: bool, whether dense layers and convolutions have kernels of spectral norm
            one. Defaults to False.
        negative_slope: float, slope of the (leaky) ReLU below zero. Defaults to 0 (ReLU).

    Raises:
        ValueError: if there is no such kind of layer.

    Examples:
        >>> body = LayerStack([("conv", 8, 5, 2), ("mean_pool", 7, 7), ("dense", 16)])
        >>> tuple(body(keras.ops.zeros((4, 28, 28, 1))).shape)
        (4, 16)
    """

    def __init__(
        self,
        layers: Sequence[tuple],
        batch_norm: bool = False,
        spectral_norm: bool = False,
        negative_slope: float = 0.0,
        **kwargs,
    ):
        super().__init__(**kwargs)
        # Not `layers`, where Keras expects layers.
        self.kinds = tuple(tuple(layer) for layer in layers)
        self.batch_norm = batch_norm
        self.spectral_norm = spectral_norm
        self.negative_slope = negative_slope
        kinds: dict[str, Callable] = {
            "dense": self._dense,
            "map": self._map,
            "conv": self._conv,
            "transposed": self._transposed,
            "max_pool": lambda side: [keras.layers.MaxPooling2D(side, padding="same")],
            "mean_pool": lambda *window: [keras.layers.AveragePooling2D(window, padding="same")],
        }
        stack = []
        for kind, *numbers in self.kinds:
            if kind not in kinds:
                raise ValueError(f"No layer is called {kind!r}; give one of {', '.join(kinds)}.")
            stack += kinds[kind](*numbers)
        self.set_stack(stack)

    def _dense(self, units):
        kind = SpectralDense if self.spectral_norm else keras.layers.Dense
        dense = kind(units, use_bias=not self.batch_norm)
        return [keras.layers.Flatten(), dense, *self._activation()]

    def _map(self, filters, height, width):
        reshape = keras.layers.Reshape((height, width, filters))
        return [*self._dense(height * width * filters), reshape]

    def _conv(self, filters, kernel, stride):
        kind = SpectralConv2D if self.spectral_norm else keras.layers.Conv2D
        convolution = kind(filters, kernel, stride, "same", use_bias=not self.batch_norm)
        return [convolution, *self._activation()]

    def _transposed(self, filters, kernel, stride, padding="same", rows=0, columns=0):
        convolution = keras.layers.Conv2DTranspose(
            filters, kernel, stride, padding, use_bias=not self.batch_norm
        )
        cropping = [keras.layers.Cropping2D(((0, rows), (0, columns)))] if rows or columns else []
        return [convolution, *cropping, *self._activation()]

    def _activation(self):
        activation = keras.layers.ReLU()
        if self.negative_slope:
            activation = keras.layers.LeakyReLU(self.negative_slope)
        return [BatchNormalization(), activation] if self.batch_norm else [activation]

    def get_config(self):
        return super().get_config() | {
            "layers": self.kinds,
            "batch_norm": self.batch_norm,
            "spectral_norm": self.spectral_norm,
            "negative_slope": self.negative_slope,
        }
