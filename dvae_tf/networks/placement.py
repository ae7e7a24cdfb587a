"""Places a feature map: shifts, scales and turns it as a code says."""

import keras
import tensorflow as tf

# The largest shift, in half sides of the map; the largest logarithm of a scale; the largest turn,
# in radians.
LARGEST_SHIFT, LARGEST_LOG_SCALE, LARGEST_TURN = 0.8, 0.5, 1.6


@keras.saving.register_keras_serializable("dvae_tf")
class Placement(keras.layers.Layer):
    """Places what a feature map shows, where, how large and how turned a code says.

    A canonical map needs to be drawn once for all poses (compare spatial-VAE, Bepler et al.,
    NeurIPS 2019, and VITAE, Detlefsen & Hauberg, NeurIPS 2019). A dense layer of the code gives
    two shifts, the logarithm of a scale and a turn, each bounded by tanh; the map is sampled
    bilinearly, and is 0 beyond its sides. A second dense layer of the code is added to every
    pixel, for colour and background.

    Args:
        **kwargs: of keras.layers.Layer.

    Examples:
        >>> layer = Placement()
        >>> tuple(layer((keras.ops.zeros((4, 16, 16, 8)), keras.ops.zeros((4, 32)))).shape)
        (4, 16, 16, 8)
    """

    def build(self, input_shape):
        features, code = input_shape
        self.pose = keras.layers.Dense(4, kernel_initializer="glorot_normal", name="pose")
        self.everywhere = keras.layers.Dense(features[-1], name="everywhere")
        self.pose.build(code)
        self.everywhere.build(code)

    def compute_output_shape(self, input_shape):
        return input_shape[0]

    def call(self, inputs):
        features, code = inputs
        placed = sampled_at(features, grid(self.pose(code), features.shape[1:3]))
        return placed + self.everywhere(code)[:, tf.newaxis, tf.newaxis]


def grid(pose: tf.Tensor, sides) -> tf.Tensor:
    """The points of a map that are shown at each pixel.

    Args:
        pose: float tensor [batch, 4]: shifts right and down, log of the scale, turn, before tanh.
        sides: (height, width) of the map in pixels.

    Returns:
        float tensor [batch, height, width, 2]: x and y, in pixels.
    """
    pose = tf.cast(tf.tanh(pose), tf.float32)[:, :, tf.newaxis, tf.newaxis]
    half_height, half_width = ((side - 1) / 2 for side in sides)
    # In pixels from the centre, so that a turn of a map that is not square is one as well.
    x = tf.range(-half_width, half_width + 0.5)[tf.newaxis, tf.newaxis]
    y = tf.range(-half_height, half_height + 0.5)[tf.newaxis, :, tf.newaxis]
    x -= LARGEST_SHIFT * half_width * pose[:, 0]
    y -= LARGEST_SHIFT * half_height * pose[:, 1]
    shrink, turn = tf.exp(-LARGEST_LOG_SCALE * pose[:, 2]), LARGEST_TURN * pose[:, 3]
    cosine, sine = shrink * tf.cos(turn), shrink * tf.sin(turn)
    across, down = cosine * x + sine * y, cosine * y - sine * x
    return tf.stack([across + half_width, down + half_height], axis=-1)


def sampled_at(features: tf.Tensor, points: tf.Tensor) -> tf.Tensor:
    """Samples a map bilinearly; it is 0 beyond its sides.

    Args:
        features: float tensor [batch, height, width, channels].
        points: float tensor [batch, height, width, 2], x and y in pixels.

    Returns:
        float tensor [batch, height, width, channels].
    """
    height, width, channels = features.shape[1:]
    floor = tf.floor(points)
    share = tf.cast(points - floor, features.dtype)
    left, top = tf.unstack(tf.cast(floor, tf.int32), axis=-1)
    flat = tf.reshape(features, [-1, height * width, channels])
    total = 0.0
    for right in (0, 1):
        for below in (0, 1):
            x, y = left + right, top + below
            inside = (x >= 0) & (x < width) & (y >= 0) & (y < height)
            index = tf.clip_by_value(y, 0, height - 1) * width + tf.clip_by_value(x, 0, width - 1)
            values = tf.gather(flat, tf.reshape(index, [-1, height * width]), batch_dims=1)
            values = tf.reshape(values, tf.shape(features))
            of_x = share[..., 0] if right else 1.0 - share[..., 0]
            of_y = share[..., 1] if below else 1.0 - share[..., 1]
            weight = of_x * of_y * tf.cast(inside, features.dtype)
            total += weight[..., tf.newaxis] * values
    return total
