"""Fully connected feature extractor for inputs of any shape."""

from collections.abc import Sequence

import keras

from dvae_tf.networks.body import Body
from dvae_tf.networks.spectral_normalization import SpectralDense


@keras.saving.register_keras_serializable("dvae_tf")
class MLP(Body):
    """Flattens its input and passes it through dense layers with leaky ReLU.

    The preset "compact" has these for data that are not images, as body of all its networks.

    Args:
        units: sequence of int, the width of each hidden layer.
        negative_slope: float, slope of the leaky ReLU for negative inputs. Defaults to 0.2.
        spectral_norm: bool, whether every kernel is divided by its largest singular value, for
            discriminators. Defaults to False.

    Examples:
        >>> features = MLP((32, 64, 64))(keras.ops.zeros((8, 2)))
        >>> tuple(features.shape)
        (8, 64)
    """

    def __init__(
        self,
        units: Sequence[int],
        negative_slope: float = 0.2,
        spectral_norm: bool = False,
        **kwargs,
    ):
        super().__init__(**kwargs)
        self.units = tuple(units)
        self.negative_slope = negative_slope
        self.spectral_norm = spectral_norm
        dense = SpectralDense if spectral_norm else keras.layers.Dense
        stack = [keras.layers.Flatten()]
        for width in self.units:
            stack += [dense(width), keras.layers.LeakyReLU(negative_slope)]
        self.set_stack(stack)

    def get_config(self):
        return super().get_config() | {
            "units": self.units,
            "negative_slope": self.negative_slope,
            "spectral_norm": self.spectral_norm,
        }
