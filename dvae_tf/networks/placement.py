"""Where an object is, how large and how turned: four numbers that place what a map shows."""

import math

import keras
import tensorflow as tf

# A pose is four numbers: shifts right and down, log of the scale, turn. One of each is an eighth of
# the side, a fifth, and a radian: numbers of usual pictures then have deviations of about 1.
POSE = 4
SHIFT, LOG_SCALE = 0.125, 0.2
# Scales beyond e^3 of drawn codes would overflow.
LARGEST_LOG_SCALE = 15.0


@keras.saving.register_keras_serializable("dvae_tf")
class Placement(keras.layers.Layer):
    """Places what a feature map shows, where, how large and how turned a pose says.

    A canonical map needs to be drawn once for all poses (compare spatial-VAE, Bepler et al.,
    NeurIPS 2019, and VITAE, Detlefsen & Hauberg, NeurIPS 2019). The map is sampled bilinearly, and
    its edges are repeated. For that, `parts` x `parts` channels are laid out as the pixels of a
    finer map, and gathered afterwards, so that an outline stays as sharp as in the picture. A dense
    layer of the rest of the code is added to every pixel, for colour and background.

    Args:
        parts: int, how many times finer the map is sampled. Defaults to 1: as it is.
        sides: (height, width) of the picture in pixels, the top left part of the finer map, whose
            centre and size a pose refers to. Defaults to those of the finer map.
        **kwargs: of keras.layers.Layer.

    Examples:
        >>> zeros = keras.ops.zeros
        >>> inputs = zeros((4, 16, 16, 8)), zeros((4, 28)), zeros((4, 4))
        >>> tuple(Placement()(inputs).shape)
        (4, 16, 16, 8)
    """

    def __init__(self, parts: int = 1, sides=None, **kwargs):
        super().__init__(**kwargs)
        self.parts = parts
        self.sides = None if sides is None else tuple(sides)

    def build(self, input_shape):
        _, code, _ = input_shape
        self.everywhere = keras.layers.Dense(self.compute_output_shape(input_shape)[-1])
        self.everywhere.build(code)

    def compute_output_shape(self, input_shape):
        features, _, _ = input_shape
        return *features[:-1], features[-1] + self._missing_channels(features)

    def _missing_channels(self, shape):
        return -shape[-1] % self.parts**2

    def call(self, inputs):
        features, code, pose = inputs
        missing = self._missing_channels(features.shape)
        fine = tf.pad(features, [[0, 0], [0, 0], [0, 0], [0, missing]])
        if self.parts > 1:
            fine = tf.nn.depth_to_space(fine, self.parts)
        placed = self._placed(fine, pose)
        if self.parts > 1:
            placed = tf.nn.space_to_depth(placed, self.parts)
        return placed + self.everywhere(code)[:, tf.newaxis, tf.newaxis]

    def _placed(self, fine, pose):
        whole = fine.shape[1:3]
        height, width = map(min, whole, self.sides or whole)
        placed = move(fine[:, :height, :width], pose)
        return tf.pad(placed, [[0, 0], [0, whole[0] - height], [0, whole[1] - width], [0, 0]])

    def get_config(self):
        return super().get_config() | {"parts": self.parts, "sides": self.sides}


def grid(pose: tf.Tensor, sides) -> tf.Tensor:
    """The points of a map that are shown at each pixel.

    Args:
        pose: float tensor [batch, 4].
        sides: (height, width) of the map in pixels.

    Returns:
        float tensor [batch, height, width, 2]: x and y, in pixels.
    """
    right, down, log_scale, turn = _as_images(pose)
    x, y, half_width, half_height = _from_centre(sides)
    x, y = x - SHIFT * sides[1] * right, y - SHIFT * sides[0] * down
    shrink = tf.exp(-LOG_SCALE * log_scale)
    cosine, sine = shrink * tf.cos(turn), shrink * tf.sin(turn)
    return tf.stack(
        [cosine * x + sine * y + half_width, cosine * y - sine * x + half_height], axis=-1
    )


def inverse_grid(pose: tf.Tensor, sides) -> tf.Tensor:
    """The points of a placed map that show each pixel of the map: `grid`, inverted.

    Args:
        pose: float tensor [batch, 4].
        sides: (height, width) of the map in pixels.

    Returns:
        float tensor [batch, height, width, 2]: x and y, in pixels.
    """
    right, down, log_scale, turn = _as_images(pose)
    x, y, half_width, half_height = _from_centre(sides)
    grow = tf.exp(LOG_SCALE * log_scale)
    cosine, sine = grow * tf.cos(turn), grow * tf.sin(turn)
    return tf.stack(
        [
            cosine * x - sine * y + half_width + SHIFT * sides[1] * right,
            sine * x + cosine * y + half_height + SHIFT * sides[0] * down,
        ],
        axis=-1,
    )


def _as_images(pose):
    """The four numbers, each a float32 tensor [batch, 1, 1]."""
    pose = tf.cast(pose, tf.float32)[:, :, tf.newaxis, tf.newaxis]
    right, down, log_scale, turn = tf.unstack(pose, axis=1)
    bound = LARGEST_LOG_SCALE
    return right, down, tf.clip_by_value(log_scale, -bound, bound), turn


def _from_centre(sides):
    """x [1, 1, width] and y [1, height, 1] in pixels from the centre, and half of each side.

    In pixels, so that a turn of a map that is not square is one as well.
    """
    half_height, half_width = ((side - 1) / 2 for side in sides)
    x = tf.range(-half_width, half_width + 0.5)[tf.newaxis, tf.newaxis]
    y = tf.range(-half_height, half_height + 0.5)[tf.newaxis, :, tf.newaxis]
    return x, y, half_width, half_height


def moved(pose: tf.Tensor, by: tf.Tensor, sides) -> tf.Tensor:
    """The pose of what a picture shows after the whole picture was moved.

    Args:
        pose: float tensor [batch, 4], before.
        by: float tensor [batch, 4], the shift, scale and turn of the picture about its centre.
        sides: (height, width) of the picture in pixels.

    Returns:
        float tensor [batch, 4].
    """
    height, width = sides
    right, down, log_scale, turn = tf.unstack(pose, axis=-1)
    by_right, by_down, by_log_scale, by_turn = tf.unstack(by, axis=-1)
    grow = tf.exp(LOG_SCALE * by_log_scale)
    cosine, sine = grow * tf.cos(by_turn), grow * tf.sin(by_turn)
    return tf.stack(
        [
            cosine * right - sine * down * height / width + by_right,
            sine * right * width / height + cosine * down + by_down,
            log_scale + by_log_scale,
            turn + by_turn,
        ],
        axis=-1,
    )


def random_moves(count: tf.Tensor, seed: tf.Tensor) -> tf.Tensor:
    """Draws moves of pictures: shifts and scales in [-1, 1], any turn.

    Args:
        count: int tensor.
        seed: int32 tensor [2].

    Returns:
        float32 tensor [count, 4].
    """
    return tf.random.stateless_uniform([count, POSE], seed, -1.0, 1.0, alg="philox") * [
        1.0,
        1.0,
        1.0,
        math.pi,
    ]


def move(images: tf.Tensor, by: tf.Tensor) -> tf.Tensor:
    """Shifts, scales and turns pictures; their edges are repeated.

    Args:
        images: float tensor [batch, height, width, channels].
        by: float tensor [batch, 4].

    Returns:
        float tensor of the shape of `images`.
    """
    return sampled_at(images, grid(by, images.shape[1:3]))


def unplaced(images: tf.Tensor, pose: tf.Tensor) -> tf.Tensor:
    """Undoes a pose: shows the object in the middle, of usual size, and turned back.

    Args:
        images: float tensor [batch, height, width, channels].
        pose: float tensor [batch, 4].

    Returns:
        float tensor of the shape of `images`.
    """
    return sampled_at(images, inverse_grid(pose, images.shape[1:3]))


def sampled_at(features: tf.Tensor, points: tf.Tensor) -> tf.Tensor:
    """Samples a map bilinearly; its edges are repeated beyond its sides.

    Args:
        features: float tensor [batch, height, width, channels].
        points: float tensor [batch, height, width, 2], x and y in pixels.

    Returns:
        float tensor [batch, height, width, channels].
    """
    height, width, channels = features.shape[1:]
    points = tf.clip_by_value(points, 0.0, [width - 1.0, height - 1.0])
    floor = tf.floor(points)
    share = tf.cast(points - floor, features.dtype)
    left, top = tf.unstack(tf.cast(floor, tf.int32), axis=-1)
    flat = tf.reshape(features, [-1, height * width, channels])
    total = 0.0
    for right in (0, 1):
        for below in (0, 1):
            # On the last row or column, the next one has the weight 0.
            x, y = tf.minimum(left + right, width - 1), tf.minimum(top + below, height - 1)
            index = y * width + x
            values = tf.gather(flat, tf.reshape(index, [-1, height * width]), batch_dims=1)
            values = tf.reshape(values, tf.shape(features))
            of_x = share[..., 0] if right else 1.0 - share[..., 0]
            of_y = share[..., 1] if below else 1.0 - share[..., 1]
            total += (of_x * of_y)[..., tf.newaxis] * values
    return total
