"""The range of what was seen: for what a graph cannot say, and what shows over a batch only."""

import math
import warnings

import numpy as np
import tensorflow as tf

from dvae_tf.data.examples import LARGEST, NO_LABEL, ROUNDING, SCALE, STANDARDISE


class Seen:
    """The range of inputs and labels since the last `reset`.

    XLA cannot compile checks of values, and no graph can warn: after the first batch and at the
    end of an epoch, `judge` does both.

    Args:
        is_image: bool, whether inputs are images.
        num_classes: int, C.
    """

    def __init__(self, is_image: bool, num_classes: int):
        self.is_image, self.num_classes = is_image, num_classes
        self.warned = False
        # Least and largest of x, least and largest of the label.
        self.range = tf.Variable(
            self._nothing(),
            trainable=False,
            aggregation=tf.VariableAggregation.ONLY_FIRST_REPLICA,
        )

    @staticmethod
    def _nothing():
        return [math.inf, -math.inf, math.inf, -math.inf]

    def nothing(self) -> tf.Tensor:
        """Whether nothing was seen yet: bool scalar, as part of a graph."""
        return tf.math.is_inf(tf.convert_to_tensor(self.range)[0])

    def reset(self) -> None:
        """Forgets the range."""
        self.range.assign(self._nothing())

    def update(self, x: tf.Tensor, label: tf.Tensor) -> None:
        """Widens the range by a batch, as part of a graph.

        Args:
            x: float32 tensor [batch, *shape].
            label: int32 tensor [batch].
        """
        before = tf.unstack(tf.convert_to_tensor(self.range))
        label = tf.cast(label, tf.float32)
        batch = (tf.reduce_min(x), tf.reduce_max(x), tf.reduce_min(label), tf.reduce_max(label))
        wider = (tf.minimum, tf.maximum, tf.minimum, tf.maximum)
        pairs = zip(wider, before, batch, strict=True)
        self.range.assign(tf.stack([choose(old, new) for choose, old, new in pairs]))

    def judge(self) -> None:
        """Checks the range.

        Raises:
            ValueError: if inputs or labels are outside of what the model takes.
        """
        lowest, highest, *labels = self.range.numpy()
        if math.isinf(lowest):
            return
        self.judge_range(lowest, highest)
        outside = [label for label in labels if not NO_LABEL <= label < self.num_classes]
        if outside:
            raise ValueError(
                f"A batch holds the label {outside[0]:g}; the model takes 0 to "
                f"{self.num_classes - 1}, and -1 for a missing label."
            )

    def judge_range(self, lowest: float, highest: float) -> None:
        """Checks the range of inputs, and says once if images seem to be in [0, 1].

        Args:
            lowest, highest: float.

        Raises:
            ValueError: if it is outside of what the model takes.
        """
        if not math.isfinite(lowest) or not math.isfinite(highest):
            raise ValueError("The batch holds NaN or infinite values in x; remove or repair them.")
        bound = 1.0 + ROUNDING if self.is_image else LARGEST
        if not -bound <= lowest <= highest <= bound:
            wanted = SCALE if self.is_image else STANDARDISE
            raise ValueError(f"x ranges from {lowest:g} to {highest:g}; {wanted}")
        if self.is_image and 0.0 <= lowest < highest <= 1.0 and not self.warned:
            self.warned = True
            warnings.warn(
                f"All values of x lie in [{lowest:g}, {highest:g}], but images are floats in "
                "[-1, 1]; if yours are in [0, 1], give 2 * x - 1. (This is said once.)",
                stacklevel=3,
            )

    def judge_array(self, x) -> None:
        """`judge_range` of an array; whatever is no array of floats is passed over.

        Args:
            x: what a user gave.

        Raises:
            ValueError: as `judge_range`.
        """
        if isinstance(x, np.ndarray) and x.size and np.issubdtype(x.dtype, np.floating):
            self.judge_range(np.min(x), np.max(x))
