"""The conditional normalising flow between E_U's code and z_u."""

import keras
import numpy as np
import tensorflow as tf

from dvae_tf.networks.spline import Spline

# A coupling scales by a factor in (1/e, e), so that no code explodes in the inverse.
LARGEST_LOG_SCALE = 1.0


@keras.saving.register_keras_serializable("dvae_tf")
class Coupling(keras.layers.Layer):
    """A monotone map of one half of a code, computed from the other half: affine, then a spline.

    Affine: Dinh, Sohl-Dickstein & Bengio, "Density estimation using Real NVP" (ICLR 2017),
    equations 7 and 8, with a condition as a second input. Spline: see `Spline`. Both start as the
    identity.

    Args:
        kept_dim: int, size of the half that stays unchanged.
        moved_dim: int, size of the half that is transformed.
        condition_dim: int, size of the condition.
        units: int, width of its two hidden layers.
        bins: int, of the spline. Defaults to 0: no spline.

    Returns (of a call with the unchanged half, the condition, tensors [batch, ...], and whether
    splines are wanted, True by default):
        shift, log_scale: float32 tensors [batch, moved_dim], and the Spline, or None.
    """

    def __init__(
        self,
        kept_dim: int,
        moved_dim: int,
        condition_dim: int,
        units: int,
        bins: int = 0,
        **kwargs,
    ):
        super().__init__(**{"dtype": "float32"} | kwargs)
        self.moved_dim = moved_dim
        self.bins = bins
        self.hidden = [keras.layers.Dense(units, "relu", dtype="float32") for _ in range(2)]
        # Widths and heights of the bins, and the slopes between them.
        each = 2 + max(0, 3 * bins - 1)
        self.change = keras.layers.Dense(
            each * moved_dim, kernel_initializer="zeros", dtype="float32"
        )
        for layer, width in zip(
            (*self.hidden, self.change), (kept_dim + condition_dim, units, units), strict=True
        ):
            layer.build((None, width))
        self.built = True

    def call(self, kept, condition, splines=True):
        features = tf.concat([kept, condition], axis=-1)
        for layer in self.hidden:
            features = layer(features)
        change = self.change(features)
        shift, raw = change[:, : self.moved_dim], change[:, self.moved_dim : 2 * self.moved_dim]
        log_scale = LARGEST_LOG_SCALE * tf.tanh(raw)
        if not (splines and self.bins):
            return shift, log_scale, None
        of_spline = (-1, self.moved_dim, 3 * self.bins - 1)
        return shift, log_scale, Spline(tf.reshape(change[:, 2 * self.moved_dim :], of_spline))

    def move(self, moved: tf.Tensor, kept: tf.Tensor, condition: tf.Tensor, splines: bool):
        """Transforms a half.

        Args:
            moved: float tensor [batch, moved_dim].
            kept: float tensor [batch, kept_dim].
            condition: float tensor [batch, condition_dim].
            splines: bool, whether the spline follows the affine map.

        Returns:
            float tensor [batch, moved_dim]; float tensor of that shape, the logarithms of the
            derivatives.
        """
        shift, log_slope, spline = self(kept, condition, splines=splines)
        moved = moved * tf.exp(log_slope) + shift
        if spline is not None:
            moved, of_spline = spline.forward(moved)
            log_slope += of_spline
        return moved, log_slope

    def move_back(self, moved: tf.Tensor, kept: tf.Tensor, condition: tf.Tensor, splines: bool):
        """Undoes `move`.

        Args:
            moved, kept, condition, splines: as of `move`, `moved` as it returns it.

        Returns:
            as `move`: what it was given, and the logarithms that it returned.
        """
        shift, log_scale, spline = self(kept, condition, splines=splines)
        log_slope = log_scale
        if spline is not None:
            moved, of_spline = spline.inverse(moved)
            log_slope += of_spline
        return (moved - shift) * tf.exp(-log_scale), log_slope


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
        bins: int, of the splines that follow the affine maps. They bring together clusters that lie
            apart, such as those of the categories of a table. They take long to compute: the
            encoders are trained without them (see `AffinePart`). Defaults to 0: no splines.
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
        bins: int = 0,
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
        self.bins = bins
        self.seed = seed
        halves = latent_dim // 2, latent_dim - latent_dim // 2
        self.couplings = [
            Coupling(*(halves[::-1] if number % 2 else halves), condition_dim, units, bins)
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
        return self._mapped(code, condition, splines=True)

    def _mapped(self, code, condition, splines):
        log_slopes = []
        for order, pair in zip(self._orders, self._pairs(), strict=False):
            halves = self._halves(_permuted(code, order))
            for stays, coupling in enumerate(pair):
                given = halves[1 - stays], halves[stays], condition, splines
                halves[1 - stays], log_slope = coupling.move(*given)
                log_slopes.append(log_slope)
            code = tf.concat(halves, axis=-1)
        log_det = tf.reduce_sum(tf.concat(log_slopes, axis=-1), axis=-1)
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
        return self._mapped_back(z_u, condition, splines=True)

    def _mapped_back(self, z_u, condition, splines):
        log_slopes = []
        code = _permuted(z_u, np.argsort(self._orders[-1]))
        for order, pair in reversed(list(zip(self._orders, self._pairs(), strict=False))):
            halves = self._halves(code)
            for stays, coupling in reversed(list(enumerate(pair))):
                given = halves[1 - stays], halves[stays], condition, splines
                halves[1 - stays], log_slope = coupling.move_back(*given)
                log_slopes.append(log_slope)
            code = _permuted(tf.concat(halves, axis=-1), np.argsort(order))
        return code, tf.reduce_sum(tf.concat(log_slopes, axis=-1), axis=-1)

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
            "bins": self.bins,
            "seed": self.seed,
        }


class AffinePart:
    """A flow without its splines, to be called and inverted like the flow itself.

    Args:
        flow: ConditionalFlow, whose weights it shares.

    Examples:
        >>> code, condition = np.ones((5, 4), np.float32), np.zeros((5, 2), np.float32)
        >>> flow = ConditionalFlow(latent_dim=4, condition_dim=2, bins=8)
        >>> bool(np.all(AffinePart(flow)(code, condition)[0] == code))
        True
    """

    def __init__(self, flow: ConditionalFlow):
        self._flow = flow

    def __call__(self, code: tf.Tensor, condition: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        """Maps codes, as a call of the flow."""
        return self._flow._mapped(code, condition, splines=False)

    def inverse(self, z_u: tf.Tensor, condition: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        """Inverts a call, as `ConditionalFlow.inverse`."""
        return self._flow._mapped_back(z_u, condition, splines=False)


def in_training(flow):
    """The flow that encoders are trained with: the affine part of one with splines.

    Args:
        flow: ConditionalFlow or another invertible keras.Model.

    Returns:
        AffinePart, or the flow itself.
    """
    return AffinePart(flow) if getattr(flow, "bins", 0) else flow


def _permuted(code, order):
    """The dimensions of a code in another order; the gradient of tf.gather would add up rows."""
    back = np.argsort(order)

    @tf.custom_gradient
    def permuted(code):
        return tf.gather(code, order, axis=-1), lambda grad: tf.gather(grad, back, axis=-1)

    return permuted(code)
