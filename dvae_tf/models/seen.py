"""The range of what was seen: for what a graph cannot say, and what shows over a batch only."""

import math
import warnings

import numpy as np
import tensorflow as tf

from dvae_tf.data.examples import LARGEST, NO_LABEL, ROUNDING, SCALE, STANDARDISE

# What a pixel of 1 becomes, but for rounding. (Importing a module computes nothing in TensorFlow,
# whose devices may be configured only before that.)
_NEARLY_BLACK = 1.0 / 127.5 - 1.0 + 1e-6


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
        # Least and largest of x, of the label, and least of x where it was given in floats.
        self.range = tf.Variable(
            self._nothing(),
            trainable=False,
            aggregation=tf.VariableAggregation.ONLY_FIRST_REPLICA,
        )

    @staticmethod
    def _nothing():
        return [math.inf, -math.inf, math.inf, -math.inf, math.inf]

    def nothing(self) -> tf.Tensor:
        """Whether nothing was seen yet: bool scalar, as part of a graph."""
        return tf.math.is_inf(tf.convert_to_tensor(self.range)[0])

    def reset(self) -> None:
        """Forgets the range."""
        self.range.assign(self._nothing())

    def update(self, x: tf.Tensor, label: tf.Tensor | int, given) -> None:
        """Widens the range by a batch, as part of a graph.

        Args:
            x: float32 tensor [batch, *shape].
            label: int32 tensor [batch], or -1 for none.
            given: array or tensor, x as the user gave it.
        """
        before = tf.unstack(tf.convert_to_tensor(self.range))
        label = tf.cast(label, tf.float32)
        least = tf.reduce_min(x)
        of_floats = math.inf if given.dtype == tf.uint8 else least
        of_label = tf.reduce_min(label), tf.reduce_max(label)
        batch = (least, tf.reduce_max(x), *of_label, of_floats)
        wider = (tf.minimum, tf.maximum, tf.minimum, tf.maximum, tf.minimum)
        pairs = zip(wider, before, batch, strict=True)
        self.range.assign(tf.stack([choose(old, new) for choose, old, new in pairs]))

    def judge(self) -> None:
        """Checks the range.

        Raises:
            ValueError: if inputs or labels are outside of what the model takes.
        """
        lowest, highest, *labels, of_floats = self.range.numpy()
        if math.isinf(lowest):
            return
        self.judge_range(lowest, highest, of_floats)
        outside = [label for label in labels if not NO_LABEL <= label < self.num_classes]
        if outside:
            raise ValueError(
                f"A batch holds the label {outside[0]:g}; the model takes 0 to "
                f"{self.num_classes - 1}, and -1 for a missing label."
            )

    def warn_of_missing_labels(self) -> None:
        """Says it if examples were seen, but no label."""
        if self.range.numpy()[3] == NO_LABEL:
            warnings.warn(
                "No example has a label: accuracy and the losses that need one are means of "
                "nothing, and shown as 0. Give labels in [0, C); -1 means none.",
                stacklevel=3,
            )

    def judge_range(self, lowest: float, highest: float, of_floats: float) -> None:
        """Checks the range of inputs, and says once if that of images seems to be another.

        Args:
            lowest, highest: float, as the networks take them.
            of_floats: float, `lowest` where x was given in floats, else infinity.

        Raises:
            ValueError: if the range is outside of what the model takes.
        """
        if not math.isfinite(lowest) or not math.isfinite(highest):
            raise ValueError("The batch holds NaN or infinite values in x; remove or repair them.")
        bound = 1.0 + ROUNDING if self.is_image else LARGEST
        if not -bound <= lowest <= highest <= bound:
            wanted = SCALE if self.is_image else STANDARDISE
            raise ValueError(f"x ranges from {lowest:g} to {highest:g}; {wanted}")
        if self.is_image and 0.0 <= of_floats < highest <= 1.0:
            self._warn(
                f"All values of x lie in [{lowest:g}, {highest:g}], but images are floats in "
                "[-1, 1]; if yours are in [0, 1], give 2 * x - 1."
            )
        if self.is_image and lowest < highest <= _NEARLY_BLACK:
            self._warn(
                "All pixels of x are 0 or 1 of 255, nearly black; if yours are masks of 0 and 1, "
                "give 255 * x."
            )

    def _warn(self, message):
        if not self.warned:
            self.warned = True
            warnings.warn(f"{message} (This is said once.)", stacklevel=4)

    def judge_array(self, x) -> None:
        """Checks the range of an array; whatever is no array of floats or pixels is passed over.

        Args:
            x: what a user gave.

        Raises:
            ValueError: as `judge_range`.
        """
        if not isinstance(x, np.ndarray) or not x.size:
            return
        lowest, highest = np.min(x), np.max(x)
        if np.issubdtype(x.dtype, np.floating):
            self.judge_range(lowest, highest, lowest)
        elif x.dtype == np.uint8 and self.is_image:
            self.judge_range(lowest / 127.5 - 1.0, highest / 127.5 - 1.0, math.inf)
