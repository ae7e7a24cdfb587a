import numpy as np
import pytest
import scipy.stats

from dvae_tf.evaluation import operating_curve

RANDOM = np.random.default_rng(0)


def test_the_area_of_two_normal_scores_is_the_closed_form():
    known, other = RANDOM.normal(1.0, 1.0, 4000), RANDOM.normal(0.0, 1.0, 4000)
    found = operating_curve(known, other)
    assert found.area.value == pytest.approx(scipy.stats.norm.cdf(1.0 / np.sqrt(2.0)), abs=0.01)
    assert found.area.low < found.area.value < found.area.high
    # At the threshold 0.5 the shares are the tails of the two normals.
    at = np.argmin(np.abs(found.threshold - 0.5))
    assert found.kept[at] == pytest.approx(scipy.stats.norm.sf(-0.5), abs=0.02)
    assert found.let_in[at] == pytest.approx(scipy.stats.norm.sf(0.5), abs=0.02)


def test_the_cut_keeps_the_share_that_was_asked_for():
    known = np.linspace(1.0, 2.0, 100)
    found = operating_curve(known, np.linspace(0.0, 0.9, 100))
    cut = found.threshold[np.argmax(found.kept >= 0.95)]
    assert np.mean(known >= cut) == 0.95


def test_a_score_that_says_nothing_has_half_of_the_area():
    assert operating_curve(np.ones(9), np.ones(5)).area.value == 0.5


@pytest.mark.parametrize("known", [[], [np.nan]])
def test_scores_that_are_missing_or_no_numbers_are_refused(known):
    with pytest.raises(ValueError, match="The known scores are"):
        operating_curve(np.array(known), np.ones(3))
