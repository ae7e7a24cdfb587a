#!/usr/bin/env python3
"""Swaps of one attribute: is it the donor's, and do the others stay?

The data is a .npz file of images `x` with one array of integers for each attribute, and `split`: 0
for training, 1 for testing. One attribute is the label. Each test image gets the class of another
one; a judge with a head for each attribute, trained on the training images, says what the result
shows. Probes that learn on training codes say what z_u of test images tells of the label. Prints
the shares, and writes them, a picture and the model.
"""

import argparse
import json
import pathlib

# z_u opens late, so that the class takes the way through z_s.
RECIPE = {
    "kl": (5.0, 1.0, 0.1, 0.03, 0.03),
    "cycle": 1.0,
    "learning_rate": 2e-3,
    "beta_1": 0.9,
    "beta_2": 0.99,
}
SHOWN = 12


def parse_arguments():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=pathlib.Path, required=True, help="the .npz file")
    parser.add_argument("--label", default="hair", help="(default: hair)")
    parser.add_argument(
        "--others",
        nargs="+",
        default=["body", "topwear", "bottomwear", "action", "direction"],
        help="attributes that should stay",
    )
    parser.add_argument("--steps", type=int, default=4000, help="(default: 4000)")
    parser.add_argument("--latent-dim-u", type=int, default=24, help="(default: 24)")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--output", type=pathlib.Path, default=pathlib.Path("runs/attributes"))
    return parser.parse_args()


def trained_model(x, label, arguments):
    from dvae_tf import DisentangledVAE
    from dvae_tf.data.examples import Arrays
    from dvae_tf.data.pipeline import batches
    from dvae_tf.models import Recipe

    model = DisentangledVAE(
        x.shape[1:],
        int(label.max()) + 1,
        recipe=Recipe.named("balanced").replace(**RECIPE),
        latent_dim_u=arguments.latent_dim_u,
        seed=arguments.seed,
    )
    dataset = batches(Arrays(x, label), 64, shuffle=True, seed=arguments.seed)
    epochs = 10
    model.fit(dataset.repeat(), steps_per_epoch=arguments.steps // epochs, epochs=epochs, verbose=2)
    return model


def leakage_of(model, learnt, asked, seed):
    """What each probe reads of the label from z_u, of means and samples."""
    from dvae_tf.evaluation import Subject
    from dvae_tf.evaluation.bench import kinds_of_z_u
    from dvae_tf.evaluation.metrics.leakage import FittedProbes, leakage

    (codes, label), (other_codes, other_label) = learnt, asked
    known, unknown = kinds_of_z_u(codes, seed), kinds_of_z_u(other_codes, seed + 1)
    found = {}
    for kind in known:
        probes = FittedProbes(known[kind], label, Subject.of(model), seed)
        answers = probes.predict(unknown[kind])
        plain = leakage(answers, other_label, probes.share, seed)[0]
        found[kind] = {name: plain[name].value for name in answers}
    return found


def main():
    arguments = parse_arguments()
    import keras
    import numpy as np
    from new_classes import of_other_classes, trained_judge

    from dvae_tf import tasks
    from dvae_tf.drawing import plots
    from dvae_tf.files import write_json

    file = np.load(arguments.data)
    names = (arguments.label, *arguments.others)
    seen = file["split"] == 0
    train, test = ({name: file[name][rows] for name in ("x", *names)} for rows in (seen, ~seen))
    keras.utils.set_random_seed(arguments.seed)
    judge = trained_judge(train["x"], {name: train[name] for name in names})
    label, of_test = (part[arguments.label].astype(np.int32) for part in (train, test))
    model = trained_model(train["x"], label, arguments)
    arguments.output.mkdir(parents=True, exist_ok=True)
    model.save(arguments.output / "model.keras")

    random = np.random.default_rng(arguments.seed)
    donor = of_other_classes(of_test, random)
    codes = tasks.encode(model, test["x"])
    images = {
        "real": test["x"],
        "reconstructions": tasks.decode(model, codes.z_s, codes.z_u_mean),
        "swaps": tasks.decode(model, codes.z_s[donor], codes.z_u_mean),
    }
    found: dict = {}
    for kind, drawn in images.items():
        shows = judge(drawn)
        wanted = {arguments.label: of_test[donor] if kind == "swaps" else of_test}
        found[kind] = {
            name: float(np.mean(shows[name] == wanted.get(name, test[name]))) for name in names
        }
    learnt = tasks.encode(model, train["x"]), label
    found["leakage"] = leakage_of(model, learnt, (codes, of_test), arguments.seed)
    write_json(arguments.output / "table.json", found)
    shown = random.choice(len(donor), SHOWN, replace=False)
    rows = {f"{arguments.label} of": test["x"][donor[shown]]}
    rows |= {kind: drawn[shown] for kind, drawn in images.items()}
    title = f"Swaps of {arguments.label}"
    plots.image_grid(arguments.output / "swaps.png", np.stack([*rows.values()]), list(rows), title)
    print(json.dumps(found, indent=2))


if __name__ == "__main__":
    main()
