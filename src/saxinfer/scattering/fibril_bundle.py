r"""Equatorial scattering of packed fibrils: cylinders on a paracrystal of two axes.

A fibril of radius R has the amplitude f = pi R² J_1(qR) / (qR). Radii scatter about
their mean without regard to their neighbours, axes lie a apart on a hexagonal
paracrystal, the lattice of which is lost with distance, and bundles take every angle
psi about the fibre axis:

.. math:: I = \frac{\langle f^2 \rangle - \langle f \rangle^2
              + \langle f \rangle^2 \, \overline{Z_1 Z_2}}{\pi \bar R^4}, \quad
          Z_k = \frac{1 - F^2}{1 - 2 F \cos x_k + F^2}, \quad
          F = e^{-p^2 (x_1^2 + x_2^2) / 2} ,

with x_1 = -qa cos(psi - pi/6), x_2 = qa sin(psi) and p = Delta a / a. The overbar is
the mean over psi, a function of qa and p alone; the means over radii depend on q times
the mean radius and its relative spread alone. All are tabulated once: a curve is three
looks into tables.

**What belongs to the model.** Eleven radii, from three standard deviations below the
mean to three above, stand for the Gaussian; a converged one differs by up to 1 %. A
paracrystal knows nothing of the distances beyond its bundle: below

.. math:: q_0 = 0.07061 a^2 - 0.7413 a + 2.465 \quad (a \text{ in nm}, q_0 \text{ in }
          \text{nm}^{-1})

the lattice factor keeps its value at q_0.

References:
    Hashimoto, Kawamura, Harada & Tanaka, Macromolecules 27, 3063 (1994): cylinders on a
    paracrystal. Penttilä, Rautkari, Österberg & Schweins, J. Appl. Cryst. 52, 369
    (2019): the model for wood, its radii and its q_0.
"""

import functools
import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float
from scipy.special import j1
from torch import Tensor

from saxinfer.scattering.correlation import Nodes, resample, resample_each

__all__ = [
    "LARGEST_SPACING",
    "bundle_intensity",
    "bundle_sides",
    "held_below",
    "lattice_factor",
]

LARGEST_SPACING = 5.5
"""Up to which distance of the axes q_0 was found [nm]."""

# Relative spreads that are tabulated: of the radius, and of the distance.
RADIUS_SPREADS, SPACING_SPREADS = (0.1, 0.3), (0.1, 0.5)

# Nodes in q times the mean radius; and in qa, beyond which there is no order.
_RADIAL = Nodes(last=45.0, scale=4.0, count=700)
_LATTICE = Nodes(last=80.0, scale=6.0, count=1000)

# Points of one chunk: small enough for a core's cache.
CHUNK = 32_000

# Terms of the Chebyshev series in the spreads, and angles in a quarter of a turn.
TERMS, ANGLES = 28, 300


def bundle_intensity(
    q: Float[Tensor, "batch q"],
    radius: Float[Tensor, " batch"],
    radius_spread: Float[Tensor, " batch"],
    spacing: Float[Tensor, " batch"],
    spacing_spread: Float[Tensor, " batch"],
) -> Float[Tensor, "batch q"]:
    """Equatorial intensity of fibril bundles [1], pi/4 at q = 0 for single fibrils.

    Args:
        q: Scattering vectors [1/nm], a grid for each row.
        radius: Mean radius of the fibrils [nm].
        radius_spread: Its standard deviation over the mean [1], 0.1 to 0.3.
        spacing: Distance of the axes of neighbours [nm], up to ``LARGEST_SPACING``.
        spacing_spread: Its standard deviation over the mean [1], 0.1 to 0.5.
    """
    rows = (q, radius, radius_spread, spacing, spacing_spread)
    return torch.cat([_bundles(*few) for few in _chunks(*rows)])


def bundle_sides(
    q: Float[Tensor, "batch q"],
    radius: Float[Tensor, " batch"],
    radius_spread: Float[Tensor, " batch"],
    spacing: Float[Tensor, " batch"],
    spacing_spread: Float[Tensor, " batch"],
) -> tuple[Float[Tensor, "batch q"], Float[Tensor, "batch q"]]:
    """The smooth curves that :func:`bundle_intensity` is below and above q_0 [1].

    Args:
        q: Scattering vectors [1/nm], a grid for each row.
        radius: Mean radius of the fibrils [nm].
        radius_spread: Its standard deviation over the mean [1], 0.1 to 0.3.
        spacing: Distance of the axes of neighbours [nm], up to ``LARGEST_SPACING``.
        spacing_spread: Its standard deviation over the mean [1], 0.1 to 0.5.

    Returns:
        That with the lattice factor of q_0, and that with the factor of each q.
    """
    rows = (q, radius, radius_spread, spacing, spacing_spread)
    below, above = zip(*(_sides(*few) for few in _chunks(*rows)), strict=True)
    return torch.cat(below), torch.cat(above)


def _chunks(*rows: Tensor) -> Iterator[tuple[Tensor, ...]]:
    """Some curves after the others."""
    size = max(1, CHUNK // rows[0].shape[1])
    return zip(*(torch.split(part, size) for part in rows), strict=True)


def _bundles(
    q: Tensor, radius: Tensor, radius_spread: Tensor, spacing: Tensor, spread: Tensor
) -> Tensor:
    """A chunk of the curves."""
    apart, mean = _fibrils(q, radius, radius_spread)
    held = torch.maximum(q, held_below(spacing)[:, None])
    order = lattice_factor(held * spacing[:, None], spread)
    return torch.addcmul(apart, mean, order)


def _sides(
    q: Tensor, radius: Tensor, radius_spread: Tensor, spacing: Tensor, spread: Tensor
) -> tuple[Tensor, Tensor]:
    """A chunk of both curves."""
    apart, mean = _fibrils(q, radius, radius_spread)
    held = (held_below(spacing) * spacing)[:, None]
    below = torch.addcmul(apart, mean, lattice_factor(held, spread))
    order = lattice_factor(q * spacing[:, None], spread)
    return below, torch.addcmul(apart, mean, order)


def _fibrils(q: Tensor, radius: Tensor, radius_spread: Tensor) -> tuple[Tensor, Tensor]:
    """What fibrils scatter each on its own beyond their mean, and that mean."""
    amplitude, square = _mean_amplitude(), _mean_square()
    shares = amplitude.shares(radius_spread)
    mean, apart = resample_each(
        [shares @ amplitude.series, shares @ square.series],
        _RADIAL,
        q * radius[:, None],
    )
    mean = mean.square()
    return apart - mean, mean


def held_below(spacing: Float[Tensor, " batch"]) -> Float[Tensor, " batch"]:
    """Scattering vector q_0 below which the lattice factor stays as it is [1/nm]."""
    return 0.07061 * spacing.square() - 0.7413 * spacing + 2.465


def lattice_factor(
    u: Float[Tensor, "batch q"], spread: Float[Tensor, " batch"]
) -> Float[Tensor, "batch q"]:
    """Mean of Z_1 Z_2 over all angles about the fibre axis [1].

    Args:
        u: q times the distance of the axes [1].
        spread: Relative standard deviation of the distance [1].
    """
    near = _lattice()(u.clamp(max=_LATTICE.last), spread)
    return torch.where(u < _LATTICE.last, near, 1.0)


@dataclass(frozen=True, eq=False)
class _Table:
    """A function of two numbers: nodes in one, Chebyshev series in the other."""

    nodes: Nodes
    series: Tensor
    low: float
    high: float

    @classmethod
    def of(
        cls,
        function: Callable[[np.ndarray, float], np.ndarray],
        nodes: Nodes,
        spreads: tuple[float, float],
    ) -> "_Table":
        """Tabulates a function of the nodes and a spread."""
        low, high = spreads
        angle = math.pi * (np.arange(TERMS) + 0.5) / TERMS
        spread = 0.5 * (high + low) + 0.5 * (high - low) * np.cos(angle)
        x = nodes.values.numpy()
        rows = np.stack([function(x, float(each)) for each in spread])
        transform = np.cos(np.outer(np.arange(TERMS), angle)) * (2 / TERMS)
        transform[0] /= 2
        return cls(nodes, torch.from_numpy(transform @ rows), low, high)

    def __call__(self, x: Tensor, spread: Tensor) -> Tensor:
        """Values at a grid of x for each row's spread."""
        return resample(self.shares(spread) @ self.series, self.nodes, x)

    def shares(self, spread: Tensor) -> Tensor:
        """Chebyshev polynomials of each row's spread."""
        place = (2 * spread - self.high - self.low) / (self.high - self.low)
        before, now = torch.ones_like(place), place
        shares = [before, now]
        for _ in range(TERMS - 2):
            before, now = now, 2 * place * now - before
            shares.append(now)
        return torch.stack(shares, -1)


def _radii(spread: float) -> tuple[np.ndarray, np.ndarray]:
    """Eleven radii in units of their mean, and their weights."""
    deviation = np.linspace(-3, 3, 11)
    weight = np.exp(-0.5 * np.square(deviation))
    weight[[0, -1]] /= 2
    return 1 + spread * deviation, weight / weight.sum()


def _amplitudes(x: np.ndarray, spread: float) -> tuple[np.ndarray, np.ndarray]:
    """Amplitudes over sqrt(pi) R² at q times the mean radius, by radius; weights."""
    radius, weight = _radii(spread)
    y = np.multiply.outer(radius, x)
    with np.errstate(invalid="ignore"):
        shape = np.where(y > 0, j1(y) / y, 0.5)
    return math.sqrt(math.pi) * np.square(radius)[:, None] * shape, weight


@functools.cache
def _mean_amplitude() -> _Table:
    def mean(x: np.ndarray, spread: float) -> np.ndarray:
        amplitudes, weight = _amplitudes(x, spread)
        return np.asarray(weight @ amplitudes)

    return _Table.of(mean, _RADIAL, RADIUS_SPREADS)


@functools.cache
def _mean_square() -> _Table:
    def mean(x: np.ndarray, spread: float) -> np.ndarray:
        amplitudes, weight = _amplitudes(x, spread)
        return np.asarray(weight @ np.square(amplitudes))

    return _Table.of(mean, _RADIAL, RADIUS_SPREADS)


@functools.cache
def _lattice() -> _Table:
    """Mean over psi: from 60° to 150°, after which it repeats itself mirrored."""
    psi = math.pi / 3 + 0.5 * math.pi * np.arange(ANGLES + 1) / ANGLES
    weight = np.full(ANGLES + 1, 1 / ANGLES)
    weight[[0, -1]] /= 2
    first, second = np.cos(psi - math.pi / 6), np.sin(psi)
    u = _LATTICE.values.numpy()[1:, None]
    phases = 0.5 * np.square(u) * (np.square(first) + np.square(second))
    turns = [4 * np.square(np.sin(0.5 * u * each)) for each in (first, second)]

    def mean(_: np.ndarray, spread: float) -> np.ndarray:
        fading = np.exp(-(spread**2) * phases)
        # 1 - F from its exponent, for it cancels at small u.
        lost = -np.expm1(-(spread**2) * phases)
        square = np.square(lost)
        found = np.square(lost * (1 + fading))
        for turn in turns:
            found /= square + fading * turn
        values = found @ weight
        return np.concatenate([values[:1], values])

    return _Table.of(mean, _LATTICE, SPACING_SPREADS)
