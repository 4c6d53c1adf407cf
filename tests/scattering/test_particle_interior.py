"""Mirrors src/saxinfer/scattering/particle_interior.py."""

import math

import numpy as np
import pytest
import torch
from torch import Tensor

from saxinfer.scattering.particle_interior import (
    DISTANCES,
    K_MAX,
    correlation,
    fluctuation,
    interior_spectrum,
    sigmoid_covariance,
    through_cores,
)


def row(*values: float) -> Tensor:
    return torch.tensor([values], dtype=torch.float64)


BOTH = (row(0.9, 1.3), row(0.3, 0.9), row(0.7, 0.3))


def test_the_spectrum_ends_at_the_band_limit_and_is_its_shares_of_both() -> None:
    k = torch.tensor([0.8, 1.2, K_MAX + 0.01], dtype=torch.float64)
    found = interior_spectrum(k, *BOTH)[0]
    apart = [
        share * float(interior_spectrum(k, row(m, m), row(s, s), row(1.0, 0.0))[0, 1])
        for m, s, share in ((0.9, 0.3, 0.7), (1.3, 0.9, 0.3))
    ]
    assert float(found[1]) == pytest.approx(sum(apart))
    assert float(found[2]) == 0


@pytest.mark.parametrize(
    "parts", [BOTH, (row(0.5, 0.5), row(0.05, 0.05), row(1.0, 0.0))], ids=str
)
def test_the_correlation_is_the_integral_of_the_spectrum(
    parts: tuple[Tensor, Tensor, Tensor],
) -> None:
    k = torch.linspace(1e-4, K_MAX * (1 - 1e-12), 40_001, dtype=torch.float64)
    weight = interior_spectrum(k, *parts)[0] * k**2
    weight[-1] /= 2
    places = [0, 60, 200, 320, 420]
    waves = torch.sinc(k * DISTANCES.values[places][:, None] / math.pi)
    exact = (waves * weight).sum(-1) / weight.sum()
    found = correlation(*parts)[0, places]
    assert torch.allclose(found, exact, rtol=0, atol=2e-6)


@pytest.mark.parametrize("g", [-0.4, 0.05, 0.5, 0.9, 1.0])
def test_the_covariance_is_that_of_two_correlated_normal_numbers(g: float) -> None:
    points, weights = np.polynomial.hermite_e.hermegauss(80)
    weights = weights / math.sqrt(2 * math.pi)
    other = g * points[:, None] + math.sqrt(1 - g * g) * points
    exact = (fluctuation(points) * weights) @ (fluctuation(other) @ weights)
    assert float(sigmoid_covariance(row(g))) == pytest.approx(exact, rel=1e-6)


def test_its_variance_is_the_published_one() -> None:
    assert float(sigmoid_covariance(row(1.0))) == pytest.approx(0.043379, abs=1e-6)


def test_a_gaussian_through_wide_cores_has_its_known_transform() -> None:
    width = 3.0
    q = torch.tensor([[0.01, 0.3, 0.8, 1.5]], dtype=torch.float64)
    gauss = torch.exp(-0.5 * (DISTANCES.values / width).square())[None]
    found = through_cores(q, gauss, torch.ones_like(gauss))
    exact = (2 * math.pi * width**2) ** 1.5 * torch.exp(-0.5 * (q * width).square())
    assert torch.allclose(found, exact, rtol=1e-4)


def test_even_cores_scatter_as_balls() -> None:
    # Where the covariance is the same everywhere, a core scatters as V² b(qR)².
    core, q = 20.0, torch.logspace(-2, 0.3, 40, dtype=torch.float64)[None]
    r = DISTANCES.values.clamp(max=2 * core)
    shared = math.pi / 12 * (2 * core - r).square() * (4 * core + r)
    found = through_cores(q, torch.ones_like(shared)[None], shared[None])
    x = q * core
    amplitude = 4 * math.pi * (torch.sin(x) - x * torch.cos(x)) / q**3
    exact = amplitude.square()
    peak = float(exact.max())
    assert torch.allclose(found, exact, rtol=2e-3, atol=1e-7 * peak)
