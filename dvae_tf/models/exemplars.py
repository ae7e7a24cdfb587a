"""z_s of a class from inputs of it, in training and after it."""

import warnings

import keras
import tensorflow as tf

from dvae_tf.models.recipe import Recipe

REFINING_RATE = 0.05


def partners(label: tf.Tensor, share: float, seed: tf.Tensor):
    """Chooses for each example another one of its class in the batch.

    Args:
        label: int32 tensor [batch], -1 for a missing one, whose example gets none.
        share: float in [0, 1], the share of examples that get one.
        seed: int32 tensor [2], a stateless seed.

    Returns:
        (int64 tensor [batch], bool tensor [batch]): the index of the other example, drawn
        uniformly, and whether there is one and it was chosen.

    Examples:
        >>> partner, chosen = partners(tf.constant([3, 5, 3]), 1.0, (0, 1))
        >>> partner.numpy()[[0, 2]].tolist(), chosen.numpy().tolist()
        ([2, 0], [True, False, True])
    """
    count = tf.size(label)
    of_pairs, of_share = tf.unstack(tf.random.split(seed, 2))
    same = tf.equal(label[:, tf.newaxis], label) & ~tf.eye(count, dtype=tf.bool)
    same &= label >= 0
    order = tf.random.stateless_uniform((count, count), of_pairs, alg="philox")
    # Draws are in [0, 1), so that any example of the class comes before all others.
    partner = tf.argmax(tf.where(same, order, -1.0), axis=-1)
    drawn = tf.random.stateless_uniform((count,), of_share, alg="philox") < share
    return partner, tf.reduce_any(same, axis=-1) & drawn


def warn_if_none(recipe: Recipe, history: keras.callbacks.History) -> None:
    """Warns of a training in which no example had another one of its class in its batch.

    Args:
        recipe: Recipe.
        history: keras.callbacks.History, of the training.
    """
    shares = history.history.get("exemplars", [])
    if recipe.exemplars and shares and not any(shares):
        warnings.warn(
            f"The recipe has exemplars={recipe.exemplars:g}, but no example got the z_s of another "
            "one of its class: there was none in its batch. Give larger batches, or data in pairs: "
            "dvae_tf.data.load(..., pairs=True).",
            stacklevel=3,
        )


def refined(model, z_s: tf.Tensor, x: tf.Tensor, steps: int) -> tf.Tensor:
    """Improves the code of a class by gradient steps on L_rec, every weight of the model fixed.

    Args:
        model: DisentangledVAE.
        z_s: float32 tensor [latent_dim_s], where to begin.
        x: float32 tensor [count, *shape], inputs of the class.
        steps: int, steps of Adam.

    Returns:
        float32 tensor [latent_dim_s].
    """
    code = tf.Variable(z_s)
    style, _ = model.encoder_u(x, training=False)
    optimizer = keras.optimizers.Adam(REFINING_RATE)

    @tf.function(autograph=False)
    def step():
        with tf.GradientTape(watch_accessed_variables=False) as tape:
            tape.watch(code)
            rows = tf.broadcast_to(code, (tf.shape(style)[0], tf.size(code)))
            decoded = model.decoder(tf.concat([rows, style], axis=-1), training=False)
            loss = tf.reduce_mean(model.likelihood.loss(x, decoded, training=False))
        optimizer.apply([tape.gradient(loss, code)], [code])

    optimizer.build([code])
    for _ in range(steps):
        step()
    return tf.convert_to_tensor(code)
