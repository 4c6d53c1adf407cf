r"""Gaussian random fields with a log-normal spectrum in 3D: correlation and moments.

The spectrum is P(k) = LN(k; m, s), with arithmetic mean m and standard deviation s.
With the spread sigma² = ln(1 + s² / m²) and the root mean square wavenumber
K = m exp(5 sigma² / 2), the weight P k² of the wavenumbers is log-normal again,
k = K exp(sigma z - sigma²) with a standard normal z, so that

.. math:: g(r) = \frac{\int P(k)\, \frac{\sin kr}{kr}\, k^2 dk}{\int P(k)\, k^2 dk}
          = \Big\langle \frac{\sin kr}{kr} \Big\rangle_z , \qquad
          \langle k^2 \rangle = K^2 , \qquad
          \langle k^4 \rangle = K^4 e^{4 \sigma^2} .

As a function of Kr, g depends on sigma alone: it is tabulated once, on Chebyshev points
of sigma, by the trapezoidal rule along a line of complex z where sin kr / kr does not
oscillate.

References:
    Röding, Tomaszewski, Yu, Borg & Rönnols, Front. Mater. 9, 956839 (2022): log-normal
    spectra for porous materials. Adler, The Geometry of Random Fields (1981).
"""

import functools
import math

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from saxinfer.scattering.correlation import Nodes

__all__ = [
    "DISTANCES",
    "LARGEST_SPREAD",
    "SMALLEST_SPREAD",
    "correlation_reach",
    "deficit",
    "root_mean_square",
    "spectrum",
    "spread",
]

SMALLEST_SPREAD, LARGEST_SPREAD = 0.095, 0.84
"""Bounds of sigma that g is tabulated for: s from a tenth of m to all of it."""

DISTANCES = Nodes(last=200.0, scale=0.05, count=400)
"""Distances Kr at which g is known."""

# Number of Chebyshev points of sigma.
ORDER = 64

# Trapezoidal rule in ln(k / K): step, reach, and distance from the real axis [rad].
STEP, REACH, TURN = 0.004, 8.0, 0.2


def spread(
    k_mean: Float[Tensor, " batch"], k_std: Float[Tensor, " batch"]
) -> Float[Tensor, " batch"]:
    """Standard deviation sigma of ln k under the spectrum [1]."""
    return torch.log1p((k_std / k_mean).square()).sqrt()


def root_mean_square(
    k_mean: Float[Tensor, " batch"], k_std: Float[Tensor, " batch"]
) -> Float[Tensor, " batch"]:
    """Root K of the field's mean square wavenumber, in three dimensions [1/nm]."""
    return k_mean * (1 + (k_std / k_mean).square()) ** 2.5


def spectrum(
    k: Float[Tensor, "batch k"],
    k_mean: Float[Tensor, " batch"],
    k_std: Float[Tensor, " batch"],
) -> Float[Tensor, "batch k"]:
    """Spectral density LN(k) [nm], normalised over k; zero at k = 0."""
    sigma = spread(k_mean, k_std)[:, None]
    safe = k.clamp(min=1e-300)
    z = (safe / k_mean[:, None]).log() / sigma + 0.5 * sigma
    density = torch.exp(-0.5 * z.square()) / (math.sqrt(2 * math.pi) * sigma * safe)
    return torch.where(k > 0, density, 0.0)


def deficit(sigma: Float[Tensor, " batch"]) -> Float[Tensor, "batch node"]:
    """1 - g at the nodes of Kr [1], right relative to itself.

    Args:
        sigma: Spread of ln k [1].

    Raises:
        ValueError: If it is not tabulated for one of them.
    """
    _refuse_untabulated(sigma)
    table, middle, half = _table()
    angle = torch.acos((sigma - middle) / half)
    order = torch.arange(ORDER, dtype=torch.float64)
    shares: Tensor = torch.cos(angle[:, None] * order)
    return (shares @ table) * (DISTANCES.values.square() / 6)


def correlation_reach(k_mean: float, k_std: float, limit: float) -> float:
    """Distance beyond which the field's correlation stays below ``limit`` [nm]."""
    row = torch.tensor([[k_mean], [k_std]], dtype=torch.float64)
    g = 1 - deficit(spread(*row))[0]
    last = int((g.abs() > limit).nonzero()[-1])
    return float(DISTANCES.values[last + 1] / root_mean_square(*row))


def _refuse_untabulated(sigma: Tensor) -> None:
    low, high = float(sigma.detach().min()), float(sigma.detach().max())
    if not SMALLEST_SPREAD < low <= high < LARGEST_SPREAD:
        wrong = high if low > SMALLEST_SPREAD else low
        first, last, found = (
            math.sqrt(math.expm1(edge**2))
            for edge in (SMALLEST_SPREAD, LARGEST_SPREAD, wrong)
        )
        raise ValueError(
            f"k_std must be {first:.3f} to {last:.3f} of k_mean, which is what the "
            f"correlation is tabulated for, but is {found:.3g} of it. Take a value "
            "within."
        )


@functools.cache
def _table() -> tuple[Tensor, float, float]:
    """Chebyshev coefficients of (1 - g) 6 / x² in sigma, a row each, and their range.

    1 - sin y / y = -Im u(y) for real y, u = (exp(iy) - 1 - iy) / y; turned to complex
    y, u decays instead of oscillating, and the mean over z stays what it is.
    """
    middle = 0.5 * (LARGEST_SPREAD + SMALLEST_SPREAD)
    half = 0.5 * (LARGEST_SPREAD - SMALLEST_SPREAD)
    angle = math.pi * (np.arange(ORDER) + 0.5) / ORDER
    sigma = middle + half * np.cos(angle)
    log_k = np.arange(-REACH, REACH, STEP)
    z = (log_k[:, None] + 1j * TURN) / sigma + sigma
    weight = np.exp(-0.5 * np.square(z)) * (STEP / math.sqrt(2 * math.pi)) / sigma
    x = DISTANCES.values.numpy()[1:]
    missing = -(_turned(np.multiply.outer(x, np.exp(log_k + 1j * TURN))) @ weight).imag
    rows = np.column_stack([np.ones(ORDER), (missing.T * 6 / np.square(x))])
    transform = np.cos(np.outer(np.arange(ORDER), angle)) * (2 / ORDER)
    transform[0] /= 2
    return torch.from_numpy(transform @ rows), middle, half


def _turned(y: np.ndarray) -> np.ndarray:
    """(exp(iy) - 1 - iy) / y, by its series where that would cancel."""
    u = (np.exp(1j * y) - 1 - 1j * y) / y
    near = np.abs(y) < 0.3
    small, series = y[near], np.zeros(int(near.sum()), complex)
    for n in range(10, 1, -1):
        series = 1j**n / math.factorial(n) + small * series
    u[near] = small * series
    return np.asarray(u)
