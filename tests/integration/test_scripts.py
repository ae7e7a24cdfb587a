"""The scripts as a user starts them."""

import pathlib
import signal
import subprocess
import sys
import time

import pytest

from dvae_tf.commands.command_line import COMMANDS
from dvae_tf.files import read_json
from dvae_tf.runs import read_history

ROOT = pathlib.Path(__file__).parents[2]


def start(script, *arguments, folder):
    return subprocess.Popen(
        [sys.executable, str(ROOT / "scripts" / script), *map(str, arguments)],
        cwd=folder,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def run(script, *arguments, folder):
    process = start(script, *arguments, folder=folder)
    out, error = process.communicate(timeout=240)
    return process.returncode, out, error


@pytest.mark.parametrize("script", sorted(path.name for path in (ROOT / "scripts").glob("*.py")))
def test_help_answers_without_tensorflow(script, tmp_path):
    seconds = []
    for _ in range(3):
        begin = time.monotonic()
        code, out, error = run(script, "--help", folder=tmp_path)
        seconds.append(time.monotonic() - begin)
        assert (code, error) == (0, "")
        assert out.startswith(f"usage: scripts/{script}")
    assert min(seconds) < 0.5


def test_every_command_has_a_script():
    assert {path.stem for path in (ROOT / "scripts").glob("*.py")} == set(COMMANDS)


def test_import_costs_no_tensorflow():
    check = "import sys, dvae_tf; print({'tensorflow', 'keras', 'matplotlib'} & set(sys.modules))"
    out = subprocess.run([sys.executable, "-c", check], capture_output=True, text=True, check=True)
    assert out.stdout.strip() == "set()"


# tests/bad_input/test_wrong_arguments.py has many more, without a process of their own.
@pytest.mark.slow
@pytest.mark.parametrize(
    ("script", "arguments", "message"),
    [
        ("train.py", ["--epochs", "many"], "invalid int value"),
        ("generate.py", ["none"], "error: none holds no run"),
    ],
)
def test_a_users_mistake_is_one_line_and_exit_code_2(script, arguments, message, tmp_path):
    code, _, error = run(script, *arguments, folder=tmp_path)
    assert code == 2
    assert message in error.splitlines()[-1]
    assert "Traceback" not in error
    assert list(tmp_path.iterdir()) == []


@pytest.mark.slow
def test_digits_are_trained_stopped_resumed_and_sampled(tmp_path):
    arguments = [
        "--preset",
        "toy",
        "--model",
        "disentangled_vae",
        "--epochs",
        50,
        "--batch-size",
        32,
        "--set",
        "flow=false",
    ]
    process = start("train.py", *arguments, folder=tmp_path)
    folder = tmp_path / "runs" / "digits"
    deadline = time.monotonic() + 240
    while not list(folder.glob("tensorboard/validation/*")):  # the first epoch is over
        assert process.poll() is None, process.communicate()
        assert time.monotonic() < deadline
        time.sleep(0.2)
    process.send_signal(signal.SIGINT)
    out, error = process.communicate(timeout=240)
    assert process.returncode == 130, error
    assert "python scripts/train.py --resume --output runs/digits" in out
    done = len(read_history(folder / "history.csv"))
    assert 1 <= done < 50

    code, out, error = run("train.py", "--resume", "--epochs", done + 1, folder=tmp_path)
    assert code == 0, error
    for name in ("samples", "swap", "reconstruction", "codes"):
        assert f"runs/digits/{name}.png" in out
    assert 0.0 <= read_json(folder / "report.json")["zs_accuracy"] <= 1.0

    code, out, error = run(
        "generate.py", "--label", 3, "--count", 2, "--output", "threes", folder=tmp_path
    )
    assert code == 0, error
    images = sorted(path.name for path in (tmp_path / "threes").iterdir())
    assert images == ["0000_3.png", "0001_3.png"]
