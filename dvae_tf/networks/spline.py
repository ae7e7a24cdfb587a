"""Monotone splines of rational quadratics: maps of numbers with an inverse in closed form."""

import numpy as np
import tensorflow as tf

# A spline is the identity beyond this; its bins are at least so wide and high, its slopes so steep.
RANGE = 8.0
LEAST_BIN = LEAST_SLOPE = 0.05


class Spline:
    """A monotone map of [-8, 8] onto itself, the identity elsewhere.

    Durkan, Bekasov, Murray & Papamakarios, "Neural Spline Flows" (NeurIPS 2019), section 3.1. Zeros
    make it the identity.

    Args:
        raw: float tensor [..., 3 bins - 1], unbounded: what the widths and the heights of the bins
            and the slopes at their inner borders are made from.

    Examples:
        >>> moved, log_slope = Spline(tf.zeros((2, 11))).forward(tf.constant([0.5, 20.0]))
        >>> np.round(moved.numpy(), 4).tolist()
        [0.5, 20.0]
    """

    def __init__(self, raw: tf.Tensor):
        bins = (raw.shape[-1] + 1) // 3
        widths, heights, slopes = tf.split(raw, [bins, bins, bins - 1], axis=-1)
        room = 2.0 * RANGE - bins * LEAST_BIN
        self._width = LEAST_BIN + room * tf.nn.softmax(widths)
        self._height = LEAST_BIN + room * tf.nn.softmax(heights)
        # Such that zeros give a slope of 1, that of the identity at both ends.
        of_zero = np.log(np.expm1(1.0 - LEAST_SLOPE)).astype(np.float32)
        inner = LEAST_SLOPE + tf.nn.softplus(slopes + of_zero)
        ends = tf.ones_like(inner[..., :1])
        self._slope = tf.concat([ends, inner, ends], axis=-1)
        self._left = tf.cumsum(self._width, axis=-1, exclusive=True) - RANGE
        self._bottom = tf.cumsum(self._height, axis=-1, exclusive=True) - RANGE

    def forward(self, x: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        """Maps numbers (equation 4).

        Args:
            x: float tensor [...].

        Returns:
            two float tensors [...]: what they are mapped to, and the logarithms of the slopes.
        """
        # What is outside keeps its place; clipped, it has no infinite gradient either.
        within = tf.clip_by_value(x, -RANGE, RANGE)
        chosen = self._of_bin(within, self._left)
        left, width, bottom, height, slope, _, bend = chosen
        share = (within - left) / width
        mean = height / width
        y = bottom + height * (mean * share**2 + slope * share * (1.0 - share)) / (
            mean + bend * share * (1.0 - share)
        )
        return self._within(x, y, share, chosen)

    def inverse(self, y: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        """Undoes `forward` (equations 6 to 8).

        Args:
            y: float tensor [...].

        Returns:
            two float tensors [...]: the numbers that are mapped to y, and the logarithms of the
            slopes of `forward` there.
        """
        within = tf.clip_by_value(y, -RANGE, RANGE)
        chosen = self._of_bin(within, self._bottom)
        left, width, bottom, height, slope, _, bend = chosen
        mean, above = height / width, within - bottom
        a = height * (mean - slope) + above * bend
        b = height * slope - above * bend
        c = -mean * above
        share = 2.0 * c / (-b - tf.sqrt(tf.maximum(b**2 - 4.0 * a * c, 0.0)))
        return self._within(y, left + width * share, share, chosen)

    def _of_bin(self, values, borders):
        """Of the bin that each value lies in: place, size, slopes, and what bends it."""
        number = tf.reduce_sum(tf.cast(values[..., tf.newaxis] >= borders, tf.int32), axis=-1) - 1
        bins = borders.shape[-1]
        hot = tf.one_hot(tf.clip_by_value(number, 0, bins - 1), bins)
        left, width, bottom, height, slope, next_slope = (
            tf.reduce_sum(hot * of_bins, axis=-1)
            for of_bins in (
                self._left,
                self._width,
                self._bottom,
                self._height,
                self._slope[..., :-1],
                self._slope[..., 1:],
            )
        )
        bend = slope + next_slope - 2.0 * height / width
        return left, width, bottom, height, slope, next_slope, bend

    @staticmethod
    def _within(given, mapped, share, chosen):
        """The mapped values within the range, and the logarithms of the slopes (equation 5)."""
        _, width, _, height, slope, next_slope, bend = chosen
        share, mean = tf.clip_by_value(share, 0.0, 1.0), height / width
        both = share * (1.0 - share)
        steep = next_slope * share**2 + 2.0 * mean * both + slope * (1.0 - share) ** 2
        log_slope = tf.math.log(mean**2 * steep) - 2.0 * tf.math.log(mean + bend * both)
        inside = tf.abs(given) < RANGE
        return tf.where(inside, mapped, given), tf.where(inside, log_slope, 0.0)
