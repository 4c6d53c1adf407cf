"""Mirrors src/saxinfer/scattering/two_levels.py."""

import math

import numpy as np
import pytest
import torch
from scipy.special import ndtr
from scipy.stats import multivariate_normal
from torch import Tensor

from saxinfer.scattering.correlation import clipped_covariance
from saxinfer.scattering.two_levels import two_level_covariance

DEFICIT = torch.tensor([[1e-4, 0.01, 0.1, 0.4, 0.8, 1.0, 1.2]]).double()
PAIRS = [(-0.06, 0.06), (-1.65, 1.65), (0.3, 1.6), (1.3, 1.65), (-0.9, -0.2)]


def one(value: float) -> Tensor:
    return torch.tensor([value], dtype=torch.float64)


def by_bivariate_normal(s: float, t: float, g: float) -> float:
    """P(f > s, f' > t) less the product of both."""
    normal = multivariate_normal(cov=np.array([[1.0, g], [g, 1.0]]))
    return float(normal.cdf([-s, -t]) - ndtr(-s) * ndtr(-t))


@pytest.mark.parametrize(("s", "t"), PAIRS)
def test_it_is_the_bivariate_normal_probability_less_the_product(
    s: float, t: float
) -> None:
    found = two_level_covariance(one(s), one(t), DEFICIT)[0].tolist()
    exact = [by_bivariate_normal(s, t, 1 - d) for d in DEFICIT[0].tolist()]
    assert found == pytest.approx(exact, rel=0, abs=2e-9)


@pytest.mark.parametrize("level", [-1.65, 0.0, 0.8])
def test_one_level_twice_is_the_covariance_of_a_clipped_field(level: float) -> None:
    found = two_level_covariance(one(level), one(level), DEFICIT)
    exact = clipped_covariance(one(level), DEFICIT)
    assert torch.allclose(found, exact, rtol=0, atol=2e-9)


def test_the_order_of_the_levels_does_not_matter() -> None:
    first = two_level_covariance(one(0.2), one(-1.0), DEFICIT)
    assert torch.equal(first, two_level_covariance(one(-1.0), one(0.2), DEFICIT))


def test_exchanging_above_and_below_does_not_matter() -> None:
    first = two_level_covariance(one(0.2), one(-1.0), DEFICIT)
    other = two_level_covariance(one(1.0), one(-0.2), DEFICIT)
    assert torch.allclose(first, other, rtol=1e-12)


def test_two_levels_share_no_surface() -> None:
    # Where f and f' are almost the same, f > 0.5 implies f' > -0.5.
    deficit = torch.tensor([[0.0, 1e-6, 1e-3]]).double()
    found = two_level_covariance(one(-0.5), one(0.5), deficit)[0]
    assert torch.allclose(found, found.new_tensor(ndtr(-0.5) ** 2), rtol=1e-12)


def test_its_gradients_are_finite_where_two_points_meet() -> None:
    levels = [one(value).requires_grad_() for value in (-0.1, 0.1, 0.3)]
    deficit = torch.tensor([[0.0, 0.2]]).double().requires_grad_()
    total = two_level_covariance(levels[0], levels[1], deficit).sum()
    total = total + two_level_covariance(levels[2], levels[2], deficit).sum()
    total.backward()  # type: ignore[no-untyped-call]
    for each in (*levels, deficit):
        assert each.grad is not None
        assert bool(each.grad.isfinite().all())


def test_at_equal_levels_zero_it_is_the_law_of_the_arcsine() -> None:
    found = two_level_covariance(one(0), one(0), DEFICIT)[0]
    exact = torch.asin(1 - DEFICIT[0]) / (2 * math.pi)
    assert torch.allclose(found, exact, rtol=0, atol=1e-10)
