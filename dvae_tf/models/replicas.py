"""Sums, seeds and logs of a step over all devices that share a batch."""

import tensorflow as tf

# The seed of all noise in evaluation, the same in every batch and epoch.
TEST_SEED = (0, 0)


def count() -> int:
    """Returns the number of replicas that the current strategy keeps in sync."""
    return tf.distribute.get_strategy().num_replicas_in_sync


def sums(own: list, counts: list) -> tuple[list, list]:
    """Adds up sums and counts over replicas.

    The gradient of a sum is that of this replica's share: optimisers add up those of all replicas.

    Args:
        own: list of float tensors, this replica's sums.
        counts: list of float tensors, the examples that each sum is over.

    Returns:
        (list of float tensors, list of float tensors): the same over all replicas.

    Examples:
        >>> [float(total) for total in sums([tf.constant(3.0)], [tf.constant(2.0)])[0]]
        [3.0]
    """
    if count() == 1:
        return own, counts
    fixed = tf.stop_gradient(tf.stack(own))
    replica = tf.distribute.get_replica_context()
    added, counts = replica.all_reduce(tf.distribute.ReduceOp.SUM, [fixed, tf.stack(counts)])
    others = tf.unstack(added - fixed)
    return [mine + more for mine, more in zip(own, others, strict=True)], tf.unstack(counts)


def step_seed(generator) -> tf.Tensor:
    """Draws a seed for the noise of a step, a different one in each replica.

    Args:
        generator: keras.random.SeedGenerator.

    Returns:
        int32 tensor [2], a stateless seed.
    """
    seed = tf.cast(generator.next(), tf.int32)
    if count() > 1:
        replica = tf.distribute.get_replica_context().replica_id_in_sync_group
        seed = tf.random.fold_in(seed, replica, alg="philox")
    return seed


def logs(means: dict) -> dict:
    """The logs of a step, in the form that Keras expects.

    Args:
        means: dict of name to float tensor.

    Returns:
        dict of name to float tensor. With several workers, Keras averages the logs along an axis,
        so there they have the shape [1].
    """
    if isinstance(tf.distribute.get_strategy(), tf.distribute.MultiWorkerMirroredStrategy):
        return {name: mean[tf.newaxis] for name, mean in means.items()}
    return means
