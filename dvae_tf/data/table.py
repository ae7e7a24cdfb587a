"""Tables: rows of numbers, categories and missing values, one column the label."""

import pathlib
import warnings
from collections.abc import Sequence

import numpy as np

from dvae_tf.data.columns import (
    FEWEST_NAMES,
    SHARE_OF_NAMES,
    Columns,
    label_column,
    plain,
)
from dvae_tf.data.examples import NO_LABEL, Arrays, Info
from dvae_tf.data.labels import class_names_of, expect_known
from dvae_tf.data.splits import SPLITS, chosen_rows, holder, split_called
from dvae_tf.extras import pandas_of_extra

# The column that may say to which split a row belongs.
SPLIT = "split"
SUFFIXES = (".csv", ".csv.gz", ".parquet")


def table(
    path: str,
    name: str,
    label: str | None = None,
    drop: Sequence[str] = (),
    targets: Sequence[str] = (),
    columns: Columns | None = None,
    class_names: tuple | None = None,
):
    """Reads a table from a .csv, .csv.gz or .parquet file.

    A column `split` of "train", "validation" and "test" tells the splits. Without one, a fifth of
    the rows, chosen by their content, is the test split.

    Args:
        path: str, the file.
        name: str, "train", "validation" or "test".
        label: str, the column of the classes.
        drop: sequence of str, columns that are not read. Defaults to none.
        targets: sequence of str, columns that are no part of x but factors. Defaults to none.
        columns: Columns of a model, for data to ask it about. Defaults to what the training rows
            hold.
        class_names: tuple of str, the classes of a model, for data to ask it about. Defaults to
            those of the training rows.

    Returns:
        (Arrays, Info): x float32 [n, columns], packed (see `Columns`).

    Raises:
        ValueError: if the file cannot be read, a column is missing or holds what cannot be learnt
            from, or there are fewer than two classes.
        ModuleNotFoundError: if pandas is missing; names the extra to install.
    """
    source = f"table:{path}"
    frame = _read(source, pathlib.Path(path))
    split = _splits(source, frame)
    if split is not None:
        frame = frame.drop(columns=SPLIT)
    return of_frame(source, frame, name, split, label, drop, targets, columns, class_names)


def rows_of_table(path: str, label: str, columns: Columns, class_names: Sequence[str]):
    """Reads all rows of a table in their order, for a model to be asked about them.

    Args:
        path: str, a .csv, .csv.gz or .parquet file.
        label: str, the column of the classes, which may be missing: no row has a label then.
        columns: Columns of the model.
        class_names: sequence of str, the classes of the model.

    Returns:
        (Arrays, Info): x float32 [n, width], wide rows.

    Raises:
        ValueError: if the file cannot be read, or a column of the model is missing.
    """
    source = f"table:{path}"
    frame = _read(source, pathlib.Path(path))
    packed = columns.read(source, frame)
    numbers = np.full(len(frame), NO_LABEL, np.int32)
    if label in frame.columns:
        numbers = _numbers_of(source, label, frame[label], class_names)
    shape = (columns.width,)
    info = Info(source, "all rows", shape, tuple(class_names), len(frame), columns=columns)
    return Arrays(columns.wide(packed).numpy(), numbers), info


def of_frame(
    source: str,
    frame,
    name: str | None,
    split: np.ndarray | None,
    label: str | None,
    drop: Sequence[str] = (),
    targets: Sequence[str] = (),
    columns: Columns | None = None,
    class_names: Sequence[str] | None = None,
):
    """Takes the examples of a split out of a table.

    Args:
        source: str, its name, for messages.
        frame: pandas.DataFrame.
        name: str, "train", "validation" or "test"; None for all rows in their order.
        split: str array [n], the split of each row. None: rows of the test split are chosen.
        label, drop, targets, columns, class_names: as in `table`.

    Returns:
        (Arrays, Info), as `table`.

    Raises:
        ValueError: as `table`.
    """
    if isinstance(drop, str) or isinstance(targets, str):
        raise ValueError(f"{source}: drop and targets are lists of columns; give such as ['age'].")
    if columns is not None:  # Of a model: what it does not use may be missing.
        drop = [name for name in drop if name in frame.columns]
        used = next((name for name in targets if name in columns.names), None)
        if used is not None:
            raise ValueError(
                f"{source}: {used!r} is an input of the model; to have it predicted from the "
                f"codes, train without it: --drop {used}."
            )
    label = _checked_names(source, frame, label, drop, targets)
    given = set() if split is None else set(split)
    if name is not None:
        holder(source, name, given)
    # Of all columns, so that what is dropped or asked about does not move a row to another split.
    places = None if name is None else _places(frame)
    values = frame[label]
    # Which rows are trained on depends on the classes where a test split must be chosen.
    of_training = np.ones(len(frame), bool) if split is None else split == "train"
    if class_names is None:
        class_names = _classes(source, label, values[of_training])
    numbers = _numbers_of(source, label, values, class_names)
    inputs = frame.drop(columns=[label, *drop, *targets])
    if columns is None:
        learnt, _ = _rows("train" if name else None, given, split, numbers, places)
        columns = Columns.of(source, inputs.iloc[np.sort(learnt)])
    rows, places = _rows(name, given, split, numbers, places)
    factors, kinds = _targets(source, frame, targets)
    info = Info(
        source,
        name or "train",
        (columns.width,),
        tuple(class_names),
        len(rows),
        factor_names=tuple(targets),
        factor_kinds=kinds,
        splits=tuple(part for part in SPLITS if part in given or part != "validation"),
        places=places,
        columns=columns,
        label_column=label_column(values, class_names, _text),
    )
    x = columns.read(source, inputs.iloc[rows])
    return Arrays(x, numbers[rows], None if factors is None else factors[rows]), info


def _rows(name, given, split, label, places):
    """The rows of a split, and their places within it."""
    if name is None:
        return np.arange(len(label)), None
    base = name if name in given else "train"
    of_base = np.arange(len(label)) if split is None else np.flatnonzero(split == base)
    rows, places = chosen_rows(name, given, label[of_base], places[of_base])
    return of_base[rows], places


def _read(source, path):
    pandas = pandas_of_extra()
    if not path.is_file():
        raise ValueError(
            f"{source}: there is no such file; give the path of a {' or '.join(SUFFIXES)} file."
        )
    if not path.name.lower().endswith(SUFFIXES):
        raise ValueError(f"{source}: give a {', '.join(SUFFIXES[:-1])} or {SUFFIXES[-1]} file.")
    if path.suffix.lower() != ".parquet":
        _expect_commas(source, path)
    try:
        if path.suffix.lower() == ".parquet":
            frame = pandas.read_parquet(path)
        else:
            with warnings.catch_warnings():  # Of rows with more values than the header has names.
                warnings.simplefilter("error", pandas.errors.ParserWarning)
                frame = pandas.read_csv(path, skipinitialspace=True, index_col=False)
    except Exception as error:  # pandas and pyarrow raise many kinds.
        raise ValueError(
            f"{source}: this is no readable table ({error}); give a header and as many values in "
            "each row."
        ) from error
    if not len(frame):
        raise ValueError(f"{source}: the table has no rows; give some.")
    return frame


def _expect_commas(source, path):
    """Refuses text that pandas reads as another table than it is."""
    options = {"header": None, "nrows": 1, "dtype": str, "skipinitialspace": True}
    try:
        first = pandas_of_extra().read_csv(path, **options).iloc[0]
    except Exception:  # Whatever it is, reading the whole file says it.
        return
    header = [str(name).strip() for name in first]
    other = next((mark for mark in ";\t|" if mark in header[0]), None)
    if len(header) == 1 and other:
        raise ValueError(f"{source}: the values are separated by {other!r}; give commas.")
    repeated = next((name for name in header if header.count(name) > 1 and name != "nan"), None)
    if repeated:
        raise ValueError(
            f"{source}: two columns are called {repeated!r}; give each a name of its own."
        )


def _splits(source, frame):
    """The split of each row, if the table tells: str array [n]."""
    if SPLIT not in frame.columns:
        return None
    codes, options = frame[SPLIT].factorize()
    called = [split_called(str(option)) for option in options]
    if not any(called):
        return None  # A column of something else.
    strange = [repr(option) for option, name in zip(options, called, strict=True) if not name]
    if strange or (codes < 0).any():
        found = ", ".join(strange) or "no value"
        raise ValueError(
            f"{source}: the column {SPLIT!r} holds {found} in some rows; give train, "
            "validation or test in all of them, or call the column otherwise."
        )
    return np.array(called)[codes]


def _checked_names(source, frame, label, drop, targets):
    """The name of the label's column; refuses names of columns that are not there."""
    names = [str(name) for name in frame.columns]
    repeated = next((name for name in names if names.count(name) > 1), None)
    if repeated is not None or names != list(frame.columns):
        raise ValueError(
            f"{source}: the columns are called {', '.join(names)}; give each a name of its own, as "
            "text."
        )
    if label is None:
        raise ValueError(
            f"{source}: say which column is the label (--label COLUMN); the columns are "
            f"{', '.join(names)}."
        )
    for name in (label, *drop, *targets):
        if name not in names:
            raise ValueError(
                f"{source}: there is no column {name!r}; the columns are {', '.join(names)}."
            )
    if not set(names) - {label, *drop, *targets}:
        raise ValueError(f"{source}: no column is left beside the label; leave some.")
    if label in (*drop, *targets):
        raise ValueError(f"{source}: {label!r} is the label; do not drop it, nor ask for it twice.")
    return label


def _places(frame):
    """The place of each row in the random order of the table: float array [n] in [0, 1)."""
    pandas = pandas_of_extra()
    numeric = pandas.api.types.is_numeric_dtype
    # A gap makes floats of a column of whole numbers, and Parquet has more types than CSV.
    plain_frame = pandas.DataFrame(
        {
            name: values.astype("float64" if numeric(values) else "str")
            for name, values in sorted(frame.items())
        }
    )
    hashed = pandas.util.hash_pandas_object(plain_frame, index=False)
    places = hashed.to_numpy(np.uint64) / 2.0**64
    return np.minimum(places, np.nextafter(1.0, 0.0))


def _text(value):
    """A class's name; a gap makes floats of whole numbers, which are named without a point."""
    return str(int(value)) if isinstance(value, float) and value.is_integer() else str(value)


def _classes(source, label, values):
    try:
        options = plain(values.dropna().unique())
    except TypeError:  # Lists and the like have no hash.
        options = plain(values.dropna().iloc[:1])
    if any(isinstance(option, float) and not option.is_integer() for option in options):
        raise ValueError(
            f"{source}: the label {label!r} holds numbers such as {options[0]}, which are no "
            "classes; divide them into classes, such as 'low' and 'high'."
        )
    strange = next((one for one in options if not isinstance(one, str | bool | int | float)), None)
    if strange is not None:
        raise ValueError(
            f"{source}: the label {label!r} holds {strange!r}, a {type(strange).__name__}, which "
            "is no class; give text or whole numbers."
        )
    count = values.notna().sum()
    if len(options) > FEWEST_NAMES and len(options) > SHARE_OF_NAMES * count:
        raise ValueError(
            f"{source}: the label {label!r} has {len(options):,} different values in {count:,} "
            "training rows, which are no classes; give a column whose values come again."
        )
    if len(options) < 2:
        found = f"the same value, {options[0]!r}," if options else "no value"
        raise ValueError(
            f"{source}: all training rows have {found} in the label {label!r}; disentangling needs "
            "at least 2 classes."
        )
    try:
        if getattr(values.dtype, "ordered", False):  # Of pandas's own kind "category".
            options = [one for one in plain(values.cat.categories) if one in options]
        else:
            options.sort()
    except TypeError:  # Text and numbers side by side.
        options.sort(key=str)
    return class_names_of(source, [_text(option) for option in options])


def _numbers_of(source, label, values, class_names):
    """The labels as numbers of classes, -1 where there is none: int32 array [n]."""
    codes, options = values.factorize()
    texts = [_text(option) for option in plain(options)]
    expect_known(f"{source}, column {label!r}", texts, class_names)
    numbers = [*map(list(class_names).index, texts), NO_LABEL]
    if (codes < 0).any():
        warnings.warn(
            f"{source}: {np.count_nonzero(codes < 0):,} of {len(codes):,} rows have no value in "
            f"the label {label!r} and are taken as not labelled; in a .csv file, NA, None and null "
            "are no value either.",
            stacklevel=4,
        )
    return np.array(numbers, np.int32)[codes]


def _targets(source, frame, targets):
    """The columns that are to be predicted: (float32 array [n, targets] or None, their kinds)."""
    if not targets:
        return None, ()
    found, kinds = [], []
    for column in Columns.of(source, frame[list(targets)]):
        if column.missing:
            raise ValueError(
                f"{source}: some rows have no value in {column.name!r}, which is to be predicted; "
                "leave these rows out."
            )
        found.append(column.read(source, frame[column.name]))
        kinds.append("continuous" if column.kind == "numeric" else "categorical")
    return np.stack(found, axis=-1), tuple(kinds)
