"""Search for better settings with keras-tuner: each trial is a run, judged on validation data.

What a search leaves in its folder:

search.json    what is searched, and how
default/       the run with the recipe as it is, to compare with
<trial>/       the run of a trial, its figures in validation.json
keras_tuner/   what keras-tuner knows; a search that was stopped goes on from it
trials.json    settings, score and figures of the default and of every trial, the best first
best.json      the settings of the best trial, for `scripts/train.py --settings`
"""

import dataclasses
import json
import os
import pathlib
import re
from typing import Any

from rich.console import Console

from dvae_tf.extras import needed_for
from dvae_tf.files import copied, read_json, write_json

with needed_for("The search", "tune"):
    import keras_tuner

ALGORITHMS = ("bayesian", "hyperband")
# Weights of the recipe, lowest and highest, and what else is tried.
WEIGHTS = {
    "kl": (0.03, 1.0),
    "latent_confusion": (0.001, 0.1),
    "separation": (0.3, 3.0),
    "generation": (0.3, 3.0),
}
WIDTHS = (0.5, 1.0, 2.0)
LATENT_DIMS_U = (8, 16, 32, 64)
SETTLING = (0.1, 0.25, 0.4)
SETTLING_NOISE = (0.1, 0.3, 1.0)
# Larger than any figure: whoever keeps the bounds beats whoever does not.
VIOLATION = 1e6


@dataclasses.dataclass(frozen=True)
class Aim:
    """What a search looks for: the best of one figure among the runs that keep all bounds.

    Args:
        key: str, the figure, a path of keys of report.json such as "generation.samples.fid".
        maximised: bool, whether more is better. Defaults to False.
        bounds: sequence of str such as "zu_leakage.mean.knn<=0.15". Defaults to none.

    Raises:
        ValueError: if a bound is none.

    Examples:
        >>> aim = Aim("reconstruction_mse", bounds=["sample_consistency>=0.9"])
        >>> aim.score({"reconstruction_mse": 0.5, "sample_consistency": 0.95})
        0.5
    """

    key: str
    maximised: bool = False
    bounds: tuple = ()

    def __post_init__(self):
        for bound in self.bounds:
            self._split(bound)

    @staticmethod
    def _split(bound):
        found = re.fullmatch(r"([\w.]+)\s*(<=|>=)\s*([-+.\deE]+)", bound)
        if not found:
            raise ValueError(f"{bound!r} is no bound; give one such as 'sample_consistency>=0.9'.")
        key, sign, limit = found.groups()
        return key, sign, float(limit)

    @property
    def keys(self):
        """All figures that are looked at: list of str."""
        return [self.key, *(self._split(bound)[0] for bound in self.bounds)]

    def score(self, report: dict) -> float:
        """How good a run is.

        Args:
            report: dict, as of report.json.

        Returns:
            float, the less the better.

        Raises:
            ValueError: if the report has no such figure.
        """
        score = -figure(report, self.key) if self.maximised else figure(report, self.key)
        for key, sign, limit in map(self._split, self.bounds):
            over = figure(report, key) - limit if sign == "<=" else limit - figure(report, key)
            score += VIOLATION * max(over, 0.0) / max(abs(limit), 1e-9)
        return score


def figure(report: dict, key: str) -> float:
    """Looks up a figure.

    Args:
        report: dict, as of report.json.
        key: str, its keys with dots between.

    Returns:
        float.

    Raises:
        ValueError: if it is not there.

    Examples:
        >>> figure({"a": {"b": 1}}, "a.b")
        1.0
    """
    value: Any = report
    for part in key.split("."):
        value = value.get(part) if isinstance(value, dict) else None
    if not isinstance(value, int | float):
        raise ValueError(f"The report has no figure {key!r}; see docs/evaluation.md.")
    return float(value)


class SettingsHyperModel(keras_tuner.HyperModel):
    """The settings that are searched, as keras-tuner knows them.

    Args:
        recipe: str, what the settings depart from. Defaults to "balanced".
        preset: str, the networks, whose width is searched. Defaults to "compact".

    Examples:
        >>> SettingsHyperModel().build(keras_tuner.HyperParameters())["latent_dim_u"]
        16
    """

    def __init__(self, recipe: str = "balanced", preset: str = "compact"):
        super().__init__()
        self.recipe = recipe
        self.preset = preset

    def build(self, hp) -> dict:
        """Takes one choice of everything.

        Args:
            hp: keras_tuner.HyperParameters.

        Returns:
            dict of arguments of `dvae_tf.commands.train.train`.
        """
        from dvae_tf.models import recipe

        base = recipe(self.recipe)
        changes = {
            name: hp.Float(name, *limits, sampling="log", default=base.weights[name])
            for name, limits in WEIGHTS.items()
        }
        changes["settling"] = hp.Choice("settling", SETTLING, default=0.25)
        changes["settling_noise"] = hp.Choice("settling_noise", SETTLING_NOISE, default=0.1)
        latent_dim_u = hp.Choice("latent_dim_u", LATENT_DIMS_U, default=16)
        width = hp.Choice("width", WIDTHS, default=1.0)
        return {
            "recipe": {"base": self.recipe, **changes},
            "preset": self.preset if width == 1.0 else f"{self.preset} with width={width}",
            "latent_dim_u": latent_dim_u,
        }


class RunTuner(keras_tuner.Tuner):
    """Trains and judges a run a trial; one that was stopped goes on with its last epoch.

    Args:
        oracle: keras_tuner.Oracle, which says what to try next.
        folder: pathlib.Path of the search.
        aim: Aim.
        epochs: int, of a run, where the oracle does not say.
        options: dict of other arguments of `dvae_tf.commands.train.train`.
        console: rich.console.Console.
    """

    def __init__(
        self,
        oracle,
        folder: pathlib.Path,
        aim,
        epochs: int,
        options: dict,
        console: Console,
    ):
        self.folder, self.aim, self.epochs = folder, aim, epochs
        self.options, self.console = options, console
        searched = {name: options[name] for name in ("recipe", "preset") if name in options}
        hypermodel = SettingsHyperModel(**searched)
        super().__init__(oracle, hypermodel, directory=str(folder), project_name="keras_tuner")

    def run_trial(self, trial):
        """Returns the score of a trial: dict."""
        hp = trial.hyperparameters
        epochs = hp.values.get("tuner/epochs", self.epochs)
        begun = hp.values.get("tuner/trial_id")
        run = self.folder / trial.trial_id
        if begun and not run.exists():
            copied(self.folder / begun, run, without="validation.json")
        self.console.print(f"trial {trial.trial_id}, {epochs} epochs", highlight=False)
        settings = self.options | self.hypermodel.build(hp)
        report = judged_run(run, settings, epochs, self.aim, self.console)
        return {"score": self.aim.score(report)}


def judged_run(run: pathlib.Path, settings: dict, epochs: int, aim, console: Console) -> dict:
    """Trains a run to the last epoch and judges it on its validation data, unless that is done.

    Args:
        run: pathlib.Path of the run.
        settings: dict of arguments of `dvae_tf.commands.train.train`.
        epochs: int.
        aim: Aim, which says what is measured.
        console: rich.console.Console.

    Returns:
        dict of figures, as in report.json.

    Raises:
        KeyboardInterrupt: if the user stopped the training.
    """
    from dvae_tf import evaluation, runs
    from dvae_tf.commands import train as training

    if (run / "validation.json").exists():
        return read_json(run / "validation.json")
    if (run / "run.json").exists():
        done = training.resume(run, epochs, console, measure=False)
    else:
        done = training.train(**settings, epochs=epochs, output=run, console=console, measure=False)
    if done is None:
        raise KeyboardInterrupt
    data = runs.Data(read_json(run / "run.json")["arguments"])
    report = evaluation.report(
        evaluation.Subject.of(runs.load(run)),
        data.arrays("train[:90%]"),
        data.arrays("train[90%:]"),
        data.info,
        evaluation.parts_of(aim.keys),
    )
    write_json(run / "validation.json", report)
    return report


def search(
    dataset: str = "digits",
    trials: int = 12,
    aim=None,
    epochs: int = 20,
    algorithm: str = "bayesian",
    seed: int = 0,
    output: str | os.PathLike | None = None,
    console: Console | None = None,
    **options,
) -> list[dict]:
    """Searches for settings; begins with the recipe as it is, goes on where it was stopped.

    Several processes share one search where keras-tuner's variables name them (KERASTUNER_TUNER_ID
    and so on: https://keras.io/keras_tuner/guides/distributed_tuning); the chief judges nothing.

    Args:
        dataset: str, a name that `dvae_tf.data.load` takes. Defaults to "digits".
        trials: int, how many settings are tried (hyperband: as many as its brackets hold).
            Defaults to 12.
        aim: Aim. Defaults to the smallest `reconstruction_mse` with `sample_consistency` of 0.9.
        epochs: int, of a run (hyperband: of the longest). Defaults to 20.
        algorithm: str, "bayesian" or "hyperband". Defaults to "bayesian".
        seed: int, of the choices and of all runs. Defaults to 0.
        output: str or pathlib.Path. Defaults to runs/tune- and the data set's name.
        console: rich.console.Console. Defaults to standard output.
        **options: other arguments of `dvae_tf.commands.train.train`, for all runs.

    Returns:
        list of dict, as in trials.json: the default and every trial, the best first; empty for a
        process that works for a chief.

    Raises:
        ValueError: if an argument does not fit, or the folder holds another search.
    """
    from dvae_tf import runs
    from dvae_tf.commands.train import folder_name

    if trials < 1:
        raise ValueError(f"trials is {trials}; give at least 1.")
    console = console or Console()
    aim = aim or Aim("reconstruction_mse", bounds=("sample_consistency>=0.9",))
    folder = pathlib.Path(output or runs.ROOT / f"tune-{folder_name(dataset)}")
    options |= {"dataset": dataset, "seed": seed}
    oracle = _oracle(algorithm, trials, epochs, seed)
    searched = {"aim": dataclasses.asdict(aim), "algorithm": algorithm, "epochs": epochs} | options
    _expect_same(folder / "search.json", searched)
    me = os.environ.get("KERASTUNER_TUNER_ID")
    if me in (None, "tuner0"):
        console.print("the default")
        judged_run(folder / "default", options, epochs, aim, console)
        # Not before: what does not fit has left nothing behind then. And by one process alone.
        write_json(folder / "search.json", searched)
    tuner = RunTuner(oracle, folder, aim, epochs, options, console)
    tuner.oracle.verbose = 0
    tuner.search()
    return [] if me not in (None, "chief") else _written(folder, tuner, aim, options)


def _expect_same(path, searched):
    """Sees that the search that a folder holds, if any, is this one."""
    if not path.exists():
        return
    before, now = read_json(path), json.loads(json.dumps(searched))
    for name in sorted({*before, *now}):
        if before.get(name) != now.get(name):
            raise ValueError(
                f"{path.parent} holds a search with {name} {before.get(name)}, not "
                f"{now.get(name)}. Give another folder (--output), or remove it."
            )


def _oracle(algorithm, trials, epochs, seed):
    objective = keras_tuner.Objective("score", "min")
    if algorithm == "bayesian":
        return keras_tuner.oracles.BayesianOptimizationOracle(
            objective, max_trials=trials, seed=seed
        )
    if algorithm == "hyperband":
        return keras_tuner.oracles.HyperbandOracle(objective, max_epochs=epochs, seed=seed)
    raise ValueError(
        f"No algorithm is called {algorithm!r}; choose one of {', '.join(ALGORITHMS)}."
    )


def _written(folder, tuner, aim, options):
    """Writes trials.json and best.json."""
    found = {"default": {}}
    for name, trial in tuner.oracle.trials.items():
        if trial.score is not None:  # Failed ones have none.
            found[name] = tuner.hypermodel.build(trial.hyperparameters)
    rows = []
    for name, settings in found.items():
        report = read_json(folder / name / "validation.json")
        figures = {key: figure(report, key) for key in aim.keys}
        rows.append(
            {"trial": name, "score": aim.score(report), **figures, "settings": options | settings}
        )
    rows.sort(key=lambda row: row["score"])
    write_json(folder / "trials.json", rows)
    write_json(folder / "best.json", rows[0]["settings"])
    return rows
