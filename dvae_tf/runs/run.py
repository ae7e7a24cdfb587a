"""A run: one trained model with everything that belongs to it, in one folder.

model.keras    the last epoch, with all optimisers: what the other commands load
best.keras     the saved epoch with the lowest validation loss
history.csv    one line per epoch
run.json       settings, versions, data
examples.npz   some training and test examples, for `dvae explore` and `dvae export`
report.json    the metrics, measured on the test split
report.html    the same as a page with pictures
*.png          samples, swap, reconstruction, codes, history, ...
tensorboard/   scalars, image grids, the codes for the projector
progress/      samples during the training, for data other than images
"""

import os
import pathlib
from collections.abc import Sequence

import keras

import dvae_tf.models  # noqa: F401  Registers the classes that a file names.
from dvae_tf.data.catalog import SOURCES
from dvae_tf.data.columns import Column, Columns
from dvae_tf.files import read_json
from dvae_tf.runs import shipped
from dvae_tf.runs.invocation import invocation

ROOT = pathlib.Path("runs")


def find(folder: str | os.PathLike | None = None) -> pathlib.Path:
    """Finds a run.

    Args:
        folder: str or pathlib.Path. Defaults to the newest run below runs/, or, if there is none,
            the model that ships.

    Returns:
        pathlib.Path.

    Raises:
        ValueError: if there is none.
    """
    if folder is not None:
        if not (pathlib.Path(folder) / "run.json").exists():
            raise ValueError(
                f"{folder} holds no run (no run.json); give the --output of {invocation('train')}."
            )
        return pathlib.Path(folder)
    found = sorted(ROOT.glob("**/run.json"), key=lambda path: path.stat().st_mtime)
    return found[-1].parent if found else shipped.find()


def new_folder(dataset: str, prefix: str = "") -> pathlib.Path:
    """The default output folder for a data set.

    Args:
        dataset: str, as `dvae_tf.data.load` takes it.
        prefix: str, such as "tune-". Defaults to none.

    Returns:
        pathlib.Path below runs/, named after the data set or the last part of its path.

    Examples:
        >>> new_folder("folder:own/cats").as_posix(), new_folder("emnist/letters:3.1.0").as_posix()
        ('runs/cats', 'runs/emnist-letters')
    """
    kind, _, rest = dataset.partition(":")
    at_path = kind in SOURCES and SOURCES[kind].at_path
    name = pathlib.PurePath(rest).stem if at_path else kind.replace("/", "-")
    return ROOT / f"{prefix}{name}"


def results(folder: pathlib.Path) -> pathlib.Path:
    """The folder for the results of a run: its own folder.

    Results of a model that ships go below runs/, so that its folder stays as it was shipped.

    Args:
        folder: pathlib.Path of the run.

    Returns:
        pathlib.Path.
    """
    return ROOT / f"shipped-{folder.name}" if shipped.is_shipped(folder) else folder


def exported() -> pathlib.Path:
    """Finds the folder to serve: the export of the newest run, or the model that ships.

    Returns:
        pathlib.Path.

    Raises:
        ValueError: if the newest run is not exported.
    """
    folder = find()
    if (folder / "1").is_dir():  # A model that ships has its first version beside it.
        return folder
    export = results(folder) / "export"
    if not export.is_dir():
        raise ValueError(
            f"{folder} is not exported yet: {invocation('export')} {folder}, or give the folder of "
            "a model."
        )
    return export


def load(folder: str | os.PathLike | None = None):
    """Loads the model of a run.

    Args:
        folder: str or pathlib.Path. Defaults to the newest run.

    Returns:
        one of the models of `dvae_tf.models`.

    Raises:
        ValueError: if the folder holds no run or the run has no model yet, or a damaged one.
    """
    folder = find(folder)
    if shipped.is_shipped(folder):
        shipped.check(folder)
    path = folder / "model.keras"
    if not path.exists():
        raise ValueError(f"{path} is missing: no epoch of this run was finished; train it first.")
    try:
        return keras.saving.load_model(path)
    except Exception as error:  # Keras's readers raise many kinds of errors.
        raise ValueError(f"{path} is damaged or of another version: {error}") from error


def load_pretrained(name: str = shipped.DEFAULT):
    """Loads a model that ships with the package.

    Args:
        name: str, a folder of saved_models: "digits", scikit-learn's handwritten digits, 16x16,
            compact networks; or, in a checkout, "fashion_mnist", 28x28, of 0.4 of their width.
            Defaults to "digits".

    Returns:
        DisentangledVAE, with new optimisers from its recipe.

    Raises:
        ValueError: if there is no such model, or a file has changed since it was shipped.

    Examples:
        >>> model = load_pretrained("digits")
        >>> model.generate([3, 3], seed=0).shape
        TensorShape([2, 16, 16, 1])
    """
    model = load(shipped.find(name))
    model.compile()
    return model


def class_names(folder: str | os.PathLike | None = None) -> list[str]:
    """The names of a run's classes, in the order of the labels.

    Args:
        folder: str or pathlib.Path. Defaults to the newest run.

    Returns:
        list of str.
    """
    return read_json(find(folder) / "run.json")["data"]["class_names"]


def columns(folder: str | os.PathLike | None = None) -> Columns | None:
    """The columns of the table that a run was trained on.

    Args:
        folder: str or pathlib.Path. Defaults to the newest run.

    Returns:
        Columns; None if it was no table.
    """
    found = read_json(find(folder) / "run.json").get("data", {}).get("columns")
    return Columns(found) if found else None


def expect_no_table(folder: str | os.PathLike) -> None:
    """Refuses a run of a table, for what is done with images and vectors alone.

    Args:
        folder: str or pathlib.Path.

    Raises:
        ValueError: if the run's model is of a table.
    """
    if columns(folder):
        raise ValueError(
            f"{folder} holds a model of a table, which cannot be exported, shipped or drawn row by "
            f"row; see {invocation('generate')}, {invocation('encode')} and "
            f"{invocation('evaluate')}, or load it with dvae_tf.runs.load."
        )


def label_column(folder: str | os.PathLike | None = None) -> Column:
    """The column of the classes of the table that a run was trained on.

    Args:
        folder: str or pathlib.Path. Defaults to the newest run.

    Returns:
        Column, whose `values` turns labels back.

    Raises:
        ValueError: if it was no table.
    """
    folder = find(folder)
    description = read_json(folder / "run.json")
    found = description["data"].get("label_column")
    if found:
        return Column(**found)
    if not columns(folder):
        raise ValueError(f"{folder} was trained on no table; its labels are numbers of classes.")
    # A run of an earlier version knows the names of the classes alone.
    names = tuple(class_names(folder))
    return Column(description["arguments"]["label"], "categorical", "str", categories=names)


def class_number(value: int | str, names: Sequence[str]) -> int:
    """Looks up the number of a class.

    Args:
        value: int or str, number or name of the class.
        names: sequence of str, the names of all classes.

    Returns:
        int.

    Raises:
        ValueError: if there is no such class.

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
