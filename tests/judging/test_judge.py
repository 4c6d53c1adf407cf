"""Foreign methods are judged by what they say, and by nothing else."""

from types import ModuleType

import pytest
import torch
from torch import Tensor

from saxinfer.curve import Curve
from saxinfer.judging import Belief, CalibrationError, judge

CURVES = 200


def test_an_exact_posterior_passes(toy: ModuleType) -> None:
    # Ranks, coverage and joint posterior: false alarms in 3 of 100 seeds.
    told: list[int] = []
    found = judge(
        toy.posterior(), toy.draws(CURVES, 1), toy.PRIOR, progress=told.append
    )
    assert told == list(range(1, CURVES + 1))
    part = found.assessment
    assert min(check.adjusted for check in part.checks) > 0.01
    assert all(check.within for check in part.checks)
    assert part.joint_check is not None
    assert part.joint_check.within
    for score in found.accuracy():
        # 200 curves tell a root mean square to 5 %.
        assert score.ratio == pytest.approx(1, abs=5 * 0.05)
    assert not found.has_verdicts


def test_an_overconfident_one_is_caught(toy: ModuleType) -> None:
    found = judge(toy.posterior(width=0.5), toy.draws(CURVES, 2), toy.PRIOR)
    part = found.assessment
    assert [check.adjusted < 0.01 for check in part.checks] == [True, True]
    assert [check.within for check in part.checks] == [False, False]
    assert part.joint_check is not None
    assert not part.joint_check.within
    assert all((score.ratio or 0) > 1.5 for score in found.accuracy())


def test_curves_that_a_method_refuses_are_counted_and_named(toy: ModuleType) -> None:
    exact = toy.posterior()

    def picky(curve: Curve) -> Tensor | Belief:
        if curve.intensity[0] < 10:
            raise ValueError(f"an intensity of {float(curve.intensity[0]):.3g} is low.")
        return Belief(exact(curve), joint=False, verdict="good")

    found = judge(picky, toy.draws(30, 3), toy.PRIOR)
    ((reason, rows),) = found.refusals()
    assert reason == "an intensity of … is low."
    assert 0 < len(rows) < 30
    assert len(found.fitted) == 30 - len(rows)
    assert found.has_verdicts
    assert found.assessment.joint is None


def _few(curve: Curve) -> Tensor:
    return torch.zeros(50, 2)


def _three_columns(curve: Curve) -> Tensor:
    return torch.zeros(120, 3)


def _not_finite(curve: Curve) -> Tensor:
    return torch.full((120, 2), torch.inf)


@pytest.mark.parametrize(
    ("method", "words"),
    [
        (_few, "at least 99 samples"),
        (_three_columns, r"2 columns \(level, slope\) are needed, got .*\(120, 3\)"),
        (_not_finite, "need to be finite"),
    ],
)
def test_what_is_no_posterior_is_an_error_not_a_refusal(
    toy: ModuleType, method: object, words: str
) -> None:
    with pytest.raises(CalibrationError, match=words):
        judge(method, toy.draws(1, 4), toy.PRIOR)  # type: ignore[arg-type]
