"""Files that are never half-written: each is written under a temporary name and renamed."""

import contextlib
import json
import os
import pathlib
import re
import shutil

# A letter takes up to 4 bytes, and file systems take names of 255.
MOST_LETTERS = 40


@contextlib.contextmanager
def beside(path: str | os.PathLike):
    """Gives a temporary path; a file or folder at it is removed when the block ends.

    Temporary files for the same path that killed processes have left behind are removed too.

    Args:
        path: str or pathlib.Path; missing parent folders are created.

    Yields:
        pathlib.Path in the same folder, with the same suffix; nothing exists there yet.

    Examples:
        >>> import tempfile
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     with beside(pathlib.Path(folder) / "note.txt") as temporary:
        ...         _ = temporary.write_text("for now")
        ...     list(pathlib.Path(folder).iterdir())
        []
    """
    path = pathlib.Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    _remove_leftovers(path)
    temporary = path.with_name(f".{path.stem}.{os.getpid()}{path.suffix}")
    try:
        yield temporary
    finally:
        _remove(temporary)


@contextlib.contextmanager
def written(path: str | os.PathLike):
    """Gives a temporary path and renames it to `path` when the block ends without an error.

    Args:
        path: str or pathlib.Path, the file to write; missing parent folders are created.

    Yields:
        pathlib.Path in the same folder, with the same suffix.

    Examples:
        >>> import tempfile
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     with written(pathlib.Path(folder) / "note.txt") as temporary:
        ...         _ = temporary.write_text("all of it")
        ...     print((pathlib.Path(folder) / "note.txt").read_text())
        all of it
    """
    with beside(path) as temporary:
        yield temporary
        os.replace(temporary, path)


def file_name(text: str) -> str:
    """What of a text, such as the name of a class, can be a part of a file's name.

    Args:
        text: str.

    Returns:
        str, letters and digits with _ for all else, cut to `MOST_LETTERS`.

    Examples:
        >>> file_name("cats/dogs: 1")
        'cats_dogs__1'
    """
    return "".join(c if c.isalnum() else "_" for c in text[:MOST_LETTERS])


def _remove_leftovers(path):
    name = re.compile(rf"\.{re.escape(path.stem)}\.(\d+){re.escape(path.suffix)}")
    for other in path.parent.iterdir():
        found = name.fullmatch(other.name)
        if found and not _is_running(int(found[1])):
            _remove(other)


def _is_running(process):
    if os.name != "posix":
        return True  # On other systems os.kill would end the process.
    try:
        os.kill(process, 0)
    except (ProcessLookupError, OverflowError):
        return False
    except PermissionError:
        pass
    return True


def _remove(path):
    if path.is_dir():
        shutil.rmtree(path)
    path.unlink(missing_ok=True)


def copied(folder: pathlib.Path, path: pathlib.Path, without: str) -> None:
    """Copies a folder; the copy gets its name only once it is complete.

    Args:
        folder: pathlib.Path, the original.
        path: pathlib.Path, the copy.
        without: str, the name of files that are left out.
    """
    with written(path) as temporary:
        shutil.copytree(folder, temporary, ignore=shutil.ignore_patterns(without))


def cache_folder() -> pathlib.Path:
    """The folder for files that can be made again: dvae_tf below $XDG_CACHE_HOME or ~/.cache.

    Returns:
        pathlib.Path.
    """
    return pathlib.Path(os.environ.get("XDG_CACHE_HOME") or "~/.cache").expanduser() / "dvae_tf"


def write_json(path: str | os.PathLike, value) -> None:
    """Writes a value as indented JSON.

    Args:
        path: str or pathlib.Path.
        value: anything that `json.dumps` takes.
    """
    with written(path) as temporary:
        temporary.write_text(json.dumps(value, indent=2) + "\n")


def read_json(path: str | os.PathLike):
    """Reads a JSON file.

    Args:
        path: str or pathlib.Path.

    Returns:
        The content of the file.

    Raises:
        ValueError: if the file is damaged.
    """
    try:
        return json.loads(pathlib.Path(path).read_text())
    except ValueError as error:
        raise ValueError(f"{path} is damaged: it holds no JSON ({error}).") from error
