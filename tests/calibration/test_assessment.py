"""All tests together: right posteriors pass, wrong ones fail where they are wrong."""

from types import ModuleType

import numpy as np
import pytest

from saxinfer.calibration.assessment import SURE, Assessment
from saxinfer.calibration.ranks import VALUES

CURVES = 300


def test_an_exact_method_passes_all_tests(toys: ModuleType) -> None:
    # Ranks and coverage, each tested twice, and the joint posterior: false alarms in
    # at most 5 of 100 seeds.
    found = Assessment(toys.ranks(CURVES, 1, columns=5), toys.ranks(CURVES, 2)[:, 0])
    assert (found.count, found.columns) == (CURVES, 5)
    assert min(check.adjusted for check in found.checks) > 1 - SURE
    assert all(check.within for check in found.checks)
    assert max(check.gap for check in found.checks) <= found.coverage_limit
    low, high = found.rank_band
    inside = (found.rank_distribution >= low) & (found.rank_distribution <= high)
    assert inside.all()
    assert found.joint_check is not None
    assert found.joint_check.within


def test_only_the_wrong_column_fails(toys: ModuleType) -> None:
    right, wrong = toys.ranks(CURVES, 3, columns=3), toys.ranks(CURVES, 4, width=0.7)
    found = Assessment(np.concatenate([right, wrong], 1))
    assert [check.adjusted < 0.01 for check in found.checks] == [False] * 3 + [True]
    assert [check.within for check in found.checks] == [True] * 3 + [False]
    assert found.joint_check is None
    assert found.joint_coverage is None
    # Of a normal 0.7 times too narrow the 90 % interval holds 75 %.
    assert found.inside()[3].share == pytest.approx(0.75, abs=4 * 0.025)


def test_a_shift_is_seen_by_ranks(toys: ModuleType) -> None:
    found = Assessment(toys.ranks(CURVES, 5, shift=0.5))
    assert found.checks[0].adjusted < 0.001


def test_the_coverage_curve_ends_at_one_and_passes_the_ninety_per_cent(
    toys: ModuleType,
) -> None:
    found = Assessment(toys.ranks(CURVES, 6))
    assert found.coverage.shape == (1, 50)
    assert found.coverage[0, -1] == 1
    place = int(np.argmin(np.abs(found.levels - 0.9)))
    assert found.coverage[0, place] == found.inside()[0].share
    assert found.levels[place] == pytest.approx(0.9)
    assert found.joint_levels[-1] == 1


def test_a_part_of_the_curves_is_judged_by_its_own_number(toys: ModuleType) -> None:
    whole = Assessment(toys.ranks(CURVES, 7), toys.ranks(CURVES, 8)[:, 0])
    part = whole.chosen(np.arange(CURVES) < 50)
    assert part.count == 50
    assert part.coverage_limit > whole.coverage_limit
    assert part.joint is not None
    np.testing.assert_array_equal(part.joint, whole.joint[:50])  # type: ignore[index]


def test_impossible_ranks_are_refused() -> None:
    with pytest.raises(ValueError, match="ranks of at least one curve"):
        Assessment(np.zeros((0, 2), dtype=int))
    with pytest.raises(ValueError, match="ranks need to be 0 to 99, got 0 to 100"):
        Assessment(np.array([[0], [VALUES]]))
