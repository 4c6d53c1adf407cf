"""Cross-sections drawn on a grid: packed crystals over a clipped random field.

The crystals are disks or freely turning squares, in equilibrium.
"""

import math
from dataclasses import dataclass
from types import ModuleType
from typing import Literal, get_args

import numpy as np
from numpy import ndarray
from numpy.random import Generator

from saxinfer.scattering.drawn_field import WAVES, FieldOnGrid
from saxinfer.scattering.grid import Grid
from saxinfer.scattering.radii import drawn_radii
from saxinfer.scattering.realisation import Realisation

__all__ = ["CrossSection", "Shape"]

Shape = Literal["disk", "square"]

# Fewest crystals whose order is not that of their periodic images.
FEWEST_CRYSTALS = 9


@dataclass(frozen=True)
class CrossSection:
    """Disks or squares of one density in a matrix of two.

    Attributes:
        radius_mean: Mean radius of the disks, half-edge of the squares, by number [nm].
        radius_std: Standard deviation of the radius [nm].
        phi: Area fraction of the crystals.
        exponent: Exponent p of the field's spectrum (k² + mu²)^-p [1].
        mu: Low-q smoothing of the spectrum [1/nm].
        k_max: Band limit of the spectrum [1/nm].
        level: Level at which the field is clipped [standard deviations].
        shape: Of the crystals, "disk" or "square".
    """

    radius_mean: float
    radius_std: float
    phi: float
    exponent: float
    mu: float
    k_max: float
    level: float
    shape: Shape = "disk"

    def __post_init__(self) -> None:
        if self.shape not in get_args(Shape):
            known = " or ".join(get_args(Shape))
            raise ValueError(f"the shape must be {known}, got {self.shape!r}.")

    def refuse_unfit(self, grid: Grid) -> None:
        """Raises a ValueError if the grid cannot hold the structure."""
        if grid.dimension != 2:
            raise ValueError("a cross-section needs a grid of two dimensions, got 3.")
        if grid.nyquist < 2 * self.k_max * (1 - 1e-9):
            finest = math.pi / 2 / self.k_max
            raise ValueError(
                f"pixels of {grid.pixel:.4g} nm are too coarse for fluctuations up to "
                f"{self.k_max:.4g} 1/nm. Take {finest:.4g} nm at most."
            )
        if grid.edge * self.mu < WAVES:
            raise ValueError(
                f"a box of {grid.edge:.4g} nm is too small for mu = {self.mu:.4g} "
                f"1/nm, waves of which would not average out. Take at least "
                f"{WAVES / self.mu:.4g} nm, or mu from {WAVES / grid.edge:.3g} 1/nm on."
            )
        expected = self._expected(grid)
        if expected < FEWEST_CRYSTALS:
            raise ValueError(
                f"a box of {grid.edge:.4g} nm holds {expected:.1f} {self.shape}s of "
                f"{self.radius_mean:.4g} nm; {FEWEST_CRYSTALS} are needed. Take a "
                "larger box."
            )

    def draw(
        self, grid: Grid, densities: tuple[float, float, float], rng: Generator
    ) -> Realisation:
        """Draws one cross-section.

        Args:
            grid: The periodic square.
            densities: Of the crystals, and of where the field is above the level
                and below it.
            rng: Source of randomness.

        Raises:
            ValueError: If the grid cannot hold the structure.
        """
        self.refuse_unfit(grid)
        crystals = self._crystals(grid, rng)
        above = self._field(grid).draw(rng) > self.level
        phases = np.where(above, np.uint8(1), np.uint8(2))
        phases[self._covered(crystals, grid)] = 0
        return Realisation(
            grid=grid,
            phases=phases,
            names=("crystal", "amorphous 1", "amorphous 2"),
            density=np.take(np.asarray(densities, dtype=np.float32), phases),
            radii=crystals[2],
        )

    def _expected(self, grid: Grid) -> float:
        """Mean number of crystals in the box."""
        square = self.radius_mean**2 + self.radius_std**2
        return self.phi * grid.volume / (self._area * square)

    @property
    def _area(self) -> float:
        """Of a crystal of radius or half-edge 1."""
        return math.pi if self.shape == "disk" else 4.0

    def _crystals(self, grid: Grid, rng: Generator) -> ndarray:
        """Rows x, y, R [nm] of an equilibrium packing, of squares the angle too."""
        sampler = _sampler(self.shape)
        # A whole number of crystals, right in the mean.
        count = int(self._expected(grid) + rng.random())
        spread = self.radius_std / self.radius_mean
        radii = drawn_radii(count, spread, rng)
        edge = grid.edge / self.radius_mean
        phi = self._area * float(np.square(radii).sum()) / edge**2
        packing = sampler.random_start(radii, phi, rng)
        packing.run(sampler.sweeps_to_equilibrium(phi), tune=True)
        if self.shape == "disk":
            return np.asarray(packing.disks * self.radius_mean)
        unit = self.radius_mean
        return np.asarray(packing.squares * [[unit], [unit], [unit], [1.0]])

    def _covered(self, crystals: ndarray, grid: Grid) -> ndarray:
        mask = _sampler(self.shape).covered(crystals, grid.edge, grid.pixels)
        return np.asarray(mask, dtype=bool)

    def _field(self, grid: Grid) -> FieldOnGrid:
        return FieldOnGrid(
            grid, lambda k: (1 + np.square(k / self.mu)) ** -self.exponent, self.k_max
        )


def _sampler(shape: Shape) -> ModuleType:
    """The sampler of packings; its compiler takes a while to load."""
    try:
        if shape == "disk":
            from saxinfer.scattering import hard_disks

            return hard_disks
        from saxinfer.scattering import hard_squares
    except ImportError as error:
        raise ImportError(
            f"drawing packed {shape}s needs numba. Install it with "
            "pip install 'saxinfer[structures]'."
        ) from error
    return hard_squares
