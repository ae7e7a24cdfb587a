"""Poses: E_U learns from moved images where an object is, how large and how turned.

How far an image was moved is known, so that this needs no label and no decoder. A decoder that
places what it draws then has a pose to place it by from its first step. Without, class and turn
pay off together only, and E_U encodes both.
"""

import time

import keras
import numpy as np
import tensorflow as tf

from dvae_tf import losses
from dvae_tf.models import replicas
from dvae_tf.models.batch_check import check_batch
from dvae_tf.models.objectives import Loss
from dvae_tf.networks import placement

EQUIVARIANCE = Loss("equivariance", trains=("encoder_u",))
BATCH_SIZE = 64
LEARNING_RATE, BETAS = 1.5e-3, (0.9, 0.99)


def pose_loss(encoder_u, x: tf.Tensor, seed: tf.Tensor, training: bool) -> tf.Tensor:
    """How far the poses that E_U finds in moved images are from those of the images, moved.

    Alone this would leave it open which turn is none, for every class anew. So the turn found in a
    moved image is also compared with the move itself: images are as often turned one way as the
    other before, and the mean over them is right.

    Args:
        encoder_u: PlacedEncoderU.
        x: float tensor [batch, height, width, channels].
        seed: int32 tensor [2], of the moves.
        training: bool, whether batch normalisation uses the batch.

    Returns:
        float32 tensor [batch]: `losses.equivariance`, and 2 - 2 cos of the second difference.
    """
    by = placement.random_moves(tf.shape(x)[0], seed)
    both = tf.concat([x, placement.move(x, by)], axis=0)
    before, after = tf.split(encoder_u.pose(both, training=training), 2)
    found = losses.equivariance(after, placement.moved(before, by, x.shape[1:3]))
    return found + 2.0 - 2.0 * tf.cos(after[:, 3] - by[:, 3])


class PoseFit(keras.Model):
    """Trains E_U on `equivariance` alone.

    Args:
        model: DisentangledVAE whose E_U is a PlacedEncoderU.
    """

    def __init__(self, model):
        super().__init__(dtype="float32")
        self.encoder_u = model.encoder_u
        self.expected = model.sample_shape, model.num_classes
        self.seed_generator = keras.random.SeedGenerator(model.seed)
        self.mean_loss = keras.metrics.Mean(name="equivariance")
        self.built = True

    def train_step(self, data):
        """One step: data is (x, label), as in the model's `fit`."""
        x, _ = check_batch(data, *self.expected, values=not self.jit_compile)
        seed = replicas.step_seed(self.seed_generator)
        with tf.GradientTape() as tape:
            values = pose_loss(self.encoder_u, x, seed, training=True)
            count = tf.cast(tf.size(values), tf.float32)
            sums, counts = replicas.sums([tf.reduce_sum(values)], [count])
            loss = self.optimizer.scale_loss(sums[0] / counts[0])
        weights = self.encoder_u.pose_weights
        self.optimizer.apply(tape.gradient(loss, weights), weights)
        self.mean_loss.update_state(values)
        return replicas.logs({"equivariance": self.mean_loss.result()})

    def _maybe_symbolic_build(self, iterator=None, data_batch=None):
        """Does nothing: E_U is already built."""


def fit_poses(model, x, y=None, callbacks=None, verbose: str | int = "auto") -> dict:
    """Trains E_U to find poses, for `pose_steps` steps of the recipe.

    Args:
        model: DisentangledVAE whose E_U is a PlacedEncoderU.
        x: tf.data.Dataset of (x, label) batches, or array [n, *shape].
        y: int array [n], the labels, where x is an array.
        callbacks: list of keras.callbacks.Callback for this fit. Defaults to none.
        verbose: str or int, as in `keras.Model.fit`. Defaults to "auto".

    Returns:
        dict of "steps" and "seconds" taken, and "equivariance", the mean loss.

    Raises:
        ValueError: if the data cannot be read again and again.
    """
    steps, started = model.recipe.pose_steps, time.monotonic()
    with model.distribute_strategy.scope():
        fit = PoseFit(model)
        rate = keras.optimizers.schedules.CosineDecay(LEARNING_RATE, steps, 0.1)
        optimizer = keras.optimizers.Adam(rate, *BETAS)
        if model.dtype_policy.name == "mixed_float16":
            optimizer = keras.optimizers.LossScaleOptimizer(optimizer)
        fit.compile(
            optimizer,
            jit_compile=model.jit_compile,
            run_eagerly=model.run_eagerly,
        )
        # Variables made within a step over several devices are not initialised in all of them.
        fit.optimizer.build(model.encoder_u.pose_weights)
    if verbose:
        print(f"E_U learns poses from moved images, {steps:,} steps.")
    model.poses_fitted.assign_add(steps)
    history = fit.fit(
        _endless(x, y, model.seed),
        steps_per_epoch=steps,
        callbacks=callbacks,
        shuffle=False,
        verbose=verbose,
    )
    return {
        "steps": steps,
        "seconds": round(time.monotonic() - started, 1),
        "equivariance": float(history.history["equivariance"][-1]),
    }


def _endless(x, y, seed):
    """The batches of the data that `fit` takes, again and again."""
    if isinstance(x, tf.data.Dataset):
        return x.repeat()
    if isinstance(x, keras.utils.PyDataset):
        return _turns(x)
    if isinstance(x, list):
        x = np.asarray(x)
    if not hasattr(x, "shape"):
        raise ValueError(
            f"E_U learns poses before the first epoch, on data that can be read again, but a "
            f"{type(x).__name__} was given. Give a tf.data.Dataset or arrays, or a recipe with "
            "pose_steps=0."
        )
    columns = tf.constant(x), -tf.ones(len(x), tf.int32) if y is None else tf.constant(y)
    index = tf.data.Dataset.range(len(x)).shuffle(len(x), seed=seed).repeat().batch(BATCH_SIZE)
    return index.map(lambda chosen: tuple(tf.gather(column, chosen) for column in columns))


def _turns(batches):
    while True:
        yield from (batches[number] for number in range(len(batches)))
