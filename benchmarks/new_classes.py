#!/usr/bin/env python3
"""Swaps with classes that were not in the training data: what they keep of class and style.

The data is a .npz file of images `x` with one array of integers for each attribute, and `split`: 0
for training, 1 for images of classes that are never trained on. Each image of these gets the class
of another one, encoded from K images of it (`class_code`). A judge with a head for each attribute,
trained on the training images, says what the result shows. Prints the shares, those of the real
images, and those of donors that agree with the image by chance, and writes them and a picture. A
model that an earlier call trained is loaded.
"""

import argparse
import json
import pathlib

RECIPE = {
    "exemplars": 0.95,
    # z_u opens late, so that the class takes the way through z_s.
    "kl": (20.0, 5.0, 0.5, 0.2, 0.15, 0.15),
    "flow": False,
    "flow_share": 0.0,
    "learning_rate": 2e-3,
    "beta_1": 0.9,
    "beta_2": 0.99,
}
SHOWN = 12


def parse_arguments():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=pathlib.Path, required=True, help="the .npz file")
    parser.add_argument("--label", default="character", help="(default: character)")
    parser.add_argument(
        "--of-class",
        nargs="+",
        default=["body", "hair", "topwear", "bottomwear"],
        help="attributes that swaps take from the donor of the class",
    )
    parser.add_argument(
        "--of-style",
        nargs="+",
        default=["action", "direction"],
        help="attributes that swaps keep",
    )
    parser.add_argument("--steps", type=int, default=6500, help="(default: 6500)")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--output", type=pathlib.Path, default=pathlib.Path("runs/new_classes"))
    return parser.parse_args()


def trained_judge(x, attributes):
    """A classifier with a head for each attribute: function of uint8 images to dict of classes."""
    import keras

    from dvae_tf.data.pixels import as_floats

    inputs = features = keras.Input(x.shape[1:])
    for filters in (32, 64, 128):
        features = keras.layers.Conv2D(filters, 3, 2, padding="same", activation="relu")(features)
    features = keras.layers.Dropout(0.2, seed=0)(keras.layers.Flatten()(features))
    features = keras.layers.Dense(256, activation="relu")(features)
    heads = {
        name: keras.layers.Dense(int(values.max()) + 1, name=name)(features)
        for name, values in attributes.items()
    }
    judge = keras.Model(inputs, heads)
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    judge.compile("adam", dict.fromkeys(attributes, loss))
    judge.fit(as_floats(x), attributes, batch_size=64, epochs=30, verbose=0)

    def named(images):
        logits = judge.predict(as_floats(images), batch_size=256, verbose=0)
        return {name: values.argmax(axis=-1) for name, values in logits.items()}

    return named


def trained_model(x, label, steps, seed, path):
    """Trains a model, or loads the one from an earlier call."""
    import keras

    from dvae_tf import DisentangledVAE
    from dvae_tf.data.examples import Arrays
    from dvae_tf.data.pipeline import batches
    from dvae_tf.models import Recipe

    if path.exists():
        return keras.saving.load_model(path)
    model = DisentangledVAE(
        x.shape[1:],
        int(label.max()) + 1,
        recipe=Recipe.named("balanced").replace(**RECIPE),
        latent_dim_s=32,
        latent_dim_u=12,
        seed=seed,
    )
    dataset = batches(Arrays(x, label), 64, shuffle=True, seed=seed, pairs=True)
    epochs = 10
    model.fit(dataset.repeat(), steps_per_epoch=steps // epochs, epochs=epochs, verbose=2)
    path.parent.mkdir(parents=True, exist_ok=True)
    model.save(path)
    return model


def of_other_classes(label, random):
    """For each image an image of another class."""
    import numpy as np

    donor = random.permutation(len(label))
    while (same := label[donor] == label).any():
        donor[same] = random.integers(0, len(label), np.count_nonzero(same))
    return donor


def swapped(model, x, label, donor, count, random):
    """Each image with the class of its donor, encoded from so many images of that class."""
    import numpy as np

    from dvae_tf import tasks

    of_class = {value: np.flatnonzero(label == value) for value in np.unique(label)}
    z_s = [
        model.class_code(x[random.choice(rows, min(count, len(rows)), replace=False)])
        for rows in (of_class[label[at]] for at in donor)
    ]
    return tasks.decode(model, np.stack(z_s), tasks.encode(model, x).z_u_mean)


def main():
    arguments = parse_arguments()
    import keras
    import numpy as np

    from dvae_tf.drawing import plots
    from dvae_tf.files import write_json

    file = np.load(arguments.data)
    names = (*arguments.of_class, *arguments.of_style)
    seen = file["split"] == 0
    train, test = (
        {name: file[name][rows] for name in ("x", arguments.label, *names)}
        for rows in (seen, ~seen)
    )
    label = np.unique(train[arguments.label], return_inverse=True)[1].astype(np.int32)
    keras.utils.set_random_seed(arguments.seed)
    judge = trained_judge(train["x"], {name: train[name] for name in names})
    path = arguments.output / "model.keras"
    model = trained_model(train["x"], label, arguments.steps, arguments.seed, path)
    real = judge(test["x"])
    random = np.random.default_rng(arguments.seed)
    donor = of_other_classes(test[arguments.label], random)
    found = {
        "real": {name: float(np.mean(real[name] == test[name])) for name in names},
        "by chance": {name: float(np.mean(test[name] == test[name][donor])) for name in names},
    }
    shown = random.choice(len(donor), SHOWN, replace=False)
    rows = {"style of": test["x"][shown], "class of": test["x"][donor[shown]]}
    for count in (1, 5):
        swaps = swapped(model, test["x"], test[arguments.label], donor, count, random)
        wanted = {name: test[name][donor] for name in arguments.of_class}
        wanted |= {name: test[name] for name in arguments.of_style}
        shows = judge(swaps)
        found[f"K={count}"] = {name: float(np.mean(shows[name] == wanted[name])) for name in names}
        rows[f"swap, K = {count}"] = swaps[shown]
    write_json(arguments.output / "table.json", found)
    title = "Classes that were not in the training data"
    plots.image_grid(arguments.output / "swaps.png", np.stack([*rows.values()]), list(rows), title)
    print(json.dumps(found, indent=2))


if __name__ == "__main__":
    main()
