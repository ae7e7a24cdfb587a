"""Every code block of the pages: run, or, where it would train for long, understood."""

import importlib.util
import json
import pathlib
import re
import shlex
import subprocess
import sys
import time
import urllib.error
import urllib.request

import pytest

from dvae_tf.commands.command_line import COMMANDS, parsed
from dvae_tf.commands.compare import columns_of
from dvae_tf.commands.export import training_command
from dvae_tf.commands.settings import ComparisonSettings, TrainingSettings, recorded
from dvae_tf.models import Recipe

ROOT = pathlib.Path(__file__).parents[2]
RUN = ("tutorial.md", "how-to.md", "index.md", "gallery.md")
PAGES = [
    *sorted(ROOT.glob("*.md")),
    *sorted((ROOT / "docs").glob("*.md")),
    *sorted((ROOT / "deploy").glob("*/README.md")),
    *sorted((ROOT / "saved_models").glob("**/*.md")),
]
NAMES = [page.relative_to(ROOT).as_posix() for page in PAGES]
BLOCK = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
INLINE = re.compile(r"`(dvae [^`]+)`")
INDENTED = re.compile(r"^    (.+)$", re.MULTILINE)
ADDRESS = "http://127.0.0.1:8501/v1/models/dvae"


def blocks(page):
    return BLOCK.findall((ROOT / page).read_text())


def commands(text):
    """What a block starts of the project's: lists of words; lines that go on are joined.

    `dvae NAME` and `python scripts/NAME.py` give the words after `dvae`, a benchmark gives its path
    and its arguments.
    """
    lines = re.sub(r"\\\n\s*", "", text).splitlines()
    for line in lines:
        if not line.startswith(("dvae ", "python ")):
            continue
        first, *words = shlex.split(line, comments=True)
        script = pathlib.PurePath(words[0])
        if first == "dvae":
            yield words
        elif script.parent.name == "scripts":
            yield [script.stem, *words[1:]]
        elif script.parent.name == "benchmarks":
            yield words


def is_command(words):
    return words[0] in COMMANDS


@pytest.fixture
def checkout(tmp_path, monkeypatch):
    """A folder that looks like a checkout, to write into."""
    (tmp_path / "saved_models").symlink_to(ROOT / "saved_models")
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def started():
    """Servers that a page started; they are stopped at the end."""
    servers = []
    yield servers
    for server in servers:
        server.terminate()
        server.communicate(timeout=60)


@pytest.mark.pages
@pytest.mark.parametrize("page", RUN)
def test_blocks_run_one_after_another(page, checkout, started):
    names = {}
    for language, text in blocks(f"docs/{page}"):
        if language == "python":
            exec(compile(text, page, "exec"), names)
        elif language == "sh":
            for words in commands(text):
                run(words, started)


def run(words, started):
    """Runs a command with a single epoch; one that serves goes on in the background."""
    arguments = [sys.executable, "-m", "dvae_tf", *words]
    if "--epochs" in arguments:
        arguments[arguments.index("--epochs") + 1] = "1"
    if words[0] == "serve":
        started.append(subprocess.Popen(arguments, stdout=subprocess.PIPE, text=True))
        return wait_for(ADDRESS)
    done = subprocess.run(arguments, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, f"{shlex.join(arguments)}: {done.stderr}"
    return None


def wait_for(address, seconds=60):
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        try:
            with urllib.request.urlopen(address):
                return
        except urllib.error.URLError:
            time.sleep(0.2)
    raise TimeoutError(f"{address} did not answer in {seconds} s")


def understand(words):
    """Reads a command as the shell would, and its recipe as the training would."""
    _, settings = parsed(words)
    changes = getattr(settings, "changes", None)
    if changes is not None:
        Recipe.named(settings.recipe).replace(**changes)
    if isinstance(settings, ComparisonSettings):
        for column in columns_of(settings).values():
            Recipe.named(column.recipe).replace(**column.changes)
    return settings


@pytest.mark.parametrize("page", NAMES)
def test_commands_are_understood(page, monkeypatch, tmp_path):
    settings = tmp_path / "best.json"
    settings.write_text("{}")
    for _, text in blocks(page):
        for words in commands(text):
            words = [str(settings) if word.endswith("best.json") else word for word in words]
            if is_command(words):
                understand(words)
                continue
            script, *arguments = words
            monkeypatch.setattr(sys, "argv", [script, *arguments])
            spec = importlib.util.spec_from_file_location("script", ROOT / script)
            module = importlib.util.module_from_spec(spec)
            spec.loader.exec_module(module)
            module.parse_arguments()


@pytest.mark.parametrize("page", NAMES)
def test_commands_within_sentences_are_understood(page):
    text = BLOCK.sub("", (ROOT / page).read_text())
    for line in INLINE.findall(text):
        _, name, *words = shlex.split(line)
        if name == "NAME" or name.startswith("-"):
            continue
        assert name in COMMANDS, line
        if words not in (["--help"], ["--settings"]):
            understand([name, *words])


@pytest.mark.parametrize("card", [name for name in NAMES if name.endswith("MODEL_CARD.md")])
def test_the_command_of_a_model_card_is_understood(card):
    lines = INDENTED.findall((ROOT / card).read_text())
    (words,) = [words for line in lines for words in commands(line)]
    assert isinstance(understand(words), TrainingSettings)


@pytest.mark.parametrize(
    "settings",
    [
        TrainingSettings(),
        TrainingSettings(epochs=60, batch_size=32, changes={"flow_noise": 1}),
        TrainingSettings("table:people.csv", label="sex", drop=("income", "name")),
        TrainingSettings("folder:my photos", width=0.5, changes={"kl": [0, 1], "flow": False}),
    ],
)
def test_the_command_that_a_model_card_gets_makes_the_run_again(settings):
    command = training_command(json.loads(json.dumps(recorded(settings))))
    (words,) = commands(f"{command} ")
    assert recorded(understand(words)) == recorded(settings)


@pytest.mark.parametrize("page", NAMES)
def test_python_is_python(page):
    for language, text in blocks(page):
        if language == "python":
            compile(text, page, "exec")


def test_what_the_pages_name_is_there():
    told = "\n".join(page.read_text() for page in PAGES)
    for path in re.findall(r"(?:scripts|benchmarks|tests)/[a-z_/]+\.py", told):
        assert (ROOT / path).exists(), path
    for module in re.findall(r"`dvae_tf/([a-z_/]+\.py)`", told):
        assert (ROOT / "dvae_tf" / module).exists(), module


def test_the_architecture_names_every_file_of_the_models():
    page = (ROOT / "docs" / "architecture.md").read_text()
    files = (ROOT / "dvae_tf" / "models").glob("[a-z]*.py")
    assert [path.name for path in files if f"`{path.name}`" not in page] == []


def test_every_number_of_a_recipe_is_on_the_page_of_the_method():
    page = (ROOT / "docs" / "method.md").read_text()
    recipe = Recipe.named("balanced")
    names = {*recipe.weights, *vars(recipe)} - {"weights"}
    assert sorted(name for name in names if f"`{name}`" not in page) == []
