import pytest
from rich.console import Console

from dvae_tf.commands import train as training
from dvae_tf.commands.tune import Aim, search
from dvae_tf.files import read_json

REPORT = {"zs_accuracy": 0.9, "zu_leakage": {"mean": {"knn": 0.2}}}


def test_who_keeps_the_bounds_beats_who_does_not():
    aim = Aim("zs_accuracy", maximised=True, bounds=("zu_leakage.mean.knn<=0.2",))
    worse = {"zs_accuracy": 0.1, "zu_leakage": {"mean": {"knn": 0.2}}}
    bold = {"zs_accuracy": 1.0, "zu_leakage": {"mean": {"knn": 0.21}}}
    ranked = sorted([bold, worse, REPORT], key=aim.score)
    assert ranked == [REPORT, worse, bold]


def test_of_two_that_break_a_bound_the_one_closer_to_it_is_better():
    aim = Aim("zs_accuracy", bounds=("zs_accuracy>=0.99",))
    assert aim.score({"zs_accuracy": 0.95}) < aim.score({"zs_accuracy": 0.9})


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: Aim("zs_accuracy", bounds=("zs_accuracy=0.9",)), "'zs_accuracy=0.9' is no bound"),
        (lambda: Aim("zu_leakage.mean").score(REPORT), "no number 'zu_leakage.mean'"),
        (lambda: search(algorithm="grid"), "No algorithm is called 'grid'; choose one of bayesian"),
    ],
)
def test_wrong_arguments_are_named(make, message):
    with pytest.raises(ValueError, match=message):
        make()


def test_a_search_that_was_stopped_goes_on(short_epochs, tmp_path, monkeypatch):
    begun, train = [], training.train

    def stopped_at_the_second_trial(**arguments):
        begun.append(arguments["output"].name)
        return None if len(begun) == 3 else train(**arguments)

    options = {
        "dataset": "three_moons",
        "trials": 2,
        "epochs": 1,
        "preset": "toy",
        "model": "disentangled_vae",
        "recipe": "balanced without flow",
        "aim": Aim("reconstruction_mse", bounds=("zs_accuracy>=0.1",)),
        "output": tmp_path,
        "console": Console(quiet=True),
    }
    monkeypatch.setattr(training, "train", stopped_at_the_second_trial)
    with pytest.raises(KeyboardInterrupt):
        search(**options)
    rows = search(**options)
    assert begun[0] == "default"
    assert begun[2] == begun[3]
    assert len(begun) == 4
    assert [row["score"] for row in rows] == sorted(row["reconstruction_mse"] for row in rows)
    assert {row["trial"] for row in rows} == {*begun[:3]}
    best = read_json(tmp_path / "best.json")
    assert best == rows[0]["settings"]
    arguments = read_json(tmp_path / rows[0]["trial"] / "run.json")["arguments"]
    assert {name: arguments[name] for name in best if name != "recipe"} == {
        name: best[name] for name in best if name != "recipe"
    }
    with pytest.raises(ValueError, match="holds a search with epochs 1, not 2"):
        search(**options | {"epochs": 2})
