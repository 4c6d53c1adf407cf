"""Mirrors src/saxinfer/scattering/correlation.py."""

import math

import numpy as np
import pytest
import torch
from scipy import stats
from scipy.interpolate import CubicSpline
from torch import Tensor

from saxinfer.scattering.correlation import (
    Nodes,
    clipped_covariance,
    level_covariance,
    resample,
    resample_dense,
    resample_each,
    resampling_matrix,
    transform_matrix,
)

Q = torch.logspace(-2, 1, 40, dtype=torch.float64)


def one(*values: float) -> Tensor:
    return torch.tensor(values, dtype=torch.float64)


def test_the_planar_transform_of_a_gaussian_is_a_gaussian() -> None:
    nodes = Nodes(last=30.0, scale=1.0, count=320)
    found = transform_matrix(nodes, Q) @ torch.exp(-nodes.values.square() / 2)
    exact = 2 * math.pi * torch.exp(-Q.square() / 2)
    # The spline through the nodes is the only approximation.
    assert torch.allclose(found, exact, rtol=0, atol=1e-5)


def test_the_transform_in_space_of_a_gaussian_is_a_gaussian() -> None:
    nodes = Nodes(last=30.0, scale=1.0, count=320)
    found = transform_matrix(nodes, Q, 3) @ torch.exp(-nodes.values.square() / 2)
    exact = (2 * math.pi) ** 1.5 * torch.exp(-Q.square() / 2)
    assert torch.allclose(found, exact, rtol=0, atol=1e-5)


@pytest.mark.parametrize("length", [0.5, 2.0, 10.0])
def test_an_exponential_covariance_has_its_closed_form_in_the_plane(
    length: float,
) -> None:
    nodes = Nodes(last=400.0, scale=1.0, count=320)
    found = transform_matrix(nodes, Q) @ torch.exp(-nodes.values / length)
    exact = 2 * math.pi * length**2 / (1 + (Q * length) ** 2) ** 1.5
    assert torch.allclose(found, exact, rtol=1e-3, atol=1e-6 * float(exact[0]))


@pytest.mark.parametrize("length", [0.5, 2.0, 10.0])
def test_an_exponential_covariance_scatters_as_debye_and_bueche_said(
    length: float,
) -> None:
    nodes = Nodes(last=400.0, scale=1.0, count=320)
    found = transform_matrix(nodes, Q, 3) @ torch.exp(-nodes.values / length)
    exact = 8 * math.pi * length**3 / (1 + (Q * length) ** 2) ** 2
    assert torch.allclose(found, exact, rtol=1e-3, atol=1e-6 * float(exact[0]))


def test_refuses_a_dimension_other_than_two_and_three() -> None:
    with pytest.raises(ValueError, match="dimension must be 2 or 3, got 1"):
        transform_matrix(Nodes(1.0, 1.0, 8), Q, 1)


def test_nodes_run_from_zero_to_the_last_evenly_in_asinh() -> None:
    nodes = Nodes(last=40.0, scale=0.5, count=60)
    assert float(nodes.values[0]) == 0
    assert float(nodes.values[-1]) == pytest.approx(40)
    steps = torch.diff(torch.asinh(nodes.values / 0.5))
    assert torch.allclose(steps, torch.full_like(steps, nodes.step))


NODES = Nodes(last=20.0, scale=0.3, count=120)
PLACES = torch.linspace(0, 20, 331, dtype=torch.float64)


def smooth(x: Tensor) -> Tensor:
    return torch.exp(-x / 3) * (2 + torch.sin(x))


def test_the_resampling_matrix_is_the_cubic_spline_of_scipy() -> None:
    values = smooth(NODES.values)
    knots = np.arcsinh(NODES.values.numpy() / NODES.scale)
    exact = CubicSpline(knots, values.numpy())(np.arcsinh(PLACES.numpy() / NODES.scale))
    found = values @ resampling_matrix(NODES, PLACES)
    assert np.allclose(found.numpy(), exact, rtol=0, atol=1e-10)


def test_resampling_is_exact_at_the_nodes_and_for_a_polynomial() -> None:
    coordinate = torch.asinh(NODES.values / NODES.scale)
    values = torch.stack([smooth(NODES.values), coordinate**5 - 3 * coordinate**2])
    same = resample(values, NODES, NODES.values.expand(2, -1))
    assert torch.allclose(same, values, rtol=1e-9, atol=1e-9)
    place = torch.asinh(PLACES / NODES.scale)
    found = resample(values[1:], NODES, PLACES[None])[0]
    assert torch.allclose(found, place**5 - 3 * place**2, rtol=1e-8, atol=1e-8)


def test_resampling_takes_each_row_to_its_own_places() -> None:
    values = smooth(NODES.values).expand(2, -1)
    places = torch.stack([PLACES, PLACES.flip(0)])
    found = resample(values, NODES, places)
    # Nodes are 0.8 apart at the far end, an eighth of the period of the sine.
    assert torch.allclose(found, smooth(places), rtol=0, atol=1e-5)


def test_several_functions_are_resampled_as_each_alone_is() -> None:
    tables = [smooth(NODES.values).expand(2, -1), NODES.values.cos().expand(2, -1)]
    places = torch.stack([PLACES, PLACES.flip(0)])
    together = resample_each(tables, NODES, places)
    for found, values in zip(together, tables, strict=True):
        assert torch.equal(found, resample(values, NODES, places))


def test_dense_resampling_is_exact_for_a_cubic_and_to_the_fourth_order() -> None:
    coordinate = torch.asinh(NODES.values / NODES.scale)
    values = (coordinate**3 - 3 * coordinate**2)[None]
    place = torch.asinh(PLACES / NODES.scale)
    found = resample_dense(values, NODES, PLACES[None])[0]
    # The outermost pieces as well as all others.
    assert torch.allclose(found, place**3 - 3 * place**2, rtol=1e-9, atol=1e-9)
    assert torch.allclose(
        resample_dense(values, NODES, NODES.values[None]), values, rtol=1e-9, atol=1e-9
    )
    errors = []
    for count in (100, 200):
        nodes = Nodes(NODES.last, NODES.scale, count)
        wave = torch.sin(4 * torch.asinh(nodes.values / nodes.scale))[None]
        found = resample_dense(wave, nodes, PLACES[None])[0]
        errors.append(float((found - torch.sin(4 * place)).abs().max()))
    assert errors[1] < 1.5 * errors[0] / 2**4


def test_dense_resampling_has_derivatives() -> None:
    values = smooth(NODES.values)[None].requires_grad_()
    x = PLACES[None, 5:9].clone().requires_grad_()
    assert torch.autograd.gradcheck(
        lambda v, y: resample_dense(v, NODES, y), (values, x), atol=1e-6
    )


G = torch.linspace(-0.95, 1, 40, dtype=torch.float64)[None]


def test_the_covariance_at_level_zero_is_an_arcsine() -> None:
    found = level_covariance(one(0), one(0), G)
    assert torch.allclose(found, torch.asin(G) / (2 * math.pi), rtol=0, atol=1e-12)


@pytest.mark.parametrize("t", [-1.28, 0.0, 0.4, 1.6])
def test_a_field_fully_correlated_has_the_variance_of_a_coin(t: float) -> None:
    share = stats.norm.sf(t)
    found = level_covariance(one(t), one(t), torch.ones(1, 1).double())
    assert float(found) == pytest.approx(share * (1 - share), abs=1e-10)


@pytest.mark.parametrize("s", [-1.0, 0.3])
@pytest.mark.parametrize("t", [0.3, 1.4])
@pytest.mark.parametrize("g", [-0.6, 0.1, 0.5, 0.9])
def test_the_covariance_of_two_levels_is_that_of_two_normal_numbers(
    s: float, t: float, g: float
) -> None:
    both = stats.multivariate_normal(cov=[[1, g], [g, 1]]).cdf([-s, -t])
    exact = both - stats.norm.sf(s) * stats.norm.sf(t)
    found = level_covariance(one(s), one(t), one(g)[None])
    # scipy states 1e-5 for its bivariate integral, and is better by far in the plane.
    assert float(found) == pytest.approx(exact, abs=1e-7)


@pytest.mark.parametrize("t", [-1.6, -0.7, 0.0, 0.2, 1.2816, 1.6])
def test_the_polynomial_for_one_level_is_plackett_s_integral(t: float) -> None:
    deficit = torch.linspace(0, 1.4, 200, dtype=torch.float64)[None]
    found = clipped_covariance(one(t), deficit)
    assert torch.allclose(
        found, level_covariance(one(t), one(t), 1 - deficit), rtol=0, atol=1e-8
    )


def test_the_covariance_falls_as_a_square_root_where_the_deficit_is_tiny() -> None:
    tiny = torch.logspace(-20, -8, 13, dtype=torch.float64)[None]
    t = one(0.7)
    fall = clipped_covariance(t, torch.zeros(1, 1).double()) - clipped_covariance(
        t, tiny
    )
    # Lambda(0) - Lambda = exp(-t²/2) sqrt(2 (1 - g)) / (2 pi), to leading order.
    exact = math.exp(-0.245) * (2 * tiny).sqrt() / (2 * math.pi)
    assert torch.allclose(fall, exact, rtol=1e-3, atol=1e-12)


def test_its_gradient_is_finite_where_the_deficit_vanishes() -> None:
    deficit = torch.zeros(1, 3, dtype=torch.float64, requires_grad=True)
    (slope,) = torch.autograd.grad(
        clipped_covariance(one(0.5), deficit).sum(), (deficit,)
    )
    assert bool(slope.isfinite().all())


def test_nodes_beyond_what_is_asked_for_may_be_left_out() -> None:
    nodes = Nodes(last=40.0, scale=1.0, count=200)
    values = torch.exp(-nodes.values / 5)[None]
    x = torch.linspace(0, 7, 50, dtype=torch.float64)[None]
    few = nodes.beyond(7.0)
    assert few < len(nodes.values)
    whole = resample(values, nodes, x)
    assert torch.equal(resample(values[:, :few], nodes, x), whole)
    assert nodes.beyond(40.0) == 200
