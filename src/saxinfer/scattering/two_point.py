r"""Two-point functions of a map: how likely both ends of a segment lie in one phase.

For the indicator 1_i of phase i and a segment of length r,

.. math:: P_i(r) = \langle 1_i(\mathbf x)\, 1_i(\mathbf x + \mathbf r) \rangle ,

over all places in the periodic box and all directions. P_i(0) is the fraction phi_i,
P_i far away phi_i². Their generalisation to a density is its covariance C(r). Both are
the inverse transform of a power, so that all pairs of pixels are counted.
"""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, UInt8
from numpy import ndarray
from scipy import fft

from saxinfer.scattering.grid import Grid

__all__ = ["TwoPoint", "covariance", "two_point"]


@dataclass(frozen=True, eq=False)
class TwoPoint:
    """Two-point probabilities of the phases of a map.

    Attributes:
        r: Distance, mean of each shell of one pixel [nm].
        probability: That both ends lie in the phase [1], a row for each phase.
    """

    r: Float[ndarray, " r"]
    probability: Float[ndarray, "phase r"]


def two_point(phases: UInt8[ndarray, "..."], grid: Grid) -> TwoPoint:
    """Two-point probabilities up to half of the box's edge.

    Args:
        phases: Number of the phase of each pixel.
        grid: The periodic box.
    """
    shells = _Shells(grid)
    rows = [
        shells.mean(_autocorrelation((phases == number).astype(np.float32)))
        for number in range(int(phases.max()) + 1)
    ]
    return TwoPoint(shells.r, np.stack(rows))


def covariance(
    density: Float[ndarray, "..."], grid: Grid
) -> tuple[Float[ndarray, " r"], Float[ndarray, " r"]]:
    """Distances [nm] and covariance C(r) [density²] of a map."""
    shells = _Shells(grid)
    return shells.r, shells.mean(_autocorrelation(density - density.mean()))


def _autocorrelation(values: ndarray) -> ndarray:
    """Mean of the product of two values, for every vector between them."""
    amplitude = fft.rfftn(values)
    power = np.square(amplitude.real) + np.square(amplitude.imag)
    found = fft.irfftn(power, values.shape, overwrite_x=True)
    return np.asarray(found / values.size)


class _Shells:
    """Vectors of a box, by their length in pixels."""

    def __init__(self, grid: Grid) -> None:
        axis = np.minimum(np.arange(grid.pixels), grid.pixels - np.arange(grid.pixels))
        square = np.square(axis)
        for _ in range(grid.dimension - 1):
            square = square[..., None] + np.square(axis)
        length = np.sqrt(square.ravel())
        shell = np.rint(length).astype(np.int32)
        self._place = np.flatnonzero(shell <= grid.pixels // 2)
        self._shell = shell[self._place]
        self._count = np.bincount(self._shell)
        self.r = grid.pixel * self.mean(length)

    def mean(self, values: ndarray) -> Float[ndarray, " r"]:
        """Means over the shells."""
        chosen = values.ravel()[self._place]
        return np.asarray(np.bincount(self._shell, chosen) / self._count)
