import json
import pathlib

import numpy as np
import pytest

from dvae_tf.data import Arrays, Info, load_arrays
from dvae_tf.data.three_moons import CENTRES
from dvae_tf.drawing.pictures import draw_figures
from dvae_tf.drawing.report_page import write_page
from dvae_tf.evaluation import (
    METRICS,
    Subject,
    as_markdown,
    flat,
    judge,
    meaning,
    report,
    table_rows,
    train_judge,
)
from dvae_tf.evaluation.metric import groups
from dvae_tf.models import Codes

SHIPPED = pathlib.Path(__file__).parents[2] / "saved_models" / "digits"
DOCS = pathlib.Path(__file__).parents[2] / "docs"


class Copier:
    """Functions whose answers are known: codes are the label and the place on the arc."""

    def __init__(self, train, confuse=0.0):
        self.train = train
        self.confuse = confuse

    def encode(self, x):
        at = np.argmin(((x[:, None] - self.train.x) ** 2).sum(-1), axis=1)
        label = self.train.label[at]
        z_u = x - CENTRES[label]
        return Codes(np.eye(3, dtype=np.float32)[label], z_u, np.full_like(z_u, 1e-3))

    def decode(self, z_s, z_u):
        """The training point that lies on its arc where z_u says."""
        label = np.argmax(z_s, axis=-1)
        same = np.where(self.train.label == label[:, None], 0.0, 1e9)
        place = (CENTRES[label] + z_u)[:, None]
        distance = ((place - self.train.x) ** 2).sum(-1) + same
        return self.train.x[np.argmin(distance, axis=1)]

    def classify(self, x):
        return self.encode(x).z_s

    def generate(self, label, seed):
        random = np.random.default_rng(seed)
        wrong = random.uniform(size=len(label)) < self.confuse
        shown = np.where(wrong, (label + 1) % 3, label)
        pick = [random.choice(np.flatnonzero(self.train.label == value)) for value in shown]
        return self.train.x[pick]

    def encode_as(self, x, label):
        z_u = x - CENTRES[label]
        return Codes(np.eye(3, dtype=np.float32)[label], z_u, np.full_like(z_u, 1e-3))

    def subject(self):
        return Subject(
            self.generate,
            self.encode,
            self.decode,
            self.classify,
            class_codes=lambda: np.eye(3, dtype=np.float32),
            encode_as=self.encode_as,
            log_det=lambda z_u, z_s: np.zeros(len(z_u)),
        )


@pytest.fixture(scope="module")
def moons(cheap_measures):
    train, info = load_arrays("three_moons", "train", count=600)
    return train, load_arrays("three_moons", "test", count=500)[0], info


@pytest.fixture(scope="module")
def figures(moons):
    return report(Copier(moons[0]).subject(), *moons)


def test_a_perfect_model_is_right(figures):
    assert figures["judge_accuracy"] > 0.9
    assert figures["zs_accuracy"] > 0.9
    assert figures["sample_consistency"] > 0.95
    # The arcs overlap, so the copier mistakes the class of some donors, and no more swaps fail.
    assert figures["swap_consistency"] == pytest.approx(figures["zs_accuracy"], abs=0.05)
    assert figures["reconstruction_mse"] < 0.05
    assert figures["arc_distance"] == pytest.approx(0.12, abs=0.02)


def test_a_copier_is_called_one(figures):
    copied = figures["generation"]["copies"]
    assert copied["suspect_share"] == 1.0
    assert copied["samples"] < 1e-6 < copied["held_out"]
    assert copied["features"]["suspect_share"] == 1.0


def test_place_on_the_arc_is_predicted_from_z_u_and_class_from_z_s(figures):
    assert figures["factors"]["z_s"]["class"] > 0.85
    # One in fourteen points is taken for one of the neighbouring arc, far from its place.
    assert figures["factors"]["z_s"]["angle"] < 0.1
    assert figures["factors"]["z_u"]["angle"] > 0.3
    assert figures["zu_leakage"]["mean"]["strongest"] < 0.6
    assert figures["zs_vectors"] == 3
    assert figures["zu_alive"]["active_units"] == 2.0


def test_everything_measured_has_a_meaning_and_an_interval(figures):
    intervals = flat(figures["intervals"])
    bare = {"judge_majority", "zu_leakage.chance", "zu_leakage.majority", "zs_vectors"}
    bare |= {"zu_alive.dimensions"}
    for key, value in flat(figures).items():
        assert meaning(key)
        if not isinstance(value, list | str) and key not in bare:
            assert intervals[f"{key}.low"] <= value <= intervals[f"{key}.high"], key
            assert intervals[f"{key}.examples"] > 1
    assert json.loads(json.dumps(figures)) == figures


def test_examples_without_a_label_and_a_single_class_are_refused():
    x, info = np.zeros((6, 2), np.float32), Info("made", "test", (2,), ("a", "b"), 6)
    some, one = np.array([0, 1, -1, 0, 1, -1]), np.zeros(6, int)
    both = Arrays(x, np.arange(6) % 2)
    with pytest.raises(ValueError, match="2 of the 6 test examples have no label"):
        report(Subject(), both, Arrays(x, some), info)
    with pytest.raises(ValueError, match="6 train examples are of one class"):
        report(Subject(), Arrays(x, one), both, info)


def test_the_documentation_lists_what_the_metrics_declare():
    documented = (DOCS / "evaluation.md").read_text()
    assert as_markdown() in documented, f"Put this into docs/evaluation.md:\n\n{as_markdown()}"
    assert documented.count("\n## ") == len(groups(METRICS)) + 1


def test_what_table_and_card_show_has_a_meaning():
    for metric in METRICS:
        shown = {*metric.card, *(row.key for row in metric.rows if not row.pick)}
        assert all(metric.meaning(key) for key in shown), metric.name


def test_no_two_metrics_measure_the_same(figures):
    for key in flat(figures):
        assert sum(metric.meaning(key) is not None for metric in METRICS) == 1, key


def test_the_report_of_an_earlier_version_is_still_read(tmp_path):
    figures = json.loads((pathlib.Path(__file__).parent / "earlier_report.json").read_text())
    shown = {row.title: row.value(figures) for row in table_rows()}
    assert shown["class predicted from means of z_u, strongest probe ↓"] == max(
        figures["zu_leakage"]["mean"][name] for name in ("mlp", "knn", "gbdt")
    )
    assert shown["Fréchet distance of two halves of real data, its noise"] is None
    description = json.loads((SHIPPED / "run.json").read_text())
    write_page(tmp_path / "report.html", description, figures, [])
    assert "zu_leakage.mean.mlp" in (tmp_path / "report.html").read_text()
    assert "leakage" in draw_figures(tmp_path, figures)


def test_a_confused_model_is_found_out(moons):
    parts = ("samples", "generation")
    figures = report(Copier(moons[0], confuse=0.4).subject(), *moons, parts=parts)
    assert figures["sample_consistency"] == pytest.approx(0.6, abs=0.08)
    assert figures["arc_distance"] > 0.5
    assert "zs_accuracy" not in figures


def test_what_only_generates_is_measured_by_its_samples(moons):
    begun = []
    subject = Subject(generate=Copier(moons[0]).generate)
    figures = report(subject, *moons, on_part=begun.append)
    assert begun == ["judge", "samples", "generation"]
    assert set(flat(figures)) > {"generation.samples.fid", "generation.real.fid"}


def test_an_unknown_part_is_refused(moons):
    with pytest.raises(ValueError, match="No metric is called 'beauty'; there are judge, class"):
        report(Subject(), *moons, parts=["beauty"])


@pytest.mark.slow
def test_judge_of_unlearnable_labels_is_no_better_than_chance():
    random = np.random.default_rng(0)
    x, label = random.normal(size=(600, 4)), random.integers(0, 3, 600)
    accuracy = train_judge(x, label, 3).accuracy(random.normal(size=(600, 4)), label)
    assert accuracy.value == pytest.approx(1 / 3, abs=0.08)


@pytest.mark.slow
def test_judge_is_the_same_for_the_same_seed_and_trained_once(moons, monkeypatch, tmp_path):
    train, test, _ = moons
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "one"))
    first = train_judge(train.x, train.label, 3).embed(test.x)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "other"))
    second = train_judge(train.x, train.label, 3).embed(test.x)
    monkeypatch.setattr(judge, "_fit", None)
    kept = train_judge(train.x, train.label, 3).embed(test.x)
    for ours, again, from_cache in zip(first, second, kept, strict=True):
        np.testing.assert_array_equal(ours, again)
        np.testing.assert_array_equal(ours, from_cache)


@pytest.mark.slow
def test_a_damaged_cache_is_made_again(moons, monkeypatch, tmp_path):
    train, test, _ = moons
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    first = train_judge(train.x, train.label, 3).embed(test.x)[0]
    (file,) = (tmp_path / "dvae_tf").iterdir()
    file.write_bytes(file.read_bytes()[:1000])
    np.testing.assert_array_equal(train_judge(train.x, train.label, 3).embed(test.x)[0], first)
