r"""How far the spectrum of a map on pixels can be trusted.

A density taken at points cannot tell a wavevector q from q + G, with G any vector of
the lattice of 2 pi / pixel: what the structure scatters there is added at q. Beyond the
grid's Nyquist wavenumber that is Porod's law, set by the slope of the covariance at
r = 0, so that what was folded back can be summed up:

.. math:: \sum_{G \ne 0} \langle S_\text{Porod}(|q + G|) \rangle, \qquad
          S_\text{Porod} = 2 \pi c / q^3 \; (2D), \quad 8 \pi c / q^4 \; (3D),

with the mean over directions of q. For sharp edges it is about a percent of the
spectrum at a sixth of Nyquist.

References:
    Porod, Kolloid-Z. 124, 83 (1951).
"""

import itertools
import math

import numpy as np
from jaxtyping import Float
from numpy import ndarray

from saxinfer.scattering.grid import Grid

__all__ = ["PERCENT", "folded", "trusted"]

PERCENT = 0.01
"""Share of what is folded back up to which a spectrum counts as right."""

# Copies of the grid's lattice that are summed one by one, and directions of q.
COPIES, DIRECTIONS = 6, 24

# Rings over which a spectrum is averaged before it is compared.
SMOOTH = 9


def folded(slope: float, grid: Grid, q: Float[ndarray, " q"]) -> Float[ndarray, " q"]:
    """What of Porod's law beyond Nyquist appears at q.

    Args:
        slope: Slope -dC/dr of the covariance at r = 0 [density² / nm].
        grid: The grid of the map.
        q: Wavenumbers below Nyquist [1/nm].

    Returns:
        Power [density² nm², or nm³ of a cube].
    """
    dimension, spacing = grid.dimension, 2 * grid.nyquist
    every = itertools.product(range(-COPIES, COPIES + 1), repeat=dimension)
    copies = np.array([n for n in every if 0 < math.hypot(*n) <= COPIES])
    towards = _directions(dimension)
    x = np.asarray(q) / spacing
    # |x u + n|², for each q, direction and copy.
    square = (
        np.square(x)[:, None, None]
        + 2 * x[:, None, None] * (towards @ copies.T)
        + np.square(copies).sum(1)
    )
    power = dimension + 1
    near = (square ** (-power / 2)).mean(1).sum(1)
    # The others are as good as evenly spread.
    sphere = 2 * math.pi if dimension == 2 else 4 * math.pi
    total = near + sphere / COPIES
    porod = 2 * math.pi if dimension == 2 else 8 * math.pi
    return np.asarray(porod * slope / spacing**power * total)


def trusted(
    spectrum: Float[ndarray, " q"], extra: Float[ndarray, " q"], q: Float[ndarray, " q"]
) -> float:
    """Wavenumber [1/nm] up to which less than a percent was folded back.

    Args:
        spectrum: Measured spectrum at evenly spaced ``q``.
        extra: What was folded back, from :func:`folded`.
        q: Wavenumbers [1/nm].
    """
    width = min(SMOOTH, len(q) - 1 + len(q) % 2)
    half = width // 2
    padded = np.pad(spectrum, half, mode="reflect") if half else spectrum
    smooth = np.convolve(padded, np.full(2 * half + 1, 1 / (2 * half + 1)), "valid")
    wrong = np.flatnonzero(extra > PERCENT * smooth)
    return float(q[-1] if len(wrong) == 0 else q[max(0, wrong[0] - 1)])


def _directions(dimension: int) -> Float[ndarray, "direction axis"]:
    """Unit vectors spread evenly: on a circle, or along a spiral on a sphere."""
    step = np.arange(DIRECTIONS) + 0.5
    if dimension == 2:
        angle = 2 * math.pi * step / DIRECTIONS
        return np.stack([np.cos(angle), np.sin(angle)], 1)
    golden = math.pi * (3 - math.sqrt(5))
    height = 1 - 2 * step / DIRECTIONS
    across = np.sqrt(1 - height**2)
    return np.stack(
        [across * np.cos(golden * step), across * np.sin(golden * step), height], 1
    )
