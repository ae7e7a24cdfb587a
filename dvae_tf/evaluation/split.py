"""The split of codes that every fresh reader gets."""

import numpy as np

TRAINING_SHARE = 0.8


def learnt_and_asked(count: int, seed: int):
    """Splits examples: four fifths to learn from, one fifth to be asked about.

    Args:
        count: int, number of examples.
        seed: int.

    Returns:
        (int array, int array): indices, in random order.

    Examples:
        >>> learnt, asked = learnt_and_asked(10, seed=0)
        >>> len(learnt), sorted([*learnt, *asked]) == list(range(10))
        (8, True)
    """
    order = np.random.default_rng(seed).permutation(count)
    cut = int(TRAINING_SHARE * count)
    return order[:cut], order[cut:]
