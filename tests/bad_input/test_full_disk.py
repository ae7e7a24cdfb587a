"""No room on the disk: one line, exit code 2, old files as they were, none half-written.

A bound on the size of a file stands for the full disk: writing fails in the same way.
"""

import contextlib
import pathlib
import resource
import runpy
import shutil
import sys

import pytest

from dvae_tf.runs import shipped

pytestmark = pytest.mark.slow

SCRIPTS = pathlib.Path(__file__).parents[2] / "scripts"
TOY = "--dataset three_moons --preset toy --model disentangled_vae --epochs 1"

# The script with its arguments, and how many bytes a file may still have.
CASES = {
    "generate.py RUN --count 3 --output NEW/samples.png": 500,
    "generate.py RUN --count 3 --output OLD/samples.png": 500,
    "generate.py RUN --count 30 --output OLD/samples.npy": 500,
    "explore.py swap RUN --output OLD/swap.png": 500,
    "encode.py RUN --output OLD/codes.npz": 500,
    "encode.py RUN --output OLD/codes.csv": 500,
    "encode.py RUN --output OLD/codes.parquet": 500,
    "evaluate.py BEGUN --parts classification": 100,
    "export.py RUN --saved-model --output OLD": 5000,
    "export.py RUN --onnx --output OLD": 5000,
    "gallery.py RUN --output OLD/gallery.html": 500,
    f"train.py {TOY} --output NEW": 100,
    "train.py --resume --epochs 3 --output BEGUN": 20_000,
}
OLD = (
    "samples.png",
    "samples.npy",
    "swap.png",
    "codes.npz",
    "codes.csv",
    "codes.parquet",
    "gallery.html",
    "1",
    "generate.onnx",
)


@contextlib.contextmanager
def files_of_at_most(size):
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


@pytest.mark.parametrize("case", CASES)
def test_nothing_is_lost_or_half_written(case, moons_run, tmp_path, monkeypatch, capsys):
    places = {name: tmp_path / name.lower() for name in ("RUN", "BEGUN", "OLD", "NEW")}
    shutil.copytree(shipped.find(), places["RUN"])
    shutil.copytree(moons_run, places["BEGUN"])
    places["OLD"].mkdir()
    for name in OLD:
        (places["OLD"] / name).write_text("old")
    kept = [*places["OLD"].iterdir(), *tmp_path.rglob("*.keras"), *tmp_path.rglob("report.json")]
    before = {path: path.read_bytes() for path in kept}
    filled = case
    for name, path in places.items():
        filled = filled.replace(name, str(path))
    script, *arguments = filled.split(" ")
    monkeypatch.setattr(sys, "argv", [script, *arguments])
    with pytest.raises(SystemExit) as ended, files_of_at_most(CASES[case]):
        runpy.run_path(str(SCRIPTS / script), run_name="__main__")
    error = capsys.readouterr().err
    assert ended.value.code == 2, error
    assert error.strip().splitlines()[-1].startswith("error: "), error
    assert "Traceback" not in error
    assert {path: path.read_bytes() for path in kept} == before
    assert not list(tmp_path.rglob(".*"))
    assert set(tmp_path.rglob("*.keras")) <= set(kept)
