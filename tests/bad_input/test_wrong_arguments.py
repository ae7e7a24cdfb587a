"""Wrong arguments of every script: one line, exit code 2, nothing written, the old kept.

RUN stands for the folder of a trained run, MINE for a copy of it, NEW for a folder that is not
there, FILE for a text file, BROKEN for a run whose model is damaged.
"""

import functools
import pathlib
import runpy
import shutil
import sys

import pytest

from dvae_tf import runs

SCRIPTS = pathlib.Path(__file__).parents[2] / "scripts"

CASES = {
    "train.py": {
        "--dataset no_such_set": "No data set is called 'no_such_set'",
        "--dataset npz:none.npz": "there is no such file",
        "--dataset npz:FILE": "not a readable .npz file",
        "--dataset folder:NEW": "there is no such folder",
        "--dataset folder:FILE": "there is no such folder",
        "--epochs 0": "epochs is 0",
        "--epochs many": "invalid int value",
        "--batch-size 0": "batch_size is 0",
        "--batch-size -5": "batch_size is -5",
        "--model gan": "invalid choice: 'gan'",
        "--preset giant": "No preset is called 'giant'",
        "--recipe published": "No recipe is called 'published'",
        "--set": "expected at least one argument",
        "--set kl": "'kl' is no NAME=VALUE",
        "--set kl=much": "'kl=much' is no NAME=VALUE",
        "--set kl=-1": "The weight of kl is -1",
        "--set kl=NaN": "The weight of kl is nan",
        "--set hinge=1": "A recipe has no 'hinge'",
        "--set n_gm=0": "n_gm is 0",
        "--set variance_decay_passes=-1": "variance_decay_passes is -1",
        "--latent-dim-u 0": "latent_dim_u is 0",
        "--latent-dim-s -1": "latent_dim_s is -1",
        "--labelled 0": "labelled is 0.0",
        "--labelled 2": "labelled is 2.0",
        "--width 0": "width is 0.0",
        "--settings none.json": "no JSON file of settings",
        "--settings FILE": "no JSON file of settings",
        "--settings LIST.json": "no JSON file of settings",
        "--settings ODD.json": "there is no setting 'colour'",
        "--settings TEXT.json": "a setting has a value of another kind",
        "--output RUN": "holds a run already",
        "--output FILE": "FILE",
        "--output FILE/run": "FILE",
        "--resume --output NEW": "holds no run",
        "--resume --output BROKEN": "is damaged",
        "--strategy everywhere": "'everywhere'",
        "--strategy multi_worker": "workers",
        "--strategy multi_worker --workers a:1 b:2 --worker-index 5": "worker",
        "--dtype-policy half": "half",
        "--colour": "unrecognized arguments",
    },
    "generate.py": {
        "NEW": "holds no run",
        "FILE": "holds no run",
        "BROKEN": "is damaged",
        "RUN --label 99": "There is no class '99'",
        "RUN --label -1": "There is no class '-1'|expected at least one argument",
        "RUN --label cat": "There is no class 'cat'",
        "RUN --label 1.5": "There is no class '1.5'",
        "RUN --count 0": "count is 0",
        "RUN --count -2": "count is -2",
        "RUN --temperature -1": "temperature is -1.0",
        "RUN --temperature nan": "temperature is nan",
        "RUN --temperature hot": "invalid float value",
        "RUN --output FILE/a.png": "FILE",
        "RUN --output FILE": "FILE",
        "RUN --output a.gif": "nothing is written as .gif",
        "RUN --seed 4294967296": "The seed is 4294967296",
    },
    "evaluate.py": {
        "NEW": "holds no run",
        "BROKEN": "is damaged",
        "RUN --parts beauty": "beauty",
    },
    "explore.py": {
        "dance RUN": "No picture is called 'dance'",
        "swap NEW": "holds no run",
        "swap BROKEN": "is damaged",
        "reconstruct RUN --count 0": "count is 0",
        "reconstruct RUN --images none.png": "none.png",
        "reconstruct RUN --images FILE": "FILE",
        "classify RUN --images RUN": "RUN|directory",
        "swap RUN --columns 0": "columns is 0|0",
        "interpolate-style RUN --steps 1": "steps is 1",
        "interpolate-style RUN --path crooked": "No path is called 'crooked'",
        "swap RUN --hole 4": "swap takes no hole",
        "interpolate-class RUN --to cat": "There is no class 'cat'",
        "traverse RUN --dimension 999": "dimension is 999",
        "traverse RUN --extent nan": "The values of z_u are [nan",
        "inpaint RUN --mask none.png": "none.png",
        "inpaint RUN --hole 0": "hole is 0",
        "inpaint RUN --hole 999": "hole is 999",
        "inpaint RUN --iterations 0": "iterations is 0",
        "nearest RUN --neighbours 0": "0",
        "swap RUN --output FILE/a.png": "FILE",
        "swap RUN --output a.bmp": "nothing is written as .bmp",
        "nearest RUN --seed 4294967296": "The seed is 4294967296",
        "swap RUN --data NEW": "names no data|No data set",
    },
    "encode.py": {
        "NEW": "holds no run",
        "BROKEN": "is damaged",
        "NEW --output codes.txt": "nothing is written as .txt",
        "RUN --data no_such_set": "No data set is called 'no_such_set'",
        "RUN --data three_moons": "the class 'left' is not one of those that are trained",
        "RUN --split half": "half",
        "RUN --output FILE/codes.npz": "FILE",
    },
    "gallery.py": {
        "NEW": "holds no run",
        "BROKEN": "is damaged",
        "RUN NEW": "holds no run",
        "RUN --output a.png": "nothing is written as .png",
    },
    "export.py": {
        "NEW": "holds no run",
        "BROKEN": "is damaged",
        "RUN --output FILE": "FILE",
        "RUN --numbers int8": "numbers came without tflite",
        "RUN --tflite --numbers int4": "invalid choice: 'int4'",
    },
    "compare.py": {
        "--models none": "invalid choice: 'none'",
        "--recipe published": "No recipe is called 'published'",
        "--variant mine kl=much": "'kl=much' is no NAME=VALUE",
        "--variant mine hinge=1": "A recipe has no 'hinge'",
        "--variant cvae kl=1": "A variant is called 'cvae'",
        "--dataset no_such_set": "No data set is called 'no_such_set'",
        "--epochs 0": "epochs is 0",
        "--seeds one": "invalid int value",
        "--preset giant": "No preset is called 'giant'",
        "--output FILE": "FILE",
    },
    "serve.py": {
        "NEW": "holds no version",
        "FILE": "holds no version",
        "SERVED --port 99999": "99999",
        "SERVED --port web": "invalid int value",
        "SERVED --host 256.1.1.1": "256.1.1.1",
        "SERVED --most-requests 0": "The rate is 0",
        "SERVED --most-requests nan": "The rate is nan",
    },
    "tune.py": {
        "--trials 0": "trials is 0",
        "--trials few": "invalid int value",
        "--algorithm guess": "'guess'",
        "--at-most fid": "'fid' is no NAME=VALUE",
        "--at-least fid=low": "'fid=low' is no NAME=VALUE",
        "--at-most fid=NaN": "The bound of fid is nan",
        "--epochs 0": "epochs is 0",
        "--dataset no_such_set": "No data set is called 'no_such_set'",
        "--minimise a --maximise b": "Both minimise and maximise came",
    },
    "ship.py": {
        "NEW": "holds no run",
        "RUN --name ../elsewhere": "elsewhere",
        "RUN --name ..": "'..' is no name of a folder",
        "RUN --name ": "'' is no name of a folder",
    },
}


@pytest.fixture(scope="module")
def world(digits_run, tmp_path_factory):
    """A folder with everything that the cases name; models in it are loaded once."""
    base = tmp_path_factory.mktemp("world")
    (base / "work").mkdir()
    shutil.copytree(digits_run, base / "run")
    shutil.copytree(digits_run, base / "broken")
    (base / "broken" / "model.keras").write_bytes(b"hello")
    (base / "file").write_text("hello")
    (base / "list.json").write_text("[1]")
    (base / "odd.json").write_text('{"colour": "red"}')
    (base / "text.json").write_text('{"epochs": "three"}')
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(runs, "load", functools.cache(runs.load))
        yield base


def contents(folder):
    return {
        path.relative_to(folder): path.read_bytes() for path in folder.rglob("*") if path.is_file()
    }


@pytest.mark.parametrize(
    ("script", "arguments"),
    [(script, arguments) for script, cases in CASES.items() for arguments in cases],
)
def test_wrong_arguments(script, arguments, world, monkeypatch, capsys):
    filled = arguments.replace("SERVED", str(SCRIPTS.parent / "saved_models" / "digits"))
    for name in ("RUN", "BROKEN", "NEW", "FILE", "LIST", "ODD", "TEXT"):
        filled = filled.replace(name, str(world / name.lower()))
    before = contents(world)
    monkeypatch.chdir(world / "work")
    monkeypatch.setattr("keras.Model.fit", lambda *_, **__: pytest.fail("It trained."))
    monkeypatch.setattr("dvae_tf.serving.server.Server.wait", lambda _: pytest.fail("It served."))
    monkeypatch.setattr(sys, "argv", [script, *filled.split(" ")])
    with pytest.raises(SystemExit) as ended:
        runpy.run_path(str(SCRIPTS / script), run_name="__main__")
    error = capsys.readouterr().err
    assert ended.value.code == 2, error
    last = error.strip().splitlines()[-1]
    words = [word.replace("FILE", "file").replace("RUN", "run")
             for word in CASES[script][arguments].split("|")]  # fmt: skip
    assert any(word in last for word in words), error
    assert "error: " in last
    assert "Traceback" not in error
    assert contents(world) == before
