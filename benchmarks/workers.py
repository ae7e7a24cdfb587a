#!/usr/bin/env python3
"""Trains on one worker and on several: processes with one core each, connected over loopback.

Every worker gets the same number of images per step, so that the time of a step would not change if
nothing had to be sent.
"""

import argparse
import json
import os
import pathlib
import socket
import subprocess
import sys
import time

WARM_UP = 5


def parse_arguments():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--workers", type=int, default=2, help="largest number (default: 2)")
    parser.add_argument("--batch-size", type=int, default=96, help="per worker (default: 96)")
    parser.add_argument("--steps", type=int, default=15, help="timed steps (default: 15)")
    parser.add_argument("--presets", nargs="+", default=["compact", "paper"])
    parser.add_argument("--output", type=pathlib.Path, help="JSON file for the results")
    parser.add_argument("--index", type=int, help=argparse.SUPPRESS)
    parser.add_argument("--addresses", nargs="+", help=argparse.SUPPRESS)
    return parser.parse_args()


def seconds_a_step(arguments):
    """Trains as one of the workers; returns the median time of a step."""
    import keras
    import numpy as np
    import tensorflow as tf

    from dvae_tf import DisentangledVAEGAN
    from dvae_tf.commands.devices import by_example, make_strategy

    several = len(arguments.addresses) > 1
    strategy = make_strategy(
        "multi_worker" if several else None, arguments.addresses, arguments.index
    )
    batch_size, steps = arguments.batch_size * len(arguments.addresses), WARM_UP + arguments.steps
    random = np.random.default_rng(0)
    x = random.uniform(-1, 1, (batch_size, 28, 28, 1)).astype(np.float32)
    label = random.integers(10, size=batch_size).astype(np.int32)
    with strategy.scope():
        model = DisentangledVAEGAN((28, 28, 1), 10, arguments.presets[0])
    moments = []
    clock = keras.callbacks.LambdaCallback(
        on_train_batch_end=lambda batch, logs: moments.append(time.perf_counter())
    )
    dataset = tf.data.Dataset.from_tensors((x, label)).unbatch().batch(batch_size)
    model.fit(
        by_example(dataset.cache().repeat(steps)), callbacks=[clock], fit_flow=False, verbose=0
    )
    return float(np.median(np.diff(moments)[WARM_UP:]))


def measured(preset, count, arguments):
    """Starts `count` workers and waits for them; returns the time of a step, in seconds."""
    addresses = [f"127.0.0.1:{port}" for port in free_ports(count)]
    given = ["--batch-size", arguments.batch_size, "--steps", arguments.steps, "--presets", preset]
    command = [sys.executable, __file__, *map(str, given), "--addresses", *addresses]
    workers = [
        subprocess.Popen([*command, "--index", str(index)], stdout=subprocess.PIPE, text=True)
        for index in range(count)
    ]
    outputs = [worker.communicate()[0] for worker in workers]
    if any(worker.returncode for worker in workers):
        raise RuntimeError("A worker failed; its message is above.")
    return max(json.loads(output.splitlines()[-1]) for output in outputs)


def free_ports(count):
    probes = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    ports = [probe.getsockname()[1] for probe in probes]
    for probe in probes:
        probe.close()
    return ports


def main():
    arguments = parse_arguments()
    if arguments.index is not None:
        cores = sorted(os.sched_getaffinity(0))
        os.sched_setaffinity(0, {cores[arguments.index % len(cores)]})
    from dvae_tf.commands.startup import import_tensorflow_quietly

    import_tensorflow_quietly()
    if arguments.index is not None:
        print(json.dumps(seconds_a_step(arguments)))
        return
    from dvae_tf.files import write_json

    table = {}
    print("| preset | workers | images per step | a step, ms | images a second | of one worker's |")
    print("|---|---|---|---|---|---|")
    for preset in arguments.presets:
        for count in range(1, arguments.workers + 1):
            images, seconds = count * arguments.batch_size, measured(preset, count, arguments)
            table[f"{preset}-{count}"] = {"seconds": seconds, "images_a_second": images / seconds}
            gain = images / seconds / table[f"{preset}-1"]["images_a_second"]
            print(
                f"| {preset} | {count} | {images} | {1e3 * seconds:.0f} | {images / seconds:.0f} "
                f"| {gain:.2f} |",
                flush=True,
            )
    if arguments.output:
        write_json(arguments.output, table)


if __name__ == "__main__":
    main()
