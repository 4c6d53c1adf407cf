"""Mirrors src/saxinfer/scattering/clipped_log_normal.py.

The reference is brute force: the correlation by the trapezoidal rule on the real line
with thousands of wavenumbers a point, Plackett's identity by 200 Gauss points, the
sine transform by Gauss-Legendre panels far finer than any oscillation. Only the term
linear in the correlation, which falls off slowly, is taken for its spectrum; that the
one is the transform of the other is tested on its own.
"""

import functools
import itertools
import math

import numpy as np
import numpy.typing as npt
import pytest
import torch
from scipy.special import ndtr
from torch import Generator, Tensor

from saxinfer.scattering.clipped_log_normal import clipped_spectrum, surface
from saxinfer.scattering.log_normal_field import root_mean_square, spread

Array = npt.NDArray[np.float64]

# What is asked of every single point: 1e-3 of itself and 1e-6 of the largest. Found is
# 1e-5 of itself alone, also where the curve has fallen by nine decades: that is held.
RELATIVE = 3e-5


def row(*values: float) -> Tensor:
    return torch.tensor([values], dtype=torch.float64)


def one(value: float) -> Tensor:
    return row(value)[0]


def log_normal(k: float, mean: float, std: float) -> float:
    """The density as textbooks have it."""
    square = math.log(1 + (std / mean) ** 2)
    middle = math.log(mean) - square / 2
    gap = (math.log(k) - middle) ** 2 / (2 * square)
    return math.exp(-gap) / (k * math.sqrt(2 * math.pi * square))


def panels(edges: Array, count: int) -> tuple[Array, Array]:
    """Gauss-Legendre points and weights on consecutive intervals."""
    x, w = np.polynomial.legendre.leggauss(count)
    half = np.diff(edges) / 2
    points = (edges[:-1] + half)[:, None] + half[:, None] * x
    return points.ravel(), (half[:, None] * w).ravel()


def correlation(x: Array, sigma: float) -> Array:
    """The mean of sin kr / kr over the real line, at x = Kr."""
    result = np.empty_like(x)
    for low, high in ((0, 1), (1, 10), (10, 50), (50, 400)):
        # Fine enough for sin kr to be followed wherever k has any weight.
        fastest = min(high, x.max()) * sigma * math.exp(3.5 * sigma)
        step = min(max(1 / fastest, 0.001), 0.02)
        place = np.flatnonzero((x >= low) & (x < high))
        z = np.arange(-7, 7, step)
        k = np.exp(sigma * z - sigma**2)
        weight = np.exp(-0.5 * z**2) * step / math.sqrt(2 * math.pi)
        for part in np.array_split(place, 1 + len(place) // 256):
            result[part] = np.sinc(np.multiply.outer(x[part], k) / math.pi) @ weight
    return result


@functools.cache
def grid(ratio: float, last: float, width: float) -> tuple[Array, Array, Array]:
    """Distances in 1 / K, weights, and the correlation at them."""
    edges = np.concatenate([np.linspace(0, 0.2, 12), np.arange(0.2, last, width)[1:]])
    x, weight = panels(edges, 10)
    return x, weight, correlation(x, float(spread(one(1.0), one(ratio))))


def plackett(s: float, t: float, g: Array) -> Array:
    """Covariance of two clipped fields, by quadrature from g = 1 downwards."""
    psi = np.arccos(g)
    points, weights = np.polynomial.legendre.leggauss(200)
    half = psi[:, None] * (0.5 + 0.5 * points) / 2
    a, b = (s + t) / 2, (s - t) / 2
    integrand = np.exp(-((a / np.cos(half)) ** 2 + (b / np.sin(half)) ** 2) / 2)
    fall = integrand @ (weights / 2) * psi / (2 * math.pi)
    return np.asarray(ndtr(-max(s, t)) * ndtr(min(s, t)) - fall)


def brute_force(
    kappa: Array,
    ratio: float,
    steps: dict[float, float],
    last: float = 60.0,
    width: float = 0.25,
) -> Array:
    """S in units of 1 / K³ at q = kappa K; steps of the density by level."""
    x, weight, g = grid(ratio, last, width)
    height = sum(step * math.exp(-(t**2) / 2) for t, step in steps.items())
    linear = height**2 / (2 * math.pi)
    total = -linear * g
    for (s, one_step), (t, other) in itertools.product(steps.items(), repeat=2):
        total = total + one_step * other * plackett(s, t, g)
    moments = 4 * math.pi * total * weight * x**2
    rest = np.array([np.sinc(k * x / math.pi) @ moments for k in kappa])
    k_mean = 1 / float(root_mean_square(one(1.0), one(ratio)))
    norm = k_mean**2 * (1 + ratio**2)
    own = [log_normal(k, k_mean, ratio * k_mean) for k in kappa]
    return np.asarray(rest + linear * 2 * math.pi**2 * np.array(own) / norm)


def closed_form(kappa: Array, ratio: float, steps: dict[float, float]) -> Array:
    k_mean = 1 / float(root_mean_square(one(1.0), one(ratio)))
    q, levels, heights = torch.from_numpy(kappa)[None], row(*steps), steps.values()
    found = clipped_spectrum(q, one(k_mean), one(ratio * k_mean), levels, row(*heights))
    return np.asarray(found[0].numpy())


LOW = np.geomspace(3e-3, 25, 60)
CORNERS = {
    "narrow, half": (0.1, {0.0: 1.0}),
    "narrow, rare": (0.1, {1.645: 1.0}),
    "narrow, film": (0.1, {-0.063: -1.0, 0.063: 2.0}),
    "broad, half": (0.55, {0.0: 1.0}),
    "broad, thin": (0.55, {1.2: 2.0, 1.645: -1.0}),
    "broadest, rare": (1.0, {-1.645: 1.0}),
    "broadest, thin": (1.0, {-0.063: 0.5, 0.063: 0.5}),
    "broadest, thick": (1.0, {-0.674: 2.0, 0.674: -1.0}),
}


@pytest.mark.parametrize("name", CORNERS)
def test_every_point_of_the_curve_is_right_in_the_corners(name: str) -> None:
    ratio, steps = CORNERS[name]
    # The broadest correlation reaches farthest.
    last = 150.0 if ratio == 1 else 60.0
    exact = brute_force(LOW, ratio, steps, last)
    gap = np.abs(closed_form(LOW, ratio, steps) / exact - 1)
    assert gap.max() < RELATIVE, LOW[gap.argmax()]


@pytest.mark.slow
def test_every_point_of_forty_random_curves_is_right() -> None:
    draws = torch.rand(40, 4, generator=Generator().manual_seed(3)).tolist()
    for a, b, c, d in draws:
        ratio = 0.1 + 0.9 * a
        first = -1.645 + 3 * b
        steps = {first: 3 * c - 1, min(first + 0.1 + d, 1.645): 2 - 3 * c}
        exact = brute_force(LOW, ratio, steps, 150.0)
        gap = np.abs(closed_form(LOW, ratio, steps) / exact - 1)
        assert gap.max() < RELATIVE, (ratio, steps)


@pytest.mark.parametrize("steps", [{1.645: 1.0}, {-0.063: -1.0, 0.063: 2.0}])
def test_it_is_right_far_out_and_beyond_what_is_transformed(
    steps: dict[float, float],
) -> None:
    kappa = np.linspace(40, 240, 41)
    exact = brute_force(kappa, 0.3, steps, 40.0, 0.04)
    gap = np.abs(closed_form(kappa, 0.3, steps) / exact - 1)
    assert gap[kappa < 200].max() < RELATIVE
    # The thinnest film of the prior still interferes there.
    assert gap.max() < 1e-3


def test_half_and_half_is_the_law_of_the_arcsine() -> None:
    x, weight, g = grid(0.3, 60.0, 0.25)
    rest = (np.arcsin(g) - g) / (2 * math.pi)
    exact = 4 * math.pi * rest @ (weight * x**2)
    # At q = 0 the spectrum itself is zero.
    found = closed_form(np.array([1e-4]), 0.3, {0.0: 1.0})[0]
    assert found == pytest.approx(exact, rel=1e-5)


def test_the_linear_term_is_the_transform_of_the_correlation() -> None:
    x, weight, g = grid(0.3, 60.0, 0.25)
    k_mean = 1 / float(root_mean_square(one(1.0), one(0.3)))
    for kappa in (0.6, 1.0, 1.7):
        transform = 4 * math.pi * (g * np.sinc(kappa * x / math.pi)) @ (weight * x**2)
        density = log_normal(kappa, k_mean, 0.3 * k_mean)
        exact = 2 * math.pi**2 * density / (k_mean**2 * 1.09)
        assert transform == pytest.approx(exact, rel=1e-4)


MATERIALS = [(0.02, 0.002, 0.4), (0.3, 0.15, 0.0), (0.4, 0.4, -1.6)]


@pytest.mark.parametrize(("k_mean", "k_std", "level"), MATERIALS)
def test_porods_law_holds_with_the_surface(
    k_mean: float, k_std: float, level: float
) -> None:
    columns = one(k_mean), one(k_std)
    q = 500 * float(root_mean_square(*columns))
    found = clipped_spectrum(row(q), *columns, row(level), row(3.0))
    area = float(surface(*columns, row(level)))
    # The next term is of the order 5 / 500².
    assert float(found) * q**4 == pytest.approx(2 * math.pi * 9 * area, rel=1e-4)


@pytest.mark.parametrize(("k_mean", "k_std", "level"), MATERIALS)
def test_the_invariant_is_the_variance_of_the_density(
    k_mean: float, k_std: float, level: float
) -> None:
    columns = one(k_mean), one(k_std)
    rough = float(root_mean_square(*columns))
    q = torch.logspace(-5, 2.5, 20001, dtype=torch.float64)[None] * rough
    section = clipped_spectrum(q, *columns, row(level), row(1.0))
    inner = float(torch.trapezoid(q**3 * section, q.log())) / (2 * math.pi**2)
    tail = float(surface(*columns, row(level))) / (math.pi * float(q[0, -1]))
    share = ndtr(level)
    assert inner + tail == pytest.approx(share * (1 - share), rel=1e-5)


def test_surfaces_of_levels_are_the_slopes_of_their_covariances() -> None:
    # Ends of a short needle of length r lie on different sides with S r / 2.
    x, _, g = grid(0.55, 60.0, 0.25)
    near = int(np.searchsorted(x, 0.01))
    k_mean = 1 / float(root_mean_square(one(1.0), one(0.55)))
    areas = surface(one(k_mean), one(0.55 * k_mean), row(-1.0, 0.3))[0].tolist()
    for area, level in zip(areas, (-1.0, 0.3), strict=True):
        fall = ndtr(-level) * ndtr(level) - plackett(level, level, g[near : near + 1])
        assert area == pytest.approx(4 * float(fall[0]) / x[near], rel=1e-3)
