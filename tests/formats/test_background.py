"""Mirrors src/saxinfer/formats/background.py."""

from dataclasses import replace

import pytest
import torch

from saxinfer.curve import Curve, Remark
from saxinfer.formats import FormatError, subtract


@pytest.fixture
def sample() -> Curve:
    q = torch.linspace(0.1, 3.0, 30, dtype=torch.float64)
    return Curve(q, 10 / q, 0.3 * torch.ones_like(q), name="sample", file="s.dat")


@pytest.fixture
def water(sample: Curve) -> Curve:
    ones = torch.ones_like(sample.q)
    return Curve(sample.q, 2 * ones, 0.4 * ones, name="water")


def test_errors_add_in_quadrature(sample: Curve, water: Curve) -> None:
    difference = subtract(sample, water)
    assert torch.equal(difference.intensity, sample.intensity - 2)
    assert difference.sigma is not None
    assert difference.sigma == pytest.approx(torch.full((30,), 0.5))
    assert difference.q.equal(sample.q)


def test_a_scale_multiplies_the_background_and_its_error(
    sample: Curve, water: Curve
) -> None:
    difference = subtract(sample, water, scale=0.5)
    assert torch.equal(difference.intensity, sample.intensity - 1)
    assert difference.sigma is not None
    assert difference.sigma[0].item() == pytest.approx((0.09 + 0.04) ** 0.5)


def test_a_background_between_two_points_is_their_mean_and_more_precise(
    sample: Curve, water: Curve
) -> None:
    middle = replace(
        sample,
        q=(sample.q[1:] + sample.q[:-1]) / 2,
        intensity=sample.intensity[1:],
        sigma=1e-9 * torch.ones(29, dtype=torch.float64),
    )
    line = replace(water, intensity=water.q.clone())
    difference = subtract(middle, line)
    assert difference.intensity == pytest.approx(middle.intensity - middle.q)
    assert difference.sigma is not None
    assert difference.sigma[5].item() == pytest.approx(0.4 / 2**0.5)
    assert any("interpolated" in remark.text for remark in difference.remarks)


def test_points_outside_of_the_background_are_left_out_and_counted(
    sample: Curve, water: Curve
) -> None:
    short = Curve(water.q[5:25], water.intensity[5:25], name="water")
    difference = subtract(sample, short)
    assert (len(difference), difference.dropped) == (20, 10)
    assert difference.sigma is None
    assert {remark.kind for remark in difference.remarks} == {"note", "sigma"}


def test_rounded_q_is_the_same_q(sample: Curve, water: Curve) -> None:
    rounded = replace(water, q=water.q * (1 + 1e-7))
    difference = subtract(sample, rounded)
    assert len(difference) == 30
    assert not any("interpolated" in remark.text for remark in difference.remarks)


def test_too_little_overlap_is_refused(sample: Curve, water: Curve) -> None:
    far = replace(water, q=water.q + 2.5)
    with pytest.raises(FormatError, match=r"^s\.dat: .*but 5 of 30 do"):
        subtract(sample, far)


def test_what_voids_the_background_voids_the_difference(
    sample: Curve, water: Curve
) -> None:
    doubtful = replace(water, remarks=(Remark("The axis is wrong.", "axis"),))
    difference = subtract(sample, doubtful)
    assert difference.remarks[-1] == Remark(
        "Of the background: The axis is wrong.", "axis"
    )


def test_different_units_of_intensity_are_told(sample: Curve, water: Curve) -> None:
    difference = subtract(sample, replace(water, intensity_unit="1/cm"))
    assert "a.u., the background in 1/cm" in difference.remarks[-1].text
