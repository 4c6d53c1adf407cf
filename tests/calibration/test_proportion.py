"""Binomial intervals are exact."""

import pytest
from scipy.stats import binom

from saxinfer.calibration.proportion import Proportion


def test_the_ends_are_where_the_tails_hold_their_share() -> None:
    # The definition of Clopper and Pearson.
    low, high = Proportion(7, 40).interval(0.95)
    assert binom.sf(6, 40, low) == pytest.approx(0.025)
    assert binom.cdf(7, 40, high) == pytest.approx(0.025)


def test_none_and_all_have_an_open_end() -> None:
    # 1 - 0.025 ** (1 / 40).
    assert Proportion(0, 40).interval() == pytest.approx((0.0, 0.0881), abs=1e-4)
    assert Proportion(40, 40).interval() == pytest.approx((0.9119, 1.0), abs=1e-4)


def test_a_share_that_is_expected_has_a_p_value_of_one() -> None:
    assert Proportion(90, 100).p_value(0.9) == pytest.approx(1.0)
    # All that is as unlikely as 80 of 100, or more so: 80 and fewer, 99 and more.
    expected = binom.cdf(80, 100, 0.9) + binom.sf(98, 100, 0.9)
    assert Proportion(80, 100).p_value(0.9) == pytest.approx(expected)


@pytest.mark.parametrize(("count", "of"), [(3, 2), (-1, 2), (0, 0)])
def test_impossible_shares_are_refused(count: int, of: int) -> None:
    with pytest.raises(ValueError, match="0 to n of n >= 1"):
        Proportion(count, of)
