"""history.csv: one line per epoch."""

import csv
import os
import pathlib

from dvae_tf.files import written


def write_history(path: str | os.PathLike, rows: list[dict]) -> None:
    """Writes a CSV file with one line per epoch.

    Args:
        path: str or pathlib.Path.
        rows: list of dict with the same keys.
    """
    with written(path) as temporary, temporary.open("w", newline="") as file:
        writer = csv.DictWriter(file, rows[0])
        writer.writeheader()
        writer.writerows(rows)


def read_history(path: str | os.PathLike) -> list[dict]:
    """Reads what `write_history` wrote.

    Args:
        path: str or pathlib.Path; it may be missing.

    Returns:
        list of dict, epoch and saved as int, all else as float; empty if the file is missing.
    """
    if not pathlib.Path(path).exists():
        return []
    with open(path, newline="") as file:
        return [
            {
                key: int(value) if key in ("epoch", "saved") else float(value)
                for key, value in row.items()
            }
            for row in csv.DictReader(file)
        ]
