"""Spectrum of a clipped Gaussian random field in 3D, in numpy, for plug-ins.

The field's spectrum is log-normal. What is linear in its correlation is known exactly,
and so are Porod's law and the term after it; what is left is transformed.
"""

from functools import lru_cache
from itertools import pairwise
from math import erf, exp, factorial, log, pi, sqrt

import numpy as np
from scipy.interpolate import BSpline, make_interp_spline

__all__ = ["spectrum"]


def spectrum(
    q: np.ndarray, k_mean: float, k_std: float, levels: np.ndarray, steps: np.ndarray
) -> np.ndarray:
    """S(q) of a density that steps where the field passes the levels."""
    sigma = sqrt(log(1 + (k_std / k_mean) ** 2))
    rough = k_mean * exp(2.5 * sigma**2)
    x, kappa = _nodes(200.0, 0.05, 400), q / rough
    heights = steps * np.exp(-0.5 * levels**2)
    linear = heights.sum() ** 2 / (2 * pi)
    slope = steps * heights / (2 * sqrt(3) * pi)
    bend = (1 - levels**2) / 72 - exp(4 * sigma**2) / 40
    first, third = slope.sum(), (slope * bend).sum()
    a = 1.5 * first - 3 * third
    b = a - first
    missing = _missing(x, sigma)
    near, far = missing < 0.9, missing >= 0.9
    rest = np.empty_like(x)
    rest[near] = _covariance(levels, steps, missing[near]) - linear * (
        1 - missing[near]
    )
    rest[far] = _higher(levels, heights / sqrt(2 * pi), 1 - missing[far])
    rest -= (a + b * x) * np.exp(-x)
    matrix = _matrix()
    nodes = _nodes(200.0, 0.2, 280)
    place = np.arcsinh(np.minimum(kappa, nodes[-1]) / 0.2)
    left = make_interp_spline(np.arcsinh(nodes / 0.2), matrix @ rest, k=5)(place)
    left = left * np.minimum(1.0, nodes[-1] / kappa) ** 8
    z = np.log(kappa) / sigma + sigma
    own = linear * sqrt(2 * pi) * pi * np.exp(-0.5 * z**2) / (sigma * kappa**3)
    over = 1 / (1 + kappa**2)
    porod = 8 * pi * over**2 * (a - b + 4 * b * over)
    return np.asarray((own + left + porod) / rough**3)


def _nodes(last: float, scale: float, count: int) -> np.ndarray:
    """Abscissas that are even in asinh(x / scale)."""
    return np.asarray(scale * np.sinh(np.linspace(0, np.arcsinh(last / scale), count)))


def _missing(x: np.ndarray, sigma: float) -> np.ndarray:
    """1 - g of Kr, on a line of complex wavenumbers where sin kr does not turn."""
    turn = 0.2
    z = np.arange(-8, 8.01, 0.1) - sigma
    weight = np.exp(-0.5 * (z + 1j * turn / sigma + sigma) ** 2) * 0.1 / sqrt(2 * pi)
    y = np.multiply.outer(x, np.exp(sigma * z + 1j * turn))
    small = np.abs(y) < 0.3
    safe = np.where(small, 1.0, y)
    direct = (np.exp(1j * safe) - 1 - 1j * safe) / safe
    series = sum(1j**n / factorial(n) * y ** (n - 1) for n in range(2, 12))
    return np.asarray(-(np.where(small, series, direct) @ weight).imag)


def _covariance(
    levels: np.ndarray, steps: np.ndarray, missing: np.ndarray
) -> np.ndarray:
    """C from 1 - g: Plackett's identity, from g = 1 on."""
    points, weights = np.polynomial.legendre.leggauss(60)
    psi = 2 * np.arcsin(np.sqrt(missing / 2))[:, None]
    v = psi * 0.5 * (1 + points)
    total = np.zeros(len(missing))
    for s, first in zip(levels, steps, strict=True):
        for t, second in zip(levels, steps, strict=True):
            if s == t:
                exponent = t * t / (1 + np.cos(v))
            else:
                sine = np.maximum(np.sin(v) ** 2, 1e-30)
                exponent = (s * s + t * t - 2 * s * t * np.cos(v)) / (2 * sine)
            lost = (np.exp(-exponent) @ (0.5 * weights)) * psi[:, 0] / (2 * pi)
            above = _above(max(s, t)) - _above(s) * _above(t)
            total += first * second * (above - lost)
    return total


def _above(level: float) -> float:
    """Share of the field above a level."""
    return 0.5 * (1 - erf(level / sqrt(2)))


def _higher(levels: np.ndarray, weights: np.ndarray, g: np.ndarray) -> np.ndarray:
    """C from the square of a small g on: Mehler's series."""
    before, hermite, total = np.ones_like(levels), levels, np.zeros_like(g)
    for n in range(2, 11):
        total += (weights * hermite).sum() ** 2 / factorial(n) * g**n
        before, hermite = hermite, levels * hermite - (n - 1) * before
    return total


@lru_cache(maxsize=1)
def _matrix() -> np.ndarray:
    """From values at the nodes of Kr to their transform at those of q / K."""
    x, kappa = _nodes(200.0, 0.05, 400), _nodes(200.0, 0.2, 280)[:, None]
    place = np.arcsinh(x / 0.05)
    spline = make_interp_spline(place, np.eye(len(x)), k=7)
    points, weights = np.polynomial.legendre.leggauss(16)
    total = np.zeros((len(kappa), len(x)))
    for low, high in pairwise(x.tolist()):
        edges = np.linspace(low, high, 2 + int(kappa[-1, 0] * (high - low) / 12))
        half = 0.5 * (edges[1] - edges[0])
        r = (edges[:-1, None] + half * (1 + points)).ravel()
        area = np.tile(4 * pi * half * weights, len(edges) - 1) * r * r
        at = np.arcsinh(r / 0.05).clip(0, place[-1])
        kernel = np.sinc(kappa * r / pi) * area
        total += kernel @ BSpline.design_matrix(at, spline.t, 7)
    return np.asarray(total @ spline.c)
