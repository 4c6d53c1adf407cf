"""Mirrors src/saxinfer/scattering/hard_spheres.py."""

import importlib
import math
import shutil
import warnings

import numpy as np
import numpy.typing as npt
import pytest
import torch
from numpy.polynomial.legendre import leggauss
from torch import Tensor
from torch.autograd import gradcheck

from saxinfer.scattering.hard_spheres import (
    LogNormalShells,
    compressibility,
    interference,
    structure_factor,
)

Array = npt.NDArray[np.float64]


def one(value: float) -> Tensor:
    return torch.tensor([value], dtype=torch.float64)


def shells(
    median: float,
    sigma: float,
    ratio: float = 1.0,
    thickness: float = 0.0,
    contrasts: tuple[float, float] = (1.0, 1.0),
) -> LogNormalShells:
    values = math.log(median), sigma, ratio, thickness, *contrasts
    return LogNormalShells(*(one(value) for value in values))


@pytest.mark.parametrize("phi", [0.0, 1e-6, 0.1, 0.3, 0.5])
def test_starts_at_the_compressibility_of_the_fluid(phi: float) -> None:
    start = float(structure_factor(one(0.0), one(phi)))
    assert start == pytest.approx((1 - phi) ** 4 / (1 + 2 * phi) ** 2, rel=1e-12)
    assert float(compressibility(one(phi))) == pytest.approx(start, rel=1e-12)


def test_is_one_without_neighbours_and_far_out() -> None:
    x = torch.logspace(-3, 4, 200, dtype=torch.float64)
    assert torch.equal(structure_factor(x, one(0.0)), torch.ones_like(x))
    assert float(structure_factor(one(1e4), one(0.5))) == pytest.approx(1, abs=1e-6)


@pytest.mark.parametrize("phi", [1e-3, 0.2, 0.5])
def test_is_the_transform_of_the_direct_correlation_function(phi: float) -> None:
    # C = 24 phi int (alpha + beta u + gamma u³) sinc(xu) u² du, by Gauss-Legendre.
    node, weight = leggauss(60)
    u, weight = 0.5 * (1 + node), 0.5 * weight
    bulk = (1 - phi) ** 4
    alpha = (1 + 2 * phi) ** 2 / bulk
    beta = -6 * phi * (1 + phi / 2) ** 2 / bulk
    profile = (alpha + beta * u + phi / 2 * alpha * u**3) * u**2 * weight
    x = np.concatenate([np.linspace(1e-3, 1, 101), np.linspace(1.5, 40, 78)])
    exact = 1 / (1 + 24 * phi * np.sinc(np.outer(x, u) / math.pi) @ profile)
    found = structure_factor(torch.from_numpy(x), one(phi)).numpy()
    # On both sides of the passage from the series to the closed form.
    assert np.allclose(found, exact, rtol=1e-10)


def test_is_never_below_its_start() -> None:
    x = torch.linspace(0, 60, 3001, dtype=torch.float64)
    phi = torch.linspace(0.01, 0.5, 50, dtype=torch.float64)[:, None]
    found = structure_factor(x.expand(50, -1), phi)
    assert bool((found >= compressibility(phi) * (1 - 1e-10)).all())


def test_a_cavity_holds_no_other_centre() -> None:
    # g(r) = 1 + int (S - 1) sin(qr) / (qr) q² dq / (2 pi² n) vanishes within r < d.
    q = torch.linspace(1e-3, 400, 400_000, dtype=torch.float64)
    phi, r = 0.3, 0.5
    wave = torch.sin(q * r) / (q * r) * q.square()
    # A Gaussian of width 0.02 d takes the place of what lies beyond the last q.
    smooth = torch.exp(-0.5 * (0.02 * q).square())
    excess = torch.trapezoid((structure_factor(q, one(phi)) - 1) * wave * smooth, q)
    density = 6 * phi / math.pi
    pairs = 1 + float(excess) / (2 * math.pi**2 * density)
    assert pairs == pytest.approx(0, abs=2e-3)


def amplitude(x: Array) -> Array:
    safe = np.maximum(x, 0.05)
    series = 1 - x**2 / 10 + x**4 / 280 - x**6 / 15120
    closed = 3 * (np.sin(safe) - safe * np.cos(safe)) / safe**3
    return np.asarray(np.where(x > 0.05, closed, series))


def brute_force(
    q: Array, particles: LogNormalShells, phi: float
) -> tuple[Array, Array, float]:
    """<F² (S - 1)> / <V> and <F² S> / <V> by 20,000 radii, and the latter at q = 0."""
    middle, sigma, ratio, thickness, core, shell = (
        float(getattr(particles, name)) for name in particles.__dataclass_fields__
    )
    low = -8.0
    if thickness > 0:
        low = max(low, (math.log(thickness) - middle) / sigma)
    edges = np.linspace(low, 8 + 6 * sigma, 101)
    node, share = leggauss(200)
    half = 0.5 * np.diff(edges)[:, None]
    z = (edges[:-1, None] + half * (1 + node)).ravel()
    weight = (half * share).ravel() * np.exp(-(z**2) / 2)
    weight /= weight.sum()
    radius = np.exp(middle + sigma * z)
    inner = np.maximum(ratio * radius - thickness, 0)
    rows = []
    for value in np.concatenate([[1e-6], q]):
        field = shell * radius**3 * amplitude(value * radius)
        field += (core - shell) * inner**3 * amplitude(value * inner)
        square = weight * (4 * math.pi / 3 * field) ** 2
        order = structure_factor(torch.from_numpy(2 * value * radius), one(phi)).numpy()
        rows.append([square @ (order - 1), square @ order])
    table = np.array(rows) / (weight @ (4 * math.pi / 3 * radius**3))
    return table[1:, 0], table[1:, 1], float(table[0, 1])


CASES = {
    "nearly equal": (shells(5.0, 0.001), 0.5),
    "narrow": (shells(5.0, 0.05), 0.5),
    "broad": (shells(5.0, 0.2), 0.4),
    "broadest": (shells(5.0, 0.4723), 0.5),
    "broadest, nearly dilute": (shells(5.0, 0.4723), 0.02),
    "large": (shells(150.0, 0.1), 0.3),
    "small": (shells(0.5, 0.3), 0.45),
    "hollow": (shells(5.0, 0.1, 0.9, 0.0, (0.0, 1.0)), 0.4),
    "matched as a whole": (shells(5.0, 0.2, 0.7937, 0.0, (1.0, -1.0)), 0.5),
    "thin shell, broad": (shells(8.0, 0.4723, 0.98, 0.0, (0.2, 1.0)), 0.25),
    "even shells": (shells(25.0, 0.2, 1.0, 5.0, (0.3, -0.2)), 0.5),
    "small cores": (shells(9.3, 0.385, 1.0, 6.9, (0.5, -0.3)), 0.5),
    "cut at the edge": (shells(14.0, 0.385, 1.0, 5.5, (0.6, 0.3)), 0.5),
    "cut a little": (shells(22.0, 0.29, 1.0, 6.0, (0.16, -0.15)), 0.3),
}


@pytest.mark.parametrize("case", CASES)
def test_order_of_unequal_particles_is_summed_rightly_at_every_q(case: str) -> None:
    particles, phi = CASES[case]
    q = np.geomspace(0.003, 13, 90)
    found = interference(torch.from_numpy(q)[None], particles, one(phi))[0].numpy()
    exact, curve, start = brute_force(q, particles, phi)
    # What is asked of a curve; most are a hundred times better.
    assert (np.abs(found - exact) / (1e-3 * curve + 1e-6 * start)).max() < 0.5


def test_rows_of_unlike_particles_do_not_disturb_one_another() -> None:
    rows = [particles for particles, _ in CASES.values()]
    names = rows[0].__dataclass_fields__
    together = LogNormalShells(
        *(torch.cat([getattr(row, name) for row in rows]) for name in names)
    )
    phi = torch.tensor([phi for _, phi in CASES.values()], dtype=torch.float64)
    q = torch.logspace(-2, 0.5, 40, dtype=torch.float64)
    found = interference(q.expand(len(rows), -1), together, phi)
    for index, row in enumerate(rows):
        alone = interference(q[None], row, phi[index : index + 1])[0]
        assert torch.allclose(found[index], alone, rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("case", ["broad", "hollow", "even shells", "small cores"])
def test_gradients_are_those_of_differences(case: str) -> None:
    particles, phi = CASES[case]
    q = torch.logspace(-1.5, 0, 8, dtype=torch.float64)[None]
    columns = [getattr(particles, n).clone() for n in particles.__dataclass_fields__]
    unknowns = [*columns, one(phi)]
    level = interference(q, particles, one(phi)).abs().max()

    def scaled(*values: Tensor) -> Tensor:
        return interference(q, LogNormalShells(*values[:6]), values[6]) / level

    for index, value in enumerate(unknowns):
        # Where there is no thickness, none of it can be varied.
        value.requires_grad_(index != 3 or float(value) > 0)
    assert gradcheck(scaled, unknowns, eps=1e-6, atol=1e-5, rtol=1e-3)


def test_the_mean_volume_leaves_out_what_has_no_core() -> None:
    spread = 0.3
    every = float(shells(5.0, spread).volume)
    exact = 4 * math.pi / 3 * 125 * math.exp(4.5 * spread**2)
    assert every == pytest.approx(exact, rel=1e-12)
    assert float(shells(5.0, spread, 1.0, 5.0).volume) > 1.2 * every


def test_agrees_with_sasmodels() -> None:
    if not any(shutil.which(compiler) for compiler in ("cc", "gcc", "clang")):
        pytest.skip("sasmodels needs a C compiler")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            core = importlib.import_module("sasmodels.core")
            direct = importlib.import_module("sasmodels.direct_model")
        except ImportError:
            pytest.skip("sasmodels is not installed")
        model = core.load_model("hardsphere", dtype="double", platform="dll")
        q = np.geomspace(1e-4, 1, 300)
        kernel = model.make_kernel([q])
        for phi in (0.01, 0.2, 0.45):
            theirs = direct.call_kernel(
                kernel,
                {
                    "scale": 1,
                    "background": 0,
                    "radius_effective": 50.0,
                    "volfraction": phi,
                },
            )
            ours = structure_factor(torch.from_numpy(100 * q), one(phi)).numpy()
            # Theirs is a series of few terms below x = 0.2.
            assert np.allclose(ours, theirs, rtol=1e-6), phi
