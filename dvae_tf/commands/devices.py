"""Training on several devices or several machines, by tf.distribute.

Every device holds the whole model and sees its share of each batch: `batch_size` is that of all of
them together. Losses and statistics are those of the whole batch (see docs/scaling.md).
"""

import json
import os
from collections.abc import Sequence

import tensorflow as tf

STRATEGIES = ("mirrored", "multi_worker")


def make_strategy(
    name: str | None = None, workers: Sequence[str] | None = None, worker_index: int | None = None
):
    """Makes a strategy; before anything else of TensorFlow where there are several workers.

    Args:
        name: str, "mirrored" (all GPUs of this machine, or its logical CPUs where it has none) or
            "multi_worker" (one process a machine). Defaults to one device.
        workers: sequence of str, host:port of every worker, the same on all of them. Defaults to
            the environment variable TF_CONFIG.
        worker_index: int, which of them this process is, from 0. Defaults to TF_CONFIG's.

    Returns:
        tf.distribute.Strategy.

    Raises:
        ValueError: if the name is unknown, or what is needed to find the workers is missing.

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
    """Puts the workers where TensorFlow looks for them: TF_CONFIG."""
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
    """Whether this process writes files: one of all workers does, the first.

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
    """Makes a dataset share out its examples, not its files, among workers.

    Args:
        dataset: tf.data.Dataset.

    Returns:
        tf.data.Dataset of the same elements.
    """
    options = tf.data.Options()
    options.experimental_distribute.auto_shard_policy = tf.data.experimental.AutoShardPolicy.DATA
    return dataset.with_options(options)
