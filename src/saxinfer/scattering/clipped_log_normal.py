r"""Spectra of densities that step at levels of a log-normal Gaussian field in 3D.

A density that steps by Delta_i where the field passes t_i has the covariance

.. math:: C(r) = \sum_{ij} \Delta_i \Delta_j \Lambda(t_i, t_j; g(r)), \qquad
          S(q) = 4\pi \int_0^\infty C(r) \frac{\sin qr}{qr} r^2 dr .

Everything is a function of x = Kr and kappa = q / K, with K the root mean square
wavenumber (:mod:`saxinfer.scattering.log_normal_field`). Of S three parts are added.
What is linear in g is the spectrum itself, exactly. What starts at r = 0 as

.. math:: -\Delta^2 \frac{e^{-t^2/2}}{2 \sqrt 3 \pi} \Big[ x
          + \Big( \frac{1 - t^2}{72} - \frac{e^{4 \sigma^2}}{40} \Big) x^3 \Big]

goes on as (A + B x) e^-x, the transform of which is known: these are Porod's law and
the term after it. What is left falls as kappa^-8, and it alone is transformed
numerically, so that curves stay right, and positive, over twelve decades.

References:
    Berk, Phys. Rev. A 44, 5069 (1991). Teubner, Europhys. Lett. 14, 403 (1991): clipped
    fields and their surface. Cramér & Leadbetter, Stationary and Related Stochastic
    Processes (1967), section 10.8: Mehler's series for small g.
"""

import functools
import itertools
import math

import numpy as np
import torch
from jaxtyping import Float
from scipy.interpolate import BSpline, make_interp_spline
from torch import Tensor

from saxinfer.scattering.correlation import Nodes, clipped_covariance, resample
from saxinfer.scattering.log_normal_field import (
    DISTANCES,
    deficit,
    root_mean_square,
    spread,
)
from saxinfer.scattering.two_levels import two_level_covariance

__all__ = ["clipped_spectrum", "surface"]

# Scattering vectors in units of K.
_KAPPA = Nodes(last=200.0, scale=0.2, count=280)

# Degree of the spline through covariances: cubic ones leave percents of Porod's law.
DEGREE = 7

# From this distance on |g| is below 0.1, and so many powers of g are enough.
FAR, POWERS = 265, 10

# Rows worked on together: enough that arithmetic outweighs what each call costs.
CHUNK = 200


def surface(
    k_mean: Float[Tensor, " batch"],
    k_std: Float[Tensor, " batch"],
    levels: Float[Tensor, "batch level"],
) -> Float[Tensor, "batch level"]:
    """Area of each level set per volume [1/nm]: (2/pi) K / sqrt(3) exp(-t²/2)."""
    rough = root_mean_square(k_mean, k_std) * (2 / (math.pi * math.sqrt(3)))
    return rough[:, None] * torch.exp(-0.5 * levels.square())


def clipped_spectrum(
    q: Float[Tensor, "batch q"],
    k_mean: Float[Tensor, " batch"],
    k_std: Float[Tensor, " batch"],
    levels: Float[Tensor, "batch level"],
    steps: Float[Tensor, "batch level"],
) -> Float[Tensor, "batch q"]:
    """Spectrum S(q) [density² nm³] of a density that steps at levels of the field.

    Args:
        q: Scattering vectors [1/nm], a grid for each row.
        k_mean: Mean m of the spectrum [1/nm].
        k_std: Its standard deviation s [1/nm], a tenth of the mean to all of it.
        levels: Levels t [standard deviations of the field], |t| up to 1.7.
        steps: Step of the density where the field rises above each level.
    """
    columns = (torch.split(part, CHUNK) for part in (q, k_mean, k_std, levels, steps))
    return torch.cat([_few_rows(*rows) for rows in zip(*columns, strict=True)])


def _few_rows(
    q: Tensor, k_mean: Tensor, k_std: Tensor, levels: Tensor, steps: Tensor
) -> Tensor:
    """The same for rows that fit into the processor's cache."""
    sigma, rough = spread(k_mean, k_std), root_mean_square(k_mean, k_std)
    kappa = q / rough[:, None]
    heights = steps * torch.exp(-0.5 * levels.square())
    linear = heights.sum(-1, keepdim=True).square() / (2 * math.pi)
    first, third = _small_distances(sigma, levels, steps * heights)
    missing = deficit(sigma)
    near, far = missing[:, :FAR], 1 - missing[:, FAR:]
    rest = torch.cat(
        [
            _covariance(levels, steps, near) - linear * (1 - near),
            _higher_powers(levels, steps, far),
        ],
        -1,
    )
    rest = rest - _continued(first, third)
    left = resample(rest @ _matrix(), _KAPPA, kappa.clamp(max=_KAPPA.last))
    left = left * (_KAPPA.last / kappa.clamp(min=_KAPPA.last)) ** 8
    own = linear * _scaled_spectrum(kappa, sigma[:, None])
    return (own + left + _porod(kappa, first, third)) / rough[:, None] ** 3


def _covariance(levels: Tensor, steps: Tensor, missing: Tensor) -> Tensor:
    """C at the nodes, from the deficit of the correlation."""
    total = torch.zeros_like(missing)
    for i, j in itertools.combinations_with_replacement(range(levels.shape[1]), 2):
        s, t = levels[:, i], levels[:, j]
        weight = (steps[:, i] * steps[:, j])[:, None]
        pair = (
            clipped_covariance(s, missing)
            if i == j
            else 2 * two_level_covariance(s, t, missing)
        )
        total = torch.addcmul(total, weight, pair)
    return total


def _higher_powers(levels: Tensor, steps: Tensor, g: Tensor) -> Tensor:
    """C from the square of a small g on: Mehler's series, in Hermite polynomials."""
    weight = steps * torch.exp(-0.5 * levels.square()) / math.sqrt(2 * math.pi)
    before, hermite = torch.ones_like(levels), levels
    factors = []
    for n in range(2, POWERS + 1):
        step = (weight * hermite).sum(-1, keepdim=True)
        factors.append(step.square() / math.factorial(n))
        before, hermite = hermite, levels * hermite - (n - 1) * before
    total = torch.zeros_like(g)
    for factor in reversed(factors):
        total = (total + factor) * g
    return total * g


def _small_distances(
    sigma: Tensor, levels: Tensor, weights: Tensor
) -> tuple[Tensor, Tensor]:
    """Coefficients c1 and c3 of C = C(0) - c1 x - c3 x³ + even powers, columns."""
    slope = weights / (2 * math.sqrt(3) * math.pi)
    bend = (1 - levels.square()) / 72 - torch.exp(4 * sigma.square())[:, None] / 40
    return slope.sum(-1, keepdim=True), (slope * bend).sum(-1, keepdim=True)


def _amplitudes(first: Tensor, third: Tensor) -> tuple[Tensor, Tensor]:
    """A and B with (A + B x) e^-x = A - c1 x - c3 x³ + even powers + ..."""
    amplitude = 1.5 * first - 3 * third
    return amplitude, amplitude - first


def _continued(first: Tensor, third: Tensor) -> Tensor:
    """(A + B x) e^-x at the nodes."""
    a, b = _amplitudes(first, third)
    return (a + b * DISTANCES.values) * torch.exp(-DISTANCES.values)


def _porod(kappa: Tensor, first: Tensor, third: Tensor) -> Tensor:
    """The transform of (A + B x) e^-x."""
    a, b = _amplitudes(first, third)
    over = 1 / (1 + kappa.square())
    return 8 * math.pi * over.square() * (a - b + 4 * b * over)


def _scaled_spectrum(kappa: Tensor, sigma: Tensor) -> Tensor:
    """2 pi² P / int P k² dk, the transform of g, in units of 1 / K³."""
    z = kappa.log() / sigma + sigma
    height = math.sqrt(2 * math.pi) * math.pi
    return height * torch.exp(-0.5 * z.square()) / (sigma * kappa**3)


@functools.cache
def _matrix() -> Tensor:
    """From values at the nodes of x to their transform at those of kappa."""
    coordinate = np.arange(DISTANCES.count) * DISTANCES.step
    spline = make_interp_spline(coordinate, np.eye(DISTANCES.count), k=DEGREE)
    kappa = _KAPPA.values.numpy()[:, None]
    share, weight = np.polynomial.legendre.leggauss(16)
    total = np.zeros((_KAPPA.count, DISTANCES.count))
    for low, high in itertools.pairwise(DISTANCES.values.tolist()):
        # So many parts that sin(qr) turns by two rounds at most in each.
        edges = np.linspace(low, high, 2 + int(_KAPPA.last * (high - low) / 12))
        half = 0.5 * (edges[1] - edges[0])
        r = (edges[:-1, None] + half * (1 + share)).ravel()
        square = np.tile(4 * math.pi * half * weight, len(edges) - 1) * r * r
        kernel = np.sinc(kappa * r / math.pi) * square
        place = np.arcsinh(r / DISTANCES.scale).clip(0, coordinate[-1])
        total += kernel @ BSpline.design_matrix(place, spline.t, DEGREE)
    return torch.from_numpy((total @ spline.c).T.copy())
