"""Arrays in a NumPy file."""

import pathlib
import warnings
import zipfile

import numpy as np

from dvae_tf.data.examples import NO_LABEL, Arrays, Info, check_arrays, check_label
from dvae_tf.data.labels import class_names_of, expect_known, numbered
from dvae_tf.data.splits import SPLITS, chosen_rows, holder, place, split_called

_LABELS = ("label", "y")


def npz(path: str, name: str, class_names: tuple | None = None):
    """Reads arrays from a .npz file.

    It holds `x` and `label`, and perhaps `class_names`. Its own splits may be told by an array
    `split` of "train", "validation" and "test", or be arrays of their own: `x_train`,
    `label_train`, `x_test`, `label_test`, `x_val`, `label_val` (`y` works for `label`). Without a
    test split, a fifth of the examples is chosen by their content.

    Args:
        path: str, the file.
        name: str, "train", "validation" or "test".
        class_names: tuple of str, the classes of a model, for data to ask it about; there may be
            fewer. Defaults to those of the file, at least 2.

    Returns:
        (Arrays, Info).

    Raises:
        ValueError: if the file is missing, is not a .npz file or lacks an array, or if the arrays
            do not fit (see `check_arrays`).
    """
    source = f"npz:{path}"
    arrays = _read(source, path)
    own = class_names_of(source, arrays.pop("class_names")) if "class_names" in arrays else None
    split = arrays.pop("split", None)
    parts = _parts(source, arrays)
    if split is None:
        given = set(parts) - {None}
        base = holder(source, name, given)
        x, label = check_arrays(source, *parts[base])
        of_base, trained = np.arange(len(label)), parts.get("train", parts[base])[1]
    else:
        split = _splits_of(source, split, *parts.get(None, ()))
        given = set(split)
        base = holder(source, name, given)
        x, label = check_arrays(source, *parts[None])
        of_base, trained = np.flatnonzero(split == base), label[split == "train"]
    every = [label for _, label in parts.values()]
    label, names = _named(source, label[of_base], trained, every, own, class_names)
    places = np.array([place(np.ascontiguousarray(x[row])) for row in of_base])
    rows, places = chosen_rows(name, given, label, places)
    x = _reordered(x, of_base[rows])
    splits = tuple(split for split in SPLITS if split in given or split != "validation")
    shape = tuple(x.shape[1:])
    info = Info(source, name, shape, names, len(rows), splits=splits, places=places)
    return Arrays(x, label[rows]), info


def _read(source, path):
    if not pathlib.Path(path).is_file():
        raise ValueError(f"{source}: there is no such file; give the path of a .npz file.")
    try:
        with np.load(path, allow_pickle=False) as archive:
            return {key: archive[key] for key in archive.files}
    except (ValueError, TypeError, OSError, EOFError, AttributeError, zipfile.BadZipFile) as error:
        if "Object arrays" in str(error):
            raise ValueError(
                f"{source}: an array holds Python objects; save numbers, and names of classes as "
                "text: array.astype(int), array.astype(str)."
            ) from error
        raise ValueError(
            f"{source}: this is not a readable .npz file ({error}); write one with "
            "numpy.savez(path, x=..., label=...)."
        ) from error


def _parts(source, arrays):
    """What the arrays are by their names: {split or None: (x, label)}."""
    found, unused = {}, []
    for key in arrays:
        kind, _, suffix = key.partition("_")
        split = split_called(suffix)
        if kind not in ("x", *_LABELS) or bool(suffix) != bool(split):
            unused.append(key)
            continue
        part = found.setdefault(split, {})
        if ("x" if kind == "x" else "label") in part:
            raise ValueError(f"{source}: {key} is the second of its kind and split; give one.")
        part["x" if kind == "x" else "label"] = arrays[key]
    if None in found and len(found) > 1:
        raise ValueError(
            f"{source}: found the arrays {', '.join(arrays)}; give either x and label or, for each "
            "split, x_train and label_train and so on."
        )
    for split, part in found.items() or [(None, {})]:
        ending = f"_{split}" if split else ""
        missing = [f"{kind}{ending}" for kind in ("label", "x") if kind not in part]
        are = "is" if len(missing) == 1 else "are"
        if missing:
            raise ValueError(
                f"{source}: found the arrays {', '.join(sorted(arrays)) or 'none'}, but "
                f"{' and '.join(missing)} {are} missing; expected `x{ending}` [n, ...] "
                f"and `label{ending}` [n], or `x_train`, `label_train`, `x_test`, `label_test`."
            )
    _expect_alike(source, found)
    if unused:
        warnings.warn(
            f"{source}: the arrays {', '.join(unused)} are not used; known are x, label, "
            "class_names, split, and x_train, label_train and so on.",
            stacklevel=3,
        )
    return {split: (part["x"], part["label"]) for split, part in found.items()}


def _expect_alike(source, parts):
    """Refuses splits whose examples are of different kinds."""
    kinds = {split: f"{part['x'].dtype} {part['x'].shape[1:]}" for split, part in parts.items()}
    if len(set(kinds.values())) > 1:
        found = ", ".join(f"{kind} in x_{split}" for split, kind in kinds.items())
        raise ValueError(
            f"{source}: examples differ from split to split: {found}; make them alike."
        )


def _splits_of(source, split, x=None, label=None):
    """The split of each example: str array [n]."""
    if x is None or split.shape != (len(x),):
        raise ValueError(
            f"{source}: split has shape {split.shape}; give it beside x and label, one name each."
        )
    values, inverse = np.unique(split, return_inverse=True)
    texts = [value.decode() if isinstance(value, bytes) else str(value) for value in values]
    called = [split_called(text) for text in texts]
    if None in called:
        raise ValueError(
            f"{source}: split holds {texts[called.index(None)]!r}; give train, validation or test."
        )
    return np.array(called)[inverse]


def _named(source, label, trained, every, own, class_names):
    """The labels of a split as numbers of classes: (label, class names)."""
    label, trained = (check_label(source, values) for values in (label, trained))
    if own is not None:
        # Names or indices: what the labels of all splits are together.
        every = [check_label(source, part) for part in every]
        numbers, names = numbered(source, np.concatenate([trained, label, *every]), own)
        if class_names is None:
            _expect_examples(source, numbers[: len(trained)], own)
        return numbers[len(trained) : len(trained) + len(label)], names
    names = class_names or numbered(source, trained)[1]
    expect_known(source, [str(value) for value in np.unique(label[label != NO_LABEL])], names)
    return numbered(source, label, names)


def _expect_examples(source, label, names):
    """Refuses classes that nothing could be learnt of."""
    without = np.setdiff1d(np.arange(len(names)), label)
    if len(without) or len(names) < 2:
        raise ValueError(
            f"{source}: of the classes {', '.join(names)}, "
            + (
                f"{names[without[0]]!r} has no training example; take its name out."
                if len(without)
                else "there is only one; disentangling needs at least 2 classes."
            )
        )


def _reordered(x, rows):
    """x[rows], put into the memory of x, which may be most of what there is."""
    order = np.concatenate([rows, np.setdiff1d(np.arange(len(x)), rows)])
    moved = np.zeros(len(x), bool)
    for start in range(len(x)):
        first, at = x[start].copy(), start
        while not moved[at]:
            moved[at] = True
            x[at] = first if order[at] == start else x[order[at]]
            at = order[at]
    return x[: len(rows)]
