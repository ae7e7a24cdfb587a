"""The wheel as strangers get it."""

import pathlib
import subprocess
import sys

import pytest
from PIL import Image

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


def test_brings_a_model_of_digits(installed, tmp_path):
    (wheel,) = installed.parent.glob("*.whl")
    assert wheel.stat().st_size < 4_000_000
    program = "from dvae_tf.commands.command_line import main; main()"
    command = f"sys.argv[1:] = 'generate --label 3 --output threes.png'.split()\n{program}"
    done = run(command, installed, tmp_path)
    assert done.returncode == 0, done.stderr
    with Image.open(tmp_path / "threes.png") as picture:
        assert min(picture.size) > 100


def test_a_model_that_the_wheel_does_not_bring_is_named(installed, tmp_path):
    done = run("import dvae_tf; dvae_tf.load_pretrained('fashion_mnist')", installed, tmp_path)
    last = done.stderr.splitlines()[-1]
    assert last.startswith(
        "ValueError: No shipped model is called 'fashion_mnist'; there are digits"
    )
