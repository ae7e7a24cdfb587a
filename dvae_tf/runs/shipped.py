"""The models that ship with the package, in saved_models/; the wheel brings digits alone."""

import hashlib
import pathlib

from dvae_tf.runs.invocation import invocation

FOLDER = (pathlib.Path(__file__).parent / "saved_models").resolve()
DEFAULT = "digits"
CHECKSUMS = "SHA256SUMS"
EXPORTED = ("1/", "model_")


def find(name: str = DEFAULT) -> pathlib.Path:
    """Finds the folder of a model that ships.

    Args:
        name: str, the name of the folder.

    Returns:
        pathlib.Path.

    Raises:
        ValueError: if there is no model of that name.
    """
    known = sorted(path.parent.name for path in FOLDER.glob("*/run.json"))
    if name not in known:
        there = f"there are {', '.join(known)}" if known else "none came with this installation"
        raise ValueError(
            f"No shipped model is called {name!r}; {there}. Train your own: {invocation('train')} "
            "(dvae_tf.runs.load opens its folder)."
        )
    return FOLDER / name


def is_shipped(folder):
    """Returns whether a folder is that of a model that ships, a bool."""
    return pathlib.Path(folder).resolve().parent == FOLDER


def check(folder: pathlib.Path) -> None:
    """Checks the files of a shipped model against their checksums.

    Args:
        folder: pathlib.Path.

    Raises:
        ValueError: if a file that is no export is missing, or a file has changed; names it.
    """
    for line in (folder / CHECKSUMS).read_text().splitlines():
        wanted, name = line.split(maxsplit=1)
        path = folder / name
        if path.exists() and checksum(path) == wanted:
            continue
        if not path.exists() and name.startswith(EXPORTED):  # The wheel brings no exports.
            continue
        state = "has changed since it was shipped" if path.exists() else "is missing"
        raise ValueError(f"{path} {state}; install dvae_tf again, or git checkout -- {path}")


def checksum(path):
    """Returns the SHA-256 of a file, a str."""
    return hashlib.sha256(path.read_bytes()).hexdigest()
