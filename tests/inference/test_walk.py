"""Mirrors src/saxinfer/inference/walk.py."""

import torch
from torch import Generator, Tensor

from saxinfer.inference.target import Target
from saxinfer.inference.walk import walk

# The walkers' correlated samples are worth 150 or more: five standard errors of a mean
# are 0.4 standard deviations, of a standard deviation 0.3 of it.
MEAN, SPREAD = 0.4, 0.3


def few_good_samples(
    target: Target, mean: Tensor, covariance: Tensor
) -> tuple[Tensor, Tensor]:
    """Samples twice too wide of which ten carry the weight, as after a failed fit."""
    generator = Generator().manual_seed(4)
    normal = torch.randn(600, target.dimension, generator=generator).double()
    factor = torch.linalg.cholesky(covariance)
    normal[:, :3] = mean + 2 * normal[:, :3] @ factor.T
    weights = torch.full((600,), 1e-6, dtype=torch.float64)
    weights[:10] = 0.1
    return normal.clamp(-4, 4), weights / weights.sum()


def test_walkers_spread_from_ten_samples_to_the_closed_form(
    linear: Target, exact: tuple[Tensor, Tensor, float]
) -> None:
    mean, covariance, _ = exact
    points, weights = few_good_samples(linear, mean, covariance)
    walked = walk(linear, points, weights, Generator().manual_seed(5))
    z = walked.latent[:, :3]
    sd = covariance.diagonal().sqrt()
    assert bool(((z.mean(0) - mean).abs() < MEAN * sd).all())
    assert bool(((z.std(0) / sd - 1).abs() < SPREAD).all())
    assert walked.gained > 20


def test_amounts_belong_to_their_samples(
    linear: Target, exact: tuple[Tensor, Tensor, float]
) -> None:
    points, weights = few_good_samples(linear, *exact[:2])
    walked = walk(linear, points, weights, Generator().manual_seed(6))
    again = linear.evaluate(walked.latent[:, None])[1][:, 0]
    assert torch.allclose(again, walked.amounts)


def test_a_seed_gives_the_same_walk(
    linear: Target, exact: tuple[Tensor, Tensor, float]
) -> None:
    points, weights = few_good_samples(linear, *exact[:2])
    first = walk(linear, points, weights, Generator().manual_seed(7))
    again = walk(linear, points, weights, Generator().manual_seed(7))
    assert torch.equal(first.latent, again.latent)
