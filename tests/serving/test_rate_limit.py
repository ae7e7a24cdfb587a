import pytest

from dvae_tf.serving.rate_limit import RateLimit


def test_a_second_later_there_is_room_for_a_seconds_worth():
    now = [0.0]
    limit = RateLimit(3.0, clock=lambda: now[0])
    assert [limit.takes_one() for _ in range(4)] == [True, True, True, False]
    now[0] = 1.0 / 3.0
    assert [limit.takes_one() for _ in range(2)] == [True, False]
    now[0] = 100.0
    assert sum(limit.takes_one() for _ in range(10)) == 3


def test_less_than_one_a_second():
    now = [0.0]
    limit = RateLimit(0.5, clock=lambda: now[0])
    assert [limit.takes_one() for _ in range(2)] == [True, False]
    now[0] = 2.0
    assert limit.takes_one()


@pytest.mark.parametrize("most", [0, -1.0, float("nan"), float("inf")])
def test_a_rate_that_cannot_be_is_named(most):
    with pytest.raises(ValueError, match="give a number above 0"):
        RateLimit(most)
