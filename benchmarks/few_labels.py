#!/usr/bin/env python3
"""Trains the model on a share of the labels, and a plain classifier on the labelled examples alone.

The classifier is the preset's network of E_S with logits in place of z_s, trained with Adam and
cross entropy for the same number of steps and batch size. Prints both accuracies on the test split.
"""

import argparse
import pathlib


def parse_arguments():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--dataset", default="fashion_mnist", help="(default: fashion_mnist)")
    parser.add_argument(
        "--shares",
        nargs="+",
        type=float,
        default=[0.01, 0.1, 1.0],
        help="shares of training examples that keep their label (default: 0.01 0.1 1)",
    )
    parser.add_argument("--epochs", type=int, default=6, help="(default: 6)")
    parser.add_argument(
        "--output",
        type=pathlib.Path,
        default=pathlib.Path("runs/few_labels"),
        help="folder of the runs and of table.json (default: runs/few_labels)",
    )
    return parser.parse_args()


def trained(dataset, share, epochs, folder):
    """Trains a model, or loads the one from an earlier call; z_s does not need a discriminator.

    Returns:
        (DisentangledVAE, runs.Data)
    """
    from rich.console import Console

    from dvae_tf import runs
    from dvae_tf.commands.compare import train_missing
    from dvae_tf.commands.settings import TrainingSettings
    from dvae_tf.files import read_json

    settings = TrainingSettings(
        dataset=dataset, model="disentangled_vae", epochs=epochs, labelled=share
    )
    run = folder / "disentangled_vae-seed0"
    train_missing(run, settings, Console())
    return runs.load(run), runs.Data(read_json(run / "run.json")["arguments"])


def plain_classifier(data, epochs):
    """Trains a classifier on the labelled examples alone, for as many steps as the model.

    Returns:
        keras.Model, x -> logits.
    """
    import keras

    from dvae_tf.networks.presets import preset
    from dvae_tf.networks.seeding import seeded_initializers

    shape, num_classes = data.info.shape, data.info.num_classes
    with seeded_initializers(0):
        encoder = preset("compact", shape).encoder_s(shape, num_classes)
    steps = epochs * data.steps_per_epoch
    rates = keras.optimizers.schedules.CosineDecay(5e-4, steps)
    encoder.compile(
        keras.optimizers.Adam(rates),
        keras.losses.SparseCategoricalCrossentropy(from_logits=True),
        jit_compile=False,
    )
    labelled = data.train.unbatch().filter(lambda x, label: label >= 0)
    labelled = labelled.cache().shuffle(60_000, seed=0).repeat().batch(96).prefetch(2)
    encoder.fit(labelled, steps_per_epoch=steps, epochs=1, shuffle=False, verbose=0)
    return encoder


def main():
    arguments = parse_arguments()
    from dvae_tf.commands.startup import import_tensorflow_quietly

    import_tensorflow_quietly()
    from dvae_tf import tasks
    from dvae_tf.evaluation.metrics.classification import accuracy
    from dvae_tf.files import write_json

    table = {}
    for share in arguments.shares:
        folder = arguments.output / f"{share:g}"
        model, data = trained(arguments.dataset, share, arguments.epochs, folder)
        test = data.arrays("test")
        classifier = plain_classifier(data, arguments.epochs)
        logits = classifier.predict(test.x, batch_size=500, verbose=0)
        table[f"{share:g}"] = {
            "z_s": accuracy(tasks.classify(model, test.x), test.label).value,
            "plain classifier": accuracy(logits, test.label).value,
        }
        print(f"{share:g} of the labels: {table[f'{share:g}']}", flush=True)
    write_json(arguments.output / "table.json", table)


if __name__ == "__main__":
    main()
