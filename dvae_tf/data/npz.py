"""Arrays in a NumPy file."""

import pathlib
import zipfile

import numpy as np

from dvae_tf.data.examples import Arrays, Info, check_arrays
from dvae_tf.data.splits import split_by_class


def npz(path: str, name: str) -> tuple[Arrays, Info]:
    """Reads `x` and `label` (and `class_names`, if present) from a .npz file.

    Args:
        path: str, the file.
        name: str, "train" (four fifths of each class) or "test" (the rest).

    Returns:
        (Arrays, Info).

    Raises:
        ValueError: if the file is missing, is not a .npz file or lacks an array, or if the arrays
            do not fit (see `check_arrays`).
    """
    source = f"npz:{path}"
    if not pathlib.Path(path).is_file():
        raise ValueError(f"{source}: there is no such file; give the path of a .npz file.")
    try:
        with np.load(path, allow_pickle=False) as archive:
            arrays = {key: archive[key] for key in archive.files}
    except (ValueError, OSError, EOFError, AttributeError, zipfile.BadZipFile) as error:
        raise ValueError(
            f"{source}: this is not a readable .npz file ({error}); write one with "
            "numpy.savez(path, x=..., label=...)."
        ) from error
    missing = {"x", "label"} - set(arrays)
    if missing:
        raise ValueError(
            f"{source}: found the arrays {', '.join(sorted(arrays)) or 'none'}, but "
            f"{' and '.join(sorted(missing))} is missing; expected `x` [n, ...] and `label` [n]."
        )
    class_names = tuple(str(value) for value in arrays.get("class_names", ()))
    x, label = check_arrays(source, arrays["x"], arrays["label"], len(class_names) or None)
    class_names = class_names or tuple(str(value) for value in range(label.max() + 1))
    train, test = split_by_class(label)
    chosen = train if name == "train" else test
    info = Info(source, name, tuple(x.shape[1:]), class_names, len(chosen))
    return Arrays(x[chosen], label[chosen]), info
