"""Dilute dispersions drawn on a grid: core-shell spheres that ignore one another.

Particles lie anywhere, with equal probability, and where two overlap their densities
add: then, for every wavevector of the box, the mean spectrum is that of single
particles times their number, which is what the closed forms of dilute particles say.
Particles that keep apart scatter less at low q, by 8 times their volume fraction (the
second virial coefficient of hard spheres).

Voxels are in or out. Where all particles have nearly the same size, that fills minima
of the spectrum: with ten voxels a radius by more than a percent.
"""

import math
from dataclasses import dataclass

import numpy as np
from numpy import ndarray
from numpy.random import Generator

from saxinfer.scattering.grid import Grid
from saxinfer.scattering.realisation import Realisation

__all__ = ["Dispersion"]

# Pixels that the mean radius, and boxes that the largest particle, must at least span.
FEWEST_PIXELS, LARGEST_SHARE = 5.0, 0.5


@dataclass(frozen=True)
class Dispersion:
    """Spheres with a core; the whole particle is spread in proportion.

    Attributes:
        radius_mean: Mean outer radius, by number [nm].
        radius_std: Standard deviation of the outer radius, log-normal [nm].
        core_ratio: Core radius over outer radius [1]; 1 for a homogeneous sphere.
        core: Density of the core less that of the solvent.
        shell: Density of the shell less that of the solvent.
        fraction: About which volume fraction of particles there is to be [1]; one
            particle at least.
    """

    radius_mean: float
    radius_std: float
    core_ratio: float = 1.0
    core: float = 1.0
    shell: float = 1.0
    fraction: float = 0.02

    def draw(self, grid: Grid, rng: Generator) -> Realisation:
        """Draws one dispersion in a cube.

        Phases are solvent, shell and core; where particles overlap, the innermost.

        Raises:
            ValueError: If the grid is too coarse or too small for the particles.
        """
        count = max(1, round(self.fraction * grid.volume / self._volume))
        radii = self._radii(count, rng)
        self._refuse_unfit(grid, float(radii.max()))
        phases = np.zeros(grid.shape, np.uint8)
        density = np.zeros(grid.shape)
        for radius, centre in zip(radii, rng.random((len(radii), 3)), strict=True):
            place, distance = _near(grid, centre * grid.edge, radius)
            inside = np.where(distance <= self.core_ratio * radius, 2, 1)
            inside[distance > radius] = 0
            phases[place] = np.maximum(phases[place], inside)
            density[place] += np.array([0.0, self.shell, self.core])[inside]
        names = ("solvent", "shell", "core")
        share = count * self._volume / grid.volume
        return Realisation(grid, phases, names, density, radii, share)

    @property
    def _spread(self) -> float:
        """Variance of ln R."""
        return math.log1p((self.radius_std / self.radius_mean) ** 2)

    @property
    def _volume(self) -> float:
        """Mean volume of a particle [nm³]."""
        return 4 / 3 * math.pi * self.radius_mean**3 * math.exp(3 * self._spread)

    def _radii(self, count: int, rng: Generator) -> ndarray:
        """Independent log-normal radii [nm]."""
        normal = rng.standard_normal(count)
        drawn = np.exp(math.sqrt(self._spread) * normal - 0.5 * self._spread)
        return np.sort(self.radius_mean * drawn)

    def _refuse_unfit(self, grid: Grid, largest: float) -> None:
        if grid.dimension != 3:
            raise ValueError("a dispersion needs a grid of three dimensions, got 2.")
        if self.radius_mean < FEWEST_PIXELS * grid.pixel:
            finest = self.radius_mean / FEWEST_PIXELS
            raise ValueError(
                f"pixels of {grid.pixel:.4g} nm are too coarse for spheres of "
                f"{self.radius_mean:.4g} nm. Take {finest:.4g} nm at most."
            )
        if 2 * largest > LARGEST_SHARE * grid.edge:
            raise ValueError(
                f"a box of {grid.edge:.4g} nm is too small for a sphere of radius "
                f"{largest:.4g} nm. Take {2 * largest / LARGEST_SHARE:.4g} nm at least."
            )


def _near(
    grid: Grid, centre: ndarray, radius: float
) -> tuple[tuple[ndarray, ...], ndarray]:
    """Indices of the pixels around a centre, over the box's faces, and distances."""
    reach = math.ceil(radius / grid.pixel) + 1
    first = np.floor(centre / grid.pixel).astype(int) - reach
    index = first + np.arange(2 * reach + 2)[:, None]
    square = np.square(index * grid.pixel - centre)
    distance = np.sqrt(square[:, 0, None, None] + square[:, 1, None] + square[:, 2])
    return np.ix_(*(index % grid.pixels).T), distance
