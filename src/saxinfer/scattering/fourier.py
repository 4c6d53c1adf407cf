r"""From a density map to scattering: transform, normalise, average over rings.

For a density on the pixels of a periodic box of volume V, pixel volume v,

.. math:: S(\mathbf k) = \frac1V \Big| v \sum_j (\rho_j - \bar\rho)
          e^{-i \mathbf k \mathbf r_j} \Big|^2 ,

which is the closed forms' S(q) with nothing to be scaled: [nm²] in two dimensions,
[nm³] in three. Its mean over all vectors of the box in a ring estimates S(q). Each
vector and its opposite are one; S at either is exponentially distributed about the mean
if the box is much larger than what the structure is correlated over. So the relative
error of a mean over n independent vectors, its *speckle*, is 1 / sqrt(n).

Densities are taken at points, and what they hold beyond the grid's Nyquist wavenumber
K is folded back. Where S falls as a power -p of q, a share of about
(q / (2 K - q))^p times the number of faces is added at q: up to a sixth of Nyquist it
is below a percent for sharp edges.

References:
    Goodman, Speckle Phenomena in Optics (2007), section 2: the distribution.
"""

import math
from collections.abc import Callable

import numpy as np
from jaxtyping import Float
from numpy import ndarray
from scipy import fft

from saxinfer.scattering.grid import Grid

__all__ = ["TRUSTED", "Rings", "averaged", "spectrum"]

TRUSTED = 1 / 6
"""Share of the Nyquist wavenumber up to which spectra of point samples are right."""

# Wavevectors a box must hold, in units of the fewest of all rings together: those of
# one length are not parted.
ROOM = 1.3


class Rings:
    """The wavevectors of a box, collected in rings (in shells, in three dimensions).

    Args:
        grid: The box.
        edges: Rising bounds of the rings [1/nm]; each ring holds its lower bound.

    Raises:
        ValueError: If a ring holds no wavevector.

    Example:
        >>> rings = Rings.around(Grid(64, 1.0), np.array([0.2, 0.3, 0.5]))
        >>> rings.vectors
        array([ 6., 14., 36.])
    """

    def __init__(self, grid: Grid, edges: Float[ndarray, " edge"]) -> None:
        self.grid = grid
        self.kept = grid.within(float(edges[-1]))
        """Which Fourier coefficients lie near enough to the origin."""
        k = grid.wavenumbers(self.kept)
        ring = np.digitize(k, edges) - 1
        inside = (ring >= 0) & (ring < len(edges) - 1) & (k > 0)
        self._place = np.flatnonzero(inside)
        self._ring, self._k = ring.ravel()[self._place], k.ravel()[self._place]
        weight = grid.multiplicity()[self.kept[-1].ravel()]
        self._weight = np.broadcast_to(weight, k.shape).ravel()[self._place]
        held = np.bincount(self._ring, self._weight, len(edges) - 1)
        if (held == 0).any():
            empty = int(np.flatnonzero(held == 0)[0])
            raise ValueError(
                f"no wavevector of a box of {grid.edge:.4g} nm lies between "
                f"{edges[empty]:.4g} and {edges[empty + 1]:.4g} 1/nm. Take a larger "
                f"box, or q at least {grid.step:.3g} 1/nm apart."
            )
        self._held = held
        self.q = self.mean_of(lambda k: k)
        """Mean wavenumber of each ring [1/nm]."""
        self.vectors = held / 2
        """Number of independent wavevectors in each."""

    @classmethod
    def around(cls, grid: Grid, q: Float[ndarray, " q"]) -> "Rings":
        """Rings about given q [1/nm], bounded half-way between neighbours."""
        middle = 0.5 * (q[1:] + q[:-1])
        first, last = 2 * q[0] - middle[0], 2 * q[-1] - middle[-1]
        return cls(grid, np.concatenate([[first], middle, [last]]))

    @classmethod
    def even(cls, grid: Grid, reach: float = TRUSTED) -> "Rings":
        """Rings as wide as the wavevectors of the box are apart.

        Args:
            grid: The box.
            reach: Up to which share of Nyquist.
        """
        count = int(reach * grid.nyquist / grid.step)
        return cls(grid, grid.step * (np.arange(count + 1) + 0.5))

    @classmethod
    def filled(
        cls, grid: Grid, count: int, *, fewest: float = 16.0, reach: float = TRUSTED
    ) -> "Rings":
        """So many rings, none of which is nearly empty.

        All are equally wide, but for those at low q, which are as wide as it takes to
        hold enough wavevectors: the mean over a handful is far from normal.

        Args:
            grid: The box.
            count: Number of rings.
            fewest: Fewest independent wavevectors in each.
            reach: Up to which share of Nyquist.

        Raises:
            ValueError: If the box holds too few wavevectors for so many rings.

        Example:
            >>> rings = Rings.filled(Grid(512, 0.25), 30)
            >>> len(rings.q), float(rings.vectors.min()) >= 16
            (30, True)
        """
        every = cls(grid, np.array([1.5 * grid.step, reach * grid.nyquist]))
        order = np.argsort(every._k, kind="stable")
        k, held = every._k[order], np.cumsum(every._weight[order]) / 2
        if held[-1] < ROOM * fewest * count:
            raise ValueError(
                f"a box of {grid.edge:.4g} nm holds {held[-1]:.0f} independent "
                f"wavevectors up to {reach * grid.nyquist:.4g} 1/nm: too few for "
                f"{count} rings of {fewest:g}. Take fewer rings or a larger box."
            )

        def edges(width: float) -> list[float]:
            found = [1.5 * grid.step]
            while found[-1] < reach * grid.nyquist:
                start = int(np.searchsorted(k, found[-1]))
                before = held[start - 1] if start else 0.0
                enough = int(np.searchsorted(held, before + fewest))
                if enough >= len(k):
                    break
                # Half-way to the next wavenumber: all of one length share a ring.
                length = k[enough] + 1e-6 * grid.step
                found.append(max(found[-1] + width, length))
            return found[:-1]

        low, high = 0.0, reach * grid.nyquist / count
        for _ in range(60):
            middle = 0.5 * (low + high)
            low, high = (
                (middle, high) if len(edges(middle)) > count + 1 else (low, middle)
            )
        return cls(grid, np.array(edges(high)[: count + 1]))

    def mean(self, power: Float[ndarray, "..."]) -> Float[ndarray, " ring"]:
        """Means over the rings of what is given for each Fourier coefficient."""
        return self.mean_of_kept(power[self.kept])

    def mean_of_kept(self, power: Float[ndarray, "..."]) -> Float[ndarray, " ring"]:
        """Means over the rings of what is given for each coefficient that is kept."""
        chosen = power.ravel()[self._place] * self._weight
        total = np.bincount(self._ring, chosen, len(self._held))
        return np.asarray(total / self._held)

    def mean_of(
        self, curve: Callable[[Float[ndarray, " k"]], Float[ndarray, " k"]]
    ) -> Float[ndarray, " ring"]:
        """Means of a function of the wavenumber over the wavevectors of each ring."""
        k, place = np.unique(self._k, return_inverse=True)
        total = np.bincount(self._ring, curve(k)[place] * self._weight)
        return np.asarray(total / self._held)

    @property
    def speckle(self) -> Float[ndarray, " ring"]:
        """Relative standard error of a mean over one box [1]."""
        return np.asarray(1 / np.sqrt(self.vectors))


def spectrum(
    density: Float[ndarray, "..."], rings: Rings, subpixels: int = 1
) -> Float[ndarray, " ring"]:
    """Ring means of a map's spectrum.

    Args:
        density: Map of the density on the pixels of ``rings.grid``.
        rings: Where it is averaged.
        subpixels: Points along each axis that a pixel's density is the mean of; what
            that mean took from the spectrum is given back.

    Returns:
        Spectrum [density² nm²] of a square, [density² nm³] of a cube.
    """
    grid = rings.grid
    if density.shape != grid.shape:
        raise ValueError(
            f"the map must have the shape {grid.shape} of its grid, got "
            f"{density.shape}."
        )
    # Most coefficients lie beyond the rings: those are left out axis by axis.
    *others, last = (index.ravel() for index in rings.kept)
    amplitude = fft.rfft(density - density.mean(), axis=-1)[..., last]
    for axis, rows in enumerate(others):
        amplitude = np.take(fft.fft(amplitude, axis=axis), rows, axis=axis)
    power = np.square(amplitude.real, dtype=float) + np.square(amplitude.imag)
    if subpixels > 1:
        power = power / _window(rings, subpixels)
    # v² / V, with v = V / number of pixels.
    return rings.mean_of_kept(power) * (grid.volume / float(density.size) ** 2)


def averaged(density: Float[ndarray, "..."], subpixels: int) -> Float[ndarray, "..."]:
    """A periodic, band-limited map, averaged over so many points along each axis.

    What :func:`spectrum` gives back for that number is then what is taken here.
    """
    mean = _mean_over(density.shape[-1], subpixels).astype(density.dtype)
    waves = fft.rfftn(density)
    for axis in range(density.ndim):
        factor = mean if axis < density.ndim - 1 else mean[: waves.shape[-1]]
        shape = [1] * density.ndim
        shape[axis] = len(factor)
        waves *= factor.reshape(shape)
    return np.asarray(fft.irfftn(waves, density.shape, overwrite_x=True))


def _mean_over(pixels: int, subpixels: int) -> Float[ndarray, " pixel"]:
    """By what a mean over points within each pixel multiplies the waves of an axis."""
    half = math.pi * np.fft.fftfreq(pixels)
    with np.errstate(invalid="ignore"):
        mean = np.sin(half) / (subpixels * np.sin(half / subpixels))
    mean[0] = 1.0
    return np.asarray(mean)


def _window(rings: Rings, subpixels: int) -> Float[ndarray, "..."]:
    """By what a mean over points within each pixel multiplies the power."""
    mean = _mean_over(rings.grid.pixels, subpixels)
    *others, last = (np.square(mean[np.abs(index)]) for index in rings.kept)
    for factor in others:
        last = factor * last
    return np.asarray(last)
