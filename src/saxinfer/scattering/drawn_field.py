r"""Gaussian random fields drawn on the pixels of a periodic box.

Independent random waves, as strong as the root of a spectrum P(k). Only those within
the band limit are drawn and transformed. The field has variance one in the mean over
draws; its mean over one box is kept as it falls, because a box that is
not much larger than the field's longest waves must not hide that it is not.

Below ``WAVES`` / mu a box holds too few of the waves of a field that is smooth beyond
1 / mu: at mu = 0.05 / nm in 128 nm more than half of the variance is in the box mean.
"""

from collections.abc import Callable

import numpy as np
from jaxtyping import Float, Float32
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
        spectrum: P(k) from the wavenumber [1/nm], any unit.
        k_max: Band limit: where the spectrum ends [1/nm].

    Raises:
        ValueError: If the spectrum is negative, or zero everywhere.
    """

    def __init__(
        self,
        grid: Grid,
        spectrum: Callable[[Float[ndarray, "..."]], Float[ndarray, "..."]],
        k_max: float,
    ) -> None:
        self.grid = grid
        kept = grid.within(k_max)
        k = grid.wavenumbers(kept)
        power = np.where(k <= k_max, spectrum(k), 0.0)
        *self._rows, columns = kept
        multiplicity = grid.multiplicity()[columns]
        weight = power * multiplicity
        total = float(weight.sum())
        if not total > 0 or bool((power < 0).any()):
            raise ValueError(
                f"a spectrum must not be negative, nor zero everywhere; its sum is "
                f"{total:.4g}."
            )
        self.second_moment = float((weight * k**2).sum() / total)
        """Mean of k² over the spectrum [1/nm²]."""
        # Where a coefficient is its own conjugate's mirror, only real parts count:
        # real and imaginary part have half of the variance each.
        share = power / (multiplicity * total)
        size = float(grid.pixels) ** grid.dimension
        self._filter = (np.sqrt(share) * size).astype(np.float32)

    def draw(self, rng: Generator) -> Float32[ndarray, "..."]:
        """One field of expected variance one, in single precision."""
        shape = (*self._filter.shape, 2)
        noise = rng.standard_normal(shape, dtype=np.float32).view(np.complex64)
        waves = noise[..., 0] * self._filter
        for axis, rows in enumerate(self._rows):
            every = np.zeros(
                (*waves.shape[:axis], self.grid.pixels, *waves.shape[axis + 1 :]),
                dtype=np.complex64,
            )
            every[(slice(None),) * axis + (rows.ravel(),)] = waves
            waves = fft.ifft(every, axis=axis, overwrite_x=True)
        field = fft.irfft(waves, self.grid.pixels, axis=-1, overwrite_x=True)
        return np.asarray(field, dtype=np.float32)
