"""One structure on a grid: which phase each pixel belongs to, and what it weighs."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, UInt8
from numpy import ndarray

from saxinfer.scattering.fourier import Rings, spectrum
from saxinfer.scattering.grid import Grid

__all__ = ["Realisation"]


@dataclass(frozen=True, eq=False)
class Realisation:
    """A draw from the ensemble whose mean the closed form is.

    Attributes:
        grid: The periodic box.
        phases: Number of the phase of each pixel.
        names: Names of the phases.
        density: Scattering length density of each pixel [relative].
        radii: Radii of the particles in the box [nm]; empty if there are none.
        share: Volume fraction that as many particles take in the mean, for what is
            dilute; else 1.
        subpixels: Points along each axis that a pixel's density is the mean of.
    """

    grid: Grid
    phases: UInt8[ndarray, "..."]
    names: tuple[str, ...]
    density: Float[ndarray, "..."]
    radii: Float[ndarray, " particle"]
    share: float = 1.0
    subpixels: int = 1

    def __post_init__(self) -> None:
        if not self.phases.shape == self.density.shape == self.grid.shape:
            raise ValueError(
                f"both maps must have the shape {self.grid.shape} of the grid, got "
                f"{self.phases.shape} and {self.density.shape}."
            )
        last = int(self.phases.max())
        if last >= len(self.names):
            raise ValueError(
                f"phases up to number {last} need {last + 1} names, got "
                f"{len(self.names)}."
            )

    @property
    def fractions(self) -> tuple[float, ...]:
        """Share of the box that each phase takes [1]; not quite the nominal one."""
        held = np.bincount(self.phases.ravel(), minlength=len(self.names))
        return tuple((held / self.phases.size).tolist())

    def spectrum(self, rings: Rings) -> Float[ndarray, " ring"]:
        """Spectrum S(q) [density² nm², or nm³ of a cube] averaged over rings."""
        return spectrum(self.density, rings, self.subpixels)
