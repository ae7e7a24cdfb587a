#!/usr/bin/env python3
"""Times a training step against the published iteration in its plainest form (reference_step.py).

Both are timed in turn in one process, so that their ratio holds on a machine whose speed changes.
The share of the peak is the rate of operations in TensorFlow's graph over that of the fastest
matrix product on this machine.
"""

import argparse
import functools
import pathlib
import resource
import time


def parse_arguments():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--presets", nargs="+", default=["compact", "paper"])
    parser.add_argument("--batch-size", type=int, default=96)
    parser.add_argument("--repeats", type=int, default=10, help="timed steps of each (default: 10)")
    parser.add_argument("--output", type=pathlib.Path, help="JSON file for the results")
    return parser.parse_args()


def measured(preset, gan, batch_size, repeats):
    """Times both steps on images of Fashion-MNIST's shape.

    Returns:
        dict of "seconds", "bfloat16_seconds" and "reference_seconds", medians; "ratio" and
        "bfloat16_ratio", of the first two to the last; "operations" of a step; and
        "peak_megabytes" of the process so far.
    """
    import keras
    import numpy as np
    import tensorflow as tf
    from reference_step import make_reference_step

    from dvae_tf import DisentangledVAE, DisentangledVAEGAN
    from dvae_tf.models import Recipe

    kind = DisentangledVAEGAN if gan else DisentangledVAE
    random = np.random.default_rng(0)
    x = tf.constant(random.uniform(-1, 1, (batch_size, 28, 28, 1)), tf.float32)
    label = tf.constant(random.integers(10, size=batch_size), tf.int32)
    recipe = Recipe.named("paper").replace(n_gm=1)
    make = functools.partial(kind, (28, 28, 1), 10, preset, recipe)
    ours, reference = make(), make_reference_step(make())
    keras.config.set_dtype_policy("mixed_bfloat16")
    half = make()
    keras.config.set_dtype_policy("float32")
    steps = {
        "seconds": tf.function(lambda: ours.train_step((x, label)), autograph=False),
        "bfloat16_seconds": tf.function(lambda: half.train_step((x, label)), autograph=False),
        "reference_seconds": tf.function(lambda: reference(x, label), autograph=False),
    }
    times = {name: [] for name in steps}
    for _ in range(repeats + 2):
        for name, step in steps.items():
            begin = time.perf_counter()
            step()
            times[name].append(time.perf_counter() - begin)
    found = {name: float(np.median(seconds[2:])) for name, seconds in times.items()}
    found["operations"] = operations(steps["seconds"])
    for name in ("", "bfloat16_"):
        found[f"{name}ratio"] = found[f"{name}seconds"] / found["reference_seconds"]
    found["peak_megabytes"] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return found


def peak(dtype):
    """The highest rate of a square matrix product on this machine, in operations a second."""
    import tensorflow as tf

    best = 0.0
    for side in (1024, 2048, 4096):
        matrix = tf.cast(tf.random.stateless_normal((side, side), (0, 0)), dtype)
        product = tf.function(lambda matrix=matrix: tf.matmul(matrix, matrix))
        for _ in range(4):
            begin = time.perf_counter()
            product()
            best = max(best, 2.0 * side**3 / (time.perf_counter() - begin))
    return best


def operations(step):
    """The multiplications and additions in the graph of a step."""
    import tensorflow as tf

    profiler = tf.compat.v1.profiler
    options = profiler.ProfileOptionBuilder.float_operation() | {"output": "none"}
    graph = step.get_concrete_function().graph
    return profiler.profile(graph, options=options).total_float_ops


def main():
    arguments = parse_arguments()
    from dvae_tf.commands.startup import import_tensorflow_quietly

    import_tensorflow_quietly()
    from dvae_tf.files import write_json

    table = {"peak": {dtype: peak(dtype) for dtype in ("float32", "bfloat16")}}
    print(
        "| preset | discriminator | reference, ms | ours | ours, bfloat16 | share of the peak "
        "| the same, bfloat16 | peak memory, MB |\n|---|---|---|---|---|---|---|---|"
    )
    for preset in arguments.presets:
        for gan in (False, True):
            row = measured(preset, gan, arguments.batch_size, arguments.repeats)
            table[f"{preset}{'-gan' if gan else ''}"] = row
            work = row["operations"]
            share = work / row["seconds"] / table["peak"]["float32"]
            of_half = work / row["bfloat16_seconds"] / table["peak"]["bfloat16"]
            print(
                f"| {preset} | {'yes' if gan else 'no'} | {1e3 * row['reference_seconds']:.0f} "
                f"| {row['ratio']:.2f} | {row['bfloat16_ratio']:.2f} | {100 * share:.0f} % "
                f"| {100 * of_half:.0f} % | {row['peak_megabytes']:.0f} |",
                flush=True,
            )
    rates = (f"{rate / 1e9:,.0f} in {dtype}" for dtype, rate in table["peak"].items())
    print(f"\nThe peak, in 10^9 operations a second: {', '.join(rates)}.")
    if arguments.output:
        write_json(arguments.output, table)


if __name__ == "__main__":
    main()
