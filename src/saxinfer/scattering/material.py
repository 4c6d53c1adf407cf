r"""Materials drawn on a grid: a Gaussian random field in a cube, clipped at levels.

The spectrum is log-normal, so it ends nowhere; on a grid it is cut at the wavenumber
beyond which a thousandth of the mean square wavenumber lies, which takes half of that
share off the surface. Below, all of it must be there twice over: grids whose Nyquist
wavenumber is less than twice the cut are refused, and boxes whose opposite faces are
correlated, because a periodic field adds what reaches around.

The weight of k in <k²> is log-normal about K exp(sigma²), with K the root mean square
wavenumber and sigma the spread of ln k, hence cut = K exp(sigma² + 3.09 sigma): 1.4 K
if the spread is a tenth of the mean, 5.3 K at half, 26 K if both are the same, which no
grid of a common size can hold.
"""

import math
from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float
from numpy import ndarray
from numpy.random import Generator

from saxinfer.scattering.drawn_field import FieldOnGrid
from saxinfer.scattering.grid import Grid
from saxinfer.scattering.log_normal_field import correlation_reach, spectrum
from saxinfer.scattering.realisation import Realisation

__all__ = ["Material"]

# Standard normal number above which a thousandth lies.
CUT = 3.0902

# Largest correlation with a periodic image half a box away.
FARTHEST = 0.003


# Of suggested boxes: edge over the least one, pixel in units of 1 / k_mean so that the
# curve can be trusted up to twice that wavenumber, most pixels along an edge if they
# can be halved, and at all.
LARGER, FINER, SMALL, MOST_PIXELS = 1.2, math.pi / 12, 256, 512


@dataclass(frozen=True)
class Material:
    """A Gaussian random field with a log-normal spectrum, and levels to clip it at.

    Attributes:
        k_mean: Mean wavenumber of the spectrum [1/nm].
        k_std: Its standard deviation [1/nm].
        levels: Rising levels between the phases [standard deviations of the field].
    """

    k_mean: float
    k_std: float
    levels: tuple[float, ...]

    def __post_init__(self) -> None:
        if list(self.levels) != sorted(self.levels):
            raise ValueError(f"levels must rise, got {self.levels}.")

    @property
    def k_max(self) -> float:
        """Where the spectrum is cut on a grid [1/nm]."""
        sigma = math.sqrt(math.log1p((self.k_std / self.k_mean) ** 2))
        return self.k_mean * math.exp(3.5 * sigma**2 + CUT * sigma)

    @property
    def smallest_box(self) -> float:
        """Least edge of a box the faces of which do not know one another [nm]."""
        return 2 * correlation_reach(self.k_mean, self.k_std, FARTHEST)

    def refuse_unfit(self, grid: Grid) -> None:
        """Raises a ValueError if the grid cannot hold the structure."""
        if grid.dimension != 3:
            raise ValueError("a material needs a grid of three dimensions, got 2.")
        if grid.nyquist < 2 * self.k_max * (1 - 1e-9):
            finest = math.pi / 2 / self.k_max
            raise ValueError(
                f"pixels of {grid.pixel:.4g} nm are too coarse for waves up to "
                f"{self.k_max:.4g} 1/nm. Take {finest:.4g} nm at most."
            )
        if grid.edge < self.smallest_box:
            raise ValueError(
                f"a box of {grid.edge:.4g} nm is too small for a field of mean "
                f"wavenumber {self.k_mean:.4g} 1/nm and spread {self.k_std:.4g} 1/nm: "
                f"its faces would be correlated. Take at least "
                f"{self.smallest_box:.4g} nm."
            )

    def suggested_grid(self) -> Grid:
        """A cube a fifth larger than the least, with the finer pixels if it is small.

        Raises:
            ValueError: If it had more than ``MOST_PIXELS`` along an edge.
        """
        edge = LARGER * self.smallest_box
        pixel = min(math.pi / 2 / self.k_max, FINER / self.k_mean)
        fine = Grid.covering(edge, pixel / 2, 3)
        grid = fine if fine.pixels <= SMALL else Grid.covering(edge, pixel, 3)
        if grid.pixels > MOST_PIXELS:
            raise ValueError(
                f"a field of mean wavenumber {self.k_mean:.4g} 1/nm and spread "
                f"{self.k_std:.4g} 1/nm needs {grid.pixels} pixels along an edge; "
                f"{MOST_PIXELS} are allowed. Take a narrower spectrum."
            )
        return grid

    def draw(
        self,
        grid: Grid,
        names: tuple[str, ...],
        densities: tuple[float, ...],
        rng: Generator,
    ) -> Realisation:
        """Draws one cube.

        Args:
            grid: The periodic cube.
            names: Of the phases, from the lowest values of the field on.
            densities: Of the phases, likewise.
            rng: Source of randomness.

        Raises:
            ValueError: If the grid cannot hold the structure.
        """
        self.refuse_unfit(grid)
        field = FieldOnGrid(grid, self._power, self.k_max).draw(rng)
        phases = np.zeros(grid.shape, np.uint8)
        for level in self.levels:
            phases += field > level
        return Realisation(
            grid=grid,
            phases=phases,
            names=names,
            density=np.take(np.asarray(densities, np.float32), phases),
            radii=np.zeros(0),
        )

    def _power(self, k: Float[ndarray, "..."]) -> Float[ndarray, "..."]:
        """The spectrum at wavenumbers [1/nm]; none at zero."""
        row = torch.from_numpy(k.clip(min=1e-9 * self.k_mean).reshape(1, -1))
        mean, std = torch.tensor([[self.k_mean], [self.k_std]], dtype=torch.float64)
        return np.asarray(spectrum(row, mean, std)[0].numpy().reshape(k.shape))
