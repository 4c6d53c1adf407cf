"""Statements on a calibration hold where they should, and only there."""

from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import pytest

from saxinfer.calibration import Bin
from saxinfer.report.calibration_findings import LARGEST_GAP, findings, range_of

Loaded = Callable[[Path], ModuleType]


@pytest.fixture(scope="module")
def made(loaded: Loaded) -> ModuleType:
    return loaded(Path(__file__).with_name("made_calibration.py"))


def test_of_a_perfect_method_no_statement_is_false(made: ModuleType) -> None:
    # Seven tests, each false in 1 of 100 seeds.
    found = findings(made.made_calibration("sphere", 200))
    assert len(found) == 9
    assert all(each.holds is not False for each in found), found
    # 198 curves cannot show that no coverage curve is 0.05 off.
    (near,) = [each for each in found if f"{LARGEST_GAP:g} from the" in each.expected]
    assert near.holds is None
    assert "198 curves cannot tell" in near.found


def test_a_column_that_is_too_narrow_is_named(made: ModuleType) -> None:
    calibration = made.made_calibration("sphere", 400, lambda k: 0.6 if k else 1.0)
    found = findings(calibration)
    failed = [each for each in found if each.holds is False]
    assert len(failed) == 6
    for each in failed:
        assert "radius std" in each.found
        assert "radius mean" not in each.found
    assert any("(noise 1 to 3 %)" in each.found for each in failed)


def test_a_method_without_verdicts_or_a_joint_posterior_is_judged_by_the_rest(
    made: ModuleType,
) -> None:
    found = findings(made.made_calibration("sphere", 60, verdicts=False, joint=False))
    said = " ".join(each.expected for each in found)
    assert len(found) == 4
    assert "TARP" not in said
    assert "poor" not in said


def test_ranges_are_told_as_one_would_say_them() -> None:
    assert range_of(Bin(-float("inf"), 0.01, ()), "noise") == "below 1 %"
    assert range_of(Bin(1.5, 2, ()), "decades") == "1.5 to 2"
