"""Central intervals hold the truths that they should."""

import numpy as np
import pytest

from saxinfer.calibration.coverage import LEVELS, covered, eccentricity
from saxinfer.calibration.ranks import VALUES


def test_every_level_holds_its_share_of_all_ranks_exactly() -> None:
    ranks = np.arange(VALUES)
    for place in range(1, LEVELS):
        level = place / LEVELS
        assert covered(ranks, level).mean() == pytest.approx(level, abs=1e-12)


def test_ninety_per_cent_are_all_but_the_outer_five_ranks() -> None:
    inside = covered(np.arange(VALUES))
    assert inside[5:95].all()
    assert not inside[:5].any()
    assert not inside[95:].any()


def test_eccentricity_counts_from_the_median_outwards() -> None:
    found = eccentricity(np.arange(VALUES))
    np.testing.assert_array_equal(found, found[::-1])
    np.testing.assert_array_equal(np.bincount(found), np.full(LEVELS, 2))
    assert found[49] == 0


@pytest.mark.parametrize("level", [0.0, 1.0, 0.905, 1.2])
def test_a_level_that_no_interval_has_is_refused(level: float) -> None:
    with pytest.raises(ValueError, match="below one, got"):
        covered(np.arange(VALUES), level)
