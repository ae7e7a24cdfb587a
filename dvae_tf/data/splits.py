"""Parts of a data set by name: "train", "test", and slices such as "train[:90%]"."""

import re

import numpy as np

SPLITS = ("train", "test")
_SLICE = re.compile(r"(?P<name>\w+)(\[(?P<start>\d+%?)?:(?P<stop>\d+%?)?\])?")


def parse_split(split: str):
    """Parses the name of a split, in the syntax of TensorFlow Datasets.

    Args:
        split: str, "train" or "test", with an optional slice in examples or percent:
            "train[:90%]", "test[100:200]".

    Returns:
        (name, start, stop): str and two functions of the number of examples in the whole split that
        return the first index and the index after the last.

    Raises:
        ValueError: if it cannot be parsed.

    Examples:
        >>> name, start, stop = parse_split("train[90%:]")
        >>> name, start(1000), stop(1000)
        ('train', 900, 1000)
    """
    match = _SLICE.fullmatch(split)
    if not match or match["name"] not in SPLITS:
        raise ValueError(
            f"Split {split!r} cannot be read; give 'train', 'test' or a slice such as "
            "'train[:90%]' or 'test[100:200]'."
        )
    return match["name"], _index(match["start"] or "0%"), _index(match["stop"] or "100%")


def _index(text):
    if text.endswith("%"):
        return lambda count: min(round(count * int(text[:-1]) / 100), count)
    return lambda count: min(int(text), count)


def split_by_class(label: np.ndarray, test_share: float = 0.2, seed: int = 0):
    """Splits a data set that has no splits, with the same share of every class in the test split.

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
