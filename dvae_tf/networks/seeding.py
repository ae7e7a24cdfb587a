"""Initial weights that depend on a seed alone."""

import contextlib
import random


@contextlib.contextmanager
def seeded_initializers(seed: int):
    """Makes the initial weights of all layers created inside depend on `seed` alone.

    A Keras initialiser without a seed takes one from Python's generator when it is made. That
    generator's state is put back afterwards.

    Args:
        seed: int.
    """
    state = random.getstate()
    random.seed(seed)
    try:
        yield
    finally:
        random.setstate(state)
