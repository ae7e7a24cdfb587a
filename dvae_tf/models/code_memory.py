"""The codes of the latest inputs, to draw from."""

import keras
import tensorflow as tf


class CodeMemory(keras.layers.Layer):
    """Keeps rows of numbers, the latest `capacity` of them, and draws from them uniformly.

    What it keeps is not saved: it is emptied before every epoch, so that a training which was
    stopped and goes on from the last epoch draws the same.

    Args:
        capacity: int, number of rows.
        width: int, numbers a row.

    Examples:
        >>> memory = CodeMemory(capacity=4, width=1)
        >>> memory.add(tf.constant([[1.0], [2.0]]))
        >>> sorted(set(memory.draw(100, (0, 0))[:, 0].numpy().tolist()))
        [1.0, 2.0]
    """

    def __init__(self, capacity: int, width: int, **kwargs):
        super().__init__(**{"dtype": "float32", "trainable": False} | kwargs)
        self.capacity = capacity
        self.rows = self.add_weight((capacity, width), "zeros", trainable=False, name="rows")
        self.count = self.add_weight((), "zeros", "int32", trainable=False, name="count")
        self.built = True

    def clear(self) -> None:
        """Forgets all rows."""
        for variable in (self.rows, self.count):
            variable.assign(tf.zeros_like(variable))

    def add(self, rows: tf.Tensor) -> None:
        """Takes new rows in, in the place of the oldest where there is no more room.

        Args:
            rows: float32 tensor [n, width]; of more than `capacity` the last ones are taken.
        """
        rows = rows[-self.capacity :]
        added = tf.shape(rows)[0]
        count = tf.convert_to_tensor(self.count)
        places = (count + tf.range(added)) % self.capacity
        self.rows.assign(tf.tensor_scatter_nd_update(self.rows, places[:, tf.newaxis], rows))
        # Counts on as if in a ring of two rounds, so that it never overflows.
        count += added
        self.count.assign(tf.where(count < 2 * self.capacity, count, count - self.capacity))

    def draw(self, count: int, seed: tf.Tensor) -> tf.Tensor:
        """Draws rows uniformly, with replacement.

        Args:
            count: int, number of rows.
            seed: int32 tensor [2].

        Returns:
            float32 tensor [count, width].
        """
        kept = tf.minimum(tf.convert_to_tensor(self.count), self.capacity)
        places = tf.random.stateless_uniform(
            [count], seed, maxval=kept, dtype=tf.int32, alg="philox"
        )
        return tf.gather(self.rows, places)

    def save_own_variables(self, store) -> None:
        """Saves nothing."""

    def load_own_variables(self, store) -> None:
        """Loads nothing."""
