"""The columns of a table: what each holds, as numbers for the networks and back.

A row has two forms. Packed: one float a column, a standardised number or the number of a category;
small, for memory. Wide: what the networks take and give, a block of values a column.
"""

import dataclasses
import math
import re
import sys
import warnings
from collections.abc import Sequence

import numpy as np
import tensorflow as tf

from dvae_tf.extras import pandas_of_extra

# A column of text with more different values is taken for names or free text.
MOST_CATEGORIES = 1000
# Standardised numbers lie within this; a value that is further out is set to it.
FURTHEST = 50.0
# What a packed row holds where there is no value.
NO_CATEGORY = -1.0
# Text that is a date, in whatever order, perhaps with a time.
_DATE = re.compile(
    r"\d{1,4}[-/.]\d{1,2}[-/.]\d{1,4}([ T].*)?|\d{4}-(0[1-9]|1[0-2])"
    r"|\d{1,2}\.? [A-Za-z]{3,9} \d{4}"
)
# So many different texts in so large a share of the rows are names.
FEWEST_NAMES, SHARE_OF_NAMES = 20, 0.9
# A column of text of which so many values are numbers is one of numbers that something spoils.
SHARE_OF_NUMBERS = 0.9


@dataclasses.dataclass(frozen=True)
class Column:
    """A column of a table.

    Args:
        name: str.
        kind: str, "numeric", "binary" or "categorical".
        dtype: str, of the values in a table, by the name that pandas has for it.
        mean, deviation: float, of numeric values in the training rows. Default to 0 and 1.
        lowest, highest: float, the least and the largest of them, between which drawn numbers are
            kept. Default to any.
        whole: bool, whether all numbers of the training rows are whole: drawn ones are rounded
            then. Defaults to False.
        categories: tuple of str, int, float or bool, the values of a binary or categorical column.
            Defaults to none.
        ordered: bool, whether they have an order, as pandas's own kind "category" can say. Defaults
            to False.
        missing: bool, whether training rows lack a value: it is then a category of its own, or for
            numbers a second value in the block, 1 where there is none. Defaults to False.

    Examples:
        >>> Column("job", "categorical", "str", categories=("baker", "smith"), missing=True).width
        3
    """

    name: str
    kind: str
    dtype: str
    mean: float = 0.0
    deviation: float = 1.0
    lowest: float | None = None
    highest: float | None = None
    whole: bool = False
    categories: tuple = ()
    ordered: bool = False
    missing: bool = False

    def __post_init__(self):
        object.__setattr__(self, "categories", tuple(self.categories))

    @property
    def width(self) -> int:
        """How many values of a wide row are this column's."""
        of_values = len(self.categories) if self.kind == "categorical" else 1
        return of_values + self.missing

    def wide(self, packed: tf.Tensor) -> tf.Tensor:
        """Turns the column of packed rows into its block.

        Args:
            packed: float32 tensor [n].

        Returns:
            float32 tensor [n, width].
        """
        if self.kind == "categorical":
            index = tf.cast(packed, tf.int32)
            if self.missing:
                index = tf.where(index < 0, len(self.categories), index)
            return tf.one_hot(index, self.width)
        known = ~tf.math.is_nan(packed) if self.kind == "numeric" else packed >= 0.0
        values = tf.where(known, packed, 0.0 if self.kind == "numeric" else 0.5)
        parts = [values, tf.cast(~known, tf.float32)] if self.missing else [values]
        return tf.stack(parts, axis=-1)

    def packed(self, block: np.ndarray) -> np.ndarray:
        """Turns the column's block back into a column of packed rows: its most likely value.

        Args:
            block: float array [n, width].

        Returns:
            float32 array [n].
        """
        if self.kind == "categorical":
            index = block.argmax(axis=-1)
            return np.where(index < len(self.categories), index, NO_CATEGORY).astype(np.float32)
        value = block[:, 0]
        if self.kind == "binary":
            value = value > 0.5
        elif self.missing:
            value = np.where(block[:, 1] > 0.5, math.nan, value)
        return value.astype(np.float32)

    def read(self, source: str, values) -> np.ndarray:
        """Packs the column of a table.

        Args:
            source: str, the name of the table, for messages.
            values: pandas.Series [n].

        Returns:
            float32 array [n].

        Raises:
            ValueError: if a number is no number, or infinite.
        """
        if self.kind == "numeric":
            numbers = _numbers(source, self.name, values)
            self._warn(source, np.isnan(numbers), "no value", not self.missing)
            scaled = (numbers - self.mean) / self.deviation
            self._warn_of_outliers(source, np.abs(scaled) > FURTHEST)
            return np.clip(scaled, -FURTHEST, FURTHEST).astype(np.float32)
        codes, options = values.factorize()
        number_of = {option: number for number, option in enumerate(self.categories)}
        numbers = [number_of.get(option, NO_CATEGORY) for option in plain(options)]
        index = np.array([*numbers, NO_CATEGORY], np.float32)[codes]
        unseen = (index < 0.0) & (codes >= 0)
        if unseen.any():
            first = plain(options)[codes[unseen.argmax()]]
            example = f"a value that no training row has, such as {first!r},"
            self._warn(source, unseen, example, True)
        self._warn(source, codes < 0, "no value", not self.missing)
        return index

    def _warn(self, source, rows, what, unusual):
        if unusual and rows.any():
            warnings.warn(
                f"{source}: {np.count_nonzero(rows):,} of {len(rows):,} rows have {what} in the "
                f"column {self.name!r}; it is read as missing there, as in no training row.",
                stacklevel=4,
            )

    def _warn_of_outliers(self, source, rows):
        if rows.any():
            warnings.warn(
                f"{source}: {np.count_nonzero(rows):,} of {len(rows):,} rows have a number in the "
                f"column {self.name!r} that is more than {FURTHEST:g} deviations from the mean of "
                "the training rows; it is read as if it were that far. If it is an error, leave it "
                "empty; if not, train on its logarithm.",
                stacklevel=4,
            )

    def values(self, packed: np.ndarray):
        """Unpacks the column: the values of a table.

        Args:
            packed: float array [n].

        Returns:
            pandas.Series [n], of the column's dtype where that can hold what is missing.
        """
        pandas = pandas_of_extra()
        if self.kind == "numeric":
            numbers = np.asarray(packed, np.float64) * self.deviation + self.mean
            if self.lowest is not None:
                numbers = np.clip(numbers, self.lowest, self.highest)
            found = pandas.Series(np.rint(numbers) if self._whole else numbers, name=self.name)
        else:
            options = np.array([*self.categories, None], object)
            found = pandas.Series(options[np.asarray(packed, int)], name=self.name)
        # NumPy's integers and truth values have none for what is missing.
        if found.isna().any() and _numpy_type(self.dtype).kind in "biu":
            return found
        if self.dtype == "category":
            return found.astype(pandas.CategoricalDtype(self.categories, self.ordered))
        return found.astype(self.dtype)

    @property
    def _whole(self):
        """Whether numbers are rounded."""
        return self.whole or pandas_of_extra().api.types.is_integer_dtype(self.dtype)


@dataclasses.dataclass(frozen=True)
class Columns:
    """The columns of a table in their order.

    Args:
        columns: Columns, or sequence of Column or of dicts as in `as_dicts`.

    Examples:
        >>> columns = Columns([Column("age", "numeric", "int64", mean=40.0, deviation=10.0)])
        >>> columns.wide([[1.0]]).numpy().tolist(), columns.frame([[1.0]]).age.tolist()
        ([[1.0]], [50])
    """

    columns: "Sequence | Columns"

    def __post_init__(self):
        given = self.columns.columns if isinstance(self.columns, Columns) else self.columns
        made = (one if isinstance(one, Column) else Column(**one) for one in given)
        object.__setattr__(self, "columns", tuple(made))

    def __iter__(self):
        return iter(self.columns)

    def __len__(self):
        return len(self.columns)

    @property
    def names(self) -> tuple[str, ...]:
        """The names of the columns."""
        return tuple(column.name for column in self.columns)

    @property
    def width(self) -> int:
        """The number of values of a wide row."""
        return sum(column.width for column in self.columns)

    def blocks(self) -> list[slice]:
        """Where the block of each column lies in a wide row: list of slice."""
        ends = np.cumsum([column.width for column in self.columns])
        return [slice(end - one.width, end) for end, one in zip(ends, self.columns, strict=True)]

    def as_dicts(self) -> list[dict]:
        """The columns as JSON can hold them; `Columns` takes them back."""
        return [dataclasses.asdict(column) for column in self.columns]

    @classmethod
    def of(cls, source: str, frame) -> "Columns":
        """Finds out what the columns of training rows hold.

        Numbers are numeric, text and values of pandas's own kind "category" are categorical, and
        what has just two values is binary.

        Args:
            source: str, the name of the table, for messages.
            frame: pandas.DataFrame.

        Returns:
            Columns.

        Raises:
            ValueError: if a column has no value, or holds dates, free text, or something else.
        """
        return cls([_column(source, name, frame[name]) for name in frame.columns])

    def read(self, source: str, frame) -> np.ndarray:
        """Packs a table.

        Args:
            source: str, the name of the table, for messages.
            frame: pandas.DataFrame, with these columns in any order; others are not read.

        Returns:
            float32 array [n, columns].

        Raises:
            ValueError: if a column is missing or cannot be read.
        """
        lacking = [name for name in self.names if name not in frame.columns]
        if lacking:
            raise ValueError(
                f"{source}: there is no column {lacking[0]!r}; the columns are "
                f"{', '.join(map(str, frame.columns))}."
            )
        packed = np.empty((len(frame), len(self)), np.float32)
        for at, column in enumerate(self.columns):
            packed[:, at] = column.read(source, frame[column.name])
        return packed

    def taken(self, x):
        """What a user gives as rows: a pandas.DataFrame, or wide rows as they are.

        Args:
            x: pandas.DataFrame with these columns, or array [n, width].

        Returns:
            float32 array [n, width], or x.

        Raises:
            ValueError: if a column is missing or cannot be read.
        """
        pandas = sys.modules.get("pandas")  # Without it, there is no DataFrame.
        if not pandas or not isinstance(x, pandas.DataFrame):
            return x
        return self.wide(self.read("the table", x)).numpy()

    def wide(self, packed) -> tf.Tensor:
        """Turns packed rows into what the networks take.

        Args:
            packed: float32 tensor or array [n, columns].

        Returns:
            float32 tensor [n, width].
        """
        parts = tf.unstack(tf.convert_to_tensor(packed, tf.float32), num=len(self), axis=-1)
        return tf.concat([one.wide(part) for one, part in zip(self, parts, strict=True)], axis=-1)

    def frame(self, x):
        """Turns rows from a model into a table: of each column the most likely value.

        Args:
            x: float array [n, width], such as from `model.generate`.

        Returns:
            pandas.DataFrame with the names and kinds of the training table.
        """
        x = np.asarray(x)
        parts = zip(self.columns, self.blocks(), strict=True)
        return pandas_of_extra().DataFrame(
            {one.name: one.values(one.packed(x[:, block])) for one, block in parts}
        )


def plain(values) -> list:
    """Values of a table as Python's own.

    Args:
        values: sequence, such as a pandas.Index or an array of one of pandas's types.

    Returns:
        list of str, int, float, bool, or what else they are.

    Examples:
        >>> plain(np.array([1, 2]))
        [1, 2]
    """
    return [value.item() if isinstance(value, np.generic) else value for value in values]


def _column(source, name, values):
    """The Column that describes the values of training rows."""
    pandas = pandas_of_extra()
    types = pandas.api.types
    known = values[values.notna()]
    if not len(known):
        raise ValueError(f"{source}: the column {name!r} has no value in any row; drop it.")
    if types.is_datetime64_any_dtype(values) or types.is_timedelta64_dtype(values):
        raise ValueError(_of_dates(source, name))
    missing, (dtype, ordered) = len(known) < len(values), _kind(values)
    numeric = types.is_numeric_dtype(values) and not types.is_bool_dtype(values)
    numbers = _numbers(source, name, known) if numeric else None
    try:
        options = plain(known.unique())
    except TypeError:  # Lists and the like have no hash.
        options = plain(known.iloc[:1])
    strange = next((one for one in options if not isinstance(one, str | bool | int | float)), None)
    if strange is not None:
        raise ValueError(
            f"{source}: the column {name!r} holds {strange!r}, a {type(strange).__name__}; give "
            "numbers or text, or drop it."
        )
    if len(options) == 1:
        warnings.warn(
            f"{source}: all rows have the same value, {options[0]!r}, in the column {name!r}: "
            "there is nothing to learn from it.",
            stacklevel=5,
        )
    if len(options) == 2 and not missing:
        return Column(name, "binary", dtype, categories=_in_order(options, values), ordered=ordered)
    if numbers is not None and len(options) > 1:
        found = (numbers.mean(), numbers.std(), numbers.min(), numbers.max())
        if not 0.0 < found[1] < math.inf:
            raise ValueError(
                f"{source}: the column {name!r} ranges from {found[2]:g} to {found[3]:g}, which "
                "cannot be standardised; rescale it, or drop it."
            )
        whole = bool((numbers == np.rint(numbers)).all())
        return Column(name, "numeric", dtype, *map(float, found), whole=whole, missing=missing)
    if dtype != "category":
        _expect_categories(source, name, options, len(known))
    categories = _in_order(options, values)
    return Column(
        name, "categorical", dtype, categories=categories, ordered=ordered, missing=missing
    )


def label_column(values, class_names: Sequence[str], name_of) -> Column:
    """The column of the classes, whose `values` turns labels back.

    Args:
        values: pandas.Series, the column.
        class_names: sequence of str, in the order of the labels.
        name_of: function of a value that gives its class's name.

    Returns:
        Column, whose categories are the classes.
    """
    named = {name_of(option): option for option in plain(values.dropna().unique())}
    kind = type(next(iter(named.values()), ""))
    # Of classes that these rows lack, the name alone is known.
    lacking = {"True": True, "False": False} if kind is bool else {}
    if kind in (int, float):
        lacking = {name: kind(name) for name in class_names}
    categories = tuple(named.get(name, lacking.get(name, name)) for name in class_names)
    dtype, ordered = _kind(values)
    return Column(values.name, "categorical", dtype, categories=categories, ordered=ordered)


def _kind(values):
    """The name of a column's type, and whether its values have an order."""
    if isinstance(values.dtype, pandas_of_extra().CategoricalDtype):
        return "category", bool(values.dtype.ordered)
    dtype = str(values.dtype)  # pyarrow calls its kind of "category" a dictionary.
    return "category" if dtype.startswith("dictionary<") else dtype, False


def _expect_categories(source, name, options, count):
    if all(isinstance(one, str) and _DATE.fullmatch(one) for one in options):
        raise ValueError(_of_dates(source, name))
    many = len(options) > FEWEST_NAMES
    strange = [one for one in options if isinstance(one, str) and not _is_number(one)]
    if many and 0 < len(strange) < (1.0 - SHARE_OF_NUMBERS) * len(options):
        raise ValueError(
            f"{source}: the column {name!r} holds numbers, but also {strange[0]!r}, which is none; "
            "repair it, or leave it empty. If these are categories, make them so in pandas: "
            ".astype('category')."
        )
    names = many and len(options) > SHARE_OF_NAMES * count
    if names or len(options) > MOST_CATEGORIES:
        raise ValueError(
            f"{source}: the column {name!r} has {len(options):,} different texts in {count:,} rows "
            f"(such as {options[0]!r}): names or free text, from which nothing can be learnt here; "
            "drop it. If these are categories, make them so in pandas: .astype('category')."
        )


def _is_number(text):
    try:
        return math.isfinite(float(text))
    except ValueError:
        return False


def _of_dates(source, name):
    return (
        f"{source}: the column {name!r} holds dates; turn them into numbers, such as the year or "
        "the days since a date, or drop it."
    )


def _in_order(options, values):
    """The values that occur, in the order that the column has, or else in their own."""
    if isinstance(values.dtype, pandas_of_extra().CategoricalDtype):
        return tuple(one for one in plain(values.cat.categories) if one in options)
    try:
        return tuple(sorted(options))
    except TypeError:  # Text and numbers side by side.
        return tuple(sorted(options, key=str))


def _numbers(source, name, values):
    try:
        numbers = values.to_numpy(np.float64, na_value=math.nan)
    except (TypeError, ValueError) as error:
        raise ValueError(
            f"{source}: the column {name!r} held numbers in the training rows, but {error}; give "
            "numbers."
        ) from error
    if np.isinf(numbers).any():
        raise ValueError(
            f"{source}: the column {name!r} holds an infinite value; leave it empty, or repair it."
        )
    return numbers


def _numpy_type(dtype):
    try:
        return np.dtype(dtype)
    except TypeError:
        return np.dtype(object)
