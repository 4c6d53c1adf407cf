"""Mirrors src/saxinfer/inference/verdict.py."""

from typing import Any

import pytest
import torch
from scipy import stats
from torch import Generator, Tensor

from saxinfer.curve import Curve, Remark
from saxinfer.inference.base import Quality
from saxinfer.inference.domain import Familiarity
from saxinfer.inference.misfit import FAMILIES, Misfit
from saxinfer.inference.verdict import (
    FEWEST_EFFECTIVE,
    FOREIGN_ERROR,
    FOREIGN_P,
    LARGEST_ERROR,
    LARGEST_SIGMA_FACTOR,
    MISFIT_P,
    SMALLEST_P,
    SMALLEST_RUNS_P,
    STRANGE_P,
    Checks,
    judge,
    predictive_p,
    residual_correlation_p,
)

Q = torch.linspace(0.1, 1, 60, dtype=torch.float64)
PERFECT: dict[str, Any] = {
    "p_value": 0.5,
    "model_error": 0.001,
    "sigma_factor": 1.0,
    "chi2_reduced": 1.0,
    "effective": 1000.0,
    "drawn": 2000,
}


def white(count: int, seed: int = 0) -> Tensor:
    generator = Generator().manual_seed(seed)
    return torch.randn(count, generator=generator, dtype=torch.float64)


def judged(*remarks: Remark, residuals: Tensor | None = None, **facts: Any) -> Quality:
    curve = Curve(Q, torch.ones_like(Q), remarks=remarks)
    shown = white(60) if residuals is None else residuals
    return judge(curve, shown, **(PERFECT | facts))


def test_a_fit_without_fault_is_good_and_needs_no_reason() -> None:
    quality = judged()
    assert quality.verdict == "good"
    assert quality.reasons == ()
    assert quality.sampling_efficiency == 0.5
    assert quality.chi2_reduced == 1.0


@pytest.mark.parametrize(
    ("name", "limit", "better", "sentence"),
    [
        ("model_error", LARGEST_ERROR, -1, "more than 5 %"),
        ("p_value", SMALLEST_P, 1, "posterior-predictive p = "),
        ("effective", FEWEST_EFFECTIVE, 1, "independent ones"),
    ],
)
def test_a_fit_turns_poor_at_its_threshold_with_one_sentence(
    name: str, limit: float, better: int, sentence: str
) -> None:
    def at(value: float) -> Quality:
        facts: dict[str, Any] = {name: value}
        return judged(**facts)

    assert at(limit).verdict == "good"
    assert at(limit * (1 + 0.01 * better)).verdict == "good"
    quality = at(limit * (1 - 0.01 * better))
    assert quality.verdict == "poor"
    assert len(quality.reasons) == 1
    assert sentence in quality.reasons[0]


def test_a_model_that_misses_by_too_much_is_out_of_its_domain() -> None:
    assert judged(model_error=0.99 * FOREIGN_ERROR).verdict == "poor"
    quality = judged(model_error=1.01 * FOREIGN_ERROR)
    assert quality.verdict == "out_of_domain"
    assert "misses the curve by 30 % a point" in quality.reasons[0]


@pytest.mark.parametrize("kind", ["axis", "slit"])
def test_a_curve_whose_axis_cannot_be_trusted_is_out_of_domain(kind: Any) -> None:
    quality = judged(Remark("This cannot be trusted.", kind))
    assert quality.verdict == "out_of_domain"
    assert quality.reasons == ("This cannot be trusted.",)


@pytest.mark.parametrize("kind", ["note", "sigma"])
def test_other_remarks_spoil_no_verdict(kind: Any) -> None:
    assert judged(Remark("Measured at night.", kind)).verdict == "good"


def test_out_of_domain_outweighs_poor_and_every_reason_is_said() -> None:
    quality = judged(Remark("Slit.", "slit"), p_value=0.0, effective=5.0)
    assert quality.verdict == "out_of_domain"
    assert len(quality.reasons) == 3


@pytest.mark.parametrize(
    ("factor", "word"),
    [(1.01 * LARGEST_SIGMA_FACTOR, "understated"), (0.49, "overstated")],
)
def test_wrong_error_bars_are_said_but_spoil_no_verdict(
    factor: float, word: str
) -> None:
    quality = judged(sigma_factor=factor)
    assert quality.verdict == "good"
    assert len(quality.reasons) == 1
    assert word in quality.reasons[0]
    assert judged(sigma_factor=LARGEST_SIGMA_FACTOR).reasons == ()


def test_a_slow_wave_in_the_residuals_is_seen() -> None:
    quality = judged(residuals=torch.sin(6 * Q) + 0.5 * white(60))
    assert quality.verdict == "poor"
    assert "Neighbouring residuals have the same sign" in quality.reasons[0]


def test_residuals_alike_at_every_second_point_are_seen_too() -> None:
    alternating = torch.tensor([1.0, -1.0] * 30, dtype=torch.float64)
    assert residual_correlation_p(alternating) < 1e-6
    assert residual_correlation_p(white(60)) > SMALLEST_RUNS_P


def test_one_wild_point_does_not_make_a_shape() -> None:
    residuals = white(60)
    residuals[30] = 100.0
    assert residual_correlation_p(residuals) > SMALLEST_RUNS_P


def test_residuals_of_zero_have_no_shape() -> None:
    assert residual_correlation_p(torch.zeros(20, dtype=torch.float64)) > 0.1


@pytest.mark.parametrize("count", [20, 60, 400])
def test_white_noise_raises_a_false_alarm_in_one_curve_of_a_hundred(count: int) -> None:
    curves = white(3000 * count).view(3000, count)
    alarms = sum(residual_correlation_p(row) < SMALLEST_RUNS_P for row in curves)
    # Measured over 8,000 curves each: 0.4, 1.0 and 1.2 %. At a rate of 1 % more than
    # 48 alarms come up at one seed in a thousand; the test is not to be blind either.
    assert 3 <= alarms <= stats.binom(3000, SMALLEST_RUNS_P).ppf(0.999)


def test_the_predictive_p_is_the_tail_of_chi_squared() -> None:
    generator = Generator().manual_seed(0)
    for square in (40.0, 60.0, 90.0):
        found = predictive_p(torch.full((20_000,), square).double(), 60, generator)
        # The standard error of a share of 20,000 draws is 0.0035 at most.
        assert found == pytest.approx(stats.chi2(60).sf(square), abs=0.012)


def checks(
    misfit: float = 0.5,
    strange: float | None = 0.5,
    *,
    interval: tuple[float, float] = (0.9, 1.1),
) -> Checks:
    reason = "The intensity steps up by 3 % at q = 0.41 1/nm"
    return Checks(
        misfit=Misfit(misfit, dict.fromkeys(FAMILIES, misfit), reason),
        familiarity=None if strange is None else Familiarity(strange),
        sigma_interval=interval,
    )


def test_checks_without_a_finding_leave_a_fit_good_and_their_p_in_it() -> None:
    quality = judged(checks=checks(0.3, 0.6))
    assert (quality.verdict, quality.reasons) == ("good", ())
    assert (quality.misfit_p, quality.domain_p) == (0.3, 0.6)


def test_the_parts_of_the_domain_check_share_five_per_cent() -> None:
    total = MISFIT_P + STRANGE_P
    assert total == pytest.approx(0.05)


def test_a_shape_in_the_residuals_makes_a_fit_poor_and_says_where() -> None:
    assert judged(checks=checks(1.01 * MISFIT_P)).verdict == "good"
    quality = judged(checks=checks(0.002))
    assert quality.verdict == "poor"
    assert quality.reasons == (
        "The intensity steps up by 3 % at q = 0.41 1/nm (p = 0.002 for all shapes that "
        "were looked for).",
    )


@pytest.mark.parametrize(
    ("misfit", "strange", "verdict"),
    [
        (0.5, 0.99 * STRANGE_P, "poor"),
        (0.5, 0.99 * FOREIGN_P, "out_of_domain"),
        (0.001, 0.99 * STRANGE_P, "out_of_domain"),
    ],
)
def test_a_curve_unlike_the_training_is_foreign_if_far_out_or_if_it_misfits(
    misfit: float, strange: float, verdict: str
) -> None:
    assert judged(checks=checks(strange=1.01 * STRANGE_P)).verdict == "good"
    quality = judged(checks=checks(misfit, strange))
    assert quality.verdict == verdict
    assert "unlike those that the estimator was trained on" in quality.reasons[0]


def test_a_check_that_was_not_made_is_not_passed_in_silence() -> None:
    quality = judged(checks=checks(strange=None))
    assert quality.verdict == "good"
    assert quality.domain_p is None
    assert "was not checked" in quality.reasons[0]
    without = judged()
    assert (without.misfit_p, without.domain_p) == (None, None)


def test_with_checks_neighbours_are_not_judged_twice() -> None:
    wave = torch.sin(6 * Q) + 0.5 * white(60)
    assert judged(residuals=wave, checks=checks()).verdict == "good"


@pytest.mark.parametrize(
    ("factor", "interval", "said"),
    [
        (2.0, (1.7, 2.3), True),
        (0.5, (0.4, 0.6), True),
        (1.4, (1.3, 1.5), False),
        (2.0, (0.9, 4.0), False),
    ],
)
def test_errors_are_called_wrong_where_the_data_know_them(
    factor: float, interval: tuple[float, float], said: bool
) -> None:
    quality = judged(sigma_factor=factor, checks=checks(interval=interval))
    assert quality.verdict == "good"
    assert len(quality.reasons) == said


def test_errors_that_the_file_did_not_give_are_not_called_its_own() -> None:
    missing = Remark("The file gives no errors; they were estimated.", "sigma")
    quality = judged(missing, sigma_factor=3.0)
    assert quality.verdict == "good"
    assert quality.reasons == (
        "The errors that were estimated from the scatter were multiplied by 3.",
    )
