import dataclasses

import numpy as np
import pytest
from rich.console import Console

from dvae_tf.commands import compare as module
from dvae_tf.commands.compare import as_markdown, columns_of, compare, tabulate
from dvae_tf.commands.settings import ComparisonSettings
from dvae_tf.files import read_json

SETTINGS = ComparisonSettings(
    dataset="digits",
    models=("cgan",),
    variants={"seldom": {"n_gm": 50}},
    preset="toy",
    epochs=1,
)


def quiet():
    return Console(quiet=True)


@pytest.fixture(scope="module")
def compared(short_epochs, cheap_measures, hasty_judges, tmp_path_factory):
    folder = tmp_path_factory.mktemp("comparison")
    settings = dataclasses.replace(SETTINGS, output=str(folder))
    return folder, settings, compare(settings, quiet())


@pytest.mark.slow
def test_table_and_picture_are_written(compared):
    folder, _, table = compared
    assert list(table) == ["real data", "cgan", "seldom"]
    assert read_json(folder / "table.json")["table"] == table
    assert (folder / "table.md").read_text() == as_markdown(table)
    assert (folder / "samples.png").stat().st_size > 10_000
    report = read_json(folder / "cgan-seed0" / "report.json")
    values = table["cgan"]["sample_consistency"]["values"]
    assert values == [report["sample_consistency"]]
    assert "zs_accuracy" not in table["cgan"]
    assert table["real data"]["generation.samples.coverage"]["mean"] > 0.8
    arguments = read_json(folder / "seldom-seed0" / "run.json")["arguments"]
    assert (arguments["model"], arguments["changes"]) == ("cgan", {"n_gm": 50})


@pytest.mark.slow
def test_what_is_there_is_not_made_again(compared, monkeypatch):
    _, settings, table = compared
    monkeypatch.setattr(module, "train", None)
    monkeypatch.setattr(module, "evaluate", None)
    assert compare(settings, quiet()) == table


@pytest.mark.slow
def test_a_run_with_other_settings_is_not_passed_off(compared):
    _, settings, _ = compared
    with pytest.raises(ValueError, match="was trained with preset = 'toy', not 'compact'"):
        compare(dataclasses.replace(settings, preset="compact"), quiet())


def test_columns_are_models_and_variants_of_the_first():
    settings = ComparisonSettings(
        models=("disentangled_vae", "cvae"),
        changes={"kl": 0.5},
        variants={"no-flow": {"flow": False}},
    )
    columns = columns_of(settings)
    assert list(columns) == ["disentangled_vae", "cvae", "no-flow"]
    assert columns["cvae"].changes == {"kl": 0.5}
    assert columns["no-flow"].model == "disentangled_vae"
    assert columns["no-flow"].changes == {"kl": 0.5, "flow": False}
    with pytest.raises(ValueError, match="A variant is called 'cvae', as a model is"):
        columns_of(ComparisonSettings(variants={"cvae": {}}))
    with pytest.raises(ValueError, match="No model is called 'gan'; choose one of"):
        ComparisonSettings(models=("gan",))


@pytest.mark.slow
def test_a_stopped_run_goes_on(short_epochs, tmp_path, monkeypatch):
    settings = ComparisonSettings(
        dataset="three_moons", models=("cvae",), preset="toy", epochs=1, output=str(tmp_path)
    )
    monkeypatch.setattr(module, "_report", lambda run, console: fake_report())
    compare(settings, quiet())
    compare(dataclasses.replace(settings, epochs=2), quiet())
    history = (tmp_path / "cvae-seed0" / "history.csv").read_text().splitlines()
    assert len(history) == 3
    assert (tmp_path / "progress.png").stat().st_size > 10_000


def fake_report(accuracy=0.5):
    figures = {"fid": 1.0, "diversity": {"ms_ssim": 0.8}}
    return {
        "judge_accuracy": 0.9,
        "sample_consistency": accuracy,
        "zu_leakage": {"mean": {"mlp": 0.2, "knn": 0.4, "gbdt": 0.3}},
        "generation": {"samples": figures, "real": figures},
    }


def test_mean_spread_and_strongest_reader():
    table = tabulate({"a": [fake_report(0.5), fake_report(0.7)], "b": [fake_report()]})
    cell = table["a"]["sample_consistency"]
    assert cell["mean"] == pytest.approx(0.6)
    assert cell["spread"] == pytest.approx(np.sqrt(0.02))
    assert table["a"]["zu_leakage.mean"]["values"] == [0.4, 0.4]
    assert table["real data"]["sample_consistency"]["mean"] == 0.9
    lines = as_markdown(table).splitlines()
    assert lines[0] == "| | real data | a | b |"
    assert "| samples of the class asked for ↑ | 0.900 ± 0.000 | 0.600 ± 0.141 | 0.500 |" in lines
    assert not any("arc" in line for line in lines)
