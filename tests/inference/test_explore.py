"""Mirrors src/saxinfer/inference/explore.py."""

from dataclasses import replace

import pytest
import torch
from torch import Generator, Tensor

from saxinfer.inference.climb import Summits, approach, climb
from saxinfer.inference.explore import NEAR, hopped, spread
from saxinfer.inference.target import Target

# Radius of the spheres of ``large``, whose fringes make other radii fit next best.
RADIUS = 60.0


def at_one_end(target: Target) -> tuple[Summits, Summits]:
    """The right arm of a bow, seen from a single start."""
    start = torch.zeros(1, target.dimension, dtype=torch.float64)
    start[:, :2] = torch.tensor([1.3, -0.9], dtype=torch.float64)
    return approach(target, start), climb(target, start)


def test_places_spread_along_the_whole_of_a_ridge(bent: Target) -> None:
    found, summits = at_one_end(bent)
    places, ridged = spread(bent, found, summits, Generator().manual_seed(0))
    assert ridged
    assert torch.equal(places.points[: len(found.points)], found.points)
    best = places.density.max()
    good = places.points[places.density > best - 6]
    # The bow is z1 = c - z0²; places lie on it and on either arm.
    along, across = good[:, 0], good[:, 1]
    height = across + along.square()
    assert float(along.min()) < -0.7
    assert float(along.max()) > 1.3
    assert float(height.std()) < 0.35


def test_along_a_thin_ridge_steps_become_shorter(bent: Target) -> None:
    truth = torch.special.ndtr(torch.tensor([[1.3, -0.9]], dtype=torch.float64))
    data = bent.observation
    curve = bent.structure.intensity(data.q, truth)[0]
    precise = replace(data, intensity=curve, sigma=1e-6 * data.sigma)
    thin = Target(bent.structure, bent.space, precise)
    found, summits = at_one_end(thin)
    places, ridged = spread(thin, found, summits, Generator().manual_seed(0))
    assert ridged
    new = thin.log_density(places.points[len(found.points) :])
    back = new > summits.density.max() - NEAR
    first, *others = back.double().view(3, -1).mean(1).tolist()
    assert first < 0.25
    assert min(others) > 0.5


def test_the_same_seed_finds_the_same_places(bent: Target) -> None:
    found, summits = at_one_end(bent)
    first, again = (
        spread(bent, found, summits, Generator().manual_seed(3))[0].points for _ in "ab"
    )
    assert torch.equal(first, again)


def test_where_modes_foresee_all_places_one_round_of_spreading_is_enough(
    linear: Target, bent: Target
) -> None:
    start = torch.zeros(1, linear.dimension, dtype=torch.float64)
    found, summits = approach(linear, start), climb(linear, start)
    places, ridged = spread(linear, found, summits, Generator().manual_seed(0))
    assert not ridged
    bow, _ = spread(bent, *at_one_end(bent), Generator().manual_seed(0))
    # Three rounds where there is a ridge, one where there is none.
    assert len(bow.points) - 1 == 3 * (len(places.points) - 1)


@pytest.mark.parametrize("wrong", [45.0, 75.0])
def test_hops_lead_from_a_wrong_fringe_to_the_right_one(
    large: Target, wrong: float
) -> None:
    start = torch.zeros(1, large.dimension, dtype=torch.float64)
    theta = torch.tensor([[wrong, 0.6 * wrong / RADIUS]], dtype=torch.float64)
    start[:, :2] = large.space.latent_from_theta(theta)
    summits = climb(large, start)
    radius = float(large.theta(summits.points)[0, 0])
    assert abs(radius / RADIUS - 1) > 0.1
    after = hopped(large, summits, Generator().manual_seed(0))
    assert torch.equal(after.points[:1], summits.points)
    best = after.points[after.density.argmax()]
    assert float(large.theta(best[None])[0, 0]) == pytest.approx(RADIUS, rel=0.01)


def test_where_nothing_fits_better_the_modes_stay(
    linear: Target, exact: tuple[Tensor, Tensor, float]
) -> None:
    start = torch.zeros(1, linear.dimension, dtype=torch.float64)
    summits = climb(linear, start)
    after = hopped(linear, summits, Generator().manual_seed(0))
    assert float(after.density.max() - summits.density.max()) < 1e-3
    best = after.points[after.density.argmax()]
    assert torch.allclose(best[:3], exact[0], atol=1e-3)
