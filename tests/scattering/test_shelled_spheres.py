"""Mirrors src/saxinfer/scattering/shelled_spheres.py."""

import math

import numpy as np
import pytest
import torch
from torch import Generator, Tensor

from saxinfer.scattering.shelled_spheres import ShelledSpheres

Q = torch.logspace(-2.5, math.log10(6), 120, dtype=torch.float64)


def drawn(count: int, seed: int) -> tuple[Tensor, ...]:
    """Mean radius, spread, thickness, contrasts of core and shell."""
    share = torch.rand(5, count, generator=Generator().manual_seed(seed)).double()
    low = torch.tensor([10.0, 0.1, 4.0, -1.0, -0.5])[:, None].double()
    width = torch.tensor([40.0, 0.3, 3.0, 2.0, 1.0])[:, None].double()
    return tuple(low + width * share)


def radii(mean: float, spread: float, thickness: float) -> tuple[np.ndarray, ...]:
    """Twenty thousand radii above the thickness, and their weights."""
    sigma = math.sqrt(math.log1p(spread**2))
    middle = math.log(mean) - 0.5 * sigma**2
    z = np.linspace(
        max((math.log(thickness) - middle) / sigma, -8), 6 * sigma + 8, 20000
    )
    weight = np.exp(-0.5 * z**2)
    weight[[0, -1]] /= 2
    return np.exp(middle + sigma * z), weight / weight.sum()


def test_the_mean_square_is_the_sum_over_very_many_radii() -> None:
    columns = drawn(12, seed=0)
    particles = ShelledSpheres(*columns[:3])
    found = particles.mean_square_amplitude(Q.expand(12, -1), *columns[3:])
    q = Q.numpy()[:, None]
    for row, (mean, spread, d, core, shell) in enumerate(zip(*columns, strict=True)):
        radius, weight = radii(float(mean), float(spread), float(d))

        def f(x: np.ndarray) -> np.ndarray:
            return np.asarray(np.sin(x) - x * np.cos(x))

        inner = float(core - shell) * f(q * (radius - float(d)))
        amplitude = 4 * math.pi / q**3 * (float(shell) * f(q * radius) + inner)
        exact = amplitude**2 @ weight
        assert found[row].numpy() == pytest.approx(exact, rel=5e-4)
        cube = float(weight @ radius**3)
        assert float(particles.volume[row]) == pytest.approx(4 / 3 * math.pi * cube)


def test_rows_do_not_depend_on_their_neighbours() -> None:
    columns = drawn(90, seed=1)
    q = Q[::3].expand(90, -1)
    every = ShelledSpheres(*columns[:3]).mean_square_amplitude(q, *columns[3:])
    alone = [column[40:41] for column in columns]
    found = ShelledSpheres(*alone[:3]).mean_square_amplitude(q[:1], *alone[3:])
    assert torch.allclose(found[0], every[40], rtol=2e-5)


def test_the_volume_shared_is_that_of_two_balls() -> None:
    columns = drawn(6, seed=2)
    r = torch.linspace(0, 90, 19, dtype=torch.float64)
    found = ShelledSpheres(*columns[:3]).core_overlap(r)
    for row, (mean, spread, d) in enumerate(zip(*columns[:3], strict=True)):
        radius, weight = radii(float(mean), float(spread), float(d))
        core, apart = radius - float(d), r.numpy()[:, None]
        lens = math.pi / 12 * (2 * core - apart) ** 2 * (4 * core + apart)
        exact = np.where(apart < 2 * core, lens, 0.0) @ weight
        assert found[row].numpy() == pytest.approx(exact, rel=1e-5, abs=1e-3)


def test_derivatives_are_those_of_finite_differences() -> None:
    columns = tuple(column.requires_grad_() for column in drawn(2, seed=3))
    q = Q[::20].expand(2, -1)

    def log_curve(*parts: Tensor) -> Tensor:
        particles = ShelledSpheres(*parts[:3])
        return particles.mean_square_amplitude(q, *parts[3:]).log()

    assert torch.autograd.gradcheck(log_curve, columns, rtol=1e-3, atol=1e-4)
