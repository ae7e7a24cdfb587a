import numpy as np
import pytest
from rich.console import Console

from dvae_tf.commands import compare as comparison
from dvae_tf.commands import train as training
from dvae_tf.commands.compare import as_markdown, compare, tabulate
from dvae_tf.files import read_json

OPTIONS = {"dataset": "digits", "models": ["cgan", "disentangled_vae:paper"], "preset": "toy"}


def quiet():
    return Console(quiet=True)


@pytest.fixture(scope="module")
def compared(short_epochs, tmp_path_factory):
    folder = tmp_path_factory.mktemp("comparison")
    return folder, compare(**OPTIONS, epochs=1, output=folder, console=quiet())


def test_table_and_picture_are_written(compared):
    folder, table = compared
    assert list(table) == ["real data", "cgan", "disentangled_vae:paper"]
    assert read_json(folder / "table.json")["table"] == table
    assert (folder / "table.md").read_text() == as_markdown(table)
    assert (folder / "samples.png").stat().st_size > 10_000
    report = read_json(folder / "disentangled_vae-paper-seed0" / "report.json")
    assert table["disentangled_vae:paper"]["zs_accuracy"]["values"] == [report["zs_accuracy"]]
    assert "zs_accuracy" not in table["cgan"]
    assert table["real data"]["generation.samples.coverage"]["mean"] > 0.8


def test_what_is_there_is_not_made_again(compared, monkeypatch):
    folder, table = compared
    monkeypatch.setattr(training, "train", None)
    monkeypatch.setattr(training, "resume", None)
    monkeypatch.setattr("dvae_tf.commands.evaluate.measure", None)
    again = compare(**OPTIONS, epochs=1, output=folder, console=quiet())
    assert again == table


def test_a_run_with_other_arguments_is_not_passed_off(compared):
    folder, _ = compared
    options = OPTIONS | {"preset": "compact"}
    with pytest.raises(ValueError, match="was trained with preset = 'toy', not 'compact'"):
        compare(**options, epochs=1, output=folder, console=quiet())
    with pytest.raises(ValueError, match="choose from cvae, cgan"):
        compare(**OPTIONS | {"models": ["gan"]}, epochs=1, output=folder, console=quiet())


def test_a_stopped_run_goes_on(short_epochs, tmp_path, monkeypatch):
    options = {"dataset": "three_moons", "models": ["cvae"], "preset": "toy", "output": tmp_path}
    monkeypatch.setattr(comparison, "_report", lambda run, console: fake_report())
    compare(**options, epochs=1, console=quiet())
    compare(**options, epochs=2, console=quiet())
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
