"""Dilute dispersions drawn on a grid: core-shell spheres that ignore one another.

Particles lie anywhere, with equal probability, and where two overlap their densities
add: then, for every wavevector of the box, the mean spectrum is that of single
particles times their number, which is what the closed forms of dilute particles say.
Particles that keep apart scatter less at low q, by 8 times their volume fraction (the
second virial coefficient of hard spheres).

A voxel's density is the mean over ``SUBPIXELS``³ points: voxels that are in or out
would change the volume of each particle by chance, and fill the deep minima of nearly
equal particles, or of those whose shell makes up for the core.
"""

import math
from dataclasses import dataclass

import numpy as np
from numpy import ndarray
from numpy.random import Generator

from saxinfer.scattering.grid import Grid
from saxinfer.scattering.radii import drawn_radii
from saxinfer.scattering.realisation import Realisation

__all__ = ["SUBPIXELS", "Dispersion", "filled", "near"]

# Pixels that the mean radius must span, and share of the box that the largest of ten
# thousand particles may.
FEWEST_PIXELS, LARGEST_SHARE = 5.0, 0.75

SUBPIXELS = 4
"""Points along an axis that the density of a voxel is the mean of."""

# Of suggested boxes: particles; pixels a mean radius, and an edge at most; how many
# standard deviations above the mean of ln R the largest of 10,000 particles is.
SUGGESTED_COUNT, SUGGESTED_PIXELS, MOST_PIXELS, LARGEST_SCORE = 20, 10.0, 256, 3.72


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
        spread = self.radius_std / self.radius_mean
        radii = self.radius_mean * drawn_radii(count, spread, rng)
        self.refuse_unfit(grid)
        # Far beyond the largest of ten thousand: not once in a million boxes.
        radii = radii.clip(max=0.5 * grid.edge - 2 * grid.pixel)
        phases = np.zeros(grid.shape, np.uint8)
        density = np.zeros(grid.shape, np.float32)
        for radius, centre in zip(radii, rng.random((len(radii), 3)), strict=True):
            place, offset = near(grid, centre * grid.edge, radius)
            whole, core = (
                filled(offset, edge, grid.pixel)
                for edge in (radius, self.core_ratio * radius)
            )
            inside = np.where(core > 0.5, 2, np.where(whole > 0.5, 1, 0))
            phases[place] = np.maximum(phases[place], inside)
            density[place] += self.shell * (whole - core) + self.core * core
        names = ("solvent", "shell", "core")
        share = count * self._volume / grid.volume
        return Realisation(grid, phases, names, density, radii, share, SUBPIXELS)

    @property
    def _spread(self) -> float:
        """Variance of ln R."""
        return math.log1p((self.radius_std / self.radius_mean) ** 2)

    @property
    def _largest(self) -> float:
        """About the largest radius of ten thousand particles [nm]."""
        score = LARGEST_SCORE * math.sqrt(self._spread)
        return self.radius_mean * math.exp(score - 0.5 * self._spread)

    @property
    def _volume(self) -> float:
        """Mean volume of a particle [nm³]."""
        return 4 / 3 * math.pi * self.radius_mean**3 * math.exp(3 * self._spread)

    def refuse_unfit(self, grid: Grid) -> None:
        """Raises a ValueError if the grid is too coarse or too small."""
        if grid.dimension != 3:
            raise ValueError("a dispersion needs a grid of three dimensions, got 2.")
        if self.radius_mean < FEWEST_PIXELS * grid.pixel:
            finest = self.radius_mean / FEWEST_PIXELS
            raise ValueError(
                f"pixels of {grid.pixel:.4g} nm are too coarse for spheres of "
                f"{self.radius_mean:.4g} nm. Take {finest:.4g} nm at most."
            )
        if 2 * self._largest > LARGEST_SHARE * grid.edge:
            raise ValueError(
                f"a box of {grid.edge:.4g} nm is too small for spheres of radius up to "
                f"{self._largest:.4g} nm. Take "
                f"{2 * self._largest / LARGEST_SHARE:.4g} nm at least."
            )

    def suggested_grid(self) -> Grid:
        """Holds the largest of ten thousand particles, and some twenty of the mean."""
        several = (SUGGESTED_COUNT * self._volume / self.fraction) ** (1 / 3)
        edge = max(1.01 * 2 * self._largest / LARGEST_SHARE, several)
        finest = self.radius_mean / SUGGESTED_PIXELS
        return Grid.covering(edge, max(finest, edge / MOST_PIXELS), 3)


def near(
    grid: Grid, centre: ndarray, radius: float
) -> tuple[tuple[ndarray, ...], ndarray]:
    """Indices of the pixels around a centre, over the box's faces, and offsets [nm].

    The offsets of the three axes stand in three rows.
    """
    reach = math.ceil(radius / grid.pixel) + 1
    first = np.floor(centre / grid.pixel).astype(int) - reach
    index = first + np.arange(2 * reach + 2)[:, None]
    return np.ix_(*(index % grid.pixels).T), (index * grid.pixel - centre).T


def filled(offset: ndarray, radius: float, pixel: float) -> ndarray:
    """Share of each voxel that lies within a sphere."""
    x, y, z = np.square(offset)
    distance = np.sqrt(x[:, None, None] + y[:, None] + z)
    share = (distance <= radius).astype(np.float32)
    # Only those that its surface may cut are looked at more closely.
    cut = np.nonzero(np.abs(distance - radius) < 0.87 * pixel)
    step = pixel * ((np.arange(SUBPIXELS) + 0.5) / SUBPIXELS - 0.5)
    x, y, z = (
        np.square(row[index][:, None] + step)
        for row, index in zip(offset, cut, strict=True)
    )
    inside = x[:, :, None, None] + y[:, None, :, None] + z[:, None, None] <= radius**2
    share[cut] = inside.mean((1, 2, 3))
    return np.asarray(share)
