"""Mirrors src/saxinfer/structures/lnp.py."""

import math

import pytest
import torch
from torch import Generator, Tensor

from saxinfer.structures.lnp import Lnp

MODEL = Lnp()
Q = torch.logspace(-2, 0.4, 60, dtype=torch.float64)


def row(**known: float) -> Tensor:
    default = {
        "radius_mean": 25.0,
        "radius_cv": 0.2,
        "shell_thickness": 5.0,
        "core_shift": 0.2,
        "shell_ratio": 0.9,
        "q_peak1": 1.0,
        "q_width1": 0.2,
        "q_peak2": 1.2,
        "q_width2": 0.5,
        "weight1": 1.0,
    }
    values = default | known
    return torch.tensor([[values[name] for name in MODEL.space.names]]).double()


def derived(theta: Tensor) -> dict[str, float]:
    values = MODEL.derived_values(theta)[0].tolist()
    return {p.name: v for p, v in zip(MODEL.derived, values, strict=True)}


def test_the_other_sign_of_both_contrasts_scatters_the_same() -> None:
    theta = MODEL.space.sample(40, Generator().manual_seed(1))
    (mirror,) = MODEL.mirrors(theta)
    same = MODEL.intensity(Q, mirror)
    assert torch.allclose(same, MODEL.intensity(Q, theta), rtol=1e-9)
    assert not torch.allclose(mirror[:, 3], theta[:, 3])


def test_a_mirror_of_a_mirror_is_where_it_began() -> None:
    theta = MODEL.space.sample(40, Generator().manual_seed(2))
    (again,) = MODEL.mirrors(MODEL.mirrors(theta)[0])
    assert torch.allclose(again, theta)


def test_the_period_is_that_of_the_spectrums_maximum() -> None:
    # The mode of a log-normal is its mean over (1 + s² / m²)^1.5.
    exact = 2 * math.pi * (1 + 0.2**2) ** 1.5
    assert derived(row())["interior_period"] == pytest.approx(exact, rel=1e-4)


def test_a_matched_particle_shows_the_peak_of_its_interior() -> None:
    theta = row(core_shift=0.0, shell_ratio=1.0, q_width1=0.12, radius_mean=40.0)
    q = torch.linspace(0.5, 1.6, 1101, dtype=torch.float64)
    peak = float(q[MODEL.intensity(q, theta)[0].argmax()])
    period = derived(theta)["interior_period"]
    assert 2 * math.pi / peak == pytest.approx(period, rel=0.02)


def test_a_particle_without_contrast_holds_its_fluctuations_only() -> None:
    # Their invariant is the variance times the share of the cores.
    theta = row(core_shift=0.0, shell_ratio=1.0, radius_cv=0.1)
    q = torch.linspace(1e-3, 13, 20_001, dtype=torch.float64)
    curve = MODEL.intensity(q, theta)[0]
    # Beyond the last q Porod's law is left.
    found = float(torch.trapezoid(q**2 * curve, q) + curve[-1] * q[-1] ** 3)
    # <(R - 5)³> over <R³> of log-normal radii of mean 25, spread 0.1.
    moments = [25.0**n * 1.01 ** (n * (n - 1) / 2) for n in range(4)]
    cube = moments[3] - 15 * moments[2] + 75 * moments[1] - 125
    exact = 2 * math.pi**2 * 0.043379 * cube / moments[3]
    assert found == pytest.approx(exact, rel=5e-4)


def test_what_is_small_is_large_at_the_start() -> None:
    # Without a shell's or interior's say: (c V_core + s V_shell)² over the mean volume.
    theta = row(radius_cv=0.1, core_shift=1.0, shell_ratio=1.0)
    q = torch.tensor([1e-4], dtype=torch.float64)
    mean = 4 / 3 * math.pi * 25**3
    interior = 0.05 * mean
    found = float(MODEL.intensity(q, theta))
    assert found == pytest.approx(mean * 1.01**12, abs=interior)


def test_smoothing_takes_what_it_says() -> None:
    smooth = Lnp(smoothing=0.5).intensity(Q, row())
    factor = torch.exp(-(0.5 * Q).square())
    assert torch.allclose(smooth, factor * MODEL.intensity(Q, row()))
    with pytest.raises(ValueError, match="must not be negative"):
        Lnp(smoothing=-1)


def test_densities_of_the_shell_follow() -> None:
    theta = row(core_shift=0.5, shell_ratio=0.8)
    assert derived(theta)["shell_contrast"] == pytest.approx(0.2)


def neighbours() -> Tensor:
    """Points of the prior, each followed by itself with one parameter moved."""
    theta = MODEL.space.sample(4, Generator().manual_seed(3))
    latent = MODEL.space.latent_from_theta(theta)
    moved = latent[:, None] + 0.1 * torch.eye(10, dtype=latent.dtype)
    every = torch.cat([latent[:, None], moved, latent[:, None]], 1)
    return MODEL.space.theta_from_latent(every.flatten(0, 1))


def test_neighbours_that_share_parameters_have_the_curves_of_each_alone() -> None:
    theta, q = neighbours(), torch.logspace(-1.5, 0.5, 60, dtype=torch.float64)
    alone = torch.cat([MODEL.intensity(q, one[None]) for one in theta])
    assert torch.allclose(MODEL.intensity(q, theta), alone, rtol=1e-9)
    # A grid of its own for each row: none may stand for its neighbour.
    grids = q * torch.linspace(0.9, 1.1, len(theta), dtype=q.dtype)[:, None]
    pairs = zip(grids, theta, strict=True)
    alone = torch.cat([MODEL.intensity(grid, one[None]) for grid, one in pairs])
    assert torch.allclose(MODEL.intensity(grids, theta), alone, rtol=1e-9)


def test_equal_neighbours_have_gradients_of_their_own() -> None:
    theta = row(weight1=0.7).repeat(3, 1).requires_grad_()
    q = torch.logspace(-1, 0, 20, dtype=torch.float64)
    (gradient,) = torch.autograd.grad(MODEL.intensity(q, theta)[1].sum(), theta)
    assert torch.equal(gradient[[0, 2]], torch.zeros(2, 10, dtype=q.dtype))
    assert float(gradient[1].abs().min()) > 0
