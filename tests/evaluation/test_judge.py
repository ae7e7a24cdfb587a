"""Both judges know a class wherever it is shown."""

import numpy as np
import pytest

from dvae_tf.evaluation import train_judge, train_second_judge


def bars(count, seed):
    """Lying and standing bars of random grey at random places."""
    random = np.random.default_rng(seed)
    label = random.integers(0, 2, count)
    x = random.integers(0, 60, (count, 16, 16, 1), dtype=np.uint8)
    for image, standing in zip(x, label, strict=True):
        row, column = random.integers(0, 10, 2)
        height, width = (6, 2) if standing else (2, 6)
        image[row : row + height, column : column + width] += np.uint8(random.integers(60, 190))
    return x, label


@pytest.mark.slow
@pytest.mark.parametrize("train", [train_judge, train_second_judge])
def test_a_class_that_moves_is_known(train):
    judge = train(*bars(400, seed=0), num_classes=2)
    assert judge.accuracy(*bars(400, seed=1)).value >= 0.95
