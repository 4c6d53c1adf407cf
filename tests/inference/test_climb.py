"""Mirrors src/saxinfer/inference/climb.py."""

import math
import sys

import pytest
import torch
from torch import Generator, Tensor

from saxinfer.inference.climb import (
    PULL,
    WIDEN,
    Summits,
    apart,
    approach,
    climb,
    distinct,
    laplace,
    with_mirrors,
)
from saxinfer.inference.expansion import expansion
from saxinfer.inference.target import Target


def test_every_climber_reaches_the_mode_of_a_linear_model(
    linear: Target, exact: tuple[Tensor, Tensor, float], proposals: Tensor
) -> None:
    summits = climb(linear, proposals[:8])
    best = summits.density.argmax()
    sd = exact[1].diagonal().sqrt()
    # Climbers stand still where a step gains a thousandth: 0.05 standard deviations.
    assert bool(((summits.points[best, :3] - exact[0]).abs() < 0.05 * sd).all())
    assert float(summits.points[best, 3:].abs().max()) < 0.05
    assert bool((summits.density > linear.log_density(proposals[:8])).all())


def test_the_race_loses_no_climber(linear: Target, proposals: Tensor) -> None:
    summits = climb(linear, proposals[:20])
    assert summits.points.shape == (20, linear.dimension)
    assert torch.allclose(linear.log_density(summits.points), summits.density)


def test_climbers_that_follow_a_better_one_rest(
    bent: Target, monkeypatch: pytest.MonkeyPatch
) -> None:
    counted: list[int] = []

    def counting(target: Target, latent: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        counted.append(len(latent))
        return expansion(target, latent)

    monkeypatch.setattr(sys.modules[climb.__module__], "expansion", counting)
    starts = torch.zeros(20, bent.dimension, dtype=torch.float64)
    starts[:, 0] = torch.linspace(0.5, 1.5, 20)
    found = climb(bent, starts)
    work = sum(counted)
    counted.clear()
    monkeypatch.setattr(sys.modules[climb.__module__], "BEHIND", 0.0)
    alone = climb(bent, starts)
    assert work < 0.7 * sum(counted)
    assert float(found.density.max()) > float(alone.density.max()) - 0.01


def test_an_approach_ends_at_the_mode_of_the_posterior_times_a_normal(
    linear: Target, exact: tuple[Tensor, Tensor, float], proposals: Tensor
) -> None:
    anchors = proposals[:8]
    found = approach(linear, anchors, steps=20)
    mean, covariance, _ = exact
    precision = torch.linalg.inv(covariance)
    both = precision + PULL * torch.eye(3).double()
    right = (precision @ mean)[:, None] + PULL * anchors[:, :3].T
    expected = torch.linalg.solve(both, right).T
    sd = torch.linalg.inv(both).diagonal().sqrt()
    assert bool(((found.points[:, :3] - expected).abs() < 0.1 * sd).all())
    assert torch.allclose(found.curvature[:, :3, :3], both, rtol=1e-4, atol=1e-2)
    # What moves no curve is not held back.
    assert float(found.points[:, 3:].abs().max()) < 0.1


def test_approaches_to_a_bent_ridge_end_on_it_and_near_their_anchors(
    bent: Target,
) -> None:
    anchors = torch.zeros(7, bent.dimension).double()
    anchors[:, 0] = torch.linspace(-1.5, 1.5, 7)
    found = approach(bent, anchors, steps=20)
    along, across = found.points[:, 0], found.points[:, 1]
    ridge = across + along.square()
    assert float((ridge - ridge.median()).abs().max()) < 0.3
    assert bool((along.diff() > 0).all())
    assert float(along.max() - along.min()) > 1.5


def spread_out(folded: Target) -> tuple[Tensor, Tensor]:
    """Sixty-four draws of the prior at their best level, and their densities."""
    generator = Generator().manual_seed(0)
    start = torch.randn(64, folded.dimension, generator=generator).double()
    return folded.levelled(start)


def test_starts_are_apart_and_the_best_is_among_them(folded: Target) -> None:
    points, density = spread_out(folded)
    chosen = distinct(folded, points, density, 6)[:6]
    assert len(torch.unique(chosen[:, 0])) == 6
    assert torch.equal(chosen[0], points[density.argmax()])
    assert float(chosen[:, 0].min()) < -0.3 < float(chosen[:, 0].max())


def test_starts_are_followed_by_their_mirrors(folded: Target) -> None:
    chosen = with_mirrors(folded, distinct(folded, *spread_out(folded), 6))
    assert torch.allclose(chosen[6:, 0], -0.6 - chosen[:6, 0], atol=1e-6)
    assert torch.equal(chosen[6:, 1:], chosen[:6, 1:])


def test_starts_without_a_density_are_refused_with_what_to_do(folded: Target) -> None:
    points, density = spread_out(folded)
    with pytest.raises(ValueError, match=r"no proposal lies within .* Widen them\."):
        distinct(folded, points, density - math.inf, 6)


def test_the_mixture_has_one_component_for_each_mode(folded: Target) -> None:
    mixture = laplace(climb(folded, distinct(folded, *spread_out(folded), 8)))
    assert len(mixture.means) == 2
    assert float(mixture.weights.sum()) == pytest.approx(1)
    places = mixture.means[:, 0].sort().values.tolist()
    assert places == pytest.approx([-1.8, 1.2], abs=0.3)


def test_a_components_scale_is_the_inverse_curvature_widened() -> None:
    curvature = torch.tensor([[4.0, 1.0], [1.0, 3.0]], dtype=torch.float64)
    point = torch.tensor([[0.5, -0.5]], dtype=torch.float64)
    summits = Summits(
        point, torch.zeros(1).double(), torch.zeros_like(point), curvature[None]
    )
    mixture = laplace(summits)
    scale = mixture.factors[0] @ mixture.factors[0].T
    assert torch.allclose(scale, WIDEN * torch.linalg.inv(curvature), rtol=1e-6)
    assert torch.equal(mixture.means, point)


def test_points_within_a_standard_deviation_count_as_one_mode() -> None:
    place = torch.tensor([[0.0], [0.5], [5.0]], dtype=torch.float64)
    summits = Summits(
        place,
        torch.tensor([0.0, -1.0, -2.0], dtype=torch.float64),
        torch.zeros_like(place),
        torch.ones(3, 1, 1, dtype=torch.float64),
    )
    assert laplace(summits).means.flatten().tolist() == [0.0, 5.0]


def test_places_that_lead_to_a_higher_one_are_left_out() -> None:
    # Two parabolas of height 4 and 2, 0.1 wide: each place knows its own one.
    place = torch.tensor([0.0, 0.2, 5.0, 4.9, 4.6], dtype=torch.float64)[:, None]
    top = torch.tensor([0.0, 0.0, 5.0, 5.0, 5.0], dtype=torch.float64)[:, None]
    height = torch.tensor([4.0, 4.0, 2.0, 2.0, 2.0], dtype=torch.float64)
    gap, sharp = top - place, torch.full((5, 1, 1), 100.0, dtype=torch.float64)
    density = height - 50 * gap[:, 0].square()
    every = Summits(place, density, 100 * gap, sharp)
    assert apart(every, 5).points.flatten().tolist() == [0.0, 5.0]
    assert apart(every, 1).points.flatten().tolist() == [0.0]
    # By density alone four places of the higher mode would come first.
    crowd = every.rows(torch.tensor([0, 0, 0, 0, 2]))
    assert apart(crowd, 2).points.flatten().tolist() == [0.0, 5.0]
