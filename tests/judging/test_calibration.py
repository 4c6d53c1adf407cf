"""What is told of many curves is counted right."""

import pytest

from saxinfer.judging import Calibration, JudgedCurve
from saxinfer.judging.calibration import FEWEST, without_numbers
from saxinfer.judging.draws import Column

COLUMNS = (Column("radius", "nm", 0, 10),)


def curve(row: int, verdict: str = "good", error: float = 0.01) -> JudgedCurve:
    return JudgedCurve(
        row, 100, 1.0 + row % 2, 0.02, error, (1.0 + row,), (1.0,), (1.0,),
        (row % 100,), row % 100, verdict,
        () if verdict == "good" else (f"Off by {row}.5 %.", "Also rough."),
    )  # fmt: skip


@pytest.fixture
def found() -> Calibration:
    curves = [curve(row) for row in range(40)]
    curves[7] = curve(7, "poor")
    curves[8] = curve(8, "poor", error=0.2)
    curves[9] = curve(9, "out_of_domain")
    curves[3] = JudgedCurve(3, 9, 0.5, None, 0.0, (1.0,), refused="9 points are few.")
    curves[4] = JudgedCurve(4, 8, 0.5, None, 0.0, (1.0,), refused="8 points are few.")
    return Calibration(COLUMNS, tuple(curves))


def test_false_alarms_are_counted_where_the_model_is_good_enough(
    found: Calibration,
) -> None:
    assert len(found.fitted) == 38
    assert len(found.describable) == 37
    alarms = [found.false_alarms(kind) for kind in ("", "poor", "out_of_domain")]
    assert [(a.count, a.of) for a in alarms if a] == [(2, 37), (1, 37), (1, 37)]
    reasons = {words: part.count for words, part in found.reasons()}
    assert reasons == {"Off by … %.": 2, "Also rough.": 2}


def test_refused_curves_are_named_and_left_out(found: Calibration) -> None:
    assert found.refusals() == (("… points are few.", (3, 4)),)
    assert found.assessment.count == 38


def test_good_fits_are_judged_by_themselves(found: Calibration) -> None:
    assert len(found.good) == 35
    assert found.assessment_of_good is not None
    assert found.assessment_of_good.count == 35


def test_too_few_good_fits_are_not_judged() -> None:
    good = [curve(row) for row in range(FEWEST - 1)]
    poor = [curve(row, "poor") for row in range(30)]
    assert Calibration(COLUMNS, (*good, *poor)).assessment_of_good is None
    # Nor are they where all fits are good: that has been said already.
    assert Calibration(COLUMNS, (*good, curve(50))).assessment_of_good is None


def test_every_fit_is_in_one_bin_of_each_condition(found: Calibration) -> None:
    (noise,) = found.bins("noise")
    assert (noise.low, noise.high, noise.count) == (0.01, 0.03, 38)
    assert [each.count for each in found.bins("decades")] == [19, 19]


def test_without_a_fit_there_is_nothing_to_judge() -> None:
    refused = JudgedCurve(0, 9, 0.5, None, 0.0, (1.0,), refused="few.")
    with pytest.raises(ValueError, match="nothing to judge"):
        Calibration(COLUMNS, (refused,)).assessment  # noqa: B018


@pytest.mark.parametrize(
    ("sentence", "kind"),
    [
        ("p = 1e-05: the model's shape differs.", "p = …: the model's shape differs."),
        ("sld_grf1 of 1,234.5 nm", "sld_grf1 of … nm"),
        ("worth only 87 independent ones", "worth only … independent ones"),
        ("multiplied by 0.35.", "multiplied by …."),
    ],
)
def test_sentences_that_differ_in_numbers_are_one(sentence: str, kind: str) -> None:
    assert without_numbers(sentence) == kind
