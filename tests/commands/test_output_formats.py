"""`--output` says by its suffix what is written, in small or capital letters."""

import functools

import numpy as np
import pytest
from PIL import Image
from rich.console import Console
from toys import untrained_run

from dvae_tf import runs
from dvae_tf.commands.encode import encode
from dvae_tf.commands.explore import explore
from dvae_tf.commands.gallery import gallery
from dvae_tf.commands.generate import generate
from dvae_tf.commands.settings import (
    EncodingSettings,
    ExplorationSettings,
    GallerySettings,
    GenerationSettings,
)

QUIET = Console(quiet=True)
NAMES = ("cats/dogs", "_$x", "a" * 300)


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(runs, "load", functools.cache(runs.load))
        yield untrained_run(tmp_path_factory.mktemp("runs") / "run", NAMES)


def drawn(run, output):
    generate(GenerationSettings(str(run), count=2, output=str(output)), QUIET)


def explored(run, output):
    explore(ExplorationSettings("reconstruct", str(run), count=2, output=str(output)), QUIET)


PICTURES = {
    ".png": "PNG",
    ".PNG": "PNG",
    ".jpg": "JPEG",
    ".JPEG": "JPEG",
    ".webp": "WEBP",
    ".WebP": "WEBP",
}


@pytest.mark.parametrize("write", [drawn, explored], ids=["generate", "explore"])
@pytest.mark.parametrize("suffix", PICTURES)
def test_pictures(suffix, write, run, tmp_path):
    write(run, tmp_path / f"out{suffix}")
    assert [path.name for path in tmp_path.iterdir()] == [f"out{suffix}"]
    with Image.open(tmp_path / f"out{suffix}") as picture:
        assert picture.format == PICTURES[suffix]


@pytest.mark.parametrize(("suffix", "begin"), [(".PDF", b"%PDF"), (".svg", b"<?xml")])
def test_pictures_for_print(suffix, begin, run, tmp_path):
    drawn(run, tmp_path / f"out{suffix}")
    assert (tmp_path / f"out{suffix}").read_bytes().startswith(begin)


@pytest.mark.parametrize("suffix", [".npy", ".NPY", ".npz", ".NpZ"])
def test_arrays(suffix, run, tmp_path):
    drawn(run, tmp_path / f"out{suffix}")
    explored(run, tmp_path / f"grid{suffix}")
    assert {path.name for path in tmp_path.iterdir()} == {f"out{suffix}", f"grid{suffix}"}
    found, grid = np.load(tmp_path / f"out{suffix}"), np.load(tmp_path / f"grid{suffix}")
    if suffix.lower() == ".npz":
        assert found["label"].tolist() == [0, 0, 1, 1, 2, 2]
        assert tuple(found["class_names"]) == NAMES
        assert grid["row_names"].tolist() == ["image", "reconstruction"]
        found, grid = found["x"], grid["images"]
    assert (found.shape, found.dtype) == ((6, 8, 8, 1), np.uint8)
    assert grid.shape == (2, 2, 8, 8, 1)


def test_a_name_without_a_suffix_is_a_folder(run, tmp_path):
    drawn(run, tmp_path / "out")
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == [
        "0000_cats_dogs.png", "0001_cats_dogs.png", "0002___x.png", "0003___x.png",
        f"0004_{'a' * 40}.png", f"0005_{'a' * 40}.png",
    ]  # fmt: skip


REFUSED = {
    "generate .gif": (
        drawn,
        "out.gif",
        "nothing is written as .gif; give a file that ends in .png",
    ),
    "generate .docx": (drawn, "out.docx", "or a folder, whose name has no suffix"),
    "generate .npz.": (drawn, "v1.2", "nothing is written as .2"),
    "explore .bmp": (explored, "out.bmp", "nothing is written as .bmp"),
    "explore a folder": (explored, "out", "nothing is written as a file without a suffix"),
    "gallery .png": (
        lambda run, output: gallery(GallerySettings((str(run),), str(output)), QUIET),
        "page.png",
        "nothing is written as .png; give a file that ends in .html, .htm",
    ),
    "encode .txt": (
        lambda run, output: encode(EncodingSettings(str(run), output=str(output)), QUIET),
        "codes.txt",
        "give a file that ends in .npz, .csv, .parquet",
    ),
}


@pytest.mark.parametrize("case", REFUSED)
def test_other_suffixes_are_refused_by_name(case, run, tmp_path):
    write, name, message = REFUSED[case]
    with pytest.raises(ValueError, match=rf"{name}: .*{message}"):
        write(run, tmp_path / name)
    assert list(tmp_path.iterdir()) == []
