"""Training on several devices or several machines, with tf.distribute.

Every device holds the whole model and gets its share of each batch: `batch_size` is for all of them
together. Losses and statistics are those of the whole batch (see docs/scaling.md).
"""

import json
import os
from collections.abc import Sequence

import tensorflow as tf

STRATEGIES = ("mirrored", "multi_worker")


def make_strategy(
    name: str | None = None, workers: Sequence[str] | None = None, worker_index: int | None = None
):
    """Makes a strategy; with several workers, call it before using TensorFlow otherwise.

    Args:
        name: str, "mirrored" (all GPUs of this machine, or its logical CPUs where it has none) or
            "multi_worker" (one process per machine). Defaults to one device.
        workers: sequence of str, host:port of every worker, the same on all of them. Defaults to
            the environment variable TF_CONFIG.
        worker_index: int, the index of this process among them, from 0. Defaults to TF_CONFIG's.

    Returns:
        tf.distribute.Strategy.

    Raises:
        ValueError: if the name is unknown, or the addresses or the index of the workers are
            missing or wrong.

    Examples:
        >>> make_strategy().num_replicas_in_sync
        1
    """
    if name is None:
        return tf.distribute.get_strategy()
    if name not in STRATEGIES:
        raise ValueError(f"No strategy is called {name!r}; choose one of {', '.join(STRATEGIES)}.")
    if name == "mirrored":
        kind = "GPU" if tf.config.list_logical_devices("GPU") else "CPU"
        devices = [device.name for device in tf.config.list_logical_devices(kind)]
        return tf.distribute.MirroredStrategy(devices)
    _name_workers(workers, worker_index)
    return tf.distribute.MultiWorkerMirroredStrategy()


def _name_workers(workers, worker_index):
    """Puts the workers into TF_CONFIG, where TensorFlow looks for them."""
    if not workers:
        if "TF_CONFIG" not in os.environ:
            raise ValueError(
                "multi_worker needs the workers: give --workers HOST:PORT ... and --worker-index, "
                "or set TF_CONFIG."
            )
        return
    if worker_index is None or not 0 <= worker_index < len(workers):
        raise ValueError(
            f"worker_index is {worker_index}; with {len(workers)} workers give one of 0 to "
            f"{len(workers) - 1}."
        )
    task = {"type": "worker", "index": worker_index}
    os.environ["TF_CONFIG"] = json.dumps({"cluster": {"worker": list(workers)}, "task": task})


def is_chief(strategy) -> bool:
    """Whether this process writes files: of all workers, only the first does.

    Args:
        strategy: tf.distribute.Strategy.

    Returns:
        bool.

    Examples:
        >>> is_chief(make_strategy())
        True
    """
    if not isinstance(strategy, tf.distribute.MultiWorkerMirroredStrategy):
        return True
    resolver = strategy.cluster_resolver
    first = "chief" if "chief" in resolver.cluster_spec().jobs else "worker"
    return (resolver.task_type, resolver.task_id) == (first, 0)


def by_example(dataset):
    """Makes a dataset divide its examples, not its files, among workers.

    Args:
        dataset: tf.data.Dataset.

    Returns:
        tf.data.Dataset of the same elements.
    """
    options = tf.data.Options()
    options.experimental_distribute.auto_shard_policy = tf.data.experimental.AutoShardPolicy.DATA
    return dataset.with_options(options)
