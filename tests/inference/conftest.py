"""Structures whose posterior is known in closed form, seen by a perfect instrument."""

import math

import pytest
import torch
from scipy import stats
from torch import Generator, Tensor

from saxinfer.inference.target import Target
from saxinfer.instrument.nuisance import MEASURED_SIGMA
from saxinfer.instrument.observation import Observation
from saxinfer.parameter import Parameter, ParameterSpace
from saxinfer.structures import get_structure
from saxinfer.structures.base import Structure

POINTS = 40
SIGMA = 0.05
Q = torch.logspace(-1, 0.5, POINTS, dtype=torch.float64)
PHASE = torch.linspace(0, 2 * math.pi, POINTS, dtype=torch.float64)


def patterns(count: int) -> Tensor:
    """Curves without a mean over ln q, so that the level leaves the sum alone."""
    waves = torch.stack([torch.cos((n + 1) * PHASE + n) for n in range(count)])
    weights = _observation(torch.ones_like(Q)).weights
    flat: Tensor = waves - (waves * weights).sum(-1, keepdim=True)
    return 0.05 * flat


def _unit(name: str) -> Parameter:
    return Parameter(name, "1", 0, 1, "A share.")


class Linear(Structure):
    """Scatters 1 + A z, where z is the latent vector itself."""

    name = "linear"
    title = "A straight line in three latent numbers"
    references = ("None needed",)
    space = ParameterSpace((_unit("first"), _unit("second"), _unit("third")))

    def intensity(self, q: Tensor, theta: Tensor) -> Tensor:
        curve: Tensor = 1 + torch.special.ndtri(theta) @ patterns(3)
        return curve


class Folded(Structure):
    """Scatters 1 + (z + 0.3)² a: two values of z give the same curve."""

    name = "folded"
    title = "A parabola in one latent number"
    references = ("None needed",)
    space = ParameterSpace((_unit("only"),))

    def intensity(self, q: Tensor, theta: Tensor) -> Tensor:
        latent: Tensor = torch.special.ndtri(theta)
        return 1 + (latent + 0.3).square() @ patterns(1)

    def mirrors(self, theta: Tensor) -> Tensor:
        image: Tensor = torch.special.ndtr(-0.6 - torch.special.ndtri(theta))
        return image[None]


class Bent(Structure):
    """Scatters 1 + (z1 + z0²) a: the posterior is a ridge bent like a bow."""

    name = "bent"
    title = "A ridge along a parabola"
    references = ("None needed",)
    space = ParameterSpace((_unit("along"), _unit("across")))

    def intensity(self, q: Tensor, theta: Tensor) -> Tensor:
        latent: Tensor = torch.special.ndtri(theta)
        along, across = latent.unbind(-1)
        return 1 + (across + along.square())[:, None] @ patterns(1)


def _perfect() -> ParameterSpace:
    """The six nuisances, each in a range too narrow to matter."""
    values = (1.0, 1.0, 1e-12, 3.5, 1.0, 1e-12)
    return ParameterSpace(
        tuple(
            Parameter(p.name, p.unit, value, value * (1 + 1e-9), p.meaning)
            for p, value in zip(MEASURED_SIGMA, values, strict=True)
        )
    )


def _observation(intensity: Tensor) -> Observation:
    return Observation(
        q=Q,
        intensity=intensity,
        sigma=torch.full_like(Q, SIGMA),
        level=1.0,
        nuisances=_perfect(),
        sigma_source="measured",
        grid=Q,
        smear=None,
        members=torch.ones_like(Q),
    )


def _measured(structure: Structure, latent: tuple[float, ...], seed: int) -> Target:
    theta = torch.special.ndtr(torch.tensor([latent], dtype=torch.float64))
    noise = torch.randn(
        POINTS, generator=Generator().manual_seed(seed), dtype=torch.float64
    )
    curve = structure.intensity(Q, theta)[0] + SIGMA * noise
    return Target(structure, structure.space, _observation(curve))


@pytest.fixture
def linear() -> Target:
    """A curve of ``Linear``, measured with known errors."""
    return _measured(Linear(), (0.8, -0.5, 1.5), seed=1)


@pytest.fixture
def exact(linear: Target) -> tuple[Tensor, Tensor, float]:
    """Mean and covariance of the latent numbers behind ``linear``, and log evidence."""
    design = patterns(3).T
    precision = torch.eye(3, dtype=torch.float64) + design.T @ design / SIGMA**2
    covariance = torch.linalg.inv(precision)
    gap = linear.observation.intensity - 1
    mean = covariance @ design.T @ gap / SIGMA**2
    spread = SIGMA**2 * torch.eye(POINTS).double() + design @ design.T
    evidence = stats.multivariate_normal(cov=spread.numpy()).logpdf(gap.numpy())
    return mean, covariance, float(evidence)


@pytest.fixture
def folded() -> Target:
    """A curve of ``Folded``: the truth is at z = 1.2, its image at z = -1.8."""
    return _measured(Folded(), (1.2,), seed=2)


@pytest.fixture
def bent() -> Target:
    """A curve of ``Bent``, at the end of one arm."""
    return _measured(Bent(), (1.3, -0.9), seed=4)


@pytest.fixture
def large() -> Target:
    """Nearly equal spheres of 60 nm: nothing but the right radius fits."""
    structure = get_structure("sphere")
    q = torch.linspace(0.2, 0.8, 150, dtype=torch.float64)
    curve = structure.intensity(q, torch.tensor([[60.0, 0.6]], dtype=torch.float64))[0]
    noise = torch.randn(150, generator=Generator().manual_seed(0)).double()
    sigma = 0.01 * curve
    data = Observation.of(q, curve + sigma * noise, sigma, None, "measured")
    return Target(structure, structure.space, data)


@pytest.fixture
def proposals(linear: Target) -> Tensor:
    """A hundred draws of the prior, as of a network that knows nothing."""
    generator = Generator().manual_seed(3)
    return torch.randn(
        100, linear.dimension, generator=generator, dtype=torch.float64
    ).clamp(-4, 4)
