"""The models that ship with the package, in saved_models/."""

import hashlib
import os
import pathlib

from rich.console import Console

from dvae_tf.files import written

FOLDER = pathlib.Path(__file__).resolve().parents[2] / "saved_models"
DEFAULT = "digits"
CHECKSUMS = "SHA256SUMS"


def load_pretrained(name: str = DEFAULT):
    """Loads a model that ships with the package.

    Args:
        name: str, a folder of saved_models. Defaults to "digits": scikit-learn's handwritten
            digits, 16x16, compact networks.

    Returns:
        DisentangledVAE, with the recipe's optimisers as new.

    Raises:
        ValueError: if there is no such model, or its files are not as they were shipped.

    Examples:
        >>> model = load_pretrained("digits")
        >>> model.generate([3, 3], seed=0).shape
        TensorShape([2, 16, 16, 1])
    """
    from dvae_tf import runs

    model = runs.load(find(name))
    model.compile()
    return model


def find(name: str = DEFAULT) -> pathlib.Path:
    """Finds the folder of a model that ships.

    Args:
        name: str.

    Returns:
        pathlib.Path.

    Raises:
        ValueError: if there is none of that name.
    """
    known = sorted(path.parent.name for path in FOLDER.glob("*/run.json"))
    if name not in known:
        there = f"there are {', '.join(known)}" if known else "none came with this installation"
        raise ValueError(
            f"There is no run below runs/ yet and no shipped model is called {name!r}; {there}. "
            "Train one: python scripts/train.py"
        )
    return FOLDER / name


def is_shipped(folder):
    """Tells whether a folder is that of a model that ships."""
    return pathlib.Path(folder).resolve().parent == FOLDER


def check(folder: pathlib.Path) -> None:
    """Holds the files of a shipped model against their checksums.

    Args:
        folder: pathlib.Path.

    Raises:
        ValueError: if a file is missing or has changed; names it.
    """
    for line in (folder / CHECKSUMS).read_text().splitlines():
        wanted, name = line.split(maxsplit=1)
        path = folder / name
        if not path.exists() or checksum(path) != wanted:
            state = "has changed since it was shipped" if path.exists() else "is missing"
            raise ValueError(f"{path} {state}; fetch it anew: git checkout -- {path}")


def write_checksums(folder: pathlib.Path) -> None:
    """Writes SHA256SUMS of all files of a model, in the format of sha256sum.

    Args:
        folder: pathlib.Path.
    """
    files = [path for path in sorted(folder.rglob("*")) if path.is_file()]
    lines = [
        f"{checksum(path)}  {path.relative_to(folder).as_posix()}"
        for path in files
        if path.name != CHECKSUMS
    ]
    with written(folder / CHECKSUMS) as temporary:
        temporary.write_text("\n".join(lines) + "\n")


def checksum(path):
    """Returns the SHA-256 of a file, a str."""
    return hashlib.sha256(path.read_bytes()).hexdigest()


def ship(run: str | os.PathLike, name: str, console: Console | None = None) -> pathlib.Path:
    """Makes a shipped model of a run: small, exported, with card and checksums.

    Keeps what use needs: without the optimisers, the discriminator and the files that a server or
    a device can make again from what is there.

    Args:
        run: str or pathlib.Path, the folder of the run.
        name: str, of the folder below saved_models.
        console: rich.console.Console for what is printed. Defaults to standard output.

    Returns:
        pathlib.Path.

    Raises:
        ValueError: if there is no such run, it holds a baseline, its export fails, or the name is
            that of no folder below saved_models.
    """
    import shutil

    from dvae_tf import runs
    from dvae_tf.commands import export
    from dvae_tf.files import beside, read_json, write_json

    target = FOLDER / name
    if target.parent != FOLDER or name == "..":
        raise ValueError(f"{name!r} is no name of a folder; give one without slashes.")
    run = runs.find(run)
    model = without_training(runs.load(run))
    with beside(target) as aside:
        made = aside / name
        made.mkdir(parents=True)
        model.save(made / "model.keras")
        write_json(made / "run.json", read_json(run / "run.json"))
        write_json(made / "report.json", read_json(run / "report.json"))
        export(made, ("saved_model", "tflite"), made, console)
        for kind in ("float16", "dynamic_int8"):
            (made / f"model_{kind}.tflite").unlink()
        write_checksums(made)
        if target.exists():
            shutil.rmtree(target)
        made.rename(target)
    return target


def without_training(model):
    """Copies the networks that use needs into a DisentangledVAE with optimisers without state.

    Args:
        model: DisentangledVAE or DisentangledVAEGAN.

    Returns:
        DisentangledVAE.
    """
    import keras

    from dvae_tf.models import DisentangledVAE

    config = model.get_config()
    config.pop("discriminator", None)
    small = DisentangledVAE.from_config(config)
    for name, network in small.networks().items():
        network.set_weights(model.networks()[name].get_weights())
    small.prior_s.set_weights(model.prior_s.get_weights())
    small.epochs_trained.assign(model.epochs_trained)
    small.batches_trained.assign(model.batches_trained)
    small.compile(keras.optimizers.SGD())
    return small
