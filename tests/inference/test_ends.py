"""Mirrors src/saxinfer/inference/ends.py."""

from dataclasses import replace

import torch
from torch import Tensor

from saxinfer.inference.climb import Summits, approach, climb
from saxinfer.inference.ends import followed
from saxinfer.inference.explore import EDGE, NEAR, on_ridges
from saxinfer.inference.target import Target


def at(target: Target, *values: float) -> Tensor:
    """One start, with other coordinates at zero."""
    start = torch.zeros(1, target.dimension, dtype=torch.float64)
    start[:, : len(values)] = torch.tensor(values, dtype=torch.float64)
    return start


def ends_of(bent: Target) -> tuple[float, float]:
    """First and last place along the bow where any other value is near the best."""
    along = torch.linspace(-4, 4, 401, dtype=torch.float64)
    across = torch.linspace(-6, 2, 1601, dtype=torch.float64)
    grid = torch.cartesian_prod(along, across)
    latent = torch.zeros(len(grid), bent.dimension, dtype=torch.float64)
    latent[:, :2] = grid
    profile = bent.log_density(latent).view(len(along), -1).amax(1)
    near = along[profile > profile.max() - NEAR]
    return float(near[0]), float(near[-1])


def followed_from(target: Target, start: Tensor) -> tuple[Summits, Summits]:
    """A place that was found, and all that are known after its ridge was followed."""
    found = approach(target, start)
    return found, followed(target, found, climb(target, start))


def test_a_bow_is_followed_from_one_place_to_both_ends(bent: Target) -> None:
    found, places = followed_from(bent, at(bent, 1.3, -1.69))
    assert torch.equal(places.points[:1], found.points)
    first, last = ends_of(bent)
    along = on_ridges(places).points[:, 0]
    assert abs(float(along.min()) - first) < 0.2
    assert abs(float(along.max()) - last) < 0.2
    # None of them lies beyond.
    assert len(along) == len(places.density)


def test_what_no_curve_tells_is_followed_to_the_latent_limit(linear: Target) -> None:
    vague = replace(linear.observation, sigma=1e3 * linear.observation.sigma)
    flat = Target(linear.structure, linear.space, vague)
    _, places = followed_from(flat, at(flat, 0.0))
    reach = places.points[:, :3].abs().amax(0)
    assert float(reach.min()) > 3.5
    assert float(reach.max()) <= EDGE
