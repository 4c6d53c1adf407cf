"""Mirrors src/saxinfer/structures/sphere.py."""

import math

import pytest
import torch
from torch import Tensor

from saxinfer.structures.sphere import Sphere


def row(*values: float) -> Tensor:
    return torch.tensor([values], dtype=torch.float64)


def test_starts_at_the_mean_square_of_the_volume_over_its_mean() -> None:
    spread = 0.3
    q = torch.tensor([1e-5], dtype=torch.float64)
    found = float(Sphere().intensity(q, row(5.0, 5 * spread)))
    # <R^n> = mean^n (1 + spread²)^(n (n - 1) / 2) of a log-normal radius.
    exact = 4 * math.pi / 3 * 5**3 * (1 + spread**2) ** 12
    assert found == pytest.approx(exact, rel=1e-3)


def test_first_minimum_lies_where_rayleigh_put_it() -> None:
    q = torch.linspace(0.5, 1.2, 2001, dtype=torch.float64)
    curve = Sphere().intensity(q, row(5.0, 0.005))[0]
    assert float(q[curve.argmin()]) * 5 == pytest.approx(4.4934, abs=5e-3)


def test_falls_at_high_q_with_the_surface_of_the_spheres() -> None:
    spread, mean = 0.3, 5.0
    q = torch.linspace(8, 12, 400, dtype=torch.float64)
    curve = Sphere().intensity(q, row(mean, spread * mean))[0]
    # Porod: I q^4 = 2 pi S / V, with S / V = 3 <R²> / <R³>.
    surface = 3 / (mean * (1 + spread**2) ** 2)
    assert float((curve * q**4).mean()) == pytest.approx(
        2 * math.pi * surface, rel=1e-3
    )


@pytest.mark.parametrize("spread", [0.01, 0.3])
def test_its_invariant_is_two_pi_squared(spread: float) -> None:
    mean = 5.0
    q = torch.linspace(1e-4, 20, 20_001, dtype=torch.float64)
    curve = Sphere().intensity(q, row(mean, spread * mean))[0]
    surface = 3 / (mean * (1 + spread**2) ** 2)
    tail = 2 * math.pi * surface / float(q[-1])
    found = float(torch.trapezoid(q**2 * curve, q)) + tail
    assert found == pytest.approx(2 * math.pi**2, rel=1e-3)


def test_a_sphere_twice_as_large_scatters_the_same_at_half_of_q() -> None:
    q = torch.logspace(-2, 0.5, 50, dtype=torch.float64)
    small = Sphere().intensity(q, row(4.0, 0.8))
    large = Sphere().intensity(q / 2, row(8.0, 1.6))
    assert torch.allclose(8 * small, large, rtol=1e-9)


def test_its_diameter_is_twice_its_radius() -> None:
    assert Sphere().derived_values(row(3.0, 0.1)).tolist() == [[6.0]]
