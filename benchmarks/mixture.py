#!/usr/bin/env python3
"""Times L_GM forwards and backwards for ever more classes, with its memory and how both grow.

Each number of classes has a process of its own, so that peak memory is its own.
"""

import argparse
import json
import pathlib
import resource
import subprocess
import sys
import time


def parse_arguments():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--classes", nargs="+", type=int, default=[10, 100, 1_000, 10_000, 100_000])
    parser.add_argument("--latent-dim", type=int, default=256, help="(default: 256)")
    parser.add_argument("--batch-size", type=int, default=96, help="(default: 96)")
    parser.add_argument("--repeats", type=int, default=10, help="timed steps (default: 10)")
    parser.add_argument("--output", type=pathlib.Path, help="JSON file of the figures")
    parser.add_argument("--alone", action="store_true", help=argparse.SUPPRESS)
    return parser.parse_args()


def measured(num_classes, latent_dim, batch_size, repeats):
    """Times one number of classes in this process.

    Returns:
        dict of "seconds" (median) and "megabytes" (peak, above what the process had before).
    """
    from dvae_tf.startup import import_tensorflow_quietly

    import_tensorflow_quietly()
    import numpy as np
    import tensorflow as tf

    from dvae_tf import losses
    from dvae_tf.priors import GaussianMixturePrior

    z_s = tf.random.stateless_normal((batch_size, latent_dim), (0, 0))
    label = tf.random.stateless_uniform((batch_size,), (0, 1), 0, num_classes, tf.int32)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    prior = GaussianMixturePrior(num_classes, latent_dim)

    @tf.function
    def step():
        with tf.GradientTape() as tape:
            tape.watch(z_s)
            log_prob = prior.log_prob(z_s)
            of_class = losses.classification(log_prob, label)
            loss = tf.reduce_mean(of_class + 0.1 * losses.likelihood(log_prob, label))
        return tape.gradient(loss, [z_s, *prior.trainable_variables])

    times = []
    for _ in range(repeats + 1):
        begin = time.perf_counter()
        step()
        times.append(time.perf_counter() - begin)
    after = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return {"seconds": float(np.median(times[1:])), "megabytes": (after - before) / 1024}


def main():
    arguments = parse_arguments()
    sizes = arguments.latent_dim, arguments.batch_size, arguments.repeats
    if arguments.alone:
        print(json.dumps(measured(arguments.classes[0], *sizes)))
        return
    import numpy as np

    table = {}
    print("| classes | forwards and backwards, ms | peak memory, MB |\n|---|---|---|")
    for count in arguments.classes:
        names = ("--latent-dim", "--batch-size", "--repeats")
        options = [text for pair in zip(names, map(str, sizes), strict=True) for text in pair]
        command = [sys.executable, __file__, "--alone", "--classes", str(count), *options]
        found = json.loads(subprocess.check_output(command, text=True).splitlines()[-1])
        table[str(count)] = found
        print(
            f"| {count:,} | {1e3 * found['seconds']:.2f} | {found['megabytes']:.0f} |", flush=True
        )
    last = arguments.classes[-2:]
    if len(last) == 2:
        seconds = [table[str(count)]["seconds"] for count in last]
        exponent = float(np.log(seconds[1] / seconds[0]) / np.log(last[1] / last[0]))
        table["exponent"] = exponent
        print(f"\nFrom {last[0]:,} to {last[1]:,} classes the time grows as C^{exponent:.2f}.")
    if arguments.output:
        from dvae_tf.files import write_json

        write_json(arguments.output, table)


if __name__ == "__main__":
    main()
