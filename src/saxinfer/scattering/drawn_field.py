r"""Gaussian random fields drawn on the pixels of a periodic box.

White noise, filtered with the root of a spectrum P(k). The field has variance one in
the mean over draws; its mean over one box is kept as it falls, because a box that is
not much larger than the field's longest waves must not hide that it is not.

Below ``WAVES`` / mu a box holds too few of the waves of a field that is smooth beyond
1 / mu: at mu = 0.05 / nm in 128 nm more than half of the variance is in the box mean.
"""

import numpy as np
from jaxtyping import Float
from numpy import ndarray
from numpy.random import Generator
from scipy import fft

from saxinfer.scattering.grid import Grid

__all__ = ["WAVES", "FieldOnGrid"]

WAVES = 60.0
"""Least edge of a box in units of the longest wave's 1 / k."""


class FieldOnGrid:
    """Fields of one spectrum on one grid.

    Args:
        grid: The box.
        power: Spectrum P at ``grid.wavenumbers()``, any unit, zero beyond the band
            limit.

    Raises:
        ValueError: If the spectrum is negative, or zero everywhere.
    """

    def __init__(self, grid: Grid, power: Float[ndarray, "..."]) -> None:
        weight = power * grid.multiplicity()
        total = float(weight.sum())
        if not total > 0 or bool((power < 0).any()):
            raise ValueError(
                f"a spectrum must not be negative, nor zero everywhere; its sum is "
                f"{total:.4g}."
            )
        self.grid = grid
        # White noise of n pixels has the power n in each coefficient.
        self._filter = np.sqrt(power * (grid.pixels**grid.dimension / total))
        self.second_moment = float((weight * grid.wavenumbers() ** 2).sum() / total)
        """Mean of k² over the spectrum [1/nm²]."""

    def draw(self, rng: Generator) -> Float[ndarray, "..."]:
        """One field of expected variance one."""
        noise = fft.rfftn(rng.standard_normal(self.grid.shape))
        return np.asarray(fft.irfftn(self._filter * noise, self.grid.shape))
