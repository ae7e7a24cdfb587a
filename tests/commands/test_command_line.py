import os
import subprocess
import sys

import pytest

from dvae_tf.commands.command_line import Parser


@pytest.mark.parametrize(("level", "told"), [("none", "3"), ("warning", "1"), ("info", "0")])
def test_log_level_is_told_to_tensorflow_and_to_nobody_else(level, told, monkeypatch):
    monkeypatch.setenv("TF_CPP_MIN_LOG_LEVEL", "3")
    assert vars(Parser().parse_args(["--log-level", level])) == {}
    assert os.environ["TF_CPP_MIN_LOG_LEVEL"] == told


def test_start_up_is_silent_unless_asked():
    program = (
        "from dvae_tf.commands.command_line import Parser\nParser().parse_args()\n"
        "from dvae_tf.commands.startup import import_tensorflow_quietly\n"
        "import_tensorflow_quietly()\n"
        "import tensorflow"
    )
    environment = {name: value for name, value in os.environ.items() if name[:3] != "TF_"}

    def said(*arguments):
        command = [sys.executable, "-c", program, *arguments]
        return subprocess.run(
            command, env=environment, capture_output=True, text=True, check=True
        ).stderr

    assert said() == ""
    assert "oneDNN" in said("--log-level", "info")
