"""The wheel as strangers get it."""

import pathlib
import subprocess
import sys

import pytest

pytestmark = pytest.mark.slow

ROOT = pathlib.Path(__file__).parents[2]
SMOKE = """
import dvae_tf
from dvae_tf import data, export, tasks

assert "{folder}" in dvae_tf.__file__, dvae_tf.__file__
train, info = data.load("three_moons", "train", 16, count=32)
model = dvae_tf.DisentangledVAE(info.shape, info.num_classes, preset="toy")
model.compile(run_eagerly=True)
model.fit(train, epochs=1, verbose=0)
model.save("model.keras")
print(tasks.sample(model, [0, 1, 2]).shape)
"""


@pytest.fixture(scope="module")
def installed(tmp_path_factory):
    """A folder that holds what the wheel installs, and nothing else."""
    folder = tmp_path_factory.mktemp("wheel")
    build = [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", folder, ROOT]
    subprocess.run(build, check=True, capture_output=True)
    (wheel,) = folder.glob("*.whl")
    install = [sys.executable, "-m", "pip", "install", "--no-deps", "--target", folder / "site"]
    subprocess.run([*install, wheel], check=True, capture_output=True)
    return folder / "site"


def run(program, installed, folder):
    code = f"import sys; sys.path.insert(0, {str(installed)!r})\n{program}"
    return subprocess.run(
        [sys.executable, "-c", code], cwd=folder, capture_output=True, text=True, check=False
    )


def test_trains_and_samples(installed, tmp_path):
    done = run(SMOKE.format(folder=installed), installed, tmp_path)
    assert (done.returncode, done.stdout) == (0, "(3, 2)\n"), done.stderr
    assert (tmp_path / "model.keras").exists()


def test_brings_its_types_its_license_and_the_page_for_browsers(installed):
    assert (installed / "dvae_tf" / "py.typed").exists()
    assert (installed / "dvae_tf" / "export" / "web_files" / "index.html").exists()
    assert list(installed.glob("dvae_tf-*.dist-info/licenses/LICENSE"))


def test_brings_the_command(installed):
    (file,) = installed.glob("dvae_tf-*.dist-info/entry_points.txt")
    assert "dvae = dvae_tf.commands.command_line:main" in file.read_text()
    done = run("from dvae_tf.commands.command_line import main; main()", installed, installed)
    assert (done.returncode, done.stderr.splitlines()[-1][:5]) == (2, "dvae:")


def test_without_the_checkout_the_shipped_model_is_missed_by_name(installed, tmp_path):
    done = run("import dvae_tf; dvae_tf.load_pretrained('digits')", installed, tmp_path)
    assert "digits" in done.stderr.splitlines()[-1]
    assert done.stderr.splitlines()[-1].startswith("ValueError")
