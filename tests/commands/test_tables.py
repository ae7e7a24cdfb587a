"""The commands on tables: train, generate, encode, evaluate."""

import json
import shutil

import numpy as np
import pandas as pd
import pytest

from dvae_tf.commands.encode import encode
from dvae_tf.commands.evaluate import evaluate
from dvae_tf.commands.explore import explore
from dvae_tf.commands.export import export
from dvae_tf.commands.gallery import gallery
from dvae_tf.commands.generate import generate
from dvae_tf.commands.settings import (
    EncodingSettings,
    EvaluationSettings,
    ExplorationSettings,
    ExportSettings,
    GallerySettings,
    GenerationSettings,
    ShippingSettings,
    TrainingSettings,
)
from dvae_tf.commands.ship import ship
from dvae_tf.commands.train import train
from dvae_tf.runs import shipped

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def people(tmp_path_factory):
    random = np.random.default_rng(0)
    sex = random.choice(["f", "m"], 400)
    frame = pd.DataFrame(
        {
            "height": random.normal(np.where(sex == "m", 180, 165), 5).round(1),
            "job": random.choice(["baker", "smith", None], 400),
            "income": random.choice(["high", "low"], 400),
            "sex": sex,
        }
    )
    path = tmp_path_factory.mktemp("table") / "people.csv"
    frame.to_csv(path, index=False)
    return path


@pytest.fixture(scope="module")
def run(people, tmp_path_factory):
    folder = tmp_path_factory.mktemp("run") / "people"
    settings = TrainingSettings(
        dataset=f"table:{people}",
        label="sex",
        drop=("income",),
        model="disentangled_vae",
        width=0.1,
        latent_dim_u=3,
        batch_size=64,
        epochs=2,
        changes={"flow": False},  # Models with one: tests/models/test_table_models.py.
        output=str(folder),
    )
    train(settings)
    return folder


def test_a_run_knows_its_columns_and_measures_them(run):
    description = json.loads((run / "run.json").read_text())
    assert [column["name"] for column in description["data"]["columns"]] == ["height", "job"]
    report = json.loads((run / "report.json").read_text())
    assert set(report["columns"]) == {"height", "job"}
    assert 0.0 <= report["columns"]["job"]["marginal"] <= 1.0
    assert "reconstruction_ssim" not in report
    assert (run / "columns.png").stat().st_size > 10_000
    assert (run / "correlations.png").exists()


def test_drawn_rows_are_a_table_like_the_training_one(run, people, tmp_path):
    for suffix, read in ((".csv", pd.read_csv), (".parquet", pd.read_parquet)):
        output = tmp_path / f"drawn{suffix}"
        generate(GenerationSettings(str(run), label=("f",), count=7, output=str(output)))
        drawn = read(output)
        assert list(drawn.columns) == ["sex", "height", "job"]
        assert drawn.sex.tolist() == ["f"] * 7
        assert set(drawn.job.dropna()) <= {"baker", "smith"}
        assert pd.read_csv(people).height.between(drawn.height.min(), drawn.height.max()).any()
    with pytest.raises(ValueError, match=r"nothing is written as \.png"):
        generate(GenerationSettings(str(run), output=str(tmp_path / "drawn.png")))


def test_another_table_is_encoded_row_by_row(run, people, tmp_path):
    frame = pd.read_csv(people).head(9)
    frame.to_csv(tmp_path / "other.csv", index=False)
    output = tmp_path / "codes.csv"
    settings = {"data": str(tmp_path / "other.csv"), "output": str(output)}
    encode(EncodingSettings(str(run), **settings))
    codes = pd.read_csv(output)
    assert codes.label.tolist() == (frame.sex == "m").astype(int).tolist()
    encode(EncodingSettings(str(run), use_labels=True, **settings))
    known = pd.read_csv(output)
    wrong = codes.predicted_class != codes.label
    names = [name for name in codes if name.startswith("z_s")]
    assert np.allclose(known[names][~wrong], codes[names][~wrong], atol=1e-5)
    frame.drop(columns=["sex", "income"]).to_csv(tmp_path / "other.csv", index=False)
    encode(EncodingSettings(str(run), **settings))
    assert set(pd.read_csv(output).label) == {-1}


OTHER = {
    "export": (export, "", lambda run, output: ExportSettings(run, output=output)),
    "explore": (
        explore,
        ".png",
        lambda run, out: ExplorationSettings("swap", run, output=out),
    ),
    "gallery": (gallery, ".html", lambda run, output: GallerySettings((run,), output)),
    "ship": (ship, "", lambda run, output: ShippingSettings(run)),
}


@pytest.mark.parametrize(("command", "suffix", "settings"), OTHER.values(), ids=OTHER)
def test_what_is_done_with_images_is_refused(command, suffix, settings, run, tmp_path, monkeypatch):
    monkeypatch.setattr(shipped, "FOLDER", tmp_path)
    with pytest.raises(ValueError, match=r"holds a model of a table, .* see .*generate"):
        command(settings(str(run), str(tmp_path / f"out{suffix}")))
    assert not list(tmp_path.iterdir())


def test_a_run_of_an_earlier_version_generates_its_classes_by_name(run, tmp_path):
    old = tmp_path / "old"
    shutil.copytree(run, old)
    description = json.loads((old / "run.json").read_text())
    del description["data"]["label_column"]
    (old / "run.json").write_text(json.dumps(description))
    generate(GenerationSettings(str(old), label=("f",), count=3, output=str(tmp_path / "x.csv")))
    assert pd.read_csv(tmp_path / "x.csv").sex.tolist() == ["f"] * 3


def test_columns_that_were_dropped_are_predicted_from_the_codes(run):
    report = evaluate(EvaluationSettings(str(run), parts=("factors",), targets=("income",)))
    assert 0.3 < report["factors"]["z_u"]["income"] < 0.7
    with pytest.raises(ValueError, match="no column 'weight'"):
        evaluate(EvaluationSettings(str(run), parts=("factors",), targets=("weight",)))
