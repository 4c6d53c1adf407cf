"""Mirrors src/saxinfer/inference/mixture.py."""

import math

import numpy as np
import pytest
import torch
from scipy import stats
from torch import Generator, Tensor

from saxinfer.inference.mixture import FREEDOM, StudentMixture

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


@pytest.mark.parametrize(("shared", "copies"), [(0, 1), (1, 3), (2, 4), (3, 2)])
@pytest.mark.parametrize("direction", DIRECTIONS)
def test_every_copy_alone_is_distributed_as_the_mixture(
    direction: tuple[float, float, float], shared: int, copies: int
) -> None:
    drawn = mixture().sample(
        3000, Generator().manual_seed(7), shared=shared, copies=copies
    )
    assert drawn.shape == (3000, copies, 3)
    line = torch.tensor(direction, dtype=torch.float64)
    for copy in (0, copies - 1):
        values = (drawn[:, copy] @ line).numpy()
        found = stats.kstest(values, lambda x: along(direction, x))
        assert found.pvalue > SMALLEST_P


def test_copies_share_their_leading_coordinates_and_nothing_else() -> None:
    drawn = mixture().sample(50, Generator().manual_seed(0), shared=2, copies=4)
    assert torch.equal(drawn[:, :1, :2].expand(-1, 4, -1), drawn[:, :, :2])
    assert bool((drawn[:, 0, 2] != drawn[:, 1, 2]).all())


def test_components_get_as_many_points_as_their_weights_say() -> None:
    apart = mixture()
    far = StudentMixture(apart.weights, apart.means * 1000, apart.factors)
    drawn = far.sample(1000, Generator().manual_seed(0))[:, 0]
    assert int((drawn[:, 0] > 2000).sum()) in (299, 300, 301)


def test_the_same_seed_draws_the_same() -> None:
    first, again = (mixture().sample(20, Generator().manual_seed(1)) for _ in "ab")
    assert torch.equal(first, again)


def test_the_density_is_that_of_scipy() -> None:
    which = mixture()
    points = which.sample(50, Generator().manual_seed(0))[:, 0]
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
    points = wide.sample(4000, Generator().manual_seed(0))[:, 0]
    ratio = (plane().log_density(points) - wide.log_density(points)).exp()
    error = float(ratio.std()) / math.sqrt(4000)
    assert float(ratio.mean()) == pytest.approx(1, abs=3.3 * error)


def _fit(points: Tensor, weights: Tensor, steps: int = 40) -> StudentMixture:
    found = plane()
    for _ in range(steps):
        found = found.refitted(points, weights / weights.sum())
    return found


def test_refitting_finds_the_mixture_that_points_came_from() -> None:
    truth = plane()
    points = truth.sample(4000, Generator().manual_seed(0))[:, 0]
    rough = StudentMixture(
        torch.tensor([0.5, 0.5]).double(), truth.means + 0.7, 2 * truth.factors
    )
    even = torch.full((4000,), 1 / 4000, dtype=torch.float64)
    found = rough
    for _ in range(40):
        found = found.refitted(points, even)
    assert torch.allclose(found.weights, truth.weights, atol=0.03)
    assert torch.allclose(found.means, truth.means, atol=0.1)
    assert torch.allclose(
        found.factors @ found.factors.mT, truth.factors @ truth.factors.mT, atol=0.15
    )


def test_a_component_that_lost_its_weight_is_dropped() -> None:
    points = plane().sample(2000, Generator().manual_seed(0))[:, 0]
    near_first = (points - plane().means[0]).square().sum(-1) < 1
    found = _fit(points[near_first], torch.ones(int(near_first.sum())).double())
    assert len(found.means) == 1
    assert float(found.weights.sum()) == pytest.approx(1)


def test_weights_on_a_single_point_change_nothing() -> None:
    points = plane().sample(50, Generator().manual_seed(0))[:, 0]
    weights = torch.zeros(50).double()
    weights[0] = 1.0
    found = plane().refitted(points, weights)
    assert torch.equal(found.factors, plane().factors)
