import dataclasses

import keras_tuner
import pytest
from rich.console import Console

from dvae_tf.commands import tune as module
from dvae_tf.commands.settings import SearchSettings, TrainingSettings
from dvae_tf.commands.tune import Aim, SettingsHyperModel, tune
from dvae_tf.files import read_json

REPORT = {"zs_accuracy": 0.9, "zu_leakage": {"mean": {"knn": 0.2}}}


def test_who_keeps_the_bounds_beats_who_does_not():
    aim = Aim("zs_accuracy", maximised=True, at_most={"zu_leakage.mean.knn": 0.2})
    worse = {"zs_accuracy": 0.1, "zu_leakage": {"mean": {"knn": 0.2}}}
    bold = {"zs_accuracy": 1.0, "zu_leakage": {"mean": {"knn": 0.21}}}
    ranked = sorted([bold, worse, REPORT], key=aim.score)
    assert ranked == [REPORT, worse, bold]


def test_of_two_that_break_a_bound_the_one_closer_to_it_is_better():
    aim = Aim("zs_accuracy", at_least={"zs_accuracy": 0.99})
    assert aim.score({"zs_accuracy": 0.95}) < aim.score({"zs_accuracy": 0.9})


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: Aim.of(SearchSettings(at_most={"kl": "low"})), "The bound of kl is 'low'"),
        (lambda: Aim("zu_leakage.mean").score(REPORT), "no number 'zu_leakage.mean'"),
        (lambda: SearchSettings(algorithm="grid"), "No algorithm is called 'grid'; choose one of"),
        (lambda: SearchSettings(trials=0), "trials is 0; give at least 1"),
        (lambda: SearchSettings(minimise="a", maximise="b"), "Both minimise and maximise came"),
    ],
)
def test_wrong_settings_are_named(make, message):
    with pytest.raises(ValueError, match=message):
        make()


def test_a_search_may_start_from_values_that_are_not_among_those_it_tries():
    start = TrainingSettings(width=3.0, latent_dim_u=7, changes={"flow_noise": 0.2})
    found = SettingsHyperModel(start).build(keras_tuner.HyperParameters())
    assert (found.width, found.latent_dim_u, found.changes["flow_noise"]) == (3.0, 7, 0.2)


@pytest.mark.slow
def test_a_search_that_was_stopped_goes_on(short_epochs, tmp_path, monkeypatch):
    begun, train = [], module.train

    def stopped_at_the_second_trial(settings, *arguments, **options):
        begun.append(settings.output)
        if len(begun) == 3:
            raise KeyboardInterrupt
        return train(settings, *arguments, **options)

    settings = SearchSettings(
        dataset="three_moons",
        trials=2,
        epochs=1,
        preset="toy",
        model="cvae",
        minimise="sample_consistency",
        at_least={"sample_consistency": 0.01},
        output=str(tmp_path),
    )
    monkeypatch.setattr(module, "train", stopped_at_the_second_trial)
    with pytest.raises(KeyboardInterrupt):
        tune(settings, Console(quiet=True))
    rows = tune(settings, Console(quiet=True))
    assert begun[0] == str(tmp_path / "default")
    assert begun[2] == begun[3]
    assert len(begun) == 4
    assert [row["score"] for row in rows] == sorted(row["sample_consistency"] for row in rows)
    assert {str(tmp_path / row["trial"]) for row in rows} == {*begun[:3]}
    best = read_json(tmp_path / "best.json")
    assert best == rows[0]["settings"]
    assert best | {"epochs": 1} == read_json(tmp_path / rows[0]["trial"] / "run.json")["arguments"]
    with pytest.raises(ValueError, match="holds a search with epochs 1, not 2"):
        tune(dataclasses.replace(settings, epochs=2), Console(quiet=True))
