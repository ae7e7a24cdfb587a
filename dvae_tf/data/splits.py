"""Parts of a data set by name: "train", "validation", "test", and slices such as "train[:90%]"."""

import hashlib
import re
import warnings
from collections.abc import Collection

import numpy as np

SPLITS = ("train", "validation", "test")
# What users call them.
_CALLED = {
    "train": "train",
    "training": "train",
    "validation": "validation",
    "valid": "validation",
    "val": "validation",
    "dev": "validation",
    "test": "test",
    "testing": "test",
}
TEST_SHARE = 0.2
_SLICE = re.compile(r"(?P<name>\w+)(\[(?P<start>\d+%?)?:(?P<stop>\d+%?)?\])?")


def parse_split(split: str):
    """Parses the name of a split, in the syntax of TensorFlow Datasets.

    Args:
        split: str, "train", "validation" or "test", with an optional slice in examples or percent:
            "train[:90%]", "test[100:200]".

    Returns:
        (name, start, stop): str and two functions of the number of examples in the whole split
        and, where they are ordered by content, of their places, that return the first index and the
        index after the last.

    Raises:
        ValueError: if it cannot be parsed.

    Examples:
        >>> name, start, stop = parse_split("train[90%:]")
        >>> name, start(1000), stop(1000)
        ('train', 900, 1000)
    """
    match = _SLICE.fullmatch(split)
    cuts = [match[name] or "" for name in ("start", "stop")] if match else []
    beyond = any(cut.endswith("%") and int(cut[:-1]) > 100 for cut in cuts)
    if not match or match["name"] not in SPLITS or beyond:
        raise ValueError(
            f"Split {split!r} cannot be read; give 'train', 'test' or a slice such as "
            "'train[:90%]' or 'test[100:200]' (or 'validation', where the data has that split)."
        )
    return match["name"], _index(match["start"] or "0%"), _index(match["stop"] or "100%")


def _index(text):
    if not text.endswith("%"):
        return lambda count, places=None: min(int(text), count)
    share = int(text[:-1]) / 100

    def index(count, places=None):
        if places is None:
            return min(round(count * share), count)
        # Of few examples, none may have its place beyond the cut; one is taken over.
        inside = 0.0 < share < 1.0 and count > 1
        return int(np.clip(np.searchsorted(places, share), inside, count - inside))

    return index


def split_called(name: str) -> str | None:
    """Says which split a user's name means.

    Args:
        name: str, of a folder or of an array.

    Returns:
        str, one of `SPLITS`; None if it is none of their names.

    Examples:
        >>> split_called("Val"), split_called("cats")
        ('validation', None)
    """
    return _CALLED.get(name.casefold())


def holder(source: str, whole: str, given: Collection[str]) -> str | None:
    """Says which part of the data holds a split; says so where a test split must be carved out.

    Args:
        source: str, the name of the data.
        whole: str, the split, one of `SPLITS`.
        given: collection of str, the splits that the data comes with; empty if it has none.

    Returns:
        str, one of `given`; None where it has none: all examples.

    Raises:
        ValueError: if the data has no such split.
    """
    if not given and whole != "validation":
        return None
    found = whole if whole in given else "train" if whole == "test" else None
    if found not in given:
        there = ", ".join(name for name in SPLITS if name in given) or "none of its own"
        raise ValueError(
            f"{source}: there is no split {whole!r} (splits: {there}); give 'train', 'test' or a "
            "slice such as 'train[90%:]'."
        )
    if carves(whole, given):
        warnings.warn(
            f"{source}: there is no test split; a fifth of train becomes the test split and is "
            "not trained on.",
            stacklevel=2,
        )
    return found


def carves(whole: str, given: Collection[str]) -> bool:
    """Whether a split is the rest of, or is itself, a test split that is carved out.

    Args:
        whole: str, the split.
        given: collection of str, the splits that the data comes with; empty if it has none.

    Returns:
        bool.
    """
    return whole in ("train", "test") and "test" not in given


def place(content) -> float:
    """The place of an example in the random order of its data set.

    It depends on the content alone: it stays the same when other examples come or go, or when a
    file gets another name, and it is the same for exact duplicates.

    Args:
        content: bytes-like.

    Returns:
        float in [0, 1).
    """
    digest = hashlib.blake2b(content, digest_size=8).digest()
    return int.from_bytes(digest) / 2**64


def chosen_rows(whole: str, given: Collection[str], label: np.ndarray, places: np.ndarray):
    """The examples of a split, in random order, so that each slice contains all classes.

    Args:
        whole: str, the split.
        given: collection of str, the splits that the data comes with; empty if it has none.
        label: int array [n], of all examples of the part that holds the split.
        places: float array [n], as `place` returns them.

    Returns:
        (int array of indices, float array of the places of these within the split, rising in
        [0, 1)).
    """
    rows = np.arange(len(label))
    low, high = 0.0, 1.0
    if carves(whole, given):
        rows = rows[random_test(label, places) == (whole == "test")]
        low, high = (0.0, TEST_SHARE) if whole == "test" else (TEST_SHARE, 1.0)
    rows = rows[np.argsort(places[rows], kind="stable")]
    # Those that were taken over the border are at it.
    within = np.clip((places[rows] - low) / (high - low), 0.0, np.nextafter(1.0, 0.0))
    return rows, within


def random_test(label: np.ndarray, places: np.ndarray, share: float = TEST_SHARE) -> np.ndarray:
    """Chooses a test split by the content of the examples.

    Each example is chosen by its own place, so that none moves when others come. Only where a class
    would have no test or no training example, the nearest to the border is taken over it.

    Args:
        label: int array [n].
        places: float array [n], as `place` returns them.
        share: float, the expected share of the test split. Defaults to 0.2.

    Returns:
        bool array [n]: True for test examples. A class with two different examples or more has some
        of them, a class with one has none.

    Examples:
        >>> random_test(np.array([0, 0, 1, 1, 2]), np.array([0.1, 0.5, 0.3, 0.4, 0.1])).tolist()
        [False, False, True, False, False]
    """
    order = np.lexsort((places, label))
    starts = np.flatnonzero(np.diff(label[order], prepend=np.nan))
    lowest = places[order[starts]]
    highest = places[order[np.append(starts[1:], len(order)) - 1]]
    into_test = lowest[(lowest >= share) & (lowest < highest)]
    into_train = highest[highest < share]
    # By place, so that duplicates go along.
    return ((places < share) | np.isin(places, into_test)) & ~np.isin(places, into_train)


def split_by_class(label: np.ndarray, test_share: float = TEST_SHARE, seed: int = 0):
    """Splits a data set that never changes, with the same share of every class in the test split.

    Args:
        label: int array [n].
        test_share: float, share of each class that goes to the test split. Defaults to 0.2.
        seed: int. Defaults to 0: the test split is the same every time.

    Returns:
        (train, test): int arrays, indices in random order.

    Examples:
        >>> train, test = split_by_class(np.array([0, 1] * 5))
        >>> len(train), len(test)
        (8, 2)
    """
    order = np.random.default_rng(seed).permutation(len(label))
    rank = np.empty(len(label), np.int64)
    for value in np.unique(label):
        members = order[label[order] == value]
        rank[members] = np.arange(len(members)) < round(len(members) * test_share)
    is_test = rank[order].astype(bool)
    return order[~is_test], order[is_test]
