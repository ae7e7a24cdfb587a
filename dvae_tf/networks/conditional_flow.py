"""The conditional normalising flow between E_U's code and z_u."""

import keras
import numpy as np
import tensorflow as tf

# A coupling scales by a factor in (1/e, e), so that no code explodes in the inverse.
LARGEST_LOG_SCALE = 1.0


@keras.saving.register_keras_serializable("dvae_tf")
class Coupling(keras.layers.Layer):
    """Shift and log-scale of an affine map of one half of a code, computed from the other half.

    Dinh, Sohl-Dickstein & Bengio, "Density estimation using Real NVP" (ICLR 2017), equations 7
    and 8, with a condition as a second input. Shift and log-scale start at 0.

    Args:
        kept_dim: int, size of the half that stays unchanged.
        moved_dim: int, size of the half that is transformed.
        condition_dim: int, size of the condition.
        units: int, width of its two hidden layers.

    Returns (of a call with the unchanged half and the condition, tensors [batch, ...]):
        shift, log_scale: float32 tensors [batch, moved_dim].
    """

    def __init__(self, kept_dim: int, moved_dim: int, condition_dim: int, units: int, **kwargs):
        super().__init__(**{"dtype": "float32"} | kwargs)
        self.moved_dim = moved_dim
        self.hidden = [keras.layers.Dense(units, "relu", dtype="float32") for _ in range(2)]
        self.change = keras.layers.Dense(2 * moved_dim, kernel_initializer="zeros", dtype="float32")
        for layer, width in zip(
            (*self.hidden, self.change), (kept_dim + condition_dim, units, units), strict=True
        ):
            layer.build((None, width))
        self.built = True

    def call(self, kept, condition):
        features = tf.concat([kept, condition], axis=-1)
        for layer in self.hidden:
            features = layer(features)
        shift, raw = tf.split(self.change(features), 2, axis=-1)
        return shift, LARGEST_LOG_SCALE * tf.tanh(raw)


@keras.saving.register_keras_serializable("dvae_tf")
class ConditionalFlow(keras.Model):
    """An invertible map T of codes that depends on a condition and starts as the identity.

    It is trained to map the codes of every class onto N(0, I), so that z_u does not tell the class.
    No information is lost: the map is inverted before the decoder. Couplings (see `Coupling`)
    transform the two halves in turn; after every second one the dimensions are permuted.

    Args:
        latent_dim: int >= 2, size of the code.
        condition_dim: int, size of the condition, such as z_s.
        couplings: int, number of couplings. Defaults to 8.
        units: int, width of their hidden layers. Defaults to 128.
        seed: int, for the permutations. Defaults to 0.

    Returns (of a call with a code [batch, latent_dim] and a condition [batch, condition_dim]):
        z_u, float32 tensor [batch, latent_dim]; log_det, float32 tensor [batch], the logarithm of
        the absolute determinant of the Jacobian.

    Raises:
        ValueError: if `latent_dim` is below 2.

    Examples:
        >>> flow = ConditionalFlow(latent_dim=4, condition_dim=2)
        >>> z_u, log_det = flow(keras.ops.ones((5, 4)), keras.ops.zeros((5, 2)))
        >>> tuple(z_u.shape), tuple(log_det.shape)
        ((5, 4), (5,))
    """

    def __init__(
        self,
        latent_dim: int,
        condition_dim: int,
        couplings: int = 8,
        units: int = 128,
        seed: int = 0,
        **kwargs,
    ):
        super().__init__(**{"dtype": "float32"} | kwargs)
        if latent_dim < 2:
            raise ValueError(
                f"latent_dim is {latent_dim}, but a flow needs at least 2 dimensions: give "
                "latent_dim_u=2 or more, or a recipe without a flow (flow=False)."
            )
        self.latent_dim = latent_dim
        self.condition_dim = condition_dim
        self.units = units
        self.seed = seed
        halves = latent_dim // 2, latent_dim - latent_dim // 2
        self.couplings = [
            Coupling(*(halves[::-1] if number % 2 else halves), condition_dim, units)
            for number in range(couplings)
        ]
        self._orders = self._make_orders()
        self.built = True

    def _make_orders(self):
        """The permutation before each pair of couplings, relative to the previous one.

        A last one restores the original order.
        """
        random, composed = np.random.default_rng(self.seed), np.arange(self.latent_dim)
        orders = []
        for _ in range(0, len(self.couplings), 2):
            orders.append(random.permutation(self.latent_dim) if orders else composed)
            composed = composed[orders[-1]]
        return [*orders, np.argsort(composed)]

    def build(self, input_shape=None) -> None:
        """Does nothing: the constructor builds the couplings."""

    def call(self, code, condition):
        log_scales = []
        for order, pair in zip(self._orders, self._pairs(), strict=False):
            halves = self._halves(_permuted(code, order))
            for stays, coupling in enumerate(pair):
                shift, log_scale = coupling(halves[stays], condition)
                halves[1 - stays] = halves[1 - stays] * tf.exp(log_scale) + shift
                log_scales.append(log_scale)
            code = tf.concat(halves, axis=-1)
        log_det = tf.reduce_sum(tf.concat(log_scales, axis=-1), axis=-1)
        return _permuted(code, self._orders[-1]), log_det

    def inverse(self, z_u: tf.Tensor, condition: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        """Inverts a call: the code that it maps to z_u.

        Args:
            z_u: float tensor [batch, latent_dim].
            condition: float tensor [batch, condition_dim].

        Returns:
            code, float32 tensor [batch, latent_dim]; log_det, float32 tensor [batch], that of the
            call, not of its inverse.
        """
        log_scales = []
        code = _permuted(z_u, np.argsort(self._orders[-1]))
        for order, pair in reversed(list(zip(self._orders, self._pairs(), strict=False))):
            halves = self._halves(code)
            for stays, coupling in reversed(list(enumerate(pair))):
                shift, log_scale = coupling(halves[stays], condition)
                halves[1 - stays] = (halves[1 - stays] - shift) * tf.exp(-log_scale)
                log_scales.append(log_scale)
            code = _permuted(tf.concat(halves, axis=-1), np.argsort(order))
        return code, tf.reduce_sum(tf.concat(log_scales, axis=-1), axis=-1)

    def _pairs(self):
        return [self.couplings[at : at + 2] for at in range(0, len(self.couplings), 2)]

    def _halves(self, code):
        """The two halves; each is transformed by one coupling of a pair and kept by the other."""
        return [code[:, : self.latent_dim // 2], code[:, self.latent_dim // 2 :]]

    def get_config(self):
        return super().get_config() | {
            "latent_dim": self.latent_dim,
            "condition_dim": self.condition_dim,
            "couplings": len(self.couplings),
            "units": self.units,
            "seed": self.seed,
        }


def _permuted(code, order):
    """The dimensions of a code in another order; the gradient of tf.gather would add up rows."""
    back = np.argsort(order)

    @tf.custom_gradient
    def permuted(code):
        return tf.gather(code, order, axis=-1), lambda grad: tf.gather(grad, back, axis=-1)

    return permuted(code)
