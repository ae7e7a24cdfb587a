import re
import shutil

import pytest
from rich.console import Console

from dvae_tf.commands.evaluate import evaluate
from dvae_tf.commands.settings import EvaluationSettings
from dvae_tf.drawing.report_page import write_page
from dvae_tf.files import read_json


@pytest.fixture(scope="module")
def measured(digits_run, cheap_measures, hasty_judges):
    console = Console(record=True, width=200)
    figures = evaluate(EvaluationSettings(run=str(digits_run)), console)
    return digits_run, figures, console.export_text()


@pytest.mark.slow
def test_everything_is_measured_and_written(measured):
    folder, figures, printed = measured
    assert read_json(folder / "report.json") == figures
    assert {
        "zu_leakage",
        "zu_prior",
        "zu_density_bound",
        "zu_alive",
        "generation",
        "reconstruction_ssim",
    } <= set(figures)
    for name in ("leakage", "activity", "generation", "nearest", "samples", "swap", "codes"):
        assert f"{folder}/{name}.png" in printed
    assert "zs_accuracy" in printed


@pytest.mark.slow
def test_the_page_holds_its_pictures_and_asks_for_nothing(measured):
    folder, figures, _ = measured
    page = (folder / "report.html").read_text()
    sources = re.findall(r'(?:src|href)="([^"]{0,30})', page)
    assert len(sources) >= 8
    assert all(source.startswith("data:image/png;base64,") for source in sources)
    assert "http" not in re.sub(r'http-equiv="', "", re.sub(r'base64,[^"]*', "", page))
    assert "default-src 'none'" in page
    assert f"{figures['zs_accuracy']:.4g}" in page
    assert "zu_leakage.mean.mlp" in page


def test_names_from_the_user_are_escaped(tmp_path):
    arguments = dict.fromkeys(("model", "preset", "recipe", "epochs", "seed"), 1)
    description = {
        "arguments": arguments | {"dataset": "folder:<script>"},
        "data": {"training_examples": 10},
    }
    write_page(tmp_path / "page.html", description, {"intervals": {}}, [])
    page = (tmp_path / "page.html").read_text()
    assert "folder:&lt;script&gt;" in page
    assert "<script>" not in page


@pytest.mark.slow
def test_parts_can_be_chosen(moons_run, tmp_path):
    shutil.copytree(moons_run, tmp_path / "run")
    settings = EvaluationSettings(run=str(tmp_path / "run"), parts=("classification",))
    figures = evaluate(settings, Console(quiet=True))
    assert set(figures) == {
        "zs_accuracy",
        "zs_calibration_error",
        "mi_zs_label_nats",
        "intervals",
        "training_seconds",
    }
