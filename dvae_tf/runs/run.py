"""A run: one trained model with everything that belongs to it, in one folder.

model.keras    the last epoch, with all optimisers: what the other scripts load
best.keras     the written epoch with the lowest validation loss
history.csv    one line an epoch
run.json       arguments, versions, data
report.json    the figures, measured on the test split
report.html    the same to look at, once scripts/evaluate.py has measured all of them
*.png          samples, swap, reconstruction, codes, history, ...
tensorboard/   scalars, image grids, the codes for the projector
progress/      samples as training went on, for data that is no images
"""

import math
import os
import pathlib
from collections.abc import Sequence

from dvae_tf.runs import shipped as pretrained
from dvae_tf.files import read_json

ROOT = pathlib.Path("runs")
# Small data is passed over several times an epoch, so that an epoch has at least so many steps and
# what happens between epochs stays a small part of the time.
LEAST_STEPS = 100


def find(folder: str | os.PathLike | None = None) -> pathlib.Path:
    """Finds a run.

    Args:
        folder: str or pathlib.Path. Defaults to the newest below runs/, or, where none is, the
            model that ships.

    Returns:
        pathlib.Path.

    Raises:
        ValueError: if there is none.
    """
    if folder is not None:
        if not (pathlib.Path(folder) / "run.json").exists():
            raise ValueError(
                f"{folder} holds no run (no run.json); give the --output of scripts/train.py."
            )
        return pathlib.Path(folder)
    found = sorted(ROOT.glob("**/run.json"), key=lambda path: path.stat().st_mtime)
    return found[-1].parent if found else pretrained.find()


def results(folder: pathlib.Path) -> pathlib.Path:
    """Where what is made of a run is written: its own folder.

    What is made of the model that ships goes below runs/, so that it stays as it was shipped.

    Args:
        folder: pathlib.Path of the run.

    Returns:
        pathlib.Path.
    """
    return ROOT / f"shipped-{folder.name}" if pretrained.is_shipped(folder) else folder


def exported() -> pathlib.Path:
    """Finds what to serve: the export of the newest run, or the model that ships.

    Returns:
        pathlib.Path.

    Raises:
        ValueError: if the newest run is not exported.
    """
    folder = find()
    if pretrained.is_shipped(folder):
        return folder
    if not (folder / "export").is_dir():
        raise ValueError(
            f"{folder} is not exported yet: python scripts/export.py {folder}, or give the folder "
            "of a model."
        )
    return folder / "export"


def load(folder: str | os.PathLike | None = None):
    """Loads the model of a run.

    Args:
        folder: str or pathlib.Path. Defaults to the newest run.

    Returns:
        one of the models of `dvae_tf.models`.

    Raises:
        ValueError: if the folder holds no run or the run has no model yet, or a damaged one.
    """
    import keras

    import dvae_tf.models  # noqa: F401  Registers the classes that the file names.

    folder = find(folder)
    if pretrained.is_shipped(folder):
        pretrained.check(folder)
    path = folder / "model.keras"
    if not path.exists():
        raise ValueError(f"{path} is missing: no epoch of this run was finished; train it first.")
    try:
        return keras.saving.load_model(path)
    except Exception as error:  # Whatever its many readers raise.
        raise ValueError(f"{path} is damaged or of another version: {error}") from error


def class_names(folder: str | os.PathLike | None = None) -> list[str]:
    """The names of a run's classes, in the order of the labels.

    Args:
        folder: str or pathlib.Path. Defaults to the newest run.

    Returns:
        list of str.
    """
    return read_json(find(folder) / "run.json")["data"]["class_names"]


def class_number(value: int | str, names: Sequence[str]) -> int:
    """Looks up a class.

    Args:
        value: int or str, number or name of the class.
        names: sequence of str, the names of all.

    Returns:
        int.

    Raises:
        ValueError: if there is none.

    Examples:
        >>> class_number("cat", ["dog", "cat"]), class_number("0", ["dog", "cat"])
        (1, 0)
    """
    names = list(names)
    if str(value) in names:
        return names.index(str(value))
    if str(value).isdecimal() and int(value) < len(names):
        return int(value)
    raise ValueError(
        f"There is no class {value!r}; give a name or a number: "
        f"{', '.join(f'{number} {name}' for number, name in enumerate(names))}."
    )


class Data:
    """The splits of a run: nine tenths of train to train on, a tenth to choose by, test.

    Args:
        arguments: dict, the arguments of the run.
    """

    def __init__(self, arguments: dict):
        from dvae_tf import data

        self.name = arguments["dataset"]
        self.options = {"seed": arguments["seed"], "size": arguments["size"]}
        self.train, self.info = data.load(
            self.name,
            "train[:90%]",
            arguments["batch_size"],
            labelled=arguments["labelled"],
            **self.options,
        )
        batches = math.ceil(self.info.count / arguments["batch_size"])
        self.passes = math.ceil(LEAST_STEPS / batches)
        self.steps_per_epoch = self.passes * batches
        self.validation, _ = data.load(self.name, "train[90%:]", shuffle=False, **self.options)

    def arrays(self, split):
        """Loads the labelled examples of a split into memory: Arrays."""
        from dvae_tf import data

        whole = data.load_arrays(self.name, split, **self.options)[0]
        known = whole.label >= 0
        return data.Arrays(*(None if column is None else column[known] for column in whole))
