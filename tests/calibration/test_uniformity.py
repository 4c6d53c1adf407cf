"""p-values and bands are what they say, and wrong posteriors do not pass.

What a test of level a finds in m sets that are right is binomial; bounds are five of
its standard deviations, exceeded in fewer than one of a million tries.
"""

from types import ModuleType

import numpy as np
import pytest

from saxinfer.calibration.ranks import VALUES
from saxinfer.calibration.uniformity import (
    DRAWS,
    distribution,
    holm,
    uniform_ranks,
)

CURVES, SETS = 100, 1000


@pytest.fixture(scope="module")
def uniform() -> np.ndarray:
    """Distributions of ranks that are uniform, not those that were simulated."""
    ranks = np.random.default_rng(11).integers(VALUES, size=(SETS, CURVES))
    return distribution(ranks, VALUES)


def _as_often_as(level: float, found: int) -> bool:
    return bool(abs(found - level * SETS) < 5 * np.sqrt(level * (1 - level) * SETS))


def test_a_p_value_is_below_a_level_as_often_as_the_level_says(
    uniform: np.ndarray,
) -> None:
    null = uniform_ranks(CURVES, VALUES)
    p_values = np.array([null.p_value(null.distance(row)) for row in uniform])
    # Distances are multiples of 1 / 100, so that a p-value skips some levels; it is
    # never below one more often than the level says.
    for level in (0.01, 0.05, 0.2):
        attained = p_values[p_values <= level].max()
        assert attained > 0.1 * level
        assert _as_often_as(attained, int((p_values <= level).sum()))


@pytest.mark.parametrize("sets", [1, 4])
def test_the_limit_holds_for_several_sets_at_once(
    uniform: np.ndarray, sets: int
) -> None:
    null = uniform_ranks(CURVES, VALUES)
    distances = np.array([null.distance(row) for row in uniform])
    tries = distances.reshape(-1, sets).max(1)
    above = (tries > null.limit(0.9, sets) + 1e-9).mean()
    error = np.sqrt(0.09 / len(tries))
    # A distance is a multiple of 1 / 100: what is left above may be less than a tenth.
    assert above < 0.1 + 5 * error
    at_least = (tries >= null.limit(0.9, sets) - 1e-9).mean()
    assert at_least > 0.1 - 5 * error


def test_a_whole_curve_leaves_the_band_as_seldom_as_was_asked_for(
    uniform: np.ndarray,
) -> None:
    low, high = uniform_ranks(CURVES, VALUES).band(0.95)
    out = ((uniform < low - 1e-9) | (uniform > high + 1e-9)).any(1).mean()
    # The tail is shared out in whole ranks: less than a twentieth, not next to none.
    assert 0.02 < out < 0.05 + 5 * np.sqrt(0.05 * 0.95 / SETS)


def test_the_band_is_narrow_at_the_ends_and_widest_in_the_middle() -> None:
    low, high = uniform_ranks(400, VALUES).band(0.99, 10)
    width = high - low
    assert width[0] < 0.3 * width[49]
    assert np.argmax(width[:-1]) == pytest.approx(49, abs=15)
    wider = np.subtract(*uniform_ranks(400, VALUES).band(0.99, 60)[::-1])
    assert (wider >= width - 1e-12).all()


def test_the_limit_is_that_of_kolmogorov_where_ranks_are_many() -> None:
    # sqrt(n) D of continuous numbers: 1.358 at 95 %. With 100 ranks it is a little
    # less, as the largest distance falls between ranks.
    limit = uniform_ranks(2000, VALUES).limit(0.95) * np.sqrt(2000)
    assert 1.25 < limit < 1.36


@pytest.mark.parametrize(
    ("width", "shift"), [(0.75, 0.0), (1.6, 0.0), (1.0, 0.35)], ids=str
)
def test_wrong_posteriors_are_caught(
    toys: ModuleType, width: float, shift: float
) -> None:
    null = uniform_ranks(400, VALUES)
    wrong = distribution(toys.ranks(400, 5, width=width, shift=shift)[:, 0], VALUES)
    assert null.p_value(null.distance(wrong)) < 0.001


def test_the_exact_posterior_passes(toys: ModuleType) -> None:
    # A false alarm in 1 of 100 seeds.
    null = uniform_ranks(400, VALUES)
    right = distribution(toys.ranks(400, 6)[:, 0], VALUES)
    assert null.p_value(null.distance(right)) > 0.01


def test_the_band_sees_at_the_ends_what_the_distance_does_not(
    toys: ModuleType,
) -> None:
    # Some truths fall out of the samples altogether: one in thirty, at either end.
    ranks = toys.ranks(400, 7)[:, 0]
    ranks[:13], ranks[13:26] = 0, VALUES - 1
    null, found = uniform_ranks(400, VALUES), distribution(ranks, VALUES)
    high = null.band(0.99)[1]
    assert (found[:2] > high[:2]).any()
    assert null.p_value(null.distance(found)) > 0.01


def test_a_p_value_is_never_zero() -> None:
    null = uniform_ranks(CURVES, VALUES)
    assert null.p_value(1.0) == 1 / (DRAWS + 1)


def test_the_same_numbers_give_the_same_simulations() -> None:
    first = uniform_ranks(20, 10)
    uniform_ranks.cache_clear()
    np.testing.assert_array_equal(first.cumulative, uniform_ranks(20, 10).cumulative)


def test_holms_rule_is_the_one_of_his_paper() -> None:
    # The smallest times all, the next times the rest, and never falling.
    assert holm((0.04, 0.01, 0.03)) == pytest.approx((0.06, 0.03, 0.06))
    assert holm((0.9, 0.8)) == (1.0, 1.0)
    assert holm(()) == ()
