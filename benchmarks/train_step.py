#!/usr/bin/env python3
"""Times a training step against the published iteration written down plainly (reference_step.py).

Both take turns in one process, so that their ratio holds on a machine whose speed changes.
"""

import argparse
import functools
import pathlib
import resource
import time
from unittest import mock


def parse_arguments():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--presets", nargs="+", default=["compact", "paper"])
    parser.add_argument("--batch-size", type=int, default=96)
    parser.add_argument("--repeats", type=int, default=10, help="timed steps of each (default: 10)")
    parser.add_argument("--output", type=pathlib.Path, help="JSON file of the figures")
    return parser.parse_args()


def measured(preset, gan, batch_size, repeats):
    """Times both steps on Fashion-MNIST's shape.

    Returns:
        dict of "seconds", "bfloat16_seconds" and "reference_seconds", medians, the first two's
        "ratio" and "bfloat16_ratio" to the last, and the process's "peak_megabytes" so far.
    """
    import keras
    import numpy as np
    import tensorflow as tf
    from reference_step import make_reference_step

    from dvae_tf import DisentangledVAE, DisentangledVAEGAN
    from dvae_tf.networks import downsampler

    kind = DisentangledVAEGAN if gan else DisentangledVAE
    random = np.random.default_rng(0)
    x = tf.constant(random.uniform(-1, 1, (batch_size, 28, 28, 1)), tf.float32)
    label = tf.constant(random.integers(10, size=batch_size), tf.int32)
    make = functools.partial(kind, (28, 28, 1), 10, preset, "paper", n_gm=1)
    ours = make()
    with mock.patch.object(downsampler, "BatchNormalization", keras.layers.BatchNormalization):
        reference = make_reference_step(make())
    keras.config.set_dtype_policy("mixed_bfloat16")
    half = make()
    keras.config.set_dtype_policy("float32")
    steps = {
        "seconds": tf.function(lambda: ours.train_step((x, label))),
        "bfloat16_seconds": tf.function(lambda: half.train_step((x, label))),
        "reference_seconds": tf.function(lambda: reference(x, label)),
    }
    times = {name: [] for name in steps}
    for _ in range(repeats + 2):
        for name, step in steps.items():
            begin = time.perf_counter()
            step()
            times[name].append(time.perf_counter() - begin)
    found = {name: float(np.median(seconds[2:])) for name, seconds in times.items()}
    for name in ("", "bfloat16_"):
        found[f"{name}ratio"] = found[f"{name}seconds"] / found["reference_seconds"]
    found["peak_megabytes"] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return found


def main():
    arguments = parse_arguments()
    from dvae_tf.startup import import_tensorflow_quietly

    import_tensorflow_quietly()
    from dvae_tf.files import write_json

    table = {}
    print(
        "| preset | discriminator | reference, ms | ours | ours, bfloat16 |\n|---|---|---|---|---|"
    )
    for preset in arguments.presets:
        for gan in (False, True):
            row = measured(preset, gan, arguments.batch_size, arguments.repeats)
            table[f"{preset}{'-gan' if gan else ''}"] = row
            print(
                f"| {preset} | {'yes' if gan else 'no'} | {1e3 * row['reference_seconds']:.0f} "
                f"| {row['ratio']:.2f} | {row['bfloat16_ratio']:.2f} |",
                flush=True,
            )
    if arguments.output:
        write_json(arguments.output, table)


if __name__ == "__main__":
    main()
