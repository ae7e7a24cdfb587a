"""Poses: E_U learns from moved images where an object is, how large and how turned.

How far an image was moved is known, so that this needs no label and no decoder. A decoder that
places what it draws then has a pose to place it by from its first step. Without, class and turn
pay off together only, and E_U encodes both.
"""

import tensorflow as tf

from dvae_tf import losses
from dvae_tf.networks import Decoder, EncoderU, PlacedEncoderU, placement

# One image of so many is moved in a joint step, where E_U has learnt most of what poses are.
MOVED_IN_JOINT_STEPS = 4


def encoded_with_moves(encoder_u, x: tf.Tensor, seed: tf.Tensor, training: bool, every: int = 1):
    """Encodes images, and finds out how well E_U finds the poses of some of them moved at random.

    All go through E_U as one batch, so that batch normalisation is over the same inputs for all.

    Args:
        encoder_u: PlacedEncoderU.
        x: float tensor [batch, height, width, channels].
        seed: int32 tensor [2], of the moves.
        training: bool, whether batch normalisation uses the batch.
        every: int, one image of so many is moved. Defaults to 1: all.

    Returns:
        mean, stddev: two float tensors [batch, latent_dim], of the images as they are.
        equivariance: float32 tensor [ceil(batch / every)], see `pose_loss`.
    """
    count, some = tf.shape(x)[0], x[::every]
    by = placement.random_moves(tf.shape(some)[0], seed)
    both = tf.concat([x, placement.move(some, by)], axis=0)
    mean, stddev, pose = encoder_u.with_pose(both, training=training)
    found = pose_loss(pose[:count:every], pose[count:], by, x.shape[1:3])
    return mean[:count], stddev[:count], found


def pose_loss(before: tf.Tensor, after: tf.Tensor, by: tf.Tensor, sides) -> tf.Tensor:
    """How far the poses that E_U finds in moved images are from those of the images, moved.

    Alone this would leave it open which turn is none, for every class anew. So the turn found in a
    moved image is also compared with the move itself: images are as often turned one way as the
    other before, and the mean over them is right.

    Args:
        before, after: float tensors [batch, 4], the poses found in images and in moved ones.
        by: float tensor [batch, 4], the moves.
        sides: (height, width) of the images in pixels.

    Returns:
        float32 tensor [batch]: `losses.equivariance`, and 2 - 2 cos of the second difference.
    """
    found = losses.equivariance(after, placement.moved(before, by, sides))
    return found + 2.0 - 2.0 * tf.cos(after[:, 3] - by[:, 3])


def expect_same_pose(encoder_u, decoder) -> None:
    """Refuses networks of which one alone has a pose.

    Args:
        encoder_u, decoder: keras.Model; a user's own are taken as they are.

    Raises:
        ValueError: if one of the package's finds poses and the other places nothing, or vice versa.
    """
    ours = isinstance(encoder_u, EncoderU) and isinstance(decoder, Decoder)
    finds = isinstance(encoder_u, PlacedEncoderU)
    if ours and finds != decoder.placed:
        raise ValueError(
            f"encoder_u is a {type(encoder_u).__name__}, but the decoder has placed={not finds}: "
            "give both or neither a pose (preset 'placed' makes both; models of earlier versions "
            "have no such E_U and cannot be read)."
        )


def expect_room_for_pose(decoder, latent_dim_u: int) -> None:
    """Refuses a z_u that a pose would fill.

    Args:
        decoder: keras.Model.
        latent_dim_u: int, the size of z_u.

    Raises:
        ValueError: if the decoder places what it draws, and z_u holds nothing but the pose.
    """
    pose = placement.POSE
    if getattr(decoder, "placed", False) and latent_dim_u <= pose:
        raise ValueError(
            f"latent_dim_u is {latent_dim_u}, but {pose} numbers of z_u are the pose of what "
            f"the decoder places; give latent_dim_u={pose + 1} or more."
        )
