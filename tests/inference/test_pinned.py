"""Mirrors src/saxinfer/inference/pinned.py."""

import math
from dataclasses import replace

import pytest
import torch
from torch import Generator, Tensor

from saxinfer.inference.climb import Summits, approach
from saxinfer.inference.direct import Demand, draw, mixed
from saxinfer.inference.mixture import StudentMixture
from saxinfer.inference.pinned import GUARD, Guarded, Modes, Pinned, _scales
from saxinfer.inference.target import Target
from saxinfer.inference.weights import effective

# A right sampler is off by this many standard errors at one seed in 15,000.
ERRORS = 4.0

# Columns of ``bent``: along the ridge, across it.
ALONG, ACROSS = 0, 1


def normal(size: int, width: float = 1.0) -> StudentMixture:
    one = torch.ones(1, dtype=torch.float64)
    factor = width * torch.eye(size, dtype=torch.float64)
    return StudentMixture(one, torch.zeros(1, size).double(), factor[None])


def places(target: Target) -> Summits:
    """Along both arms of the bow."""
    starts = torch.zeros(25, target.dimension, dtype=torch.float64)
    starts[:, ALONG] = torch.linspace(-2.5, 2.5, 25)
    starts[:, ACROSS] = 0.8 - starts[:, ALONG].square()
    return approach(target, starts.clamp(-4, 4))


def pinned(target: Target) -> Pinned:
    return Pinned.of(target, places(target), [ACROSS])


def on_a_grid(target: Target) -> tuple[float, Tensor, float]:
    """Log evidence of the two columns, and mean and variance of the first one.

    The others keep their prior: they are narrow beyond notice.
    """
    axis = torch.linspace(-4.5, 4.5, 1201, dtype=torch.float64)
    grid = torch.cartesian_prod(axis, axis)
    latent = torch.zeros(len(grid), target.dimension, dtype=torch.float64)
    latent[:, :2] = grid
    density = torch.cat(
        [target.log_density(part) for part in torch.split(latent, 20_000)]
    )
    density = density + 0.5 * (target.dimension - 2) * math.log(2 * math.pi)
    evidence = torch.logsumexp(density, 0) + 2 * math.log(float(axis[1] - axis[0]))
    weights = torch.softmax(density, 0)
    mean = weights @ grid[:, 0]
    variance = float(weights @ (grid[:, 0] - mean).square())
    return float(evidence), mean, variance


def test_the_mode_across_follows_the_place_along(bent: Target) -> None:
    latent = torch.zeros(40, bent.dimension, dtype=torch.float64)
    latent[:, ALONG] = torch.linspace(-1.7, 1.7, 40)
    modes = pinned(bent).modes(latent)
    mode, factor = modes.middles[:, 0], modes.factors[:, 0]
    # Of a density in one column, the mode on a fine grid.
    axis = torch.linspace(-4.5, 4.5, 9001, dtype=torch.float64)
    for row in range(0, 40, 7):
        line = latent[row].repeat(len(axis), 1)
        line[:, ACROSS] = axis
        best = axis[bent.log_density(line).argmax()]
        assert abs(float(mode[row, 0] - best)) < 0.3 * float(factor[row, 0, 0])


def test_what_is_given_for_tight_columns_and_the_level_does_not_matter(
    bent: Target,
) -> None:
    which = pinned(bent)
    latent = torch.randn(
        30, bent.dimension, generator=Generator().manual_seed(1), dtype=torch.float64
    )
    other = latent.clone()
    other[:, [ACROSS, bent.width]] += 1.0
    one, two = which.modes(latent), which.modes(other)
    assert torch.allclose(one.middles, two.middles, rtol=1e-9)
    assert torch.allclose(one.factors, two.factors, rtol=1e-9)


def test_draws_follow_the_density_that_they_are_said_to_have() -> None:
    count = 20_000
    modes = Modes(
        torch.tensor([[[0.3], [-0.4]]]).double().expand(count, 2, 1),
        torch.tensor([[[[0.1]], [[0.2]]]]).double().expand(count, 2, 1, 1),
        torch.tensor([[0.8, 0.2]]).double().expand(count, 2),
    )
    axis = torch.linspace(-6, 6, count, dtype=torch.float64)
    density = modes.log_density(axis[:, None]).exp()
    below = torch.cumsum(density, 0) * float(axis[1] - axis[0])
    assert float(below[-1]) == pytest.approx(1, abs=1e-3)
    drawn = modes.sample(Generator().manual_seed(2))[:, 0]
    for share in (0.1, 0.25, 0.5, 0.9):
        edge = axis[int((below < share).sum())]
        error = ERRORS * math.sqrt(share * (1 - share) / count) + 1e-3
        assert float((drawn < edge).double().mean()) == pytest.approx(share, abs=error)


def test_two_modes_across_are_both_climbed_to(folded: Target) -> None:
    # z and -0.6 - z fit alike; nothing else moves the curve.
    starts = torch.zeros(8, folded.dimension, dtype=torch.float64)
    starts[:, 0] = torch.tensor([1.0, 1.2, 1.4, 1.3, -1.6, -1.8, -2.0, -1.9])
    which = Pinned.of(folded, approach(folded, starts), [0])
    assert which.branches == 2
    latent = torch.zeros(5, folded.dimension, dtype=torch.float64)
    modes = which.modes(latent)
    middle = modes.middles[:, :, 0].sort(1).values
    assert torch.allclose(middle.sum(1), torch.tensor(-0.6).double(), atol=0.1)
    assert bool((middle[:, 1] > 0.8).all())
    assert bool((modes.shares > 0.04).all())


def test_a_mode_that_is_met_twice_counts_once(bent: Target) -> None:
    which = replace(pinned(bent), branches=2)
    latent = torch.zeros(9, bent.dimension, dtype=torch.float64)
    latent[:, ALONG] = torch.linspace(-1.5, 1.5, 9)
    one, two = pinned(bent).modes(latent), which.modes(latent)
    assert bool((two.shares[:, 0] > 1 - 1e-8).all())
    for tight in (one.middles[:, 0], one.middles[:, 0] + 0.1):
        assert torch.allclose(one.log_density(tight), two.log_density(tight), atol=0.05)


@pytest.mark.parametrize("guarded", [False, True])
def test_a_bow_is_sampled_as_summed_over_a_grid(bent: Target, guarded: bool) -> None:
    which = pinned(bent)
    loose = normal(len(which.proposed), 1.2)
    source = (
        Guarded(which, loose, normal(len(bent.proposed), 1.2))
        if guarded
        else mixed(which, loose)
    )
    generator = Generator().manual_seed(3)
    found = draw(source, generator, Demand(enough=2000)).ensemble
    assert found is not None
    evidence, mean, variance = on_a_grid(bent)
    assert found.log_evidence == pytest.approx(
        evidence, abs=ERRORS * found.log_evidence_sd + 0.01
    )
    along = found.points[:, ALONG]
    error = ERRORS * math.sqrt(variance / found.effective)
    assert float(found.weights @ along) == pytest.approx(float(mean), abs=error)


def test_more_draws_count_than_of_all_columns_at_once(bent: Target) -> None:
    which = pinned(bent)

    def share(target: Pinned | Target) -> float:
        source = mixed(target, normal(len(target.proposed), 1.2))
        batch = source(4000, Generator().manual_seed(5))
        return effective(batch.values - batch.chance) / 4000

    assert share(which) > 3 * share(bent)


def test_what_the_sheet_misses_comes_from_the_guard(bent: Target) -> None:
    which, size = pinned(bent), len(bent.proposed)
    # Loose columns that are never where the posterior is, but for the guard.
    away = normal(len(which.proposed), 0.05)
    away = replace(away, means=away.means + 3.5)
    source = Guarded(which, away, normal(size, 1.2))
    demand = Demand(enough=100, share=0.0, shape=math.inf)
    found = draw(source, Generator().manual_seed(6), demand)
    assert found.ensemble is not None
    assert found.ensemble.log_evidence == pytest.approx(
        on_a_grid(bent)[0], abs=ERRORS * found.ensemble.log_evidence_sd + 0.01
    )
    batch = source(1000, Generator().manual_seed(7))
    floor = source.guard.log_density(batch.points[:, bent.proposed])
    assert bool((batch.chance >= floor + math.log(GUARD) - 1e-9).all())


def test_candidates_begin_with_the_column_known_best(bent: Target) -> None:
    found = list(Pinned.candidates(bent, places(bent)))
    assert len(found) >= 2
    assert found[0].tight in ([ALONG], [ACROSS])
    assert found[1].tight == [*found[0].tight, bent.width + 1]
    assert all(c.cost > 0 for c in found)
    assert all(
        sorted([*c.tight, *c.proposed]) == sorted({*bent.proposed, *c.tight})
        for c in found
    )


def test_what_is_loose_is_not_pinned(linear: Target) -> None:
    known = approach(linear, torch.zeros(3, linear.dimension).double())
    vague = Summits(
        known.points,
        known.density,
        known.gradient,
        torch.eye(linear.dimension).double().expand_as(known.curvature),
    )
    assert list(Pinned.candidates(linear, vague)) == []


def test_scales_far_from_the_sheet_are_scales() -> None:
    far = 1e9 * torch.ones(2, 2, dtype=torch.float64) + torch.diag(
        torch.tensor([1.0, 1e-3], dtype=torch.float64)
    )
    wild = torch.stack([far * 1e12, torch.full_like(far, math.nan), far])
    found = _scales(wild, 1)
    assert found.shape == (3, 1, 1)
    assert bool(found.isfinite().all())
    assert bool((found > 0).all())
