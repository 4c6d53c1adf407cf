"""Mirrors src/saxinfer/scattering/fibril_bundle.py."""

import math

import numpy as np
import pytest
import torch
from scipy.special import j1
from torch import Tensor

from saxinfer.scattering.fibril_bundle import (
    bundle_intensity,
    bundle_sides,
    held_below,
    lattice_factor,
)


def column(value: float) -> Tensor:
    return torch.tensor([value], dtype=torch.float64)


def direct_lattice(u: np.ndarray, spread: float, angles: int = 6000) -> np.ndarray:
    """The mean over a whole turn, as it is written."""
    psi = 2 * math.pi * np.arange(angles) / angles
    first = -u[:, None] * np.cos(psi - math.pi / 6)
    second = u[:, None] * np.sin(psi)
    fading = np.exp(-0.5 * spread**2 * (first**2 + second**2))
    factor = np.ones_like(fading)
    for x in (first, second):
        factor *= (1 - fading**2) / (1 - 2 * fading * np.cos(x) + fading**2)
    return np.asarray(factor.mean(1))


@pytest.mark.parametrize("spread", [0.1, 0.12, 0.2, 0.35, 0.5])
def test_the_lattice_factor_is_the_mean_over_all_angles(spread: float) -> None:
    # Below qa = 2.2 no curve asks for it: q_0 comes first.
    u = np.linspace(2.2, 100, 1500)
    found = lattice_factor(torch.from_numpy(u)[None], column(spread))[0]
    assert found.numpy() == pytest.approx(direct_lattice(u, spread), rel=2e-4)


def test_chains_of_random_steps_scatter_with_that_factor() -> None:
    # Rows and columns of a paracrystal are random walks of their own: its amplitude is
    # the product of two sums, one over each.
    u, spread, steps, chains = 5.0, 0.35, 200, 4000
    generator = np.random.default_rng(4)
    psi = 2 * math.pi * generator.random(chains)
    turned = np.stack([-np.cos(psi - math.pi / 6), np.sin(psi)])
    power = np.ones(chains)
    for along in u * turned:
        jitter = spread * u * np.hypot(*turned)[:, None]
        walk = along[:, None] + jitter * generator.standard_normal((chains, steps))
        sums = np.exp(1j * walk.cumsum(1)).sum(1)
        power *= np.abs(sums) ** 2 / steps
    error = power.std() / math.sqrt(chains)
    exact = float(lattice_factor(column(u)[None], column(spread)))
    assert power.mean() == pytest.approx(exact, abs=4 * error)
    assert error < 0.05 * exact


def test_no_order_is_left_of_a_disordered_bundle_at_high_q() -> None:
    far = torch.tensor([[70.0, 90.0, 1000.0]], dtype=torch.float64)
    assert torch.allclose(lattice_factor(far, column(0.1)), torch.ones(1).double())


def test_the_lattice_factor_stays_below_its_first_scattering_vector() -> None:
    edge = float(held_below(column(4.0)))
    # 7.061e-5 a² - 0.007413 a + 0.2465 of a = 40 Å, in 1/Å.
    assert edge == pytest.approx(10 * 0.062956, rel=1e-6)
    q = torch.tensor([[0.01, 0.5 * edge, edge]], dtype=torch.float64)
    thin = (column(0.02), column(0.1), column(4.0), column(0.3))
    # Of points on a lattice only the lattice factor is left.
    curve = bundle_intensity(q, *thin)[0] * 4 / math.pi
    assert float(curve[0]) == pytest.approx(float(curve[2]), rel=3e-2)


def test_radii_are_averaged_as_the_authors_do() -> None:
    x, spread = 2.5, 0.22
    deviation = np.linspace(-3, 3, 11)
    weight = np.exp(-0.5 * deviation**2)
    weight[[0, -1]] *= 0.5
    weight /= weight.sum()
    radius = 1.3 * (1 + spread * deviation)
    y = x / 1.3 * radius
    f = math.pi * radius**2 * j1(y) / y
    # So far out that nothing of the packing is left: single fibrils.
    q = torch.tensor([[x / 1.3]], dtype=torch.float64)
    far = (column(1.3), column(spread), column(5.0), column(0.5))
    order = float(lattice_factor(5 * q, column(0.5)))
    mean, square = weight @ f, weight @ f**2
    exact = (square + mean**2 * (order - 1)) / (math.pi * 1.3**4)
    assert float(bundle_intensity(q, *far)) == pytest.approx(exact, rel=1e-8)


def test_it_falls_as_cylinders_do() -> None:
    # Porod of cylinders seen across: f² = pi² R^4 J_1² / x², J_1² = 1 / (pi x) in the
    # mean, so I = 1 / (q R)³; a few rounds of eleven radii do not average out entirely.
    q = torch.linspace(12, 16, 4000, dtype=torch.float64)[None]
    row = (column(2.0), column(0.3), column(5.0), column(0.5))
    found = float((bundle_intensity(q, *row) * q**3).mean())
    assert found == pytest.approx(1 / 2.0**3, rel=1e-2)


def test_curves_of_a_large_batch_are_those_of_each_alone() -> None:
    generator = torch.Generator().manual_seed(1)
    q = torch.linspace(0.05, 6, 300, dtype=torch.float64).expand(250, -1)
    luck = torch.rand(4, 250, generator=generator, dtype=torch.float64)
    columns = (
        1 + luck[0],
        0.1 + 0.2 * luck[1],
        3 + 2 * luck[2],
        0.1 + 0.4 * luck[3],
    )
    together = bundle_intensity(q, *columns)
    for row in (0, 106, 107, 249):
        alone = bundle_intensity(q[:1], *(each[row : row + 1] for each in columns))
        torch.testing.assert_close(together[row], alone[0], rtol=1e-12, atol=0)


def test_both_sides_are_smooth_and_make_the_whole() -> None:
    count = 300
    q = torch.linspace(0.01, 6, 250, dtype=torch.float64).expand(count, -1)
    spacing = torch.linspace(1.5, 5, count, dtype=torch.float64)
    spread = torch.full_like(spacing, 0.2)
    rows = (q, 0.3 * spacing, spread, spacing, 1.5 * spread)
    below, above = bundle_sides(*rows)
    lower = q < held_below(spacing)[:, None]
    assert 0.1 < float(lower.double().mean()) < 0.5
    assert torch.equal(torch.where(lower, below, above), bundle_intensity(*rows))
    # Neither has the kink where they meet.
    step = 1e-3 * torch.tensor([-2.0, -1.0, 0.0, 1.0, 2.0], dtype=torch.float64)
    near = held_below(spacing)[:, None] + step
    for side in bundle_sides(near, *rows[1:]):
        jump = (side[:, 4] - 2 * side[:, 2] + side[:, 0]) / 4
        assert (
            float((jump - (side[:, 3] - 2 * side[:, 2] + side[:, 1])).abs().max())
            < 1e-8
        )
    whole = bundle_intensity(near, *rows[1:])
    assert float((whole[:, 3] - 2 * whole[:, 2] + whole[:, 1]).abs().median()) > 1e-6
