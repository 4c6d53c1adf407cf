r"""A measured curve made ready for a likelihood: errors, weights, smearing.

Pinhole smearing with a Gaussian of standard deviation sigma_q at each point is one
matrix on the structure's curve at a finer grid: nodes a third of sigma_q apart, where
the trapezoid sum of a Gaussian is exact to double precision. Where that takes more than
three nodes a point, each point has three Gauss-Hermite nodes of its own.
"""

import math
from dataclasses import dataclass
from typing import Literal

import numpy as np
import torch
from jaxtyping import Float
from numpy import ndarray
from torch import Tensor

from saxinfer.instrument.groups import Groups
from saxinfer.instrument.nuisance import (
    ESTIMATED_SIGMA,
    MEASURED_SIGMA,
    log_q_weights,
)
from saxinfer.parameter import ParameterSpace

__all__ = ["Observation", "log_likelihood", "smearing"]

# Nodes of the smearing grid: distance in sigma_q, reach in sigma_q.
SPACING, REACH = 0.35, 3.5

# Points whose Gaussians are held at once, where they are averaged.
CHUNK = 500


@dataclass(frozen=True, eq=False)
class Observation:
    """What the likelihood sees of a curve.

    Attributes:
        q: Scattering vector of the points [1/nm].
        intensity: Intensity over ``level`` [1].
        sigma: Standard error over ``level`` [1].
        level: Measured mean over ln q [unit of the intensity].
        nuisances: Priors of the instrument's parameters.
        sigma_source: Whether the file gave errors or they were estimated.
        grid: Where the structure is evaluated [1/nm].
        smear: Matrix from ``grid`` to ``q``, or None where they are the same.
        members: Number of measured points that each point is the mean of.
    """

    q: Float[Tensor, " q"]
    intensity: Float[Tensor, " q"]
    sigma: Float[Tensor, " q"]
    level: float
    nuisances: ParameterSpace
    sigma_source: Literal["measured", "estimated"]
    grid: Float[Tensor, " grid"]
    smear: Float[Tensor, "grid q"] | None
    members: Float[Tensor, " q"]

    @classmethod
    def of(
        cls,
        q: Float[Tensor, " q"],
        intensity: Float[Tensor, " q"],
        sigma: Float[Tensor, " q"],
        resolution: Float[Tensor, " q"] | None,
        sigma_source: Literal["measured", "estimated"],
        groups: Groups | None = None,
    ) -> "Observation":
        """Scales a curve to mean one and prepares its smearing.

        A point that is the mean of a group of neighbours is compared with the mean of
        the model over the same points, each with its own resolution.

        Raises:
            ValueError: If the mean intensity over ln q is not positive.
        """
        # Arrays of numpy lie anywhere in memory, and the last bit of a logarithm may
        # depend on where: copies are aligned.
        q, intensity, sigma = q.clone(), intensity.clone(), sigma.clone()
        level = float((intensity * log_q_weights(q)).sum())
        if level <= 0:
            raise ValueError(
                f"the mean intensity over ln q must be positive, got {level:.4g}. "
                "The background was over-subtracted: check it, or narrow --q-range."
            )
        grid, smear = q, None
        if groups is not None:
            grid, smear = groups.q, groups.matrix()
            if groups.resolution is not None:
                grid, smear = smearing(grid, groups.resolution, smear)
        elif resolution is not None:
            grid, smear = smearing(q, resolution)
        return cls(
            q=q,
            intensity=intensity / level,
            sigma=sigma / level,
            level=level,
            nuisances=MEASURED_SIGMA if sigma_source == "measured" else ESTIMATED_SIGMA,
            sigma_source=sigma_source,
            grid=grid,
            smear=smear,
            members=torch.ones_like(q) if groups is None else groups.members,
        )

    def variance(
        self,
        total: Float[Tensor, "*batch q"],
        sigma_factor: Float[Tensor, "*#batch one"],
        model_error: Float[Tensor, "*#batch one"],
    ) -> Float[Tensor, "*batch q"]:
        """Squared effective error of each point, sigma_eff² = (a sigma)² + (f I)².

        The model's error is that of a measured point; of a mean of n it is f² / n.
        """
        stated = (sigma_factor * self.sigma).square()
        return stated + (model_error * total).square() / self.members

    @property
    def weights(self) -> Float[Tensor, " q"]:
        """Weights of the points in a mean over ln q."""
        return log_q_weights(self.q)

    def smeared(
        self, structure: Float[Tensor, "batch grid"]
    ) -> Float[Tensor, "batch q"]:
        """The structure's curve at the measured points, resolution included."""
        return structure if self.smear is None else structure @ self.smear


def smearing(
    q: Float[Tensor, " q"],
    resolution: Float[Tensor, " q"],
    means: Float[Tensor, "q mean"] | None = None,
) -> tuple[Float[Tensor, " grid"], Float[Tensor, "grid mean"]]:
    """Grid and matrix that smear a curve with a Gaussian in q.

    Args:
        q: Measured scattering vector [1/nm].
        resolution: Standard deviation of q at each point [1/nm].
        means: Weights of the points in means of them; None for the points themselves.

    Returns:
        Grid [1/nm], and weights whose columns sum to one.
    """
    places, width = q.numpy(), resolution.numpy().clip(min=1e-4 * q.numpy())
    low = max(float(q[0]) - REACH * width[0], 0.2 * float(q[0]))
    high = float(q[-1]) + REACH * width[-1]
    fine = np.linspace(low, high, 20_000)
    density = 1 / (SPACING * np.interp(fine, places, width))
    place = np.concatenate([[0], np.cumsum(np.diff(fine) * density[1:])])
    count = int(place[-1]) + 2
    if count > 3 * len(q):
        return _narrow_smearing(q, torch.from_numpy(width), means)
    grid = np.interp(np.linspace(0, place[-1], count), place, fine)
    if means is None:
        matrix = _gaussians(grid, places, width)
    else:
        parts = range(0, len(q), CHUNK)
        matrix = sum(
            _gaussians(grid, places[i : i + CHUNK], width[i : i + CHUNK])
            @ means.numpy()[i : i + CHUNK]
            for i in parts
        )
    return torch.from_numpy(grid).clone(), torch.from_numpy(matrix).clone()


def _gaussians(
    grid: Float[ndarray, " grid"], q: Float[ndarray, " q"], width: Float[ndarray, " q"]
) -> Float[ndarray, "grid q"]:
    """Weights of a grid in the mean over a Gaussian about each point."""
    distance = (grid[:, None] - q) / width
    step = np.gradient(grid)[:, None]
    weight = np.exp(-0.5 * distance**2) * step * (np.abs(distance) < 5)
    # A node nearest to a point narrower than the grid takes all of its weight.
    nearest = np.abs(distance).argmin(0)
    weight[nearest, np.arange(len(q))] += 1e-300
    return np.asarray(weight / weight.sum(0))


def _narrow_smearing(
    q: Tensor, width: Tensor, means: Tensor | None
) -> tuple[Tensor, Tensor]:
    """Three Gauss-Hermite points for each measured one, exact to the fifth order."""
    reach = (math.sqrt(3) * width).minimum(0.8 * q)
    grid = torch.cat([q - reach, q, q + reach])
    order = torch.argsort(grid)
    share = ((width / reach).square() / 2)[:, None]
    means = torch.eye(len(q), dtype=q.dtype) if means is None else means
    matrix = torch.cat([share * means, (1 - 2 * share) * means, share * means])
    return grid[order], matrix[order]


def log_likelihood(
    total: Float[Tensor, "batch q"],
    observation: Observation,
    sigma_factor: Float[Tensor, " batch"],
    model_error: Float[Tensor, " batch"],
) -> Float[Tensor, " batch"]:
    """Gaussian log likelihood with the error term, sigma_eff² = (a sigma)² + (f I)².

    Args:
        total: Model curve over the measured level [1].
        observation: The measured curve.
        sigma_factor: a, factor on the stated errors [1].
        model_error: f, relative error of the model [1].
    """
    variance = observation.variance(total, sigma_factor[:, None], model_error[:, None])
    square = (observation.intensity - total).square() / variance
    return -0.5 * (square + (2 * torch.pi * variance).log()).sum(-1)
