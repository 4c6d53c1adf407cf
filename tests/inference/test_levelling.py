"""Mirrors src/saxinfer/inference/levelling.py."""

import math

import pytest
import torch
from torch import Generator, Tensor

from saxinfer.inference.levelling import EXPONENT, LARGEST, level
from saxinfer.instrument.observation import Observation

POINTS = 200
Q = torch.logspace(-1.5, 0.5, POINTS, dtype=torch.float64)
STRUCTURE = 1e4 * torch.exp(-(Q**2) * 9)


def observed(intensity: Tensor, sigma: Tensor) -> Observation:
    return Observation.of(Q, intensity, sigma, None, "measured")


def test_exact_amounts_are_found_again() -> None:
    truth = 0.3 * STRUCTURE + 7.0 + 50.0 * (Q / Q[0]) ** -EXPONENT
    found = level(STRUCTURE, observed(truth, 0.01 * truth))
    # Least squares to rounding.
    assert found.scale == pytest.approx(0.3, rel=1e-6)
    assert found.background == pytest.approx(7.0, rel=1e-6)
    assert found.power_law == pytest.approx(50.0, rel=1e-5)
    assert found.model_error == 0.0
    assert found.band.median.tolist() == pytest.approx(truth.tolist(), rel=1e-6)
    assert float(found.band.residuals.abs().max()) < 1e-3


def test_a_background_may_be_below_zero_but_no_scale_is() -> None:
    over = level(STRUCTURE, observed(STRUCTURE - 3.0, 1.0 + 0.01 * STRUCTURE))
    assert over.background == pytest.approx(-3.0, abs=0.01)
    rising = 1.0 + Q**2
    upside_down = level(STRUCTURE, observed(rising, 0.01 * rising))
    assert upside_down.scale >= 0
    assert upside_down.power_law >= 0


@pytest.mark.parametrize("error", [0.05, 0.3])
def test_the_misfit_is_found_as_a_relative_error(error: float) -> None:
    noise = torch.randn(POINTS, generator=Generator().manual_seed(3)).double()
    truth = STRUCTURE + 20.0
    shaken = truth * (1 + error * noise.clamp(-3, 3))
    found = level(STRUCTURE, observed(shaken, 1e-4 * truth))
    # Of 200 points the scatter is known to 5 %; four of these are passed by chance
    # for one seed in 10,000.
    assert found.model_error == pytest.approx(error, rel=0.2)
    assert float(found.band.residuals.square().mean()) == pytest.approx(1, abs=0.05)
    inside = (shaken >= found.band.low) & (shaken <= found.band.high)
    # Binomial: 0.9 within 4 standard deviations of 0.021.
    assert abs(float(inside.double().mean()) - 0.9) < 0.085


def test_right_errors_need_no_model_error_beyond_chance() -> None:
    noise = torch.randn(POINTS, generator=Generator().manual_seed(4)).double()
    truth = STRUCTURE + 20.0
    found = level(STRUCTURE, observed(truth * (1 + 0.03 * noise), 0.03 * truth))
    assert found.model_error < 0.015


def test_a_hopeless_curve_still_gets_numbers() -> None:
    spikes = torch.full_like(Q, 1e-9)
    spikes[::20] = 1.0
    found = level(STRUCTURE, observed(spikes, 1e-9 * torch.ones_like(Q)))
    assert 1 < found.model_error <= LARGEST
    assert math.isfinite(found.scale)
    for name in ("median", "low", "high", "sigma", "residuals"):
        assert bool(getattr(found.band, name).isfinite().all())
