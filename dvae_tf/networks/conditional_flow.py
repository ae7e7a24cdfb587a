"""The conditional normalising flow between E_U's code and z_u."""

import keras
import numpy as np
import tensorflow as tf

# A coupling scales by a factor in (e^-2, e^2), so that no code explodes on the way back.
LARGEST_LOG_SCALE = 2.0


@keras.saving.register_keras_serializable("dvae_tf")
class Coupling(keras.layers.Layer):
    """One conditional affine coupling: one half of a code moves and scales the other.

    Dinh, Sohl-Dickstein & Bengio, "Density estimation using Real NVP" (ICLR 2017), equations 7
    and 8, with a condition beside the half that stays. It starts as the identity.

    Args:
        latent_dim: int, size of the code.
        units: int, width of its two hidden layers.
    """

    def __init__(self, latent_dim, units, **kwargs):
        super().__init__(**{"dtype": "float32"} | kwargs)
        self.latent_dim = latent_dim
        self.units = units
        self.kept = latent_dim // 2
        self.hidden = [keras.layers.Dense(units, activation="relu") for _ in range(2)]
        self.change = keras.layers.Dense(
            2 * (latent_dim - self.kept), kernel_initializer="zeros", dtype="float32"
        )

    def build(self, condition_dim):
        width = self.kept + condition_dim
        for layer in self.hidden:
            layer.build((None, width))
            width = self.units
        self.change.build((None, width))
        self.built = True

    def _shift_and_log_scale(self, kept, condition):
        features = tf.concat([kept, condition], axis=-1)
        for layer in self.hidden:
            features = layer(features)
        shift, log_scale = tf.split(self.change(features), 2, axis=-1)
        return shift, LARGEST_LOG_SCALE * tf.tanh(log_scale / LARGEST_LOG_SCALE)

    def call(self, code, condition):
        kept, moved = code[:, : self.kept], code[:, self.kept :]
        shift, log_scale = self._shift_and_log_scale(kept, condition)
        moved = moved * tf.exp(log_scale) + shift
        return tf.concat([kept, moved], axis=-1), tf.reduce_sum(log_scale, axis=-1)

    def inverse(self, code, condition):
        kept, moved = code[:, : self.kept], code[:, self.kept :]
        shift, log_scale = self._shift_and_log_scale(kept, condition)
        return tf.concat([kept, (moved - shift) * tf.exp(-log_scale)], axis=-1)


@keras.saving.register_keras_serializable("dvae_tf")
class ConditionalFlow(keras.Model):
    """An invertible map T of codes that depends on a condition and starts as the identity.

    Trained so that it carries the codes of every class onto N(0, I), it leaves nothing in them
    that tells the class, and loses nothing: the decoder undoes it. Couplings (see `Coupling`)
    with the latent dimensions shuffled in between, then put back in order.

    Args:
        latent_dim: int >= 2, size of the code.
        condition_dim: int, size of the condition, such as z_s.
        couplings: int, number of couplings. Defaults to 8.
        units: int, width of the hidden layers of each. Defaults to 128.
        seed: int, of the shuffling. Defaults to 0.

    Returns (of a call with a code [batch, latent_dim] and a condition [batch, condition_dim]):
        z_u, float32 tensor [batch, latent_dim]; log_det, float32 tensor [batch], the logarithm of
        the absolute determinant of the Jacobian.

    Raises:
        ValueError: if `latent_dim` is below 2.

    Example:

    >>> flow = ConditionalFlow(latent_dim=4, condition_dim=2)
    >>> z_u, log_det = flow(keras.ops.ones((5, 4)), keras.ops.zeros((5, 2)))
    >>> tuple(z_u.shape), tuple(log_det.shape)
    ((5, 4), (5,))
    """

    def __init__(self, latent_dim, condition_dim, couplings=8, units=128, seed=0, **kwargs):
        super().__init__(**{"dtype": "float32"} | kwargs)
        if latent_dim < 2:
            raise ValueError(f"latent_dim is {latent_dim}; a flow needs at least 2 dimensions.")
        self.latent_dim = latent_dim
        self.condition_dim = condition_dim
        self.units = units
        self.seed = seed
        self.couplings = [Coupling(latent_dim, units) for _ in range(couplings)]
        self._orders = self._make_orders(couplings)
        self.build()

    def _make_orders(self, couplings):
        """The order of the dimensions before each coupling, relative to the one before.

        The halves change places at every second coupling: everything moves.
        """
        random, half = np.random.default_rng(self.seed), self.latent_dim // 2
        swapped = np.roll(np.arange(self.latent_dim), self.latent_dim - half)
        return [
            swapped if number % 2 else random.permutation(self.latent_dim)
            for number in range(couplings)
        ]

    def build(self, input_shape=None):
        for coupling in self.couplings:
            coupling.build(self.condition_dim)
        self.built = True

    def call(self, code, condition):
        log_det = tf.zeros(tf.shape(code)[:1])
        for order, coupling in zip(self._orders, self.couplings, strict=True):
            code, change = coupling(tf.gather(code, order, axis=-1), condition)
            log_det += change
        return tf.gather(code, np.argsort(self._order()), axis=-1), log_det

    def inverse(self, z_u, condition):
        """Undoes a call.

        Args:
            z_u: float tensor [batch, latent_dim].
            condition: float tensor [batch, condition_dim].

        Returns:
            float32 tensor [batch, latent_dim], the code.
        """
        code = tf.gather(z_u, self._order(), axis=-1)
        for order, coupling in zip(self._orders[::-1], self.couplings[::-1], strict=True):
            code = tf.gather(coupling.inverse(code, condition), np.argsort(order), axis=-1)
        return code

    def _order(self):
        """The order that all shuffles together leave the dimensions in."""
        together = np.arange(self.latent_dim)
        for order in self._orders:
            together = together[order]
        return together

    def get_config(self):
        return super().get_config() | {
            "latent_dim": self.latent_dim,
            "condition_dim": self.condition_dim,
            "couplings": len(self.couplings),
            "units": self.units,
            "seed": self.seed,
        }
