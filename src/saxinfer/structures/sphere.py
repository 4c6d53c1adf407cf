r"""Dilute homogeneous spheres with a log-normal spread of radii.

.. math:: I(q) = \langle V^2 b(qR)^2 \rangle / \langle V \rangle ,
          \quad b(x) = 3 (\sin x - x \cos x) / x^3

References:
    Rayleigh, Proc. R. Soc. A 84, 25 (1910).
"""

import math

import torch
from jaxtyping import Float
from numpy.random import Generator
from torch import Tensor

from saxinfer.parameter import Parameter, ParameterSpace
from saxinfer.scattering.dispersion import Dispersion
from saxinfer.scattering.grid import Grid
from saxinfer.scattering.realisation import Realisation
from saxinfer.scattering.spheres import mean_volume, sphere_intensity
from saxinfer.structures.base import Structure
from saxinfer.structures.phase import Phase

__all__ = ["Sphere"]


class Sphere(Structure):
    """Homogeneous spheres, far apart; radii are log-normal by number."""

    name = "sphere"
    title = "Dilute homogeneous spheres with a log-normal spread of radii"
    references = ("Rayleigh, Proc. R. Soc. A 84, 25 (1910)",)
    space = ParameterSpace(
        (
            Parameter(
                "radius_mean", "nm", 0.5, 150, "Mean radius by number.", "log-uniform"
            ),
            Parameter(
                "radius_std",
                "nm",
                0.001,
                0.5,
                "Standard deviation of the radius.",
                "log-uniform",
                base="radius_mean",
            ),
        )
    )
    derived = (
        Parameter("diameter", "nm", 1, 300, "Mean diameter by number.", "log-uniform"),
    )
    phases = (Phase("spheres", length="mean radius by number"),)
    unit_contrast = "sphere less solvent"

    def intensity(
        self, q: Float[Tensor, "*curves q"], theta: Float[Tensor, "batch parameter"]
    ) -> Float[Tensor, "batch q"]:
        """Scattered intensity a unit of volume fraction and contrast² [nm³]."""
        return sphere_intensity(q, theta[:, 0], theta[:, 1])

    def realise(
        self, theta: Float[Tensor, " parameter"], grid: Grid, rng: Generator
    ) -> Realisation:
        """Draws a dilute dispersion in a cube."""
        return _dispersion(theta).draw(grid, rng)

    def refuse_unfit(self, theta: Float[Tensor, " parameter"], grid: Grid) -> None:
        """Refuses coarse pixels, and boxes less than four mean radii wide."""
        _dispersion(theta).refuse_unfit(grid)

    def suggested_grid(self, theta: Float[Tensor, " parameter"]) -> Grid:
        """Ten pixels a mean radius; the largest particle fits twice."""
        return _dispersion(theta).suggested_grid()

    def measured(self, drawn: Realisation) -> dict[str, float]:
        """Mean and spread of the radii that were drawn."""
        return {
            "radius_mean": float(drawn.radii.mean()),
            "radius_std": float(drawn.radii.std()),
        }

    def reach(self, theta: Float[Tensor, "batch parameter"]) -> Float[Tensor, " batch"]:
        """One and a half diameters [nm]: larger spheres blur what they add."""
        return 3 * theta[:, 0]

    def smooth(
        self, theta: Float[Tensor, "batch parameter"]
    ) -> Float[Tensor, "batch coordinate"]:
        """Logarithm of the radius, and its relative spread."""
        mean, std = theta.unbind(-1)
        return torch.stack([mean.log(), std / mean], -1)

    def edges(
        self, theta: Float[Tensor, "batch parameter"]
    ) -> Float[Tensor, "batch distance"]:
        """The mean diameter."""
        return 2 * theta[:, :1]

    def mean_volume(
        self, theta: Float[Tensor, "batch parameter"]
    ) -> Float[Tensor, " batch"]:
        """4 pi / 3 times the third moment of the radius [nm³]."""
        return mean_volume(theta[:, 0], theta[:, 1])

    def derived_values(
        self, theta: Float[Tensor, "batch parameter"]
    ) -> Float[Tensor, "batch derived"]:
        """Diameter [nm]."""
        return 2 * theta[:, :1]

    def phase_values(
        self, theta: Float[Tensor, "batch parameter"]
    ) -> Float[Tensor, "batch phase 3"]:
        """Of dilute spheres the radius alone [nm]."""
        unknown = theta.new_full((len(theta),), math.nan)
        return torch.stack([unknown, unknown, theta[:, 0]], -1)[:, None]


def _dispersion(theta: Tensor) -> Dispersion:
    mean, std = theta.tolist()
    return Dispersion(mean, std)
