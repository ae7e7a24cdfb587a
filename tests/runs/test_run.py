import pytest

from dvae_tf import runs
from dvae_tf.runs import shipped as pretrained


def test_newest_run_is_found(moons_run, tmp_path, monkeypatch):
    monkeypatch.setattr(runs.run, "ROOT", tmp_path)
    assert runs.find() == pretrained.find("digits")
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
