#!/usr/bin/env python3
"""Times the data sources: images a second, and the time a training step waits for them."""

import argparse
import pathlib
import tempfile
import time

SOURCES = ("digits", "shapes", "fashion_mnist", "cifar10", "folder", "npz")
IMAGES_IN_FOLDER = 2_000


def parse_arguments():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "--sources",
        nargs="+",
        default=SOURCES,
        help='names of data sets; "folder" and "npz" are written first (default: '
        f"{' '.join(SOURCES)})",
    )
    parser.add_argument("--batch-size", type=int, default=96, help="(default: 96)")
    parser.add_argument("--batches", type=int, default=60, help="timed batches (default: 60)")
    parser.add_argument("--output", type=pathlib.Path, help="JSON file for the results")
    return parser.parse_args()


def written_source(source, folder):
    """The name of a source; sources of files are written first, as 64-pixel images of shapes."""
    import numpy as np

    from dvae_tf.data import load_arrays

    if source not in ("folder", "npz"):
        return source
    examples, _ = load_arrays("shapes", "train", count=IMAGES_IN_FOLDER)
    images = examples.x.repeat(2, axis=1).repeat(2, axis=2)
    if source == "npz":
        np.savez(folder / "images.npz", x=images, label=examples.label)
        return f"npz:{folder / 'images.npz'}"
    from PIL import Image

    for number, (image, label) in enumerate(zip(images, examples.label, strict=True)):
        path = folder / "images" / str(label) / f"{number}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(image).save(path)
    return f"folder:{folder / 'images'}"


def endless(name, batch_size):
    """An endless iterator of batches of a source, and its Info."""
    from dvae_tf.data import load

    dataset, info = load(name, "train", batch_size)
    return iter(dataset.repeat()), info


def seconds_alone(name, batch_size, batches):
    """The time to read this many batches when nothing is done with them."""
    iterator, _ = endless(name, batch_size)
    next(iterator)
    begin = time.perf_counter()
    for _ in range(batches):
        next(iterator)
    return time.perf_counter() - begin


def share_waited(name, batch_size, batches):
    """Trains, and measures the share of the time spent waiting for batches."""
    import tensorflow as tf

    from dvae_tf import DisentangledVAEGAN

    iterator, info = endless(name, batch_size)
    model = DisentangledVAEGAN(info.shape, info.num_classes)
    step = tf.function(model.train_step, reduce_retracing=True, autograph=False)
    step(next(iterator))
    waited = 0.0
    begin = time.perf_counter()
    for _ in range(batches):
        requested = time.perf_counter()
        batch = next(iterator)
        waited += time.perf_counter() - requested
        step(batch)
    return waited / (time.perf_counter() - begin)


def main():
    arguments = parse_arguments()
    from dvae_tf.commands.startup import import_tensorflow_quietly

    import_tensorflow_quietly()
    from dvae_tf.files import write_json

    size, count = arguments.batch_size, arguments.batches
    table = {}
    print("| source | images a second alone | share of a training step spent waiting |")
    print("|---|---|---|")
    with tempfile.TemporaryDirectory() as folder:
        for source in arguments.sources:
            name = written_source(source, pathlib.Path(folder))
            rate = size * count / seconds_alone(name, size, count)
            waited = share_waited(name, size, count)
            table[source] = {"images_a_second": rate, "waited": waited}
            print(f"| {source} | {rate:,.0f} | {100 * waited:.1f} % |", flush=True)
    if arguments.output:
        write_json(arguments.output, table)


if __name__ == "__main__":
    main()
