"""Initial weights that depend on a seed alone."""

import contextlib
import random


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
