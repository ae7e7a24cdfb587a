"""The split of codes into training and test data, the same for every probe."""

import numpy as np

TRAINING_SHARE = 0.8


def train_test_split(count: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Splits examples at random: four fifths for training, one fifth for testing.

    Args:
        count: int, number of examples.
        seed: int.

    Returns:
        (int array, int array): indices of training and of test examples, in random order.

    Examples:
        >>> train, test = train_test_split(10, seed=0)
        >>> len(train), sorted([*train, *test]) == list(range(10))
        (8, True)
    """
    order = np.random.default_rng(seed).permutation(count)
    cut = int(TRAINING_SHARE * count)
    return order[:cut], order[cut:]
