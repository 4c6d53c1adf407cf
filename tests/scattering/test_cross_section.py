"""Mirrors src/saxinfer/scattering/cross_section.py."""

import math
import sys
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch
from numpy import ndarray
from numpy.random import default_rng

from saxinfer import scattering
from saxinfer.scattering.cross_section import CrossSection, Shape
from saxinfer.scattering.fourier import Rings
from saxinfer.scattering.grid import Grid
from saxinfer.structures.cellulose import K_MAX, Cellulose, matrix

pytest.importorskip("numba")

# Two standard deviations of field and crystals, one box of 77 nm: seconds in all.
THETA = torch.tensor([[2.0, 0.4, 2.0, 0.8, 0.8, 0.2, 0.35, 0.25]]).double()
GRID = Grid(pixels=640, pixel=0.12)
DENSITIES = (1.0, 0.8, 0.2)
COPIES = 24


def section() -> CrossSection:
    level = float(matrix(THETA)[2])
    return CrossSection(2.0, 0.4, 0.35, 2.0, 0.8, K_MAX, level)


@pytest.fixture(scope="module")
def draws() -> tuple[ndarray, ndarray]:
    """Spectra and phase fractions of independent boxes, a row each."""
    rng, rings = default_rng(5), Rings.even(GRID)
    spectra, fractions = [], []
    for _ in range(COPIES):
        found = section().draw(GRID, DENSITIES, rng)
        spectra.append(found.spectrum(rings))
        fractions.append(found.fractions)
    return np.array(spectra), np.array(fractions)


def test_the_mean_spectrum_is_the_closed_form(draws: tuple[ndarray, ndarray]) -> None:
    rings = Rings.even(GRID)
    aligned = Cellulose("aligned")
    expected = rings.mean_of(
        lambda k: aligned.intensity(torch.from_numpy(k), THETA)[0].numpy()
    )
    ratio = draws[0].mean(0) / expected
    z = (ratio - 1) / (rings.speckle / math.sqrt(COPIES))
    # A right engine fails each of the two at one seed in 15,000.
    assert abs(z.mean()) < 4 / math.sqrt(len(z))
    band = rings.q > 1.0
    error = 1 / math.sqrt(rings.vectors[band].sum() * COPIES)
    mean = np.average(ratio[band], weights=rings.vectors[band])
    assert abs(mean - 1) < 4 * error + 0.01


def test_the_fractions_are_nominal_in_the_mean(draws: tuple[ndarray, ndarray]) -> None:
    nominal = np.array([0.35, 0.25, 0.4])
    error = draws[1].std(0, ddof=1) / math.sqrt(COPIES)
    assert (np.abs(draws[1].mean(0) - nominal) < 4 * error).all()
    assert (error < 0.01).all()


def test_the_fractions_of_squares_are_nominal_in_the_mean() -> None:
    squares, rng = replace(section(), shape="square"), default_rng(9)
    found = [squares.draw(GRID, DENSITIES, rng) for _ in range(12)]
    fractions = np.array([one.fractions for one in found])
    error = fractions.std(0, ddof=1) / math.sqrt(len(found))
    # Four errors of eleven degrees of freedom: fails at one seed in 250, as no other.
    assert (np.abs(fractions.mean(0) - [0.35, 0.25, 0.4]) < 4 * error + 1e-4).all()
    assert (error < 0.015).all()
    # Pixels hold the area of the squares drawn, but for chance along their edges.
    for one in found:
        area = 4 * np.square(one.radii).sum() / GRID.volume
        assert one.fractions[0] == pytest.approx(area, rel=0.01)


@pytest.mark.parametrize("shape", ["disk", "square"])
def test_the_same_seed_gives_the_same_map(shape: Shape) -> None:
    one, two, other = (
        replace(section(), shape=shape).draw(GRID, DENSITIES, default_rng(seed))
        for seed in (1, 1, 2)
    )
    assert (one.phases == two.phases).all()
    assert (one.phases != other.phases).any()
    assert one.radii.min() > 0
    assert (np.diff(one.radii) >= 0).all()


@pytest.mark.parametrize(
    ("change", "grid", "says"),
    [
        ({}, Grid(64, 0.12, 3), "two dimensions"),
        ({}, Grid(640, 0.2), r"Take 0\.125 nm at most"),
        ({"mu": 0.5}, GRID, r"at least 120 nm, or mu from 0\.781 1/nm"),
        ({"radius_mean": 12.0}, GRID, "4.6 disks of 12 nm; 9 are needed"),
        ({"radius_mean": 12.0, "shape": "square"}, GRID, "3.6 squares of 12 nm; 9 are"),
    ],
)
def test_refuses_a_grid_that_cannot_hold_the_structure(
    change: dict[str, Any], grid: Grid, says: str
) -> None:
    with pytest.raises(ValueError, match=says):
        replace(section(), **change).draw(grid, DENSITIES, default_rng(0))


def test_refuses_an_unknown_shape() -> None:
    odd = section()
    # Past the type, which tests check and users do not.
    object.__setattr__(odd, "shape", "hexagon")
    with pytest.raises(ValueError, match="disk or square, got 'hexagon'"):
        odd.__post_init__()


@pytest.mark.parametrize("shape", ["disk", "square"])
def test_says_what_to_install_where_numba_is_missing(
    shape: Shape, monkeypatch: pytest.MonkeyPatch
) -> None:
    name = f"hard_{shape}s"
    monkeypatch.delattr(scattering, name, raising=False)
    monkeypatch.setitem(sys.modules, f"saxinfer.scattering.{name}", None)
    with pytest.raises(
        ImportError, match=rf"packed {shape}s .*'saxinfer\[structures\]'"
    ):
        replace(section(), shape=shape).draw(GRID, DENSITIES, default_rng(0))
