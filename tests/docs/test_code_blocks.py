"""Every code block of the pages: run, or, where it would train for long, understood."""

import importlib.util
import pathlib
import re
import shlex
import subprocess
import sys
import time
import urllib.error
import urllib.request

import pytest

ROOT = pathlib.Path(__file__).parents[2]
RUN = ("tutorial.md", "how-to.md", "index.md", "gallery.md")
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
BLOCK = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
ADDRESS = "http://127.0.0.1:8501/v1/models/dvae"


def blocks(page):
    path = ROOT / page if page == "README.md" else ROOT / "docs" / page
    return BLOCK.findall(path.read_text())


def commands(text):
    """What a block starts of the project's, as lists of arguments; lines that go on are joined."""
    lines = re.sub(r"\\\n\s*", "", text).splitlines()
    split = [shlex.split(line, comments=True) for line in lines if line.startswith("python ")]
    return [arguments[1:] for arguments in split if "/" in arguments[1]]


@pytest.fixture
def checkout(tmp_path, monkeypatch):
    """A folder that looks like a checkout, to write into."""
    for name in ("scripts", "saved_models"):
        (tmp_path / name).symlink_to(ROOT / name)
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
    for language, text in blocks(page):
        if language == "python":
            exec(compile(text, page, "exec"), names)
        elif language == "sh":
            for arguments in commands(text):
                run(arguments, started)


def run(arguments, started):
    """Runs a command with a single epoch; one that serves goes on in the background."""
    arguments = [sys.executable, *arguments]
    if "--epochs" in arguments:
        arguments[arguments.index("--epochs") + 1] = "1"
    if "scripts/serve.py" in arguments:
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


@pytest.mark.parametrize("page", [page.name for page in PAGES])
def test_commands_are_understood(page, monkeypatch, tmp_path):
    settings = tmp_path / "best.json"
    settings.write_text("{}")
    for _, text in blocks(page):
        for script, *arguments in commands(text):
            arguments = [settings if name.endswith("best.json") else name for name in arguments]
            monkeypatch.setattr(sys, "argv", [script, *map(str, arguments)])
            spec = importlib.util.spec_from_file_location("script", ROOT / script)
            module = importlib.util.module_from_spec(spec)
            spec.loader.exec_module(module)
            module.parse_arguments()


@pytest.mark.parametrize("page", [page.name for page in PAGES])
def test_python_is_python(page):
    for language, text in blocks(page):
        if language == "python":
            compile(text, page, "exec")


def test_what_the_blocks_name_is_there():
    told = "\n".join(page.read_text() for page in PAGES)
    for script in re.findall(r"(?:scripts|benchmarks)/[a-z_]+\.py", told):
        assert (ROOT / script).exists(), script
