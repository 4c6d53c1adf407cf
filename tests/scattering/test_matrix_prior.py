"""Mirrors src/saxinfer/scattering/matrix_prior.py."""

import itertools

import numpy as np
import pytest
import torch
from scipy import stats
from torch import Generator, Tensor

from saxinfer.scattering.matrix_prior import REACH, Heights, untangled

# A right map fails a test of distribution at one seed in a thousand.
SMALLEST_P = 1e-3

COUNT = 20_000


def latents(seed: int, count: int = COUNT) -> Tensor:
    """Three columns of standard normal numbers."""
    generator = Generator().manual_seed(seed)
    return torch.randn(count, 3, generator=generator, dtype=torch.float64)


def matrix(z: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Densities of the phases, and share of the first."""
    first, ratio, share = (torch.special.ndtr(x) for x in untangled(*z.unbind(-1)))
    return first, ratio * first, 0.5 + 2 * REACH * (share - 0.5)


def contrast_ratio(first: Tensor, second: Tensor, share: Tensor) -> Tensor:
    """Difference of the densities over one less their mean."""
    return (first - second) / (1 - second - (first - second) * share)


@pytest.mark.parametrize("column", [0, 1, 2])
def test_each_number_is_standard_normal(column: int) -> None:
    found = untangled(*latents(1).unbind(-1))[column]
    assert stats.kstest(found.numpy(), "norm").pvalue > SMALLEST_P


def test_the_numbers_are_independent() -> None:
    found = torch.stack(untangled(*latents(2).unbind(-1)), -1)
    cells = torch.special.ndtr(found).mul(4).long().clamp(0, 3)
    place = (cells * torch.tensor([16, 4, 1])).sum(-1)
    counts = torch.bincount(place, minlength=64).numpy()
    assert stats.chisquare(counts).pvalue > SMALLEST_P


def test_the_contrast_ratio_is_distributed_as_that_of_uniform_draws() -> None:
    generator = Generator().manual_seed(3)
    u = torch.rand(3, COUNT, generator=generator, dtype=torch.float64)
    share = 0.5 + REACH * (2 * u[2] - 1)
    drawn = contrast_ratio(u[0], u[0] * u[1], share)
    found = contrast_ratio(*matrix(latents(4)))
    assert stats.ks_2samp(drawn.numpy(), found.numpy()).pvalue > SMALLEST_P


def test_what_no_curve_sees_moves_neither_ratio_nor_level() -> None:
    z = latents(5, 2000).clamp(-3.5, 3.5)
    other = z.clone()
    other[:, 1] = latents(6, 2000)[:, 1].clamp(-3.5, 3.5)
    one, two = matrix(z), matrix(other)
    assert torch.allclose(contrast_ratio(*one), contrast_ratio(*two), rtol=1e-8)
    distance, again = ((share - 0.5).abs() for share in (one[2], two[2]))
    assert torch.allclose(distance, again, rtol=0, atol=1e-12)
    assert float((one[0] - two[0]).abs().mean()) > 0.1
    assert 0.3 < float((one[2] * two[2] > 0).double().mean()) <= 1


def test_the_ratio_rises_with_its_number_from_none_to_its_largest() -> None:
    z = torch.zeros(99, 3, dtype=torch.float64)
    z[:, 0] = torch.linspace(-4.9, 4.9, 99)
    z[:, 1] = 0.8
    ratio = contrast_ratio(*matrix(z))
    assert bool((ratio.diff() > 0).all())
    assert float(ratio[0]) < 1e-5


def test_corners_are_finite_and_within_the_prior() -> None:
    corners = torch.tensor(list(itertools.product((-9.0, 0.0, 9.0), repeat=3))).double()
    for column in untangled(*corners.unbind(-1)):
        assert bool(column.isfinite().all())
    first, second, share = matrix(corners)
    assert bool(((first > 0) & (first < 1)).all())
    assert bool(((second >= 0) & (second <= first)).all())
    assert bool(((share > 0.0999) & (share < 0.9001)).all())


@pytest.mark.parametrize("seen", [(-1.0, 0.5), (0.4, -0.7), (1.8, 1.5)])
def test_heights_are_distributed_as_those_of_the_prior(
    seen: tuple[float, float],
) -> None:
    ratio, level = (torch.full((COUNT,), z, dtype=torch.float64) for z in seen)
    rest = latents(11)[:, 1]
    first, second, share = matrix(torch.stack([ratio, rest, level], -1))
    found = 2 * (1 - second - (first - second) * share).log()
    heights = Heights.of(ratio[:1], level[:1])
    assert float(found.max()) <= float(heights.highest.max()) + 1e-9
    top = float(heights.highest.max())
    grid = torch.linspace(-25, top, 20001, dtype=torch.float64)
    density = heights.log_density(grid.expand(2, -1)).exp()
    density = torch.where(grid <= heights.highest, density, 0.0).sum(0)
    below = torch.cat([density[:1] * 0, torch.cumulative_trapezoid(density, grid)])
    assert float(below[-1]) == pytest.approx(1, abs=1e-3)
    share = np.interp(found.numpy(), grid.numpy(), below.numpy())
    assert stats.kstest(share, "uniform").pvalue > SMALLEST_P


def test_a_height_leads_back_to_the_number_that_gave_it() -> None:
    z = latents(12, 4000).clamp(-3, 3)
    ratio, rest, level = z.unbind(-1)
    first, second, share = matrix(z)
    height = 2 * (1 - second - (first - second) * share).log()
    found = Heights.of(ratio, level).latent(height.expand(2, -1))
    way = (share < 0.5).long()
    again = found.gather(0, way[None])[0]
    assert torch.allclose(again, rest, atol=1e-5)
