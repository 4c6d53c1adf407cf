"""Mirrors src/saxinfer/inference/expansion.py."""

import math

import pytest
import torch
from torch import Generator, Tensor
from torch.autograd.functional import jacobian

from saxinfer.inference.expansion import expansion
from saxinfer.inference.target import Target
from saxinfer.instrument.observation import Observation
from saxinfer.structures import get_structure

Q = torch.logspace(-1.3, 0.5, 40, dtype=torch.float64)


def target(model: str = "cellulose", **windows: tuple[float, float]) -> Target:
    """A curve in the middle of the prior, its errors 3 %."""
    structure = get_structure(model)
    space = structure.space
    curve = structure.intensity(Q, space.theta_from_latent(torch.zeros(1, len(space))))
    noise = torch.randn(40, generator=Generator().manual_seed(0), dtype=torch.float64)
    intensity = curve[0].double() * (1 + 0.03 * noise)
    for name, (low, high) in windows.items():
        space = space.narrow(name, low, high)
    observation = Observation.of(Q, intensity, 0.03 * intensity.abs(), None, "measured")
    return Target(structure, space, observation)


def near_the_truth(which: Target, count: int) -> Tensor:
    shape = (count, which.dimension)
    generator = Generator().manual_seed(1)
    return 0.02 * torch.randn(shape, generator=generator, dtype=torch.float64)


@pytest.mark.filterwarnings("ignore:Converting a tensor with requires_grad")
@pytest.mark.parametrize("model", ["sphere", "core_shell_sphere", "cellulose"])
def test_the_expansion_is_that_of_the_log_density(model: str) -> None:
    which = target(model)
    z = near_the_truth(which, 4).requires_grad_()
    density = which.log_density(z)
    (slope,) = torch.autograd.grad(density.sum(), (z,))
    found, gradient, curvature = expansion(which, z.detach())
    assert torch.allclose(found, density.detach(), rtol=1e-9)
    # Differences over 1e-4 shift the mode by a tenth of a standard deviation at most.
    scale = curvature.diagonal(dim1=-2, dim2=-1).sqrt()
    largest = slope.abs().amax(-1, keepdim=True)
    assert bool(((gradient - slope).abs() < 0.1 * scale + 0.01 * largest).all())


def test_the_curvature_is_the_fisher_information_plus_the_prior() -> None:
    which = target()
    data = which.observation
    (point,) = 25 * near_the_truth(which, 1)

    def mean_and_spread(z: Tensor) -> Tensor:
        row = z[None]
        nuisance = which.nuisance(row)
        total = which.intensity(which.curve(row), nuisance).total
        stated = (nuisance[:, 4:5] * data.sigma).square()
        spread = (stated + (nuisance[:, 5:6] * total).square()).sqrt()
        return torch.cat([total, spread.log()])

    slope, log_slope = jacobian(  # type: ignore[no-untyped-call]
        mean_and_spread, point
    )
    spread = mean_and_spread(point)[1].exp()
    scaled = slope / spread[:, None]
    fisher = scaled.T @ scaled + 2 * log_slope.T @ log_slope
    expected = fisher + torch.eye(which.dimension).double()
    found = expansion(which, point[None])[2][0]
    size = expected.diagonal().sqrt()
    # Relative to the diagonal; forward differences of 1e-4 leave a few of those.
    assert float(((found - expected) / (size[:, None] * size)).abs().max()) < 2e-3


def test_the_curvature_of_a_linear_model_is_its_posterior_precision(
    linear: Target, exact: tuple[Tensor, Tensor, float]
) -> None:
    curvature = expansion(linear, torch.zeros(1, linear.dimension).double())[2][0]
    precision = torch.linalg.inv(exact[1])
    assert torch.allclose(curvature[:3, :3], precision, rtol=1e-4, atol=1e-3)
    assert torch.allclose(curvature[3:, 3:], torch.eye(6).double(), atol=1e-3)


@pytest.mark.parametrize("columns", [[0], [1, 10], [2, 0, 12]])
def test_derivatives_by_some_columns_are_those_of_all(columns: list[int]) -> None:
    which = target()
    z = near_the_truth(which, 3)
    density, gradient, curvature = expansion(which, z)
    found, some, block = expansion(which, z, columns)
    assert torch.allclose(found, density, rtol=1e-12)
    assert torch.allclose(some, gradient[:, columns], rtol=1e-6, atol=1e-6)
    expected = curvature[:, columns][:, :, columns]
    assert torch.allclose(block, expected, rtol=1e-6, atol=1e-6)


def test_what_a_window_forbids_has_no_density_to_climb() -> None:
    # Spheres of 0.5 to 1 nm cannot spread by 1 to 2 nm: the ratio is 0.5 at most.
    which = target("sphere", radius_std=(1, 2), radius_mean=(0.5, 1))
    assert bool((expansion(which, near_the_truth(which, 5))[0] == -math.inf).all())
