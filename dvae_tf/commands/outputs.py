"""Which files a command writes, by the suffix of its `--output`."""

import pathlib

import numpy as np

from dvae_tf.files import written

PICTURES = (".png", ".jpg", ".jpeg", ".webp", ".pdf", ".svg")
ARRAYS = (".npy", ".npz")
PAGES = (".html", ".htm")
TABLES = (".csv", ".parquet")


def checked(output: str, *suffixes: str) -> pathlib.Path:
    """Refuses a file of a kind that a command does not write.

    Args:
        output: str, the file.
        *suffixes: str, those that the command writes, in small letters; "" is a folder.

    Returns:
        pathlib.Path of the file.

    Raises:
        ValueError: if it has another suffix.

    Examples:
        >>> checked("out.PNG", *PICTURES).name
        'out.PNG'
    """
    path = pathlib.Path(output)
    if suffix_of(path) not in suffixes:
        folder = ", or a folder, whose name has no suffix" if "" in suffixes else ""
        raise ValueError(
            f"{output}: nothing is written as {path.suffix or 'a file without a suffix'}; give a "
            f"file that ends in {', '.join(filter(None, suffixes))}{folder}."
        )
    return path


def suffix_of(path: pathlib.Path):
    """Returns the suffix of a file in small letters, such as ".png"."""
    return path.suffix.lower()


def write_table(path: pathlib.Path, frame) -> None:
    """Writes a table into a .csv or .parquet file.

    Args:
        path: pathlib.Path of the file.
        frame: pandas.DataFrame.
    """
    with written(path) as temporary:
        if suffix_of(path) == ".csv":
            frame.to_csv(temporary, index=False)
        else:
            frame.to_parquet(temporary, index=False)


def write_arrays(path: pathlib.Path, **arrays: np.ndarray) -> None:
    """Writes arrays into a .npz file, or the first of them into a .npy file.

    Args:
        path: pathlib.Path of the file.
        **arrays: array by name.
    """
    with written(path) as temporary, temporary.open("wb") as file:
        if suffix_of(path) == ".npy":
            np.save(file, next(iter(arrays.values())))
        else:
            np.savez(file, **arrays)  # type: ignore[arg-type]  # It means allow_pickle.
