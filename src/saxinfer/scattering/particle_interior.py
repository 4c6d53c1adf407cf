r"""What fluctuates inside of particles: a mapped Gaussian field, seen through cores.

The field f has a spectrum of two log-normal components that ends at ``K_MAX``,

.. math:: P(k) = w \, LN(k; m_1, s_1) + (1 - w) \, LN(k; m_2, s_2), \qquad
          g(r) = \frac{\int P(k)\, \frac{\sin kr}{kr}\, k^2 dk}{\int P(k)\, k^2 dk} ,

and the density fluctuates by h(f) = 1 / (1 + e^-f) - 1/2. In Hermite polynomials (of
probability theory) the covariance of h is

.. math:: C_h(r) = \sum_{n \text{ odd}} \frac{c_n^2}{n!} g(r)^n , \quad
          c_n = \langle h(f)\, He_n(f) \rangle .

Seen through cores that share the mean volume V(r) with themselves when displaced by r,
it scatters

.. math:: S(q) = 4\pi \int_0^\infty C_h(r) V(r) \frac{\sin qr}{qr} r^2 dr .

References:
    Mehler's formula: Cramér & Leadbetter, Stationary and Related Stochastic Processes
    (1967), section 10.8. Guinier & Fournet, Small-Angle Scattering of X-Rays (1955),
    section 2.3: the volume that a particle shares with itself.
"""

import functools
import math

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from saxinfer.scattering.correlation import Nodes, resample, transform_matrix
from saxinfer.scattering.log_normal_field import spectrum

__all__ = [
    "DISTANCES",
    "K_MAX",
    "correlation",
    "fluctuation",
    "interior_spectrum",
    "sigmoid_covariance",
    "through_cores",
]

K_MAX = math.pi / 0.5
"""Band limit of the field [1/nm]."""

DISTANCES = Nodes(last=100.0, scale=10.0, count=480)
"""Distances r at which the covariance is known [nm]."""

# Scattering vectors of the spectrum's nodes [1/nm].
_Q = Nodes(last=14.0, scale=0.4, count=320)

# Wavenumbers of the integrals [1/nm]: panels are even in ln k from the smallest to the
# next, which a narrow spectrum asks for, then in k, for the ringing of the band limit
# turns by kr; Gauss-Legendre points in each.
SMALLEST, EVEN, LOW_PANELS, HIGH_PANELS, POINTS = 0.01, 0.5, 10, 28, 14

# Largest power of g.
ORDER = 11


def fluctuation(f: float | Float[np.ndarray, "..."]) -> Float[np.ndarray, "..."]:
    """The map h of the field: 1 / (1 + e^-f) - 1/2."""
    return np.asarray(0.5 * np.tanh(0.5 * np.asarray(f)))


def interior_spectrum(
    k: Float[Tensor, " k"],
    means: Float[Tensor, "batch component"],
    stds: Float[Tensor, "batch component"],
    shares: Float[Tensor, "batch component"],
) -> Float[Tensor, "batch k"]:
    """Spectral density P(k) [nm] below the band limit; not normalised for its cut.

    Args:
        k: Wavenumbers [1/nm], above 0.
        means: Arithmetic means m of the components [1/nm].
        stds: Their standard deviations s [1/nm].
        shares: Their weights.
    """
    rows = k.expand(len(means), -1)
    parts = zip(means.T, stds.T, shares.T, strict=True)
    found = sum(share[:, None] * spectrum(rows, m, s) for m, s, share in parts)
    return torch.where(k < K_MAX, found, 0.0)


def correlation(
    means: Float[Tensor, "batch component"],
    stds: Float[Tensor, "batch component"],
    shares: Float[Tensor, "batch component"],
) -> Float[Tensor, "batch node"]:
    """Correlation g of the field at ``DISTANCES``, for a spectrum as above."""
    k, weight, kernel = _waves()
    power = interior_spectrum(k, means, stds, shares) * weight
    return (power @ kernel) / power.sum(-1, keepdim=True)


def sigmoid_covariance(g: Float[Tensor, "batch r"]) -> Float[Tensor, "batch r"]:
    """Covariance C_h of the mapped field where the field's correlation is g.

    Example:
        >>> sigmoid_covariance(torch.ones(1, 1, dtype=torch.float64))
        tensor([[0.0434]], dtype=torch.float64)
    """
    square, total = g.square(), torch.zeros_like(g)
    for factor in reversed(_hermite()):
        total = total * square + factor
    return total * g


def through_cores(
    q: Float[Tensor, "batch q"],
    covariance: Float[Tensor, "batch node"],
    shared: Float[Tensor, "batch node"],
) -> Float[Tensor, "batch q"]:
    """Spectrum S(q) of what fluctuates with a covariance in cores.

    Args:
        q: Scattering vectors [1/nm], a grid for each row.
        covariance: Of the density at ``DISTANCES``.
        shared: Volume that a core shares with itself, displaced by them [nm³].

    Returns:
        Spectrum [density² nm^6].
    """
    values = (covariance * shared) @ _transform()
    near = resample(values, _Q, q.clamp(max=_Q.last))
    # Beyond the last node Porod's law of the cores is left.
    return near * (_Q.last / q.clamp(min=_Q.last)) ** 4


@functools.cache
def _waves() -> tuple[Tensor, Tensor, Tensor]:
    """Wavenumbers, weights k² dk, and sin(kr) / kr at the distances."""
    points, weights = np.polynomial.legendre.leggauss(POINTS)
    low = np.geomspace(SMALLEST, EVEN, LOW_PANELS + 1)
    edges = np.append(low[:-1], np.linspace(EVEN, K_MAX, HIGH_PANELS + 1))
    half = 0.5 * np.diff(edges)[:, None]
    k = (edges[:-1, None] + half * (1 + points)).ravel()
    weight = (half * weights).ravel() * np.square(k)
    kernel = np.sinc(np.multiply.outer(k, DISTANCES.values.numpy()) / math.pi)
    return torch.from_numpy(k), torch.from_numpy(weight), torch.from_numpy(kernel)


@functools.cache
def _hermite() -> tuple[float, ...]:
    """c_n² / n! of the map for n = 1, 3, 5 and so on."""
    f, weight = np.polynomial.hermite_e.hermegauss(120)
    mapped = fluctuation(f) * weight / math.sqrt(2 * math.pi)
    found = []
    for n in range(1, ORDER + 1, 2):
        polynomial = np.polynomial.hermite_e.hermeval(f, [0.0] * n + [1.0])
        found.append(float(mapped @ polynomial) ** 2 / math.factorial(n))
    return tuple(found)


@functools.cache
def _transform() -> Tensor:
    return transform_matrix(DISTANCES, _Q.values, dimension=3).T.contiguous()
