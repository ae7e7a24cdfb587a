import matplotlib
import numpy as np
import pytest

matplotlib.use("agg")


@pytest.fixture
def points():
    """Six points of the plane in three classes."""
    x = np.random.default_rng(0).normal(size=(6, 2)).astype(np.float32)
    return x, np.array([0, 1, 2, 0, 1, 2], np.int32)
