"""Examples that a run keeps, so that it is explored and exported without its data."""

import pathlib
import zipfile

import numpy as np

from dvae_tf.data import Arrays
from dvae_tf.data.pixels import as_floats, as_pixels
from dvae_tf.files import written
from dvae_tf.runs.data import Data

FILE = "examples.npz"
SPLITS = ("train", "test")
# Of each split: enough to calibrate int8, to judge samples and to show.
MOST_EXAMPLES, LEAST_EXAMPLES = 1000, 32
MOST_BYTES = 16 * 2**20


def keep_examples(folder: pathlib.Path, data: Data) -> None:
    """Writes the first examples of a run's training and test split into its folder.

    At most `MOST_EXAMPLES` of each, and fewer where they are large.

    Args:
        folder: pathlib.Path of the run.
        data: Data of the run.
    """
    size = int(np.prod(data.info.shape)) * (1 if data.info.is_image else 4)
    count = int(np.clip(MOST_BYTES // size, LEAST_EXAMPLES, MOST_EXAMPLES))
    kept: dict = {}
    for split in SPLITS:
        x, label, _ = data.arrays(f"{split}[:{count}]")
        kept |= {f"x_{split}": as_pixels(x), f"label_{split}": label}
    with written(folder / FILE) as temporary:
        np.savez_compressed(temporary, **kept)


def kept_examples(folder: pathlib.Path, split: str) -> Arrays:
    """Reads the examples that a run keeps.

    A run of an earlier version keeps none: then they come from its data.

    Args:
        folder: pathlib.Path of the run.
        split: str, "train" or "test".

    Returns:
        Arrays, x in the package's range.

    Raises:
        ValueError: if the file is damaged, or there is none and the data cannot be read.
    """
    path = folder / FILE
    if not path.exists():
        found = Data.of(folder).arrays(split)
        return found._replace(x=as_floats(found.x))
    try:
        with np.load(path, allow_pickle=False) as file:
            return Arrays(as_floats(file[f"x_{split}"]), file[f"label_{split}"])
    except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile) as error:
        raise ValueError(
            f"{path} is damaged ({error}); remove it, then evaluate the run."
        ) from error
