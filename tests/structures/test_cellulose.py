"""Mirrors src/saxinfer/structures/cellulose.py.

The reference is the double integral of the model's own equations by brute force:
Gauss-Legendre panels far finer than any oscillation, no interpolation but that of the
packing table, no polynomial, no matrix.
"""

import functools
import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pytest
import torch
from scipy.interpolate import CubicSpline
from scipy.special import j0
from torch import Generator, Tensor

from saxinfer.scattering import packing
from saxinfer.structures.cellulose import K_MAX, Cellulose

Array = npt.NDArray[np.float64]
MODEL = Cellulose()
Q = torch.logspace(-2, 1, 60, dtype=torch.float64)

# What is asked of every single point: 1e-3 of itself and 1e-6 of the largest.
RELATIVE, OF_LARGEST = 1e-3, 1e-6

# alpha_mean, alpha_std, pow_exp, mu, sld_grf1, sld_grf2, phi_crystal, phi_grf1
TYPICAL = (2.0, 0.4, 2.0, 0.3, 0.7, 0.2, 0.35, 0.3)
CORNERS = {
    "steep and wide": (2.0, 0.4, 3.0, 0.05, 0.9, 0.1, 0.3, 0.35),
    "shallow and wide": (1.2, 0.45, 1.25, 0.05, 0.8, 0.0, 0.2, 0.4),
    "steep and narrow": (4.5, 0.4, 3.0, 1.0, 0.6, 0.3, 0.55, 0.1),
    "shallow and narrow": (3.0, 0.2, 1.25, 1.0, 1.0, 0.5, 0.12, 0.7),
    "between": (2.5, 0.5, 2.0, 0.05, 0.5, 0.05, 0.4, 0.3),
    "typical": TYPICAL,
}


def panels(edges: Array, count: int) -> tuple[Array, Array]:
    """Gauss-Legendre points and weights on consecutive intervals."""
    x, w = np.polynomial.legendre.leggauss(count)
    half = np.diff(edges) / 2
    points = (edges[:-1] + half)[:, None] + half[:, None] * x
    return points.ravel(), (half[:, None] * w).ravel()


@dataclass(frozen=True)
class Grids:
    """Points and weights in r and k, and J0 between them and q."""

    r: Array
    weight_r: Array
    k: Array
    weight_k: Array
    correlation: Array
    spectrum: Array


@functools.cache
def grids() -> Grids:
    near, far = np.linspace(0, 0.5, 40), np.linspace(0.5, 10, 100)[1:]
    farther, farthest = np.linspace(10, 100, 200)[1:], np.linspace(100, 600, 500)[1:]
    r, weight_r = panels(np.concatenate([near, far, farther, farthest]), 8)
    low, high = np.geomspace(1e-3, 0.5, 40), np.linspace(0.5, K_MAX, 120)[1:]
    k, weight_k = panels(np.concatenate([[0], low, high]), 26)
    pieces = [j0(np.multiply.outer(part, k)) for part in np.array_split(r, 8)]
    return Grids(
        r=r,
        weight_r=weight_r,
        k=k,
        weight_k=weight_k,
        correlation=np.concatenate(pieces),
        spectrum=j0(np.multiply.outer(Q.numpy(), r)),
    )


def matrix_of(theta: Array) -> tuple[float, float, float]:
    """Mean density, difference, and squared level of the matrix."""
    first, second, phi, grf1 = theta[4:8]
    share = grf1 / (1 - phi)
    level = float(torch.special.ndtri(torch.tensor(share, dtype=torch.float64)))
    return second + (first - second) * share, first - second, level**2


def correlations(thetas: Array) -> Array:
    """Correlation g of the field at the grid's r, a row for each vector."""
    grid = grids()
    exponent, mu = thetas[:, 2:3], thetas[:, 3:4]
    weighed = (1 + (grid.k / mu) ** 2) ** -exponent * grid.k * grid.weight_k
    return np.asarray(weighed @ grid.correlation.T / weighed.sum(1, keepdims=True))


def clipped(g: Array, level_square: float) -> Array:
    """Plackett's integral by a hundred Gauss points."""
    limit = np.arcsin(np.clip(g, -1, 1))
    x, w = np.polynomial.legendre.leggauss(100)
    sine = np.sin(limit[:, None] * (0.5 * (1 + x)))
    mean = (np.exp(-level_square / (1 + sine)) * w / 2).sum(1)
    return np.asarray(mean * limit / (2 * math.pi))


def crystals(theta: Array) -> Array:
    """Covariance of the crystal mask at the grid's r, from the packing table."""
    alpha, std, phi = theta[0], theta[1], theta[6]
    one = torch.tensor([[phi], [std / alpha]], dtype=torch.float64)
    table = packing.covariance(one[0], one[1])[0].numpy()
    place = np.arcsinh(packing.U_NODES.numpy() / packing.U_SCALE)
    spline = CubicSpline(place, table)
    u = grids().r / alpha
    last = float(packing.U_NODES[-1])
    inside = spline(np.arcsinh(np.minimum(u, last) / packing.U_SCALE))
    return np.asarray(np.where(u <= last, inside, 0.0))


def crystal_spectrum(theta: Array) -> Array:
    """Spectrum of the crystal mask at ``Q`` [nm²], splined from the packing table."""
    alpha, std, phi = theta[0], theta[1], theta[6]
    one = torch.tensor([[phi], [std / alpha]], dtype=torch.float64)
    table = packing.spectrum(one[0], one[1])[0].numpy()
    spline = CubicSpline(np.arcsinh(packing.X_NODES.numpy() / packing.X_SCALE), table)
    return np.asarray(
        alpha**2 * spline(np.arcsinh(alpha * Q.numpy() / packing.X_SCALE))
    )


def brute_force(thetas: Array) -> Array:
    """S(q) at ``Q`` of the density's covariance."""
    grid = grids()
    rows = []
    for theta, g in zip(thetas, correlations(thetas), strict=True):
        mean, delta, level_square = matrix_of(theta)
        mixed = (1 - theta[6]) ** 2 + crystals(theta)
        field = delta**2 * mixed * clipped(g, level_square)
        transformed = 2 * math.pi * grid.spectrum @ (field * grid.r * grid.weight_r)
        rows.append((1 - mean) ** 2 * crystal_spectrum(theta) + transformed)
    return np.array(rows)


def worst(found: Array, exact: Array) -> Array:
    """Largest error of each row over what is asked."""
    allowed = RELATIVE * np.abs(exact) + OF_LARGEST * exact.max(1, keepdims=True)
    return np.asarray((np.abs(found - exact) / allowed).max(1))


def test_every_point_of_the_spectrum_is_right_even_in_the_corners() -> None:
    thetas = np.array(list(CORNERS.values()))
    exact = brute_force(thetas)
    theta = torch.from_numpy(thetas)
    shared = MODEL.cross_section(Q, theta).numpy()
    own = MODEL.cross_section(Q.expand(len(theta), -1).contiguous(), theta).numpy()
    for found in (shared, own):
        ratio = worst(found, exact)
        assert ratio.max() < 1, dict(zip(CORNERS, ratio.round(3), strict=True))


def test_every_point_of_forty_random_spectra_is_right() -> None:
    theta = MODEL.space.sample(40, Generator().manual_seed(5))
    exact = brute_force(theta.numpy())
    assert worst(MODEL.cross_section(Q, theta).numpy(), exact).max() < 1
    single = MODEL.cross_section(Q, theta, torch.float32)
    assert worst(single.double().numpy(), exact).max() < 1


def test_single_precision_moves_a_curve_by_a_hundred_thousandth() -> None:
    theta = MODEL.space.sample(500, Generator().manual_seed(6))
    exact = MODEL.intensity(Q, theta)
    found = MODEL.intensity(Q.float(), theta.float())
    assert found.dtype == torch.float32
    # Wavevectors and parameters are rounded as well.
    rounded = theta.float().double()
    known = MODEL.intensity(Q.float().double(), rounded)
    # Sums that cancel leave a share of what they are sums of.
    forward = MODEL.cross_section(torch.zeros(1, dtype=torch.float64), rounded)
    allowed = 3e-5 * known + 1e-8 * forward * math.pi / Q
    assert bool(((found - known).abs() < allowed).all())
    assert float((found / exact - 1).abs().max()) < 1e-3


def test_the_crystal_term_is_the_transform_of_its_covariance() -> None:
    theta = np.array(TYPICAL)
    grid = grids()
    moment = crystals(theta) * grid.r * grid.weight_r
    transformed = 2 * math.pi * grid.spectrum @ moment
    exact = crystal_spectrum(theta)
    # Both come from one packing; the covariance stops at 40 mean radii.
    assert np.abs(transformed - exact).max() < 1e-3 * exact.max()


def one(**changes: float) -> Tensor:
    names = MODEL.space.names
    values = dict(zip(names, TYPICAL, strict=True)) | changes
    return torch.tensor([[values[name] for name in names]], dtype=torch.float64)


def test_without_a_difference_of_densities_the_crystals_alone_scatter() -> None:
    theta = one(sld_grf1=0.4, sld_grf2=0.4)
    exact = 0.6**2 * crystal_spectrum(theta[0].numpy())
    found = MODEL.cross_section(Q, theta)[0].numpy()
    assert np.allclose(found, exact, rtol=1e-3)


def test_a_matrix_as_dense_as_the_crystals_hides_all_of_it() -> None:
    assert (
        float(MODEL.cross_section(Q, one(sld_grf1=1, sld_grf2=1)).abs().max()) < 1e-12
    )


def test_aligned_fibrils_scatter_as_a_powder_times_q_over_pi() -> None:
    theta = MODEL.space.sample(5, Generator().manual_seed(0))
    aligned = Cellulose("aligned").intensity(Q, theta)
    powder = Cellulose("powder").intensity(Q, theta)
    assert torch.allclose(aligned, powder * Q / math.pi, rtol=1e-12)
    assert torch.allclose(aligned, MODEL.cross_section(Q, theta), rtol=1e-12)


def test_the_mirror_scatters_the_same() -> None:
    theta = MODEL.space.sample(50, Generator().manual_seed(0))
    (mirrored,) = MODEL.mirrors(theta)
    inside = (mirrored[:, 4:6] >= 0).all(1) & (mirrored[:, 4:6] <= 1).all(1)
    assert int(inside.sum()) > 10
    same = MODEL.intensity(Q, theta[inside])
    assert torch.allclose(MODEL.intensity(Q, mirrored[inside]), same, rtol=1e-9)
    (back,) = MODEL.mirrors(mirrored)
    assert torch.allclose(back, theta, atol=1e-12)


def test_densities_stretched_about_the_crystals_scatter_the_same_up_to_scale() -> None:
    theta, stretched = one(), one()
    stretched[:, 4:6] = 1 - 0.8 * (1 - theta[:, 4:6])
    found = MODEL.intensity(Q, stretched)
    assert torch.allclose(found, 0.64 * MODEL.intensity(Q, theta), rtol=1e-9)
    known = MODEL.derived_values(theta)[:, :2]
    assert torch.allclose(MODEL.derived_values(stretched)[:, :2], known, rtol=1e-9)


@pytest.mark.parametrize("name", CORNERS)
def test_the_boundary_length_is_the_slope_of_the_covariances_at_zero(name: str) -> None:
    theta = np.array(CORNERS[name])
    # Two points closer than r are parted by a boundary of length L an area with
    # probability 2 r L / pi: a covariance falls from its start by r L / pi.
    near = 8
    r = grids().r[near]
    assert r * K_MAX < 0.2
    fall = theta[6] * (1 - theta[6]) - crystals(theta)[near]
    disks = math.pi * fall / r
    _, _, level_square = matrix_of(theta)
    g = correlations(theta[None])[0, near]
    start, end = clipped(np.array([1.0, g]), level_square)
    field = (1 - theta[6]) * math.pi * (start - end) / r
    found = float(MODEL.dependent_values(torch.from_numpy(theta)[None])[0, 1])
    # Over r the circles bend by (r / alpha)² and the field by (k r)² / 24.
    assert found == pytest.approx(disks + field, rel=5e-3)


def porod_constant(theta: Tensor) -> float:
    """2 (density step)² times boundary length, summed over all boundaries."""
    mean, delta, _ = matrix_of(theta[0].numpy())
    alpha, std, _, _, _, _, phi, grf1 = theta[0].tolist()
    share = grf1 / (1 - phi)
    disks = 2 * alpha * phi / (alpha**2 + std**2)
    interface = float(MODEL.dependent_values(theta)[0, 1]) - disks
    at_disks = (1 - mean) ** 2 + delta**2 * share * (1 - share)
    return float(2 * (at_disks * disks + delta**2 * interface))


SMOOTH = {"pow_exp": 3.0, "mu": 0.3, "alpha_mean": 3.0, "alpha_std": 0.9}


@pytest.mark.parametrize("difference", [0.0, 0.5])
def test_it_falls_at_high_q_with_the_length_of_its_boundaries(
    difference: float,
) -> None:
    theta = one(**SMOOTH, sld_grf1=0.2 + difference, sld_grf2=0.2)
    q = torch.linspace(4, 8, 200, dtype=torch.float64)
    section = MODEL.cross_section(q, theta)[0]
    found = float((section * q**3).mean())
    # The disks' own next term is of the order 1 / (q alpha)², a percent at most.
    assert found == pytest.approx(porod_constant(theta), rel=1e-2)


@pytest.mark.parametrize("difference", [0.0, 0.5])
def test_its_invariant_is_the_variance_of_the_density(difference: float) -> None:
    theta = one(**SMOOTH, sld_grf1=0.2 + difference, sld_grf2=0.2)
    q = torch.logspace(-4, math.log10(12), 6000, dtype=torch.float64)
    section = MODEL.cross_section(q, theta)[0]
    inner = float(torch.trapezoid(q * section, q)) / (2 * math.pi)
    tail = porod_constant(theta) / (2 * math.pi * float(q[-1]))
    mean, delta, _ = matrix_of(theta[0].numpy())
    phi, grf1 = theta[0, 6:8].tolist()
    share = grf1 / (1 - phi)
    variance = (1 - mean) ** 2 * phi * (1 - phi)
    variance += delta**2 * (1 - phi) * share * (1 - share)
    assert inner + tail == pytest.approx(variance, rel=2e-3)
