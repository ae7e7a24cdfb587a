import sys

import pytest

from dvae_tf import data, runs
from dvae_tf.files import read_json
from dvae_tf.runs import shipped


def test_newest_run_is_found(moons_run, tmp_path, monkeypatch):
    monkeypatch.setattr(runs.run, "ROOT", tmp_path)
    assert runs.find() == shipped.find("digits")
    monkeypatch.setattr(runs.run, "ROOT", moons_run.parent)
    assert runs.find() == moons_run


def test_missing_and_damaged_runs_are_named(moons_run, tmp_path):
    with pytest.raises(ValueError, match="holds no run"):
        runs.load(tmp_path)
    (tmp_path / "run.json").write_text((moons_run / "run.json").read_text())
    with pytest.raises(ValueError, match=r"model\.keras is missing"):
        runs.load(tmp_path)
    (tmp_path / "model.keras").write_bytes((moons_run / "model.keras").read_bytes()[:2000])
    with pytest.raises(ValueError, match=r"model\.keras is damaged"):
        runs.load(tmp_path)


@pytest.mark.parametrize(
    ("dataset", "prefix", "folder"),
    [
        ("digits", "", "runs/digits"),
        ("folder:own/cats", "tune-", "runs/tune-cats"),
        ("npz:/data/set.npz", "compare-", "runs/compare-set"),
    ],
)
def test_a_new_folder_is_called_as_its_data(dataset, prefix, folder):
    assert runs.new_folder(dataset, prefix).as_posix() == folder


@pytest.mark.parametrize(("value", "number"), [("cat", 1), (1, 1), ("0", 0), ("2", 0)])
def test_classes_are_found_by_name_before_number(value, number):
    assert runs.class_number(value, ("2", "cat")) == number


@pytest.mark.parametrize("value", ["dog", "3", "-1", "1.5", ""])
def test_unknown_classes_are_named_with_those_that_there_are(value):
    with pytest.raises(ValueError, match=f"There is no class '{value}'; .* 0 2, 1 cat"):
        runs.class_number(value, ("2", "cat"))


def test_an_export_of_the_newest_run_is_found(moons_run, tmp_path, monkeypatch):
    monkeypatch.setattr(runs.run, "ROOT", tmp_path)
    assert runs.exported() == shipped.find()
    folder = tmp_path / "moons"
    folder.mkdir()
    (folder / "run.json").write_text("{}")
    with pytest.raises(ValueError, match=f"is not exported yet: dvae export {folder}"):
        runs.exported()
    (folder / "export").mkdir()
    assert runs.exported() == folder / "export"


@pytest.mark.parametrize(
    ("started", "shown"),
    [
        ("/checkout/scripts/train.py", "python scripts/train.py"),
        ("/usr/bin/dvae", "dvae train"),
        ("/site-packages/dvae_tf/__main__.py", "dvae train"),
    ],
)
def test_messages_name_the_command_that_the_user_has(started, shown, monkeypatch):
    monkeypatch.setattr(sys, "argv", [started])
    assert runs.invocation("train") == shown


def test_the_data_of_a_run_is_split_in_three(moons_run):
    found = runs.Data(read_json(moons_run / "run.json")["arguments"])
    parts = [len(found.arrays(split).label) for split in ("train[:90%]", "train[90%:]", "test")]
    assert parts == [5400, 600, 1500]
    assert found.info.count == parts[0]
    assert found.steps_per_epoch == found.passes * -(-parts[0] // 96)


def test_examples_without_a_label_are_not_measured(monkeypatch, moons_run):
    arrays, info = data.load_arrays("three_moons", "test", count=9)
    arrays.label[::3] = -1
    found = runs.Data(read_json(moons_run / "run.json")["arguments"])
    monkeypatch.setattr(data, "load_arrays", lambda *_, **__: (arrays, info))
    assert found.arrays("test").label.tolist() == [1, 2] * 3
