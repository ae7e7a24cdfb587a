"""Searches for better settings with keras-tuner: each trial is a run, scored on validation data.

The files of a search:

search.json    the settings of the search
default/       the run with the given settings, for comparison
<trial>/       the run of a trial, with its metrics in validation.json
keras_tuner/   the state of keras-tuner, from which a search that was stopped is resumed
trials.json    settings, score and metrics of the default and of every trial, the best first
best.json      the settings of the best trial, for `dvae train --settings`
"""

import dataclasses
import json
import math
import os
import pathlib
from collections.abc import Mapping

from rich.console import Console

from dvae_tf import evaluation, runs
from dvae_tf.commands.settings import SearchSettings, TrainingSettings, recorded
from dvae_tf.commands.train import recipe_of, train
from dvae_tf.extras import needed_for
from dvae_tf.files import copied, read_json, write_json

with needed_for("The search", "tune"):
    import keras_tuner

# Numbers of the recipe that are searched on a logarithmic scale: lowest and highest value.
RANGES = {
    "kl": (0.03, 1.0),
    "latent_confusion": (0.001, 0.1),
    "separation": (0.3, 3.0),
    "generation": (0.3, 3.0),
}
# Numbers of the recipe and settings that are chosen from a few values.
CHOICES = {"flow_noise": (0.1, 0.5, 1.0)}
SETTINGS = {"width": (0.5, 1.0, 2.0), "latent_dim_u": (8, 16, 32, 64)}
OF_TABLES = {"latent_dim_u": (2, 4, 8, 16)}
# Larger than any metric: a run within the bounds scores better than one outside.
VIOLATION = 1e6


@dataclasses.dataclass(frozen=True)
class Aim:
    """The aim of a search: the best value of one metric among the runs within all bounds.

    Args:
        key: str, dotted key of the metric in report.json, such as "generation.samples.fid".
        maximised: bool, whether more is better. Defaults to False.
        at_most, at_least: dict of key to float, the bounds. Default to none.

    Examples:
        >>> aim = Aim("reconstruction_mse", at_least={"sample_consistency": 0.9})
        >>> aim.score({"reconstruction_mse": 0.5, "sample_consistency": 0.95})
        0.5
    """

    key: str
    maximised: bool = False
    at_most: Mapping = dataclasses.field(default_factory=dict)
    at_least: Mapping = dataclasses.field(default_factory=dict)

    @classmethod
    def of(cls, settings: SearchSettings) -> "Aim":
        """Returns the aim of some settings.

        Raises:
            ValueError: if a bound is not a finite number.
        """
        for key, bound in (*settings.at_most.items(), *settings.at_least.items()):
            if not isinstance(bound, int | float) or not math.isfinite(bound):
                raise ValueError(f"The bound of {key} is {bound!r}; give a number.")
        key = settings.maximise or settings.minimise or "reconstruction_mse"
        return cls(key, bool(settings.maximise), settings.at_most, settings.at_least)

    @property
    def keys(self):
        """The keys of all metrics that are used: list of str."""
        return list(dict.fromkeys([self.key, *self.at_most, *self.at_least]))

    def score(self, report: dict) -> float:
        """The score of a run.

        Args:
            report: dict, the content of report.json.

        Returns:
            float; lower is better.

        Raises:
            ValueError: if the report has no such number.
        """
        score = (
            -evaluation.number(report, self.key)
            if self.maximised
            else evaluation.number(report, self.key)
        )
        excess = [
            (evaluation.number(report, key) - most, most) for key, most in self.at_most.items()
        ]
        excess += [
            (least - evaluation.number(report, key), least) for key, least in self.at_least.items()
        ]
        for over, bound in excess:
            score += VIOLATION * max(over, 0.0) / max(abs(bound), 1e-9)
        return score


class SettingsHyperModel(keras_tuner.HyperModel):
    """The search space, in keras-tuner's form.

    Args:
        settings: TrainingSettings that the search starts from.

    Examples:
        >>> found = SettingsHyperModel(TrainingSettings()).build(keras_tuner.HyperParameters())
        >>> found.changes["kl"], found.latent_dim_u
        (0.28, 16)
    """

    def __init__(self, settings: TrainingSettings):
        super().__init__()
        self.settings = settings

    def build(self, hp) -> TrainingSettings:
        """Chooses a value for every setting that is searched.

        Args:
            hp: keras_tuner.HyperParameters.

        Returns:
            TrainingSettings.
        """
        recipe = recipe_of(self.settings)
        changes = {
            name: hp.Float(name, *limits, sampling="log", default=recipe.weights[name])
            for name, limits in RANGES.items()
        }
        changes |= {
            name: _choice(hp, name, values, getattr(recipe, name))
            for name, values in CHOICES.items()
        }
        settings = SETTINGS | (OF_TABLES if self.settings.recipe == "table" else {})
        sizes = {
            name: _choice(hp, name, values, getattr(self.settings, name) or values[1])
            for name, values in settings.items()
        }
        return dataclasses.replace(self.settings, changes=self.settings.changes | changes, **sizes)


def _choice(hp, name, values, start):
    """A choice from a few values and the one that the search starts from, which may be another."""
    return hp.Choice(name, sorted({*values, start}), default=start)


class RunTuner(keras_tuner.Tuner):
    """Trains and scores one run per trial; a run that was stopped is resumed.

    Args:
        oracle: keras_tuner.Oracle, which says what to try next.
        folder: pathlib.Path of the search.
        aim: Aim.
        settings: TrainingSettings that the search starts from.
        console: rich.console.Console.
    """

    def __init__(
        self, oracle, folder: pathlib.Path, aim, settings: TrainingSettings, console: Console
    ):
        self.folder, self.aim, self.settings, self.console = folder, aim, settings, console
        hypermodel = SettingsHyperModel(settings)
        super().__init__(oracle, hypermodel, directory=str(folder), project_name="keras_tuner")

    def run_trial(self, trial):
        """Returns the score of a trial: dict."""
        hp = trial.hyperparameters
        epochs = hp.values.get("tuner/epochs", self.settings.epochs)
        begun = hp.values.get("tuner/trial_id")
        run = self.folder / trial.trial_id
        if begun and not run.exists():
            copied(self.folder / begun, run, without="validation.json")
        self.console.print(f"trial {trial.trial_id}, {epochs} epochs", highlight=False)
        settings = dataclasses.replace(self.hypermodel.build(hp), epochs=epochs)
        return {"score": self.aim.score(judged_run(run, settings, self.aim, self.console))}


def judged_run(run: pathlib.Path, settings: TrainingSettings, aim, console: Console) -> dict:
    """Trains a run to the last epoch and measures it on its validation data, unless that is done.

    Args:
        run: pathlib.Path, the folder of the run.
        settings: TrainingSettings.
        aim: Aim, which determines what is measured.
        console: rich.console.Console.

    Returns:
        dict, as in report.json.

    Raises:
        KeyboardInterrupt: if the user stopped the training.
    """
    if (run / "validation.json").exists():
        return read_json(run / "validation.json")
    if (run / "run.json").exists():
        settings = TrainingSettings(resume=True, epochs=settings.epochs)
    train(dataclasses.replace(settings, output=str(run)), console, evaluate=False)
    data = runs.Data.of(run)
    report = evaluation.report(
        evaluation.Subject.of(runs.load(run)),
        data.arrays(data.training),
        data.arrays(data.validating),
        data.info,
        evaluation.parts_of(aim.keys),
    )
    write_json(run / "validation.json", report)
    return report


def tune(settings: SearchSettings, console: Console | None = None) -> list[dict]:
    """Searches for settings, starting with the given ones; resumes a search that was stopped.

    Several processes share a search if keras-tuner's environment variables name them
    (KERASTUNER_TUNER_ID and others: https://keras.io/keras_tuner/guides/distributed_tuning); the
    chief trains nothing.

    Args:
        settings: SearchSettings.
        console: rich.console.Console. Defaults to standard output.

    Returns:
        list of dict, as in trials.json: the default and every trial, the best first; empty for a
        process that works for a chief.

    Raises:
        ValueError: if a setting is invalid, or the folder holds another search.
        KeyboardInterrupt: if the user stopped it.
    """
    console = console or Console()
    aim = Aim.of(settings)
    folder = pathlib.Path(settings.output or runs.new_folder(settings.dataset, "tune-"))
    start = TrainingSettings.of(settings, model=settings.model, seed=settings.seed)
    searched = {name: value for name, value in recorded(settings).items() if name != "trials"}
    _expect_same_search(folder / "search.json", searched)
    me = os.environ.get("KERASTUNER_TUNER_ID")
    if me in (None, "tuner0"):
        console.print("the default")
        judged_run(folder / "default", start, aim, console)
        # Only now, so that invalid settings leave nothing behind; and by one process only.
        write_json(folder / "search.json", searched)
    tuner = RunTuner(_oracle(settings), folder, aim, start, console)
    tuner.oracle.verbose = 0
    tuner.search()
    if me not in (None, "chief"):
        return []
    rows = _written(folder, tuner, aim)
    for row in rows:
        values = "  ".join(f"{key} {row[key]:.4g}" for key in aim.keys)
        console.print(f"{row['trial']:8s}  {values}", highlight=False)
    return rows


def _expect_same_search(path, searched):
    """Checks that the search that a folder holds, if any, is this one."""
    if not path.exists():
        return
    before, now = read_json(path), json.loads(json.dumps(searched))
    # A search of an earlier version lacks what is newer.
    default = json.loads(json.dumps(recorded(SearchSettings())))
    before = {name: default[name] for name in now if name in default} | before
    for name in sorted({*before, *now}):
        if before.get(name) != now.get(name):
            raise ValueError(
                f"{path.parent} holds a search with {name} {before.get(name)}, not "
                f"{now.get(name)}. Give another folder (--output), or remove it."
            )


def _oracle(settings):
    objective = keras_tuner.Objective("score", "min")
    if settings.algorithm == "hyperband":
        return keras_tuner.oracles.HyperbandOracle(
            objective, max_epochs=settings.epochs, seed=settings.seed
        )
    return keras_tuner.oracles.BayesianOptimizationOracle(
        objective, max_trials=settings.trials, seed=settings.seed
    )


def _written(folder, tuner, aim):
    """Writes trials.json and best.json."""
    found = {"default": tuner.settings}
    for name, trial in tuner.oracle.trials.items():
        if trial.score is not None:  # Failed trials have none.
            found[name] = tuner.hypermodel.build(trial.hyperparameters)
    rows = []
    for name, settings in found.items():
        report = read_json(folder / name / "validation.json")
        values = {key: evaluation.number(report, key) for key in aim.keys}
        rows.append(
            {"trial": name, "score": aim.score(report), **values, "settings": recorded(settings)}
        )
    rows.sort(key=lambda row: row["score"])
    write_json(folder / "trials.json", rows)
    write_json(folder / "best.json", rows[0]["settings"])
    return rows
