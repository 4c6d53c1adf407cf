"""Mirrors src/saxinfer/preprocess/prepare.py."""

import pytest
import torch

from saxinfer.curve import Curve, Remark
from saxinfer.instrument.tiers import Q_MAX, Q_MIN
from saxinfer.preprocess.prepare import MEMBERS, MOST, prepare


def made(points: int, low: float = 0.05, high: float = 3.0) -> Curve:
    q = torch.linspace(low, high, points, dtype=torch.float64)
    intensity = 30 - q
    return Curve(q, intensity, 0.02 * intensity)


def test_a_curve_with_errors_in_range_is_left_as_it_is() -> None:
    curve = made(100)
    ready = prepare(curve)
    assert torch.equal(ready.curve.q, curve.q)
    assert torch.equal(ready.curve.intensity, curve.intensity)
    assert curve.sigma is not None
    assert torch.equal(ready.sigma, curve.sigma)
    assert ready.sigma_source == "measured"
    assert ready.curve.remarks == ()


def test_the_range_of_q_is_applied_and_what_it_drops_is_counted() -> None:
    ready = prepare(made(100), (0.5, 2.0))
    assert float(ready.curve.q.min()) >= 0.5
    assert float(ready.curve.q.max()) <= 2.0
    assert len(ready.curve) + ready.curve.dropped == 100


def test_one_end_of_the_range_may_be_open() -> None:
    assert float(prepare(made(100), (None, 2.0)).curve.q[0]) == pytest.approx(0.05)
    assert float(prepare(made(100), (1.0, None)).curve.q[-1]) == pytest.approx(3)


def test_points_where_no_model_holds_are_dropped_with_a_remark() -> None:
    ready = prepare(made(200, Q_MIN / 2, 2 * Q_MAX))
    assert float(ready.curve.q.min()) >= Q_MIN
    assert float(ready.curve.q.max()) <= Q_MAX
    assert len(ready.curve.remarks) == 1
    assert "lie outside of 0.003 to 12 1/nm" in ready.curve.remarks[0].text


def test_too_few_points_are_refused_with_what_to_do() -> None:
    sentence = r"^3 of 100 points lie between 0\.9 and 1 1/nm, 10 are needed\. Widen"
    with pytest.raises(ValueError, match=sentence):
        prepare(made(100), (0.9, 1.0))


def test_missing_errors_are_estimated_and_the_result_says_so() -> None:
    curve = made(100)
    ready = prepare(Curve(curve.q, curve.intensity))
    assert ready.sigma_source == "estimated"
    assert ready.curve.sigma is None
    assert bool((ready.sigma > 0).all())
    assert [r.kind for r in ready.curve.remarks] == ["sigma"]


def test_what_the_reader_said_of_the_errors_is_not_said_twice() -> None:
    curve = made(100)
    said = Remark("The error column is all zero.", "sigma")
    ready = prepare(Curve(curve.q, curve.intensity, remarks=(said,)))
    assert ready.curve.remarks == (said,)


@pytest.mark.parametrize("points", [MOST + 1, 2000, 20_000])
def test_a_dense_curve_is_averaged_to_fewer_points(points: int) -> None:
    ready = prepare(made(points))
    assert 100 < len(ready.curve) <= MOST
    assert bool((torch.diff(ready.curve.q) > 0).all())
    text = f"{points} points were averaged to {len(ready.curve)} in groups"
    assert any(text in remark.text for remark in ready.curve.remarks)


def test_averaging_leaves_a_straight_line_on_the_line() -> None:
    ready = prepare(made(5000))
    assert torch.allclose(ready.curve.intensity, 30 - ready.curve.q, rtol=1e-12)


def test_averaging_keeps_the_information_of_equal_errors() -> None:
    curve = made(5000)
    ready = prepare(Curve(curve.q, curve.intensity, torch.full_like(curve.q, 0.1)))
    assert float((1 / ready.sigma**2).sum()) == pytest.approx(5000 / 0.1**2)


def test_averaging_counts_the_points_of_each_group() -> None:
    curve = made(5000)
    ready = prepare(Curve(curve.q, curve.intensity, torch.full_like(curve.q, 0.1)))
    assert ready.groups is not None
    assert float(ready.groups.members.sum()) == pytest.approx(5000)
    assert torch.allclose(ready.groups.members, ready.groups.members.round())
    assert prepare(made(300)).groups is None


def test_averaging_noise_gives_the_errors_that_are_stated() -> None:
    curve = made(8000)
    assert curve.sigma is not None
    generator = torch.Generator().manual_seed(0)
    noise = torch.randn(8000, generator=generator, dtype=torch.float64)
    shaken = Curve(curve.q, curve.intensity + curve.sigma * noise, curve.sigma)
    ready = prepare(shaken)
    scaled = (ready.curve.intensity - (30 - ready.curve.q)) / ready.sigma
    # The standard error of a mean square of n normal numbers is sqrt(2 / n).
    error = (2 / len(scaled)) ** 0.5
    assert float(scaled.square().mean()) == pytest.approx(1, abs=3.3 * error)


@pytest.mark.parametrize("points", [1500, MEMBERS, 9000])
def test_groups_average_a_curve_as_the_measured_one_was(points: int) -> None:
    """So does a model: fringes shorter than a group leave what they left there."""
    q = made(points).q
    wavy = 2 + torch.cos(300 * q)
    ready = prepare(Curve(q, wavy, 0.1 + 0.02 * q))
    groups = ready.groups
    assert groups is not None
    assert len(groups.q) <= MEMBERS
    found = (2 + torch.cos(300 * groups.q)) @ groups.matrix()
    # Of the most points some are taken as one, next to which a fringe is long.
    assert torch.allclose(
        found, ready.curve.intensity, atol=1e-12 + 5e-3 * (points > MEMBERS)
    )
    assert torch.allclose(groups.matrix().sum(0), torch.ones(len(groups)).double())
    assert torch.allclose(groups.q @ groups.matrix(), ready.curve.q)


def test_a_group_that_spans_a_fringe_errs_with_its_highest_points() -> None:
    q = torch.linspace(0.1, 3, 1600, dtype=torch.float64)
    wavy = (1 + torch.cos(500 * q)).square()
    ready = prepare(Curve(q, wavy, torch.full_like(q, 1e-3)))
    assert ready.groups is not None
    generator = torch.Generator().manual_seed(0)
    errors = torch.randn(3000, 1600, generator=generator, dtype=torch.float64)
    found = (0.1 * errors * wavy @ ready.groups.matrix()).square().mean(0)
    told = (0.1 * ready.curve.intensity).square() / ready.groups.members
    # A variance from 3,000 draws has a standard error of 2.6 %.
    assert float((found / told).log().mean()) == pytest.approx(0, abs=0.01)
    assert float((found / told).log().abs().max()) < 0.15
    flat = ready.groups.matrix().square().sum(0)
    assert float((ready.groups.members * flat).median()) < 0.9


def test_averaging_takes_the_resolution_along() -> None:
    curve = made(2000)
    smeared = Curve(curve.q, curve.intensity, curve.sigma, 0.05 * curve.q)
    ready = prepare(smeared)
    assert ready.curve.resolution is not None
    assert torch.allclose(ready.curve.resolution, 0.05 * ready.curve.q)
