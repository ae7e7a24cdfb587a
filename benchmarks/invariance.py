#!/usr/bin/env python3
"""What z_u of a table tells of a sensitive column, and what it keeps of another: Adult.

The data folder holds adult_gender_comp.npz and adult_gender_comp_target.npz: the 45,222 complete
rows of UCI's Adult as Foster et al. (CoMP, ICML 2022) use them, sex as the label, income as what
should be kept. One-hot columns are put together again, so that each has its own likelihood. Five
probes learn on codes of the training half and are asked about the official test half. Prints
accuracies (balanced ones in brackets), and writes them. Settings were chosen on 6,000 training
rows (--validation asks about these, which then are not trained on).
"""

import argparse
import json
import pathlib

VALIDATION_ROWS = 6000


def parse_arguments():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=pathlib.Path, required=True, help="folder of the files")
    parser.add_argument("--seeds", type=int, nargs="+", default=[0], help="(default: 0)")
    parser.add_argument("--epochs", type=int, default=8, help="(default: 8)")
    parser.add_argument("--latent-dim-u", type=int, default=10, help="(default: 10)")
    parser.add_argument("--set", type=json.loads, default={}, help="JSON of other numbers")
    parser.add_argument("--validation", action="store_true", help="ask about training rows")
    parser.add_argument("--output", type=pathlib.Path, default=pathlib.Path("runs/invariance"))
    return parser.parse_args()


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


def trained(frame, settings, seed):
    """A model of the rows, and what describes them."""
    from dvae_tf import DisentangledVAE, data
    from dvae_tf.models import Recipe

    dataset, info = data.from_table(frame, "sex", batch_size=128, seed=seed)
    model = DisentangledVAE(
        info.shape,
        info.num_classes,
        columns=info.columns,
        class_names=info.class_names,
        recipe=Recipe.named("table").replace(**settings.set),
        latent_dim_s=4,
        latent_dim_u=settings.latent_dim_u,
        seed=seed,
    )
    model.fit(dataset, epochs=settings.epochs, verbose=2)
    return model, info


def forest(codes, label, seed=0):
    from sklearn.ensemble import RandomForestClassifier

    model = RandomForestClassifier(200, min_samples_leaf=5, n_jobs=2, random_state=seed)
    return model.fit(codes, label).predict_proba


def measured(model, parts, seed):
    """Accuracies of probes on sex and income, for means and samples of z_u."""
    import numpy as np

    from dvae_tf import tasks
    from dvae_tf.evaluation import Subject
    from dvae_tf.evaluation.bench import kinds_of_z_u
    from dvae_tf.evaluation.metrics.leakage import FittedProbes, leakage
    from dvae_tf.evaluation.metrics.probes import PROBES

    codes = [tasks.encode(model, frame, sex) for frame, sex, _ in parts]
    of_kind = [kinds_of_z_u(code, seed + at) for at, code in enumerate(codes)]
    (_, sex, income), (_, asked_sex, asked_income) = parts
    found: dict = {}
    for kind in ("mean", "sample"):
        known, asked = (kinds[kind] for kinds in of_kind)
        probes = FittedProbes(known, sex, Subject.of(model), seed)
        answers = probes.predict(asked)
        answers["forest"] = forest(known, sex, seed)(asked), np.arange(len(asked))
        plain, balanced = leakage(answers, asked_sex, probes.share, seed)
        kept = {
            name: fit(known, income, seed)(asked)
            for name, fit in {**PROBES, "forest": forest}.items()
        }
        found[kind] = {
            "sex": {name: plain[name].value for name in answers},
            "sex, balanced": {name: balanced[name].value for name in answers},
            "income": {
                name: float(np.mean(answer.argmax(axis=-1) == asked_income))
                for name, answer in kept.items()
            },
        }
    return found


def main():
    arguments = parse_arguments()
    import numpy as np

    from dvae_tf.files import write_json

    frame, income, of_test = adult(arguments.data)
    chosen = of_test
    if arguments.validation:
        rows = np.flatnonzero(~of_test)
        held = np.random.default_rng(0).choice(rows, VALIDATION_ROWS, replace=False)
        chosen = np.isin(np.arange(len(frame)), held)
    learnt = ~of_test & ~chosen
    results = {}
    for seed in arguments.seeds:
        model, info = trained(frame[learnt], arguments, seed)
        sex = frame.sex.map(info.class_names.index).to_numpy()
        parts = [(frame[rows], sex[rows], income[rows]) for rows in (learnt, chosen)]
        results[str(seed)] = measured(model, parts, seed)
        arguments.output.mkdir(parents=True, exist_ok=True)
        model.save(arguments.output / f"seed{seed}.keras")
        write_json(arguments.output / "table.json", results)
    majority = [max(np.mean(part), 1 - np.mean(part)) for part in (sex[chosen], income[chosen])]
    print("always the most frequent: sex {:.3f}, income {:.3f}".format(*majority))
    for kind in ("mean", "sample"):
        for title in ("sex", "sex, balanced", "income"):
            each = [found[kind][title] for found in results.values()]
            best = [max(values.items(), key=lambda item: item[1]) for values in each]
            shown = ", ".join(f"{value:.3f} ({name})" for name, value in best)
            print(f"{title} from {kind}s of z_u, strongest probe: {shown}")


if __name__ == "__main__":
    main()
