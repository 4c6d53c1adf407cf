"""Mirrors src/saxinfer/inference/mixture.py."""

import math

import numpy as np
import pytest
import torch
from scipy import stats
from torch import Generator, Tensor

from saxinfer.inference.mixture import FREEDOM, StudentMixture, bent, fitted, kernels

# A right sampler fails a test of distribution at one seed in a thousand.
SMALLEST_P = 1e-3


def mixture() -> StudentMixture:
    factors = torch.tensor(
        [
            [[1.0, 0, 0], [0.5, 0.8, 0], [-0.3, 0.2, 0.5]],
            [[0.4, 0, 0], [-0.2, 0.6, 0], [0.1, 0.9, 1.2]],
        ],
        dtype=torch.float64,
    )
    means = torch.tensor([[0.0, 1.0, -1.0], [4.0, -2.0, 0.5]], dtype=torch.float64)
    weights = torch.tensor([0.7, 0.3], dtype=torch.float64)
    return StudentMixture(weights, means, factors)


def along(direction: tuple[float, float, float], x: np.ndarray) -> np.ndarray:
    """Distribution function of the mixture's projection on a direction."""
    which = mixture()
    line = torch.tensor(direction, dtype=torch.float64)
    total = np.zeros_like(x)
    for weight, mean, factor in zip(
        which.weights, which.means, which.factors, strict=True
    ):
        scale = float((line @ factor).square().sum().sqrt())
        total += float(weight) * stats.t(FREEDOM, float(mean @ line), scale).cdf(x)
    return total


DIRECTIONS = [(1, 0, 0), (0, 1, 0), (0, 0, 1), (0.5, -1, 0.7), (1, 1, -1)]


@pytest.mark.parametrize("direction", DIRECTIONS)
def test_samples_are_distributed_as_the_mixture(
    direction: tuple[float, float, float],
) -> None:
    drawn = mixture().sample(3000, Generator().manual_seed(7))
    assert drawn.shape == (3000, 3)
    line = torch.tensor(direction, dtype=torch.float64)
    values = (drawn @ line).numpy()
    found = stats.kstest(values, lambda x: along(direction, x))
    assert found.pvalue > SMALLEST_P


def test_components_get_as_many_points_as_their_weights_say() -> None:
    apart = mixture()
    far = StudentMixture(apart.weights, apart.means * 1000, apart.factors)
    drawn = far.sample(1000, Generator().manual_seed(0))
    assert int((drawn[:, 0] > 2000).sum()) in (299, 300, 301)


def test_the_same_seed_draws_the_same() -> None:
    first, again = (mixture().sample(20, Generator().manual_seed(1)) for _ in "ab")
    assert torch.equal(first, again)


def test_the_density_is_that_of_scipy() -> None:
    which = mixture()
    points = which.sample(50, Generator().manual_seed(0))
    total = np.zeros(50)
    for weight, mean, factor in zip(
        which.weights, which.means, which.factors, strict=True
    ):
        shape = (factor @ factor.T).numpy()
        density = stats.multivariate_t(mean.numpy(), shape, df=FREEDOM).pdf(points)
        total += float(weight) * density
    assert which.log_density(points).exp().numpy() == pytest.approx(total)


def plane() -> StudentMixture:
    which = mixture()
    return StudentMixture(which.weights, which.means[:, :2], which.factors[:, :2, :2])


def test_the_density_integrates_to_one() -> None:
    axis = torch.linspace(-30, 30, 601, dtype=torch.float64)
    points = torch.cartesian_prod(axis, axis)
    total = float(plane().log_density(points).exp().sum()) * 0.1**2
    # A tail of t with seven degrees of freedom holds 1e-7 beyond thirty.
    assert total == pytest.approx(1, abs=1e-5)


def test_weights_of_its_own_samples_estimate_an_integral_of_one() -> None:
    wide = StudentMixture(plane().weights, plane().means, 1.5 * plane().factors)
    points = wide.sample(4000, Generator().manual_seed(0))
    ratio = (plane().log_density(points) - wide.log_density(points)).exp()
    error = float(ratio.std()) / math.sqrt(4000)
    assert float(ratio.mean()) == pytest.approx(1, abs=3.3 * error)


def test_the_marginal_is_that_of_its_points() -> None:
    drawn = mixture().sample(3000, Generator().manual_seed(8))[:, [0, 2]].numpy()
    marginal = mixture().marginal([0, 2])
    again = marginal.sample(3000, Generator().manual_seed(9)).numpy()
    for line in ((1, 0), (0, 1), (1, -2)):
        direction = np.array(line)
        found = stats.ks_2samp(drawn @ direction, again @ direction)
        assert found.pvalue > SMALLEST_P


def test_a_joined_mixture_is_the_weighted_sum() -> None:
    other = StudentMixture(plane().weights, plane().means + 3, plane().factors)
    points = plane().sample(20, Generator().manual_seed(0))
    expected = 0.8 * plane().log_density(points).exp()
    expected = expected + 0.2 * other.log_density(points).exp()
    joined = plane().joined(other, 0.2)
    assert torch.allclose(joined.log_density(points).exp(), expected)


def test_other_weights_leave_the_components_as_they_are() -> None:
    points = plane().sample(20, Generator().manual_seed(0))
    first = plane().weighted(torch.tensor([1.0, 0.0], dtype=torch.float64))
    assert torch.allclose(first.log_density(points), first.kernels(points)[:, 0])
    assert torch.equal(first.kernels(points), plane().kernels(points))


def test_kernels_stand_around_points_and_are_as_wide_as_all_of_them() -> None:
    points = mixture().sample(500, Generator().manual_seed(3))
    found = kernels(points, 40)
    assert found.means.shape == (40, 3)
    assert bool((found.means[:, None] == points).all(-1).any(-1).all())
    scale = found.factors[7] @ found.factors[7].T
    assert torch.allclose(scale, torch.cov(points.T), atol=1e-5)
    assert float(found.weights.sum()) == pytest.approx(1)


def test_a_fit_finds_the_components_that_points_were_drawn_from() -> None:
    points = mixture().sample(4000, Generator().manual_seed(3))
    found = fitted(points, 2, Generator().manual_seed(0))
    order = torch.argsort(found.weights, descending=True)
    truth = mixture()
    # Each side has 1,200 points at least: a mean is known to some hundredths.
    assert torch.allclose(found.weights[order], truth.weights, atol=0.04)
    assert torch.allclose(found.means[order], truth.means, atol=0.15)
    scales = found.factors[order] @ found.factors[order].mT
    expected = truth.factors @ truth.factors.mT
    assert torch.allclose(scales, expected, atol=0.3)


def test_a_fit_does_not_collapse_onto_points_that_are_the_same() -> None:
    points = mixture().sample(60, Generator().manual_seed(3))
    points[:30] = points[0]
    found = fitted(points, 4, Generator().manual_seed(0))
    assert bool(found.log_density(points).isfinite().all())
    spread = found.factors.diagonal(dim1=-2, dim2=-1)
    assert float(spread.min()) > 0.1


def bow(count: int, seed: int) -> Tensor:
    """Points along a parabola in the plane."""
    points = torch.randn(
        count, 2, generator=Generator().manual_seed(seed), dtype=torch.float64
    )
    points[:, 1] = 0.05 * points[:, 1] + 0.5 * points[:, 0].square()
    return points


def test_bent_components_follow_a_bow_that_straight_ones_cannot() -> None:
    points = bow(3000, 0)
    curved = bent(points, 2, Generator().manual_seed(0))
    straight = fitted(points, 2, Generator().manual_seed(0))
    fresh = bow(3000, 1)
    gain = curved.log_density(fresh) - straight.log_density(fresh)
    assert float(gain.mean()) > 0.7


def test_the_bent_density_integrates_to_one_and_is_that_of_its_samples() -> None:
    both = plane().joined(bent(bow(3000, 0), 2, Generator().manual_seed(0)), 0.6)
    # The bow is thinner than the cells of a grid: the integral is taken by samples of
    # the mixture and a wide one.
    wide = StudentMixture(
        torch.ones(1).double(),
        torch.tensor([[0.5, 1.0]]).double(),
        torch.tensor([[[2.5, 0.0], [0.0, 4.0]]]).double(),
    )
    mixed = both.joined(wide, 0.5)
    drawn = mixed.sample(40_000, Generator().manual_seed(1))
    share = (both.log_density(drawn) - mixed.log_density(drawn)).exp()
    error = float(share.std()) / math.sqrt(len(share))
    assert float(share.mean()) == pytest.approx(1, abs=4 * error)
    assert error < 0.01


def test_bends_keep_their_components_when_mixtures_are_joined_and_cut() -> None:
    first = bent(bow(500, 0), 2, Generator().manual_seed(0))
    second = bent(bow(500, 2) + 5, 1, Generator().manual_seed(0))
    joined = plane().joined(first, 0.5).joined(second, 0.5)
    points = joined.sample(100, Generator().manual_seed(3))
    expected = 0.25 * plane().log_density(points).exp()
    expected = expected + 0.25 * first.log_density(points).exp()
    expected = expected + 0.5 * second.log_density(points).exp()
    assert torch.allclose(joined.log_density(points).exp(), expected)
    # Without weight, the first bend and its components go; the second one stays.
    weights = joined.weights.clone()
    weights[2:4] = 0
    left = joined.weighted(weights / weights.sum()).essential()
    assert len(left.bends) == 1
    assert torch.allclose(left.kernels(points), joined.kernels(points)[:, [0, 1, 4]])
    with pytest.raises(ValueError, match="no marginals"):
        joined.marginal([0])


def test_what_is_left_of_a_mixture_is_all_but_a_ten_thousandth() -> None:
    weights = torch.tensor([0.3, 4e-5, 0.7 - 8e-5, 4e-5], dtype=torch.float64)
    means = torch.arange(8, dtype=torch.float64).view(4, 2)
    factors = torch.eye(2, dtype=torch.float64).expand(4, -1, -1)
    found = StudentMixture(weights, means, factors).essential()
    assert found.means.tolist() == means[[0, 2]].tolist()
    assert torch.allclose(found.weights, weights[[0, 2]], rtol=1e-3)
    assert float(found.weights.sum()) == pytest.approx(1, abs=1e-12)
