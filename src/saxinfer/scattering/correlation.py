r"""From two-point correlation functions to scattering, as matrix products.

An isotropic structure with covariance C(r) of its density scatters

.. math:: S(q) = 2\pi \int_0^\infty C(r) J_0(qr)\, r\, dr \quad (2D), \qquad
          S(q) = 4\pi \int_0^\infty C(r) \frac{\sin qr}{qr} r^2 dr \quad (3D).

Both are written as a matrix on the values of C at fixed nodes, uniform in
asinh(r / scale): C is a cubic spline through its nodes in that coordinate, and the
oscillating kernel is integrated on every interval by as many Gauss-Legendre points as
it oscillates (product integration). The matrix is made once; a batch of curves is one
product.

**Clipped Gaussian random fields.** Phase {f > t} of a standard Gaussian field with
correlation g(r) has covariance (Plackett's identity)

.. math:: \Lambda(s, t; g) = \frac{1}{2\pi} \int_0^{\arcsin g}
          \exp\Big(-\frac{s^2 + t^2 - 2 s t \sin u}{2 \cos^2 u}\Big) du .

For s = t the exponent is -t² / (1 + sin u). With psi = arccos g that covariance is
Lambda(0) - psi F(psi²) / (2 pi), where F is an entire-looking smooth function on
0 .. 4.1: a polynomial of degree nine gives it to 1e-9 for every |t| <= 1.6.

References:
    Plackett, Biometrika 41, 351 (1954). Berk, Phys. Rev. A 44, 5069 (1991). Teubner,
    Europhys. Lett. 14, 403 (1991). Fornberg, Math. Comput. 51, 699 (1988): slopes.
"""

import functools
import itertools
import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float
from scipy.interpolate import CubicSpline
from scipy.special import j0
from torch import Tensor

__all__ = [
    "Nodes",
    "clipped_covariance",
    "gauss_legendre",
    "level_covariance",
    "resample",
    "resample_dense",
    "resample_each",
    "resampling_matrix",
    "transform_matrix",
]

# Slopes at the first two nodes from the first five, as right as the middle one's.
FIRST_SLOPES = (
    (-25 / 12, 4, -3, 4 / 3, -1 / 4),
    (-1 / 4, -5 / 6, 3 / 2, -1 / 2, 1 / 12),
)

LEVEL_POINTS = 48
DEGREE = 9

# Largest psi² the polynomial is made for: a correlation down to -0.43.
WIDEST = 4.1


@dataclass(frozen=True)
class Nodes:
    """Fixed abscissas from 0 to ``last``, uniform in asinh(r / scale).

    Attributes:
        last: Largest abscissa [nm, or 1/nm].
        scale: Where uniform spacing turns logarithmic [same unit].
        count: Number of nodes.
    """

    last: float
    scale: float
    count: int

    @property
    def step(self) -> float:
        """Distance of neighbours in asinh(r / scale)."""
        return math.asinh(self.last / self.scale) / (self.count - 1)

    @functools.cached_property
    def values(self) -> Float[Tensor, " node"]:
        """The abscissas, float64."""
        index = torch.arange(self.count, dtype=torch.float64)
        return self.scale * torch.sinh(index * self.step)

    def beyond(self, x: float) -> int:
        """How many nodes, from the first, interpolation up to ``x`` asks for."""
        needed = math.ceil(math.asinh(x / self.scale) / self.step) + 4
        return min(max(needed, 6), self.count)


def transform_matrix(
    nodes: Nodes, q: Float[Tensor, " q"], dimension: int = 2
) -> Float[Tensor, "q node"]:
    """Matrix from C(r) at the nodes to S(q).

    Args:
        nodes: Distances at which C is known; C counts as zero beyond the last.
        q: Scattering vectors [1/nm].
        dimension: 2 (Hankel transform) or 3 (sine transform).

    Returns:
        Weights [nm² or nm³].

    Example:
        >>> nodes = Nodes(last=30.0, scale=1.0, count=200)
        >>> gauss = torch.exp(-nodes.values.square() / 2)
        >>> float(transform_matrix(nodes, torch.zeros(1).double()) @ gauss)
        6.28318...
    """
    if dimension not in (2, 3):
        raise ValueError(f"dimension must be 2 or 3, got {dimension}.")
    r, weight, spline = _quadrature(nodes, float(q.max()))
    phase = q.numpy()[:, None] * r
    if dimension == 2:
        kernel = 2 * math.pi * j0(phase) * (r * weight)
    else:
        kernel = 4 * math.pi * np.sinc(phase / math.pi) * (r * r * weight)
    return torch.from_numpy(kernel @ spline)


def _quadrature(
    nodes: Nodes, fastest: float
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Gauss-Legendre points, their weights, and the spline from nodes to points."""
    knots = nodes.values.numpy()
    points, weights = [], []
    for low, high in itertools.pairwise(knots):
        half = 0.5 * (high - low)
        x, w = gauss_legendre(6 + math.ceil(fastest * half / 1.2))
        points.append(low + half * (1 + x))
        weights.append(half * w)
    r = np.concatenate(points)
    coordinate = np.arange(nodes.count) * nodes.step
    spline = CubicSpline(coordinate, np.eye(nodes.count))
    return r, np.concatenate(weights), spline(np.arcsinh(r / nodes.scale))


@functools.lru_cache(maxsize=512)
def gauss_legendre(count: int) -> tuple[np.ndarray, np.ndarray]:
    """Places between -1 and 1 and weights of that many; do not write to them."""
    points, weights = np.polynomial.legendre.leggauss(count)
    return points, weights


def resampling_matrix(nodes: Nodes, x: Float[Tensor, " x"]) -> Float[Tensor, "node x"]:
    """Matrix of the cubic spline from values at the nodes to values at ``x``."""
    coordinate = np.arange(nodes.count) * nodes.step
    spline = CubicSpline(coordinate, np.eye(nodes.count))
    return torch.from_numpy(spline(np.arcsinh(x.numpy() / nodes.scale)).T.copy())


def resample(
    values: Float[Tensor, "batch node"], nodes: Nodes, x: Float[Tensor, "batch x"]
) -> Float[Tensor, "batch x"]:
    """Six-point Lagrange interpolation between nodes, a grid of its own for each row.

    Beyond the last node the outermost six are extrapolated: keep ``x`` inside. Values
    at the last nodes may be left out, as ``Nodes.beyond`` tells.
    """
    return resample_each((values,), nodes, x)[0]


def resample_each(
    tables: Sequence[Float[Tensor, "batch node"]],
    nodes: Nodes,
    x: Float[Tensor, "batch x"],
) -> list[Float[Tensor, "batch x"]]:
    """The same for several functions at once: where the x lie is found out once.

    Args:
        tables: Values of each function at the nodes.
        nodes: Where they are known.
        x: Where to interpolate.
    """
    place = _place(nodes, x)
    first = (place.detach().long() - 2).clamp(0, tables[0].shape[1] - 6)
    t = place - first
    # Products of the six distances but one, from the left and from the right.
    a, b, c, d, e, f = (t - k for k in range(6))
    ab, ef, cd = a * b, e * f, c * d
    cdef, abef, abcd = cd * ef, ab * ef, ab * cd
    totals = [b * cdef * values.gather(1, first) * (-1 / 120) for values in tables]
    others = (
        (a, cdef, 1 / 24),
        (d, abef, -1 / 12),
        (c, abef, 1 / 12),
        (f, abcd, -1 / 24),
        (e, abcd, 1 / 120),
    )
    for k, (one, rest, factor) in enumerate(others, 1):
        share, place_of = one * rest, first + k
        totals = [
            torch.addcmul(total, share, values.gather(1, place_of), value=factor)
            for total, values in zip(totals, tables, strict=True)
        ]
    return totals


def resample_dense(
    values: Float[Tensor, "batch node"], nodes: Nodes, x: Float[Tensor, "batch x"]
) -> Float[Tensor, "batch x"]:
    """Cubic Hermite interpolation, for nodes that lie dense.

    It takes half the time of :func:`resample`. Slopes at the nodes are those of
    quartics through five of them.
    """
    place = _place(nodes, x)
    first = place.detach().long().clamp(0, values.shape[1] - 2)
    t, slope = place - first, _slopes(values)
    value, begin = values[:, :-1], slope[:, :-1]
    rise = values[:, 1:] - value
    cubic = torch.add(begin + slope[:, 1:], rise, alpha=-2)
    total = cubic.gather(1, first)
    for part in (rise - begin - cubic, begin, value):
        total = torch.addcmul(part.gather(1, first), total, t)
    return total


def _place(nodes: Nodes, x: Tensor) -> Tensor:
    """Node numbers, with fractions: arcsinh in steps that take less time."""
    y = x * (1 / nodes.scale)
    root = torch.addcmul(y.new_ones(()), y, y).sqrt()
    return (y + root).log() * (1 / nodes.step)


def _slopes(values: Tensor) -> Tensor:
    """Derivatives by the node's number, to the fourth order."""
    near, far = values[:, 3:-1] - values[:, 1:-3], values[:, 4:] - values[:, :-4]
    middle = torch.add(near * (2 / 3), far, alpha=-1 / 12)
    ends = values.new_tensor(FIRST_SLOPES).T
    first, last = values[:, :5] @ ends, values[:, -5:].flip(1) @ -ends
    return torch.cat([first, middle, last.flip(1)], 1)


def level_covariance(
    s: Float[Tensor, " batch"],
    t: Float[Tensor, " batch"],
    g: Float[Tensor, "batch r"],
) -> Float[Tensor, "batch r"]:
    """Covariance of {f > s} and {f > t} where the field's correlation is g.

    Args:
        s: First level [standard deviations of the field].
        t: Second level, likewise.
        g: Correlation of the field, between -1 and 1.

    Returns:
        Covariance of the two indicator functions [1]; by Plackett's identity.

    Example:
        >>> zero, half = torch.zeros(1).double(), torch.full((1, 1), 0.5).double()
        >>> level_covariance(zero, zero, half) * 2 * torch.pi
        tensor([[0.5236]], dtype=torch.float64)
    """
    points, weights = gauss_legendre(LEVEL_POINTS)
    share = torch.from_numpy(0.5 * (1 + points)).to(g)
    limit = torch.asin(g.clamp(-1, 1))[..., None]
    u = limit * share
    a, b = s[:, None, None], t[:, None, None]
    sine = torch.sin(u)
    # Cosine squared vanishes at u = pi/2 only, where the numerator is (s - t)².
    exponent = (a.square() + b.square() - 2 * a * b * sine) / (
        2 * torch.cos(u).square().clamp(min=1e-30)
    )
    terms = torch.exp(-exponent) * torch.from_numpy(0.5 * weights).to(g)
    return limit[..., 0] * terms.sum(-1) / (2 * math.pi)


@functools.cache
def _polynomial() -> tuple[Tensor, Tensor]:
    """Factors on t² in the exponent, and the matrix from exponentials to F.

    F(x) = int_0^1 exp(-t² / (2 cos²(sqrt(x) y / 2))) dy is sampled at Chebyshev points
    of x; each needs the exponential at Gauss points of y.
    """
    order = np.arange(DEGREE + 1)
    chebyshev = np.cos(math.pi * (order + 0.5) / (DEGREE + 1))
    x = 0.5 * WIDEST * (1 + chebyshev)
    points, weights = np.polynomial.legendre.leggauss(14)
    y = 0.5 * (1 + points)
    factor = 0.5 / np.cos(0.5 * np.sqrt(x)[:, None] * y) ** 2
    powers = np.linalg.inv(np.vander(chebyshev, increasing=True))
    matrix = powers[:, :, None] * (0.5 * weights)
    return (
        torch.from_numpy(factor.ravel()),
        torch.from_numpy(matrix.reshape(DEGREE + 1, -1).T.copy()),
    )


def clipped_covariance(
    t: Float[Tensor, " batch"], deficit: Float[Tensor, "batch r"]
) -> Float[Tensor, "batch r"]:
    """Covariance of {f > t} with itself, from the deficit 1 - g of the correlation.

    Args:
        t: Level [standard deviations of the field], |t| up to 1.6.
        deficit: 1 - g(r) [1], 0 to 1.43. Given as such, because near r = 0 the
            covariance falls as its square root, and 1 - g would lose it.

    Returns:
        Covariance [1]; phi (1 - phi) where the deficit is zero.
    """
    factor, matrix = (part.to(deficit) for part in _polynomial())
    coefficients = torch.exp(-t[:, None].square() * factor) @ matrix
    # A node at r = 0 has no slope of its own; the floor keeps its gradient finite.
    psi = 2 * torch.asin((0.5 * deficit.clamp(min=1e-24)).sqrt())
    place = psi.square() * (2 / WIDEST) - 1
    value = coefficients[:, -1:].expand_as(place)
    for k in range(DEGREE - 1, -1, -1):
        value = torch.addcmul(coefficients[:, k : k + 1], value, place)
    share = torch.special.ndtr(-t)
    variance = (share * (1 - share))[:, None]
    return torch.addcmul(variance, psi, value, value=-1 / (2 * math.pi))
