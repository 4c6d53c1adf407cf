"""Particles with a shell and a core that fluctuates, drawn on a grid.

As in :mod:`saxinfer.scattering.dispersion` particles lie anywhere and densities add
where two overlap, so that the mean spectrum is that of single particles. Each cuts its
core out of one random field at a place of its own: then no particle knows of another.

The field is drawn up to where a thousandth of its mean square wavenumber lies beyond,
or up to its band limit, whichever comes first.
"""

import math
from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float
from numpy import ndarray
from numpy.random import Generator
from scipy import special

from saxinfer.scattering.dispersion import SUBPIXELS, filled, near
from saxinfer.scattering.drawn_field import FieldOnGrid
from saxinfer.scattering.fourier import averaged
from saxinfer.scattering.grid import Grid
from saxinfer.scattering.particle_interior import (
    DISTANCES,
    K_MAX,
    correlation,
    fluctuation,
    interior_spectrum,
)
from saxinfer.scattering.radii import drawn_radii
from saxinfer.scattering.realisation import Realisation

__all__ = ["FilledParticles"]

# Standard normal number above which a thousandth lies; largest correlation of the
# field with its periodic image; pixels that the shell spans at least.
CUT, FARTHEST, SHELL_PIXELS = 3.0902, 0.02, 4.0

# How many standard deviations above the mean of ln R the largest of 10,000 particles
# is, the share of the box that it may take, the largest suggested box, and about how
# many particles a suggested box holds if it is not too small for them.
LARGEST_SCORE, LARGEST_SHARE, MOST_PIXELS, SUGGESTED_COUNT = 3.72, 0.75, 448, 8


@dataclass(frozen=True)
class FilledParticles:
    """Spheres with a shell that is equally thick on all, and a fluctuating core.

    Attributes:
        radius_mean: Mean outer radius by number, before any is left out [nm].
        radius_cv: Standard deviation over the mean [1], likewise.
        thickness: Of the shell [nm]; particles without a core are left out.
        core: Mean contrast of the core.
        shell: Contrast of the shell.
        means: Mean wavenumbers of the components of the field's spectrum [1/nm].
        stds: Their standard deviations [1/nm].
        shares: Their weights.
        fraction: About which volume fraction of particles there is to be [1].
    """

    radius_mean: float
    radius_cv: float
    thickness: float
    core: float
    shell: float
    means: tuple[float, float]
    stds: tuple[float, float]
    shares: tuple[float, float]
    fraction: float = 0.02

    def draw(self, grid: Grid, rng: Generator) -> Realisation:
        """Draws one dispersion in a cube.

        Phases are solvent, shell and core; where particles overlap, the innermost.

        Raises:
            ValueError: If the grid is too coarse or too small for the particles.
        """
        self.refuse_unfit(grid)
        volume, there = self._volume
        count = max(1, round(self.fraction * grid.volume / (there * volume)))
        radii = self._radii(round(count / there) or 1, rng)
        radii = radii.clip(max=0.5 * grid.edge - 2 * grid.pixel)
        field = FieldOnGrid(grid, self._power, self.k_max).draw(rng)
        # A voxel is a mean of points here as it is in the shapes.
        fluctuating = averaged(fluctuation(field), SUBPIXELS)
        phases = np.zeros(grid.shape, np.uint8)
        density = np.zeros(grid.shape, np.float32)
        for radius, centre in zip(radii, rng.random((len(radii), 3)), strict=True):
            place, offset = near(grid, centre * grid.edge, radius)
            whole = filled(offset, radius, grid.pixel)
            core = filled(offset, radius - self.thickness, grid.pixel)
            inside = np.where(core > 0.5, 2, np.where(whole > 0.5, 1, 0))
            phases[place] = np.maximum(phases[place], inside)
            moved = rng.integers(grid.pixels, size=3)
            axes = zip(place, moved, strict=True)
            rows = [(axis.ravel() + by) % grid.pixels for axis, by in axes]
            elsewhere = np.ix_(*rows)
            density[place] += self.shell * (whole - core)
            density[place] += (self.core + fluctuating[elsewhere]) * core
        names = ("solvent", "shell", "core")
        share = len(radii) * volume / grid.volume
        return Realisation(grid, phases, names, density, radii, share, SUBPIXELS)

    def _radii(self, count: int, rng: Generator) -> Float[ndarray, " particle"]:
        """Radii above the thickness; drawn anew if there is none among them."""
        while True:
            radii = self.radius_mean * drawn_radii(count, self.radius_cv, rng)
            radii = radii[radii > self.thickness]
            if len(radii):
                return radii

    def refuse_unfit(self, grid: Grid) -> None:
        """Raises a ValueError if the grid is too coarse or too small."""
        if grid.dimension != 3:
            raise ValueError("particles need a grid of three dimensions, got 2.")
        if grid.pixel > self._coarsest * (1 + 1e-9):
            raise ValueError(
                f"pixels of {grid.pixel:.4g} nm are too coarse for waves up to "
                f"{self.k_max:.4g} 1/nm and shells of {self.thickness:.4g} nm. Take "
                f"{self._coarsest:.4g} nm at most."
            )
        if grid.edge < self._smallest:
            raise ValueError(
                f"a box of {grid.edge:.4g} nm is too small for particles of radius up "
                f"to {self._largest:.4g} nm and their field. Take "
                f"{self._smallest:.4g} nm at least."
            )

    def suggested_grid(self) -> Grid:
        """As coarse as can be; holds the largest of ten thousand particles.

        Raises:
            ValueError: If it had more than ``MOST_PIXELS`` along an edge.
        """
        volume, _ = self._volume
        several = (SUGGESTED_COUNT * volume / self.fraction) ** (1 / 3)
        most = MOST_PIXELS * self._coarsest
        edge = max(1.01 * self._smallest, min(several, 0.9 * most))
        grid = Grid.covering(edge, self._coarsest, 3)
        if grid.pixels > MOST_PIXELS:
            raise ValueError(
                f"particles of radius up to {self._largest:.4g} nm need "
                f"{grid.pixels} pixels along an edge; {MOST_PIXELS} are allowed. Take "
                "smaller particles, of a narrower distribution."
            )
        return grid

    @property
    def k_max(self) -> float:
        """Where the spectrum is cut on a grid [1/nm]."""
        cuts = []
        for mean, std in zip(self.means, self.stds, strict=True):
            sigma = math.sqrt(math.log1p((std / mean) ** 2))
            cuts.append(mean * math.exp(3.5 * sigma**2 + CUT * sigma))
        return min(K_MAX, max(cuts))

    @property
    def _coarsest(self) -> float:
        """Largest pixel [nm]."""
        return min(math.pi / self.k_max, self.thickness / SHELL_PIXELS)

    @property
    def _smallest(self) -> float:
        """Least edge of a box [nm]."""
        g = correlation(*(row[None] for row in self._components()))[0].abs()
        far = float(DISTANCES.values[int((g > FARTHEST).nonzero()[-1]) + 1])
        typical = 2 * self.radius_mean * (1 + self.radius_cv)
        return max(2 * self._largest / LARGEST_SHARE, typical + far)

    @property
    def _sigma(self) -> float:
        return math.sqrt(math.log1p(self.radius_cv**2))

    @property
    def _largest(self) -> float:
        """About the largest radius of ten thousand particles [nm]."""
        return self.radius_mean * math.exp(
            LARGEST_SCORE * self._sigma - 0.5 * self._sigma**2
        )

    @property
    def _volume(self) -> tuple[float, float]:
        """Mean volume [nm³] of what is above the thickness, and its share."""
        sigma, middle = self._sigma, math.log(self.radius_mean) - 0.5 * self._sigma**2
        first = (math.log(self.thickness) - middle) / sigma
        there = float(special.ndtr(-first))
        cube = math.exp(3 * middle + 4.5 * sigma**2) * special.ndtr(3 * sigma - first)
        return 4 / 3 * math.pi * float(cube) / there, there

    def _components(self) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        means, stds, shares = (
            torch.tensor(each, dtype=torch.float64)
            for each in (self.means, self.stds, self.shares)
        )
        return means, stds, shares

    def _power(self, k: Float[ndarray, "..."]) -> Float[ndarray, "..."]:
        """The spectrum at wavenumbers [1/nm]; none at zero."""
        row = torch.from_numpy(k.clip(min=1e-9).ravel())
        power = interior_spectrum(row, *(part[None] for part in self._components()))
        return np.asarray(power[0].numpy().reshape(k.shape))
