"""Mirrors src/saxinfer/inference/height.py."""

import math

import pytest
import torch
from scipy import stats
from torch import Generator, Tensor

from saxinfer.inference.height import BEYOND, best_level, draw_height
from saxinfer.instrument.observation import Observation
from saxinfer.scattering.matrix_prior import Heights

COUNT = 20_000


def normals(*values: float) -> list[Tensor]:
    return [torch.full((COUNT,), value, dtype=torch.float64) for value in values]


@pytest.mark.parametrize("best", [-8.0, -1.5, -0.4, 0.3, 4.0])
@pytest.mark.parametrize("error", [0.01, 0.3])
def test_the_mean_weight_is_the_integral_of_prior_and_data(
    best: float, error: float
) -> None:
    ratio, level, wanted, spread = normals(0.2, 0.6, best, error)
    heights = Heights.of(ratio, level)
    drawn = draw_height(heights, wanted, spread, Generator().manual_seed(1))
    assert bool((drawn.height <= heights.highest.max()).all())
    prior = -0.5 * (drawn.latent.square() + math.log(2 * math.pi))
    data = -0.5 * ((drawn.height - best) / error).square()
    value = prior + data - drawn.chance
    one = Heights.of(ratio[:1], level[:1])
    top = float(one.highest.max())
    # Finest where the data leave anything.
    grid = torch.linspace(
        min(top, best) - 12 * error, top, 400_001, dtype=torch.float64
    )
    density = one.log_density(grid.expand(2, -1))
    density = torch.where(grid <= one.highest, density, -math.inf)
    total = torch.logsumexp(density, 0) - 0.5 * ((grid - best) / error).square()
    expected = torch.logsumexp(total, 0) + (grid[1] - grid[0]).log()
    weight = (value - expected).exp()
    allowed = 4 * float(weight.std()) / COUNT**0.5 + 1e-3
    assert float(weight.mean()) == pytest.approx(1, abs=allowed)
    # Of shapes that are further off than any that matters, weights may vary.
    assert float(weight.std()) < 0.7 or best > top + BEYOND * error


def test_both_ways_are_drawn_as_often_as_they_are_likely() -> None:
    ratio, level, wanted, spread = normals(0.2, 0.6, -3.0, 1e-4)
    heights = Heights.of(ratio, level)
    drawn = draw_height(heights, wanted, spread, Generator().manual_seed(2))
    one = Heights.of(ratio[:1], level[:1])
    density = one.log_density(wanted[:1].expand(2, -1))
    share = float(torch.softmax(density[:, 0], 0)[0])
    assert 0.1 < share < 0.9
    # The first way has the lower latent numbers.
    border = float(torch.special.ndtri(one.chance[0, 0]))
    count = int((drawn.latent < border).sum())
    assert stats.binomtest(count, COUNT, share).pvalue > 1e-3


def test_the_level_is_that_of_largest_likelihood() -> None:
    q = torch.logspace(-1, 0, 50, dtype=torch.float64)
    unit = 1 / q
    noise = torch.randn(50, generator=Generator().manual_seed(0)).double()
    intensity = unit * (1 + 0.05 * noise)
    data = Observation.of(q, intensity, 0.02 * intensity, None, "measured")
    unit = unit[None] / data.level
    factor, error = (torch.tensor([[x]]).double() for x in (1.3, 0.03))
    level, known = best_level(unit, data, factor, error, (0.2, 5.0))
    grid = torch.linspace(-0.1, 0.1, 20001, dtype=torch.float64).exp()
    model = grid[:, None] * unit
    variance = data.variance(model, factor, error)
    value = ((data.intensity - model).square() / variance + variance.log()).sum(-1)
    best = int(value.argmin())
    assert float(level) == pytest.approx(float(grid[best]), abs=2e-4)
    step = 500
    curvature = value[best - step] + value[best + step] - 2 * value[best]
    found = float(curvature) / 2 / float((grid[best + step] / grid[best]).log()) ** 2
    assert float(known) == pytest.approx(found, rel=0.1)
