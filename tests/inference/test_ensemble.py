"""Mirrors src/saxinfer/inference/ensemble.py."""

import math

import pytest
import torch
from torch import Generator, Tensor

from saxinfer.inference.ensemble import Ensemble, walk
from saxinfer.inference.mixture import StudentMixture
from saxinfer.inference.target import Target

# A right sampler is off by this many standard errors at one seed in 15,000.
ERRORS = 4.0


def around(target: Target, centre: Tensor, width: float) -> StudentMixture:
    """One component, round, in the columns that are proposed."""
    size = len(target.proposed)
    means = torch.zeros(1, size, dtype=torch.float64)
    means[0, : len(centre)] = centre
    factors = width * torch.eye(size, dtype=torch.float64)[None]
    return StudentMixture(torch.ones(1, dtype=torch.float64), means, factors)


def walked(
    target: Target, mixture: StudentMixture, seed: int = 0, enough: float = 1500
) -> Ensemble:
    """A walk from far narrower starts than the mixture."""
    generator = Generator().manual_seed(seed)
    starts = torch.zeros(200, target.dimension, dtype=torch.float64)
    drawn = mixture.sample(200, generator)
    starts[:, target.proposed] = mixture.means + 0.3 * (drawn - mixture.means)
    return walk(target, starts, mixture, generator, steps=120, enough=enough)


@pytest.mark.parametrize("width", [0.3, 1.0])
def test_walkers_end_as_the_closed_form_says_from_poor_proposals(
    linear: Target, exact: tuple[Tensor, Tensor, float], width: float
) -> None:
    # Mixtures much narrower than the prior that six columns keep, or much wider than
    # the posterior of the first three.
    mean, covariance, evidence = exact
    found = walked(linear, around(linear, mean, width))
    assert found.effective > 400
    z = found.points
    expected = torch.eye(linear.dimension, dtype=torch.float64)
    expected[:3, :3] = covariance
    sd = expected.diagonal().sqrt()
    centre = torch.zeros(linear.dimension, dtype=torch.float64)
    centre[:3] = mean
    allowed = ERRORS / math.sqrt(found.effective)
    assert float(((z.mean(0) - centre) / sd).abs().max()) < allowed
    gap = (torch.cov(z.T) - expected) / (sd[:, None] * sd)
    assert float(gap.abs().max()) < allowed * math.sqrt(2)
    assert found.log_evidence == pytest.approx(
        evidence, abs=ERRORS * found.log_evidence_sd
    )
    assert found.log_evidence_sd < 0.2


def test_effective_samples_are_as_many_as_the_scatter_of_the_mean_says(
    linear: Target, exact: tuple[Tensor, Tensor, float]
) -> None:
    gaps, worth = [], []
    for seed in range(8):
        found = walked(linear, around(linear, exact[0], 1.0), seed, enough=300)
        gap = (found.points[:, :3].mean(0) - exact[0]) / exact[1].diagonal().sqrt()
        gaps.append(gap)
        worth.append(found.effective)
    scatter = torch.stack(gaps).square().mean().sqrt()
    # The count is that of the worst column: no more than the scatter allows. A mean
    # square of 24 numbers is known to 30 %, its root to 15 %.
    assert float(scatter) < 1.3 / math.sqrt(sum(worth) / len(worth))


def test_the_same_seed_walks_the_same_way(
    linear: Target, exact: tuple[Tensor, Tensor, float]
) -> None:
    first, again = (walked(linear, around(linear, exact[0], 1.0), 5, 300) for _ in "ab")
    assert torch.equal(first.points, again.points)
    assert first.drawn == again.drawn
