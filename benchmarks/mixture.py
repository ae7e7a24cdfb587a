#!/usr/bin/env python3
"""Times the forward and backward pass of L_GM for growing numbers of classes, and its memory.

Each number of classes runs in its own process, so that its peak memory can be measured. It compares
all classes with a sample of --sampled (the recipe's `sampled_classes`), and measures the bias of
L_cls with the sample.
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
    parser.add_argument("--sampled", type=int, default=1_000, help="(default: 1000)")
    parser.add_argument(
        "--biased-at", type=int, default=10_000, help="classes for the bias (default: 10000)"
    )
    parser.add_argument("--repeats", type=int, default=10, help="timed steps (default: 10)")
    parser.add_argument("--output", type=pathlib.Path, help="JSON file for the results")
    parser.add_argument("--alone", action="store_true", help=argparse.SUPPRESS)
    return parser.parse_args()


def measured(num_classes, sampled, latent_dim, batch_size, repeats):
    """Times one number of classes in this process.

    Args:
        num_classes, latent_dim, batch_size, repeats: int.
        sampled: int, the number of classes that a step samples, or 0 for all.

    Returns:
        dict of "seconds" (median) and "megabytes" (peak, minus that of the process before).
    """
    from dvae_tf.commands.startup import import_tensorflow_quietly

    import_tensorflow_quietly()
    import numpy as np
    import tensorflow as tf

    from dvae_tf.priors import GaussianMixturePrior

    z_s = tf.random.stateless_normal((batch_size, latent_dim), (0, 0))
    label = tf.random.stateless_uniform((batch_size,), (0, 1), 0, num_classes, tf.int32)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    prior = GaussianMixturePrior(num_classes, latent_dim)
    step = tf.function(lambda seed: loss_and_gradient(prior, z_s, label, sampled, seed)[1:])
    times = []
    for repeat in range(repeats + 1):
        seed = tf.constant([repeat, 0])
        begin = time.perf_counter()
        step(seed)
        times.append(time.perf_counter() - begin)
    after = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return {"seconds": float(np.median(times[1:])), "megabytes": (after - before) / 1024}


def loss_and_gradient(prior, z_s, label, sampled, seed):
    """L_cls, and the gradients of L_GM with respect to codes, means and variances."""
    import tensorflow as tf

    from dvae_tf import losses

    with tf.GradientTape() as tape:
        tape.watch(z_s)
        if sampled:
            log_prob, label = prior.sampled_log_prob(z_s, label, sampled, seed)
        else:
            log_prob = prior.log_prob(z_s)
        of_class = losses.classification(log_prob, label)
        loss = tf.reduce_mean(of_class + 0.1 * losses.likelihood(log_prob, label))
    return tf.reduce_mean(of_class), *tape.gradient(loss, [z_s, *prior.trainable_variables])


def bias(num_classes, sampled, latent_dim, batch_size, draws):
    """The bias of L_cls with sampled classes, for classes that are hard to tell apart.

    Returns:
        dict of "all" (L_cls over all classes), "sampled" and "deviation" (mean and standard
        deviation over draws), and "cosine" (of a draw's gradient of z_s with that over all classes,
        the mean over draws).
    """
    import numpy as np
    import tensorflow as tf

    from dvae_tf.priors import GaussianMixturePrior

    prior = GaussianMixturePrior(num_classes, latent_dim)
    # So close that the log-odds of two classes are about the logarithm of the number of classes.
    spread = np.sqrt(np.log(num_classes) / latent_dim)
    prior.means.assign(spread * tf.random.stateless_normal(prior.means.shape, (1, 0)))
    label = tf.random.stateless_uniform((batch_size,), (0, 1), 0, num_classes, tf.int32)
    z_s = prior.sample(label, tf.constant([2, 0]))
    complete, direction, *_ = loss_and_gradient(prior, z_s, label, 0, None)
    found, cosines = [], []
    for draw in range(draws):
        loss, gradient, *_ = loss_and_gradient(prior, z_s, label, sampled, tf.constant([draw, 3]))
        found.append(float(loss))
        scale = tf.norm(direction) * tf.norm(gradient)
        cosines.append(float(tf.reduce_sum(direction * gradient) / scale))
    return {
        "all": float(complete),
        "sampled": float(np.mean(found)),
        "deviation": float(np.std(found)),
        "cosine": float(np.mean(cosines)),
    }


def measured_alone(count, sampled, arguments):
    """The result of `measured` in a separate process."""
    options = {
        "--classes": count,
        "--sampled": sampled,
        "--latent-dim": arguments.latent_dim,
        "--batch-size": arguments.batch_size,
        "--repeats": arguments.repeats,
    }
    words = [str(word) for option in options.items() for word in option]
    command = [sys.executable, __file__, "--alone", *words]
    return json.loads(subprocess.check_output(command, text=True).splitlines()[-1])


def main():
    arguments = parse_arguments()
    sizes = arguments.latent_dim, arguments.batch_size
    sampled = arguments.sampled
    if arguments.alone:
        print(json.dumps(measured(*arguments.classes, sampled, *sizes, arguments.repeats)))
        return
    from dvae_tf.commands.startup import import_tensorflow_quietly

    import_tensorflow_quietly()
    import numpy as np

    table = {"all": {}, "sampled": {}}
    print("| classes | of them compared | forward and backward, ms | peak memory, MB |")
    print("|---|---|---|---|")
    for kind, taken in (("all", 0), ("sampled", sampled)):
        for count in [count for count in arguments.classes if count > taken]:
            found = table[kind][str(count)] = measured_alone(count, taken, arguments)
            cost = f"{1e3 * found['seconds']:.2f} | {found['megabytes']:.0f}"
            print(f"| {count:,} | {taken or count:,} | {cost} |", flush=True)
    last = arguments.classes[-2:]
    if len(last) == 2:
        seconds = [table["all"][str(count)]["seconds"] for count in last]
        exponent = float(np.log(seconds[1] / seconds[0]) / np.log(last[1] / last[0]))
        table["exponent"] = exponent
        print(f"\nFrom {last[0]:,} to {last[1]:,} classes the time grows as C^{exponent:.2f}.")
    table["bias"] = found = bias(arguments.biased_at, sampled, *sizes, arguments.repeats)
    print(
        f"At {arguments.biased_at:,} classes L_cls is {found['all']:.3f}, with {sampled:,} of them "
        f"{found['sampled']:.3f} +- {found['deviation']:.3f}; the gradient's cosine with that of "
        f"all is {found['cosine']:.3f}."
    )
    if arguments.output:
        from dvae_tf.files import write_json

        write_json(arguments.output, table)


if __name__ == "__main__":
    main()
