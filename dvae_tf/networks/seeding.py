"""Seeds, and initial weights that depend on a seed alone."""

import contextlib
import operator
import random


def checked_seed(seed: int, bits: int = 32) -> int:
    """Checks a seed, so that no two seeds mean the same numbers.

    Args:
        seed: int.
        bits: int; the seed must be below 2 to this power. Defaults to 32.

    Returns:
        int, the seed.

    Raises:
        ValueError: if it is not an integer, is negative, or has more bits.

    Examples:
        >>> checked_seed(7)
        7
    """
    try:
        number = -1 if isinstance(seed, bool) else operator.index(seed)
    except TypeError:
        number = -1
    if not 0 <= number < 2**bits:
        raise ValueError(f"seed is {seed!r}; give an integer from 0 to 2**{bits} - 1.")
    return number


@contextlib.contextmanager
def seeded_initializers(seed: int):
    """Makes the initial weights of all layers created in the block depend on `seed` alone.

    A Keras initialiser without a seed takes one from Python's generator when it is made. The
    generator's state is restored afterwards.

    Args:
        seed: int.
    """
    state = random.getstate()
    random.seed(seed)
    try:
        yield
    finally:
        random.setstate(state)
