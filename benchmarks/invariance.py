#!/usr/bin/env python3
"""What z_u tells of what it should not know, and what it keeps: Adult, Extended Yale B.

adult: adult_gender_comp.npz and adult_gender_comp_target.npz in the data folder, the 45,222
complete rows of UCI's Adult as Foster et al. (CoMP, ICML 2022) use them; sex is the label, income
should be kept. One-hot columns are put together again, so that each has its own likelihood.
Settings were chosen on 6,000 training rows (--validation and --curve ask about these, which then
are not trained on).

yaleb: yaleb_vfae_32x28.npz, 190 faces for training (38 people, 5 lights) and 1,096 for testing; the
light is the label, the person should be kept. The model takes the logarithm of the intensities, as
vectors and as images; its E_U is linear, since so few faces are learnt by heart by a deeper one.
"linear" is no model: principal components, less the mean of each light.

Probes learn on codes of the training part and are asked about the test part, encoded as of the true
label. Prints accuracies, and writes them.
"""

import argparse
import json
import pathlib

VALIDATION_ROWS = 6000
# Sex and income as read from the codes of other methods, as Foster et al. published them.
PUBLISHED = {
    "VAE": (0.764, 0.812),
    "CVAE": (0.778, 0.819),
    "VFAE, samples": (0.680, 0.815),
    "VFAE, means": (0.789, 0.805),
    "trVAE": (0.698, 0.808),
    "CoMP": (0.679, 0.805),
}
NAMES = {"adult": ("sex", "income"), "yaleb": ("light", "person")}
# Of the recipe, for so few faces.
FACE_NUMBERS = {"kl": 0.3, "beta_1": 0.9, "beta_2": 0.99, "learning_rate": 1e-3}
FACE_DIMENSIONS, FACE_STEPS, FACES_A_BATCH = 80, 1500, 38


def parse_arguments():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", type=pathlib.Path, required=True, help="folder of the files")
    parser.add_argument("--dataset", choices=NAMES, default="adult", help="(default: adult)")
    parser.add_argument("--seeds", type=int, nargs="+", default=[0], help="(default: 0)")
    parser.add_argument("--epochs", type=int, default=8, help="adult: (default: 8)")
    parser.add_argument("--set", type=json.loads, default={}, help="JSON of other numbers")
    parser.add_argument(
        "--curve",
        nargs="+",
        metavar=("NAME", "NUMBER"),
        help="adult: draw what z_u tells at several values of one number: kl 0.1 0.3 1",
    )
    parser.add_argument("--validation", action="store_true", help="adult: ask training rows")
    parser.add_argument(
        "--output", type=pathlib.Path, help="folder (default: runs/invariance-DATASET)"
    )
    arguments = parser.parse_args()
    if arguments.curve and len(arguments.curve) < 3:
        parser.error("--curve: give a name and at least two numbers, such as kl 0.1 0.3 1")
    if arguments.dataset == "yaleb" and (arguments.curve or arguments.validation):
        parser.error("--curve and --validation are for adult")
    arguments.output = arguments.output or pathlib.Path(f"runs/invariance-{arguments.dataset}")
    return arguments


def adult(folder):
    """The rows as a pandas.DataFrame with sex, and arrays: income, whether a row is for testing."""
    import numpy as np
    import pandas as pd

    file = np.load(folder / "adult_gender_comp.npz")
    of_name: dict = {}
    for at, name in enumerate(map(str, file["columns"])):
        of_name.setdefault(name.partition("=")[0], []).append((at, name.partition("=")[2]))
    frame = {}
    for name, members in of_name.items():
        values = file["x"][:, [at for at, _ in members]]
        if len(members) == 1:
            frame[name] = values[:, 0].astype(float)
        else:  # One-hot columns, standardised: the largest step up is the category.
            high = values > values.min(axis=0) + 1e-3
            options = np.array([option for _, option in members])
            frame[name] = np.where(high.any(axis=-1), options[high.argmax(axis=-1)], "none")
    frame["sex"] = file["label_names"][file["label"]]
    income = np.load(folder / "adult_gender_comp_target.npz")["target"].astype(int)
    return pd.DataFrame(frame), income, file["split"] == 1


def adult_model(frame, epochs, numbers, seed):
    """A model of the rows, as `dvae train` makes it, and what describes them."""
    from dvae_tf import DisentangledVAE, data
    from dvae_tf.models import Recipe

    dataset, info = data.from_table(frame, "sex", batch_size=128, seed=seed)
    model = DisentangledVAE(
        info.shape,
        info.num_classes,
        columns=info.columns,
        class_names=info.class_names,
        recipe=Recipe.named("table").replace(**numbers),
        seed=seed,
    )
    model.fit(dataset, epochs=epochs, verbose=2)
    return model, info


def adult_runs(arguments):
    """Trains and measures: yields the name of a run and its figures."""
    import numpy as np

    frame, income, of_test = adult(arguments.data)
    chosen = of_test
    if arguments.validation or arguments.curve:
        rows = np.flatnonzero(~of_test)
        held = np.random.default_rng(0).choice(rows, VALIDATION_ROWS, replace=False)
        chosen = np.isin(np.arange(len(frame)), held)
    learnt = ~of_test & ~chosen
    name, *values = arguments.curve or [None]
    runs = {f"seed {seed}": (seed, {}) for seed in arguments.seeds}
    if name:
        runs = {value: (arguments.seeds[0], {name: json.loads(value)}) for value in values}
    for run, (seed, numbers) in runs.items():
        model, info = adult_model(frame[learnt], arguments.epochs, arguments.set | numbers, seed)
        model.save(arguments.output / f"{run.replace(' ', '')}.keras")
        sex = frame.sex.map(info.class_names.index).to_numpy()
        parts = [(frame[rows], sex[rows], income[rows]) for rows in (learnt, chosen)]
        yield run, measured_model(model, parts, seed)


def yaleb(folder):
    """The faces' log-intensities in [-1, 1], and arrays: light, person, whether one is a test."""
    import numpy as np

    file = np.load(folder / "yaleb_vfae_32x28.npz")
    x = np.log(file["x"].astype(np.float32) + 0.05)
    x = 2.0 * (x - x.min()) / (x.max() - x.min()) - 1.0
    x = x.reshape(len(x), 32, 28, 1)
    return x, file["label"].astype(int), file["identity"].astype(int), file["split"] == 1


def yaleb_runs(arguments):
    """Trains and measures: yields the name of a run and its figures."""
    from dvae_tf import DisentangledVAE
    from dvae_tf.data.examples import Arrays
    from dvae_tf.data.pipeline import batches
    from dvae_tf.models import Recipe
    from dvae_tf.networks import MLP, EncoderU

    images, light, person, of_test = yaleb(arguments.data)
    flat = images.reshape(len(images), -1)
    vectors = (flat - flat[~of_test].mean(axis=0)) / flat[~of_test].std()
    split = [(light[rows], person[rows]) for rows in (~of_test, of_test)]
    yield "linear", measured(less_lights(vectors, light, of_test), split, seed=0)
    for seed in arguments.seeds:
        for kind, x in (("vectors", vectors), ("images", images)):
            model = DisentangledVAE(
                x.shape[1:],
                light.max() + 1,
                recipe=Recipe.named("balanced").replace(**(FACE_NUMBERS | arguments.set)),
                encoder_u=EncoderU(FACE_DIMENSIONS, MLP(()), name="encoder_u"),
                seed=seed,
            )
            known = Arrays(x[~of_test], light[~of_test])
            dataset = batches(known, FACES_A_BATCH, shuffle=True, seed=seed)
            model.fit(dataset, epochs=FACE_STEPS // len(dataset), verbose=0)
            parts = [(x[rows], light[rows], person[rows]) for rows in (~of_test, of_test)]
            yield f"{kind}, seed {seed}", measured_model(model, parts, seed)


def less_lights(vectors, light, of_test):
    """Principal components of both parts of the faces, less the training mean of each light."""
    import numpy as np
    from sklearn.decomposition import PCA

    means = [vectors[~of_test & (light == one)].mean(axis=0) for one in range(light.max() + 1)]
    rest = vectors - np.stack(means)[light]
    components = PCA(FACE_DIMENSIONS, whiten=True, random_state=0).fit(rest[~of_test])
    return {"mean": [components.transform(rest[rows]) for rows in (~of_test, of_test)]}


def forest(codes, label, seed=0):
    from sklearn.ensemble import RandomForestClassifier

    model = RandomForestClassifier(200, min_samples_leaf=5, n_jobs=2, random_state=seed)
    return model.fit(codes, label).predict_proba


def measured_model(model, parts, seed):
    """`measured`, of a model's z_u of both parts (inputs, label, what should be kept)."""
    from dvae_tf import tasks
    from dvae_tf.evaluation import Subject
    from dvae_tf.evaluation.bench import kinds_of_z_u

    codes = [tasks.encode(model, x, label) for x, label, _ in parts]
    of_kind = [kinds_of_z_u(code, seed + at) for at, code in enumerate(codes)]
    of_parts = {kind: [kinds[kind] for kinds in of_kind] for kind in of_kind[0]}
    return measured(of_parts, [part[1:] for part in parts], seed, Subject.of(model))


def measured(codes, parts, seed, subject=None):
    """Accuracies of probes on both names of a data set, plain and balanced, for kinds of codes."""
    import numpy as np

    from dvae_tf.evaluation import Subject
    from dvae_tf.evaluation.metrics.leakage import FittedProbes, leakage

    most = [np.bincount(answer).max() / len(answer) for answer in parts[1]]
    of_classes = [1.0 / (answer.max() + 1) for answer in parts[1]]
    found: dict = {
        "nothing": [
            [{"majority": each} for each in pair] for pair in zip(most, of_classes, strict=True)
        ]
    }
    for kind, (known, asked) in codes.items():
        found[kind] = []
        # What should be kept is asked of probes that see codes alone.
        for at, whose in enumerate((subject or Subject(), Subject())):
            label, answer = (part[at] for part in parts)
            probes = FittedProbes(known, label, whose, seed)
            answers = probes.predict(asked)
            answers["forest"] = forest(known, label, seed)(asked), np.arange(len(asked))
            accuracies = leakage(answers, answer, probes.share, seed)
            found[kind].append([{name: of[name].value for name in answers} for of in accuracies])
    return found


def strongest(accuracies):
    """The probe that reads most, and its accuracy."""
    return max(accuracies.items(), key=lambda item: item[1])


def draw_curve(path, name, results):
    """Income over sex, as the strongest probe reads them, at each value of a number."""
    from dvae_tf.drawing import plots

    with plots.figure_of(path, 7, 5) as (_, ((axes,),)):
        for kind, marker in (("mean", "o"), ("sample", "s")):
            points = [
                [strongest(found[kind][at][0])[1] for at in (0, 1)] for found in results.values()
            ]
            axes.plot(*zip(*points, strict=True), marker=marker, label=f"{kind}s of z_u")
            for value, point in zip(results, points, strict=True):
                axes.annotate(value, point, textcoords="offset points", xytext=(5, 5), fontsize=8)
        for method, point in PUBLISHED.items():
            axes.plot(*point, "x", color="0.5")
            axes.annotate(method, point, textcoords="offset points", xytext=(5, -10), fontsize=8)
        at_random = [pair[0]["majority"] for pair in next(iter(results.values()))["nothing"]]
        axes.axvline(at_random[0], color="0.8", zorder=0)
        axes.axhline(at_random[1], color="0.8", zorder=0)
        axes.set_xlabel("sex, strongest probe (line: always the most frequent)")
        axes.set_ylabel("income, strongest probe")
        axes.set_title(f"Adult: what z_u tells at several values of {name}")
        axes.legend(loc="lower right")


def main():
    arguments = parse_arguments()
    from dvae_tf.files import write_json

    arguments.output.mkdir(parents=True, exist_ok=True)
    results = {}
    for run, found in {"adult": adult_runs, "yaleb": yaleb_runs}[arguments.dataset](arguments):
        results[run] = found
        write_json(arguments.output / ("curve.json" if arguments.curve else "table.json"), results)
        for kind, of_kind in found.items():
            for at, name in enumerate(NAMES[arguments.dataset]):
                plain, balanced = (f"{v:.3f} ({p})" for p, v in map(strongest, of_kind[at]))
                print(f"{run}: {name} from {kind}s, strongest: {plain}, balanced {balanced}")
    if arguments.curve:
        draw_curve(arguments.output / "curve.png", arguments.curve[0], results)


if __name__ == "__main__":
    main()
