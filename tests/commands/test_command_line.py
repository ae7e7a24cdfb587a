import inspect
import os
import shlex
import statistics
import subprocess
import sys
import time

import pytest

from dvae_tf.commands import command_line, settings
from dvae_tf.commands.command_line import COMMANDS, as_arguments, main, parsed
from dvae_tf.files import write_json


def python(*arguments, **options):
    command = [sys.executable, *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=True, **options)


def test_help_is_quick_and_imports_no_tensorflow():
    seconds = []
    for _ in range(3):
        begin = time.monotonic()
        out = python("-m", "dvae_tf", "--help").stdout
        seconds.append(time.monotonic() - begin)
    assert all(f"\n    {name} " in out for name in COMMANDS)
    assert statistics.median(seconds) < 0.3
    report = python("-X", "importtime", "-m", "dvae_tf", "--help").stderr
    imported = {line.rpartition("|")[2].strip().partition(".")[0] for line in report.splitlines()}
    assert "dvae_tf" in imported
    assert not imported & {"tensorflow", "keras", "numpy", "matplotlib", "rich"}


@pytest.mark.parametrize("name", COMMANDS)
def test_help_names_every_setting(name, capsys, monkeypatch):
    monkeypatch.setenv("COLUMNS", "1000")
    with pytest.raises(SystemExit) as ended:
        parsed([name, "--help"])
    assert ended.value.code == 0
    shown = capsys.readouterr().out
    assert shown.startswith(f"usage: dvae {name} ")
    assert inspect.getdoc(COMMANDS[name]).splitlines()[0] in shown
    for field in COMMANDS[name].__dataclass_fields__.values():
        assert field.metadata["text"].replace("%%", "%") in shown
        if not field.metadata["positional"]:
            assert (field.metadata["flag"] or f"--{field.name.replace('_', '-')} ").strip() in shown


def test_every_command_is_a_function_of_its_settings():
    for name, kind in COMMANDS.items():
        function = getattr(__import__(f"dvae_tf.commands.{name}", fromlist=[name]), name)
        first, console, *_ = inspect.signature(function).parameters.values()
        assert (first.name, first.annotation) == ("settings", kind)
        assert console.name == "console"


CALLS = {
    "train": settings.TrainingSettings(),
    "train --dataset npz:a.npz --model cvae --preset toy --width 0.5 --epochs 3 --batch-size 32 "
    "--labelled 0.1 --seed 7 --output 'my runs/one'": settings.TrainingSettings(
        "npz:a.npz", "toy", 0.5, epochs=3, batch_size=32, labelled=0.1, model="cvae", seed=7,
        output="my runs/one",
    ),
    "train --recipe paper --set kl=0.5 flow=false 'kl=[0, 1, 1]' 'augmentation=[\"shift\"]' "
    "variance_decay_passes=null": settings.TrainingSettings(
        recipe="paper",
        changes={"kl": [0, 1, 1], "flow": False, "augmentation": ["shift"],
                 "variance_decay_passes": None},
    ),
    "train --resume --output runs/a --epochs 80": settings.TrainingSettings(
        resume=True, output="runs/a", epochs=80
    ),
    "train --resume": settings.TrainingSettings(resume=True),
    "train --strategy multi_worker --workers a:1 b:2 --worker-index 1": settings.TrainingSettings(
        strategy="multi_worker", workers=("a:1", "b:2"), worker_index=1
    ),
    "evaluate": settings.EvaluationSettings(),
    "evaluate runs/a --parts swap leakage": settings.EvaluationSettings(
        "runs/a", ("swap", "leakage")
    ),
    "generate --label 3 cat --count 2 --temperature 0.0": settings.GenerationSettings(
        label=("3", "cat"), count=2, temperature=0.0
    ),
    "explore": settings.ExplorationSettings(),
    "explore swap runs/a --images a.png 'b c.png' --columns 3": settings.ExplorationSettings(
        "swap", "runs/a", ("a.png", "b c.png"), columns=3
    ),
    "explore reconstruct runs/a": settings.ExplorationSettings(run="runs/a"),
    "encode --data mnist --split 'train[:50%]' --output a.csv": settings.EncodingSettings(
        data="mnist", split="train[:50%]", output="a.csv"
    ),
    "gallery": settings.GallerySettings(),
    "gallery runs/a runs/b --seed 2": settings.GallerySettings(("runs/a", "runs/b"), seed=2),
    "compare --models disentangled_vae cgan --seeds 0 1 --set kl=1 --variant no-flow flow=false "
    "--variant paper-like 'kl=[0.0, 1e-05]' n_gm=3 --variant same": settings.ComparisonSettings(
        changes={"kl": 1},
        models=("disentangled_vae", "cgan"),
        seeds=(0, 1),
        variants={"no-flow": {"flow": False}, "paper-like": {"kl": [0.0, 1e-5], "n_gm": 3},
                  "same": {}},
    ),
    "tune --maximise sample_consistency --at-most a.b=0.15 c=1 --at-least d=0.5":
        settings.SearchSettings(
            maximise="sample_consistency", at_most={"a.b": 0.15, "c": 1}, at_least={"d": 0.5}
        ),
    "export --tflite --web": settings.ExportSettings(tflite=True, web=True),
    "serve runs/a/export --port 0 --most-requests 2.5": settings.ServingSettings(
        "runs/a/export", port=0, most_requests=2.5
    ),
    "ship runs/demo --name faces": settings.ShippingSettings("runs/demo", "faces"),
}  # fmt: skip


@pytest.mark.parametrize("words", CALLS)
def test_the_shell_gives_the_settings(words):
    name = words.partition(" ")[0]
    assert parsed(shlex.split(words)) == (name, CALLS[words])


@pytest.mark.parametrize("words", CALLS)
def test_settings_are_written_as_the_arguments_that_give_them(words):
    name, given = words.partition(" ")[0], CALLS[words]
    written = shlex.join([name, *as_arguments(given)])
    assert parsed(shlex.split(written)) == (name, given)


def test_defaults_are_left_out():
    for kind in COMMANDS.values():
        assert as_arguments(kind()) == []


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ("train --set kl=much", "'kl=much' is no NAME=VALUE with a value in JSON"),
        ("train --set kl", "'kl' is no NAME=VALUE"),
        ("train --set 'kl=[1'", "'kl=[1' is no NAME=VALUE"),
        ("compare --variant mine kl=much", "'kl=much' is no NAME=VALUE"),
        ("tune --at-most fid=low", "'fid=low' is no NAME=VALUE"),
        ("train --epochs many", "invalid int value: 'many'"),
        ("train --colour red", "unrecognized arguments: --colour red"),
        ("compare --models none", "invalid choice: 'none'"),
        ("paint", "invalid choice: 'paint'"),
        ("", "the following arguments are required: COMMAND"),
    ],
)
def test_words_that_cannot_be_read_end_with_code_2(words, message, capsys):
    with pytest.raises(SystemExit) as ended:
        parsed(shlex.split(words))
    assert ended.value.code == 2
    assert message in capsys.readouterr().err.splitlines()[-1]


def test_a_file_of_settings_takes_the_place_of_the_defaults(tmp_path):
    path = tmp_path / "best.json"
    write_json(path, {"preset": "toy", "epochs": 3, "changes": {"kl": 0.5}})
    found = parsed(["train", "--settings", str(path), "--epochs", "5"])[1]
    assert (found.preset, found.epochs, found.changes) == ("toy", 5, {"kl": 0.5})
    write_json(path, {"colour": "red"})
    with pytest.raises(ValueError, match="there is no setting 'colour'; see dvae train --help"):
        parsed(["train", "--settings", str(path)])
    for text in ('["epochs"]', "{'a'", "3"):
        path.write_text(text)
        with pytest.raises(ValueError, match="is no JSON file of settings"):
            parsed(["train", "--settings", str(path)])
    write_json(path, {"epochs": "three"})
    with pytest.raises(ValueError, match="a setting has a value of another kind"):
        parsed(["train", "--settings", str(path)])


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (ValueError("no"), 2),
        (FileNotFoundError("no"), 2),
        (ModuleNotFoundError("no"), 2),
        (FloatingPointError("no"), 3),
        (ConnectionError("no"), 1),
        (KeyboardInterrupt(), 130),
        (None, 0),
    ],
)
def test_errors_are_one_line_and_an_exit_code(error, code, monkeypatch, capsys):
    def fail(_):
        if error:
            raise error

    module = type("Module", (), {"evaluate": staticmethod(fail)})
    monkeypatch.setattr(command_line.importlib, "import_module", lambda _: module)
    monkeypatch.setattr(sys, "argv", ["dvae"])
    with pytest.raises(SystemExit) as ended:
        main("evaluate")
    assert ended.value.code == code
    assert capsys.readouterr().err == ("error: no\n" if code in (1, 2, 3) else "")


def test_debug_shows_where_an_error_came_up(monkeypatch):
    monkeypatch.setattr(sys, "argv", ["dvae", "evaluate", "none", "--debug"])
    with pytest.raises(ValueError, match="none holds no run"):
        main()


@pytest.mark.parametrize(("level", "value"), [("none", "3"), ("warning", "1"), ("info", "0")])
def test_log_level_is_for_tensorflow_and_no_setting(level, value, monkeypatch):
    monkeypatch.setenv("TF_CPP_MIN_LOG_LEVEL", "3")
    assert parsed(["evaluate", "--log-level", level]) == ("evaluate", settings.EvaluationSettings())
    assert os.environ["TF_CPP_MIN_LOG_LEVEL"] == value


@pytest.mark.slow
def test_start_up_is_silent_unless_asked():
    program = (
        "import sys\nfrom dvae_tf.commands.command_line import parsed\n"
        "parsed(['evaluate', *sys.argv[1:]])\n"
        "from dvae_tf.commands.startup import import_tensorflow_quietly\n"
        "import_tensorflow_quietly()\n"
        "import tensorflow"
    )
    environment = {name: value for name, value in os.environ.items() if name[:3] != "TF_"}

    def said(*arguments):
        return python("-c", program, *arguments, env=environment).stderr

    assert said() == ""
    assert said("--log-level", "info") != ""
