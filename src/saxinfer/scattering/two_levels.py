r"""Covariance of a Gaussian random field clipped at two levels, in closed form.

With a = (s + t) / 2, b = (s - t) / 2 and w² = (1 - g) / (1 + g), Plackett's identity
for the phases {f > s} and {f > t} becomes

.. math:: \Lambda(s, t; g) = \Lambda(s, t; 1) - \frac1\pi e^{-(a^2 + b^2)/2}
          \int_0^w \frac{e^{-a^2 v^2/2}}{1 + v^2}\, e^{-b^2/(2 v^2)}\, dv .

For b = 0 that is Owen's T function. The first factor is smooth: a polynomial in v².
The second is not, but with powers of v² it can be integrated,

.. math:: J_n = \int_0^w v^{2n} e^{-b^2/(2 v^2)} dv
          = \frac{w^{2n+1} e^{-b^2/(2 w^2)} - b^2 J_{n-1}}{2n + 1}, \qquad
          b^2 J_{-1} = b \sqrt{\pi/2}\; \mathrm{erfc} \frac{b}{\sqrt2\, w} .

Near r = 0 the covariance of two levels is flat: no surface belongs to both.

References:
    Plackett, Biometrika 41, 351 (1954). Owen, Ann. Math. Stat. 27, 1075 (1956). The
    form above is derived here; tests compare it with scipy's bivariate normal.
"""

import functools
import math

import numpy as np
import torch
from jaxtyping import Float
from numpy.polynomial import Chebyshev, Polynomial
from torch import Tensor

__all__ = ["two_level_covariance"]

# Degree of the polynomial in v², and the largest v² it is made for: g down to -0.25.
DEGREE = 14
WIDEST = 5 / 3


def two_level_covariance(
    s: Float[Tensor, " batch"],
    t: Float[Tensor, " batch"],
    deficit: Float[Tensor, "batch r"],
) -> Float[Tensor, "batch r"]:
    """Covariance of {f > s} and {f > t}, from the deficit 1 - g of the correlation.

    Args:
        s: First level [standard deviations of the field], |s| up to 1.7.
        t: Second level, likewise.
        deficit: 1 - g(r) [1], 0 to 1.25.

    Returns:
        Covariance of the two indicator functions [1].

    Example:
        >>> zero, half = torch.zeros(1).double(), torch.full((1, 1), 0.5).double()
        >>> two_level_covariance(zero, zero, half) * 2 * torch.pi
        tensor([[0.5236]], dtype=torch.float64)
    """
    middle, apart = 0.5 * (s + t), 0.5 * (s - t).abs()[:, None]
    points, chebyshev, powers = (part.to(deficit) for part in _polynomial())
    smooth = torch.exp(-0.5 * middle[:, None].square() * points) / (1 + points)
    # In two steps: their product is a matrix of large numbers that cancel.
    coefficients = (smooth @ chebyshev) @ powers
    # A node at r = 0 has no slope of its own; the floor keeps its gradient finite.
    safe = deficit.clamp(min=1e-24)
    square = safe / (2 - safe)
    w = square.sqrt()
    power = w * torch.exp(-0.5 * apart.square() / square)
    tail = torch.special.erfc(apart / (math.sqrt(2) * w))
    integral = power - math.sqrt(math.pi / 2) * apart * tail
    total = coefficients[:, :1] * integral
    v, lost = square / WIDEST, apart.square() / WIDEST
    for n in range(1, DEGREE + 1):
        power = power * v
        integral = (power - lost * integral) / (2 * n + 1)
        total = torch.addcmul(total, coefficients[:, n : n + 1], integral)
    above = torch.special.ndtr(-torch.maximum(s, t))
    start = above * torch.special.ndtr(torch.minimum(s, t))
    height = torch.exp(-0.25 * (s.square() + t.square())) / math.pi
    return torch.addcmul(start[:, None], height[:, None], total, value=-1)


@functools.cache
def _polynomial() -> tuple[Tensor, Tensor, Tensor]:
    """Chebyshev points of v²; from values there to shares of Chebyshev's polynomials.

    The third matrix goes on to coefficients of the powers of v² / WIDEST.
    """
    order = np.arange(DEGREE + 1)
    angle = math.pi * (order + 0.5) / (DEGREE + 1)
    shares = np.cos(np.outer(angle, order)) * (2 / (DEGREE + 1))
    shares[:, 0] /= 2
    powers = np.zeros((DEGREE + 1, DEGREE + 1))
    for n in order:
        shifted = Chebyshev.basis(n, domain=[0, 1]).convert(kind=Polynomial)
        powers[n, : n + 1] = shifted.coef
    points = WIDEST * (0.5 + 0.5 * np.cos(angle))
    first, second, third = map(torch.from_numpy, (points, shares, powers))
    return first, second, third
