"""An exported model may differ by a share of its values' range; what passes is kept."""

import numpy as np
import pytest
import tensorflow as tf
from rich.console import Console
from toys import untrained_run

from dvae_tf.commands.command_line import main
from dvae_tf.commands.export import export
from dvae_tf.commands.settings import NUMBERS, ExportSettings
from dvae_tf.export import parity, tflite
from dvae_tf.export.functions import Function
from dvae_tf.export.parity import Exported

RANDOM = np.random.default_rng(0)
CODES = RANDOM.uniform(-18.0, 18.0, (50, 4)).astype(np.float32)
PICTURES = RANDOM.uniform(size=(50, 8, 8, 1)).astype(np.float32)


def check(values, found, numbers="float32", name="image"):
    """Checks a function with one output against what an exported one found."""
    spec = tf.TensorSpec([], tf.float32, "x")
    functions = {"decode": Function(lambda x: {name: values}, [spec])}
    exported = Exported("a file", numbers, 1, lambda *_: {name: found}, ["decode"])
    return parity.check(exported, functions, {"decode": {"x": 0.0}}, None)


NOISE = RANDOM.choice([-1.0, 1.0], CODES.shape)
OF_PICTURES = RANDOM.choice([-1.0, 1.0], PICTURES.shape)
PASSES = {
    "codes of range 36, float32": (CODES, CODES + 0.0016 * NOISE, "float32", "z_s"),
    "pictures, float32": (PICTURES, PICTURES + 9e-4 * OF_PICTURES, "float32", "image"),
    "vectors in thousands, float32": (1000 * CODES, 1000 * CODES + NOISE, "float32", "image"),
    "codes of range 36, float16": (CODES, CODES + 1.5 * NOISE, "float16", "z_s"),
    "pictures, int8": (PICTURES, PICTURES + 0.04 * OF_PICTURES, "int8", "image"),
    "vectors, int8": (1000 * CODES, 1000 * CODES + 1500 * NOISE, "int8", "image"),
    "nearly equal values": (0 * CODES + 2.0, 0 * CODES + 2.00005, "float32", "z_s"),
}
FAILS = {
    "codes of range 36, float32": (CODES, CODES + 0.005 * NOISE, "float32", "z_s", "0.0036"),
    "pictures, float32": (PICTURES, PICTURES + 2e-3 * OF_PICTURES, "float32", "image", "0.001"),
    "pictures, float16": (PICTURES, PICTURES + 0.06 * OF_PICTURES, "float16", "image", "0.05"),
    "pictures, int8": (PICTURES, PICTURES + 0.06 * OF_PICTURES, "int8", "image", "6.0% of their"),
    "vectors, int8": (CODES, CODES + 3.0 * NOISE, "int8", "image", "of their range"),
    "NaN": (CODES, CODES * np.nan, "float32", "z_s", "differs by nan"),
    "NaN, int8": (CODES, CODES * np.nan, "int8", "image", "differ by nan%"),
}


@pytest.mark.parametrize("case", PASSES)
def test_within_a_share_of_the_range(case):
    assert check(*PASSES[case]) > 0.0


@pytest.mark.parametrize("case", FAILS)
def test_beyond_it_the_remedy_is_named(case):
    *values, told = FAILS[case]
    with pytest.raises(ValueError, match="a file does not give what the Keras") as caught:
        check(*values)
    assert told in str(caught.value)
    assert str(caught.value).endswith(f"{parity.REMEDIES[values[2]]}.")


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    return untrained_run(tmp_path_factory.mktemp("runs") / "run")


@pytest.fixture
def output(tmp_path, monkeypatch):
    """A folder for an export whose int8 files are far off, with an older one in it."""
    (tmp_path / "export").mkdir()
    (tmp_path / "export" / "model_int8.tflite").write_text("older")
    monkeypatch.setattr(parity, "MOST_ERROR", -1.0)
    monkeypatch.setattr(tflite, "CALIBRATION_EXAMPLES", 4)
    return tmp_path / "export"


@pytest.mark.slow
def test_formats_that_pass_are_kept_and_the_exit_code_tells(run, output, monkeypatch, capsys):
    words = ["dvae", str(run), "--tflite", "--numbers", "float32", "int8", "--output", str(output)]
    monkeypatch.setattr("sys.argv", words)
    with pytest.raises(SystemExit) as ended:
        main("export")
    assert ended.value.code == 2
    told = capsys.readouterr().err
    assert "error: model_int8.tflite does not give what the Keras model gives: images of " in told
    assert "leave this one out: --numbers float32 float16" in told
    assert f"Written to {output}: model_float32.tflite." in told
    assert (output / "model_int8.tflite").read_text() == "older"
    assert {path.name for path in output.iterdir()} == {
        "MODEL_CARD.md", "labels.json", "model.json", "model_float32.tflite", "model_int8.tflite",
    }  # fmt: skip


@pytest.mark.slow
def test_nothing_is_written_where_nothing_passes(run, output):
    settings = ExportSettings(str(run), tflite=True, numbers=("int8",), output=str(output))
    with pytest.raises(ValueError, match=f"Written to {output}: nothing"):
        export(settings, Console(quiet=True))
    assert [path.name for path in output.iterdir()] == ["model_int8.tflite"]


def test_numbers_are_those_of_tflite():
    assert NUMBERS == tflite.KINDS
    with pytest.raises(ValueError, match="numbers came without tflite"):
        ExportSettings(numbers=("int8",))
    with pytest.raises(ValueError, match="No number is called 'int4'"):
        ExportSettings(tflite=True, numbers=("int4",))


@pytest.mark.slow
def test_numbers_given_twice_are_written_once(run, tmp_path):
    settings = ExportSettings(
        str(run), tflite=True, numbers=("float32", "float32"), output=str(tmp_path)
    )
    (row,) = export(settings, Console(quiet=True))
    assert row["file"] == "model_float32.tflite"
