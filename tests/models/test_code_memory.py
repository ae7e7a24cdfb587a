import numpy as np
import tensorflow as tf

from dvae_tf.models.code_memory import CodeMemory


def kept(memory):
    rows = memory.draw(1000, (0, 0)).numpy()
    np.testing.assert_array_equal(rows[:, 1], -rows[:, 0])
    return sorted(set(rows[:, 0].tolist()))


def rows(*numbers):
    column = np.array(numbers, np.float32)
    return tf.constant(np.stack([column, -column], axis=1))


def test_the_latest_rows_are_kept():
    memory = CodeMemory(capacity=4, width=2)
    memory.add(rows(1, 2, 3))
    assert kept(memory) == [1, 2, 3]
    memory.add(rows(4, 5, 6))
    assert kept(memory) == [3, 4, 5, 6]
    for number in range(7, 60, 3):
        memory.add(rows(number, number + 1, number + 2))
        assert kept(memory) == list(range(number - 1, number + 3))
    memory.add(rows(*range(60, 70)))
    assert kept(memory) == [66, 67, 68, 69]


def test_nothing_is_left_once_it_is_cleared():
    memory = CodeMemory(capacity=4, width=2)
    memory.add(rows(1, 2, 3, 4, 5))
    memory.clear()
    memory.add(rows(8))
    assert kept(memory) == [8]
    assert int(tf.math.count_nonzero(memory.rows)) == 2


def test_all_rows_are_drawn_alike():
    memory = CodeMemory(capacity=8, width=2)
    memory.add(rows(*range(8)))
    counts = np.bincount(memory.draw(8000, (0, 1)).numpy()[:, 0].astype(int), minlength=8)
    assert np.all(np.abs(counts - 1000) < 150)
