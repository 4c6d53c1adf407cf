"""Mirrors src/saxinfer/scattering/material.py."""

import math
from dataclasses import replace

import numpy as np
import pytest
import torch
from numpy import ndarray
from numpy.random import default_rng
from scipy.special import ndtr

from saxinfer.scattering.boundary import boundaries
from saxinfer.scattering.clipped_log_normal import surface
from saxinfer.scattering.grid import Grid
from saxinfer.scattering.material import Material

# Waves up to 3.35 / nm: its pixels are a quarter of the shortest half wave.
MATERIAL = Material(1.0, 0.3, (-0.6, 0.4))
GRID = Grid(120, 0.2, 3)
NAMES = ("pore", "interface", "solid")
COPIES = 16


@pytest.fixture(scope="module")
def draws() -> tuple[ndarray, ndarray]:
    """Phase fractions and surfaces of independent boxes, a row each."""
    rng = default_rng(11)
    fractions, surfaces = [], []
    for _ in range(COPIES):
        drawn = MATERIAL.draw(GRID, NAMES, (0.0, 0.5, 1.0), rng)
        edges = boundaries(drawn.phases, drawn.names, GRID)
        fractions.append(drawn.fractions)
        surfaces.append([edge.density for edge in edges])
    return np.array(fractions), np.array(surfaces)


def gaps(found: ndarray, nominal: ndarray, slack: float = 0.0) -> ndarray:
    """Distance of the mean from the nominal value in standard errors."""
    error = found.std(0, ddof=1) / math.sqrt(COPIES)
    gap = np.abs(found.mean(0) - nominal) - slack * nominal
    return np.asarray(np.maximum(gap, 0) / error)


def test_the_fractions_are_nominal_in_the_mean(draws: tuple[ndarray, ndarray]) -> None:
    below, both = float(ndtr(-0.6)), float(ndtr(0.4))
    nominal = np.array([below, both - below, 1 - both])
    # Student's t of 15 degrees of freedom: a right engine fails at one seed in 300.
    assert (gaps(draws[0], nominal) < 4).all()
    assert (draws[0].std(0) < 0.02).all()


def test_the_surfaces_are_nominal_in_the_mean(draws: tuple[ndarray, ndarray]) -> None:
    k_mean, k_std = torch.tensor([[1.0], [0.3]], dtype=torch.float64)
    levels = torch.tensor([MATERIAL.levels], dtype=torch.float64)
    inner, outer = surface(k_mean, k_std, levels)[0].tolist()
    # Where the interface phase is thinner than a pixel, one step crosses both levels.
    found = draws[1][:, [0, 2]] + draws[1][:, [1]]
    # Pixels of this size cost the measurement a percent at most.
    assert (gaps(found, np.array([inner, outer]), 0.01) < 4).all()
    assert float(draws[1][:, 1].max()) < 0.04 * inner


def test_maps_are_small_in_memory_and_say_what_is_what() -> None:
    drawn = MATERIAL.draw(GRID, NAMES, (0.0, -0.5, 1.0), default_rng(0))
    assert drawn.density.dtype == np.float32
    assert drawn.phases.dtype == np.uint8
    assert (drawn.density[drawn.phases == 1] == -0.5).all()
    assert (drawn.density[drawn.phases == 2] == 1).all()
    assert drawn.names == NAMES
    assert drawn.radii.size == 0


def test_the_same_seed_gives_the_same_map() -> None:
    one, two, other = (
        MATERIAL.draw(GRID, NAMES, (0.0, 0.5, 1.0), default_rng(seed)).phases
        for seed in (1, 1, 2)
    )
    assert (one == two).all()
    assert (one != other).any()


@pytest.mark.parametrize("ratio", [0.1, 0.4, 1.0])
def test_a_thousandth_of_the_mean_square_wavenumber_lies_beyond_the_cut(
    ratio: float,
) -> None:
    rng = default_rng(3)
    square = math.log1p(ratio**2)
    # Drawn with the weight k² P of three dimensions: four times the shift each.
    k = np.exp(1.5 * square + math.sqrt(square) * rng.standard_normal(400_000))
    tilted = k * math.exp(2 * square)
    share = float((tilted > Material(1.0, ratio, (0.0,)).k_max).mean())
    # The standard error is 5 %.
    assert share == pytest.approx(1e-3, rel=0.2)


def test_a_suggested_cube_holds_the_material() -> None:
    for ratio in (0.1, 0.3, 0.6):
        material = Material(0.3, 0.3 * ratio, (0.0,))
        grid = material.suggested_grid()
        material.refuse_unfit(grid)
        # Up to a sixth of Nyquist there is the peak, and as much again.
        assert grid.nyquist / 6 >= 2 * 0.3 * (1 - 1e-9)


def test_too_broad_a_spectrum_is_refused_a_cube() -> None:
    with pytest.raises(ValueError, match=r"needs \d+ pixels .*; 512 are allowed"):
        Material(1.0, 1.0, (0.0,)).suggested_grid()


@pytest.mark.parametrize(
    ("k_mean", "grid", "says"),
    [
        (1.0, Grid(120, 0.2), "three dimensions"),
        (1.0, Grid(60, 0.5, 3), r"up to 3\.349 1/nm\. Take 0\.469 nm at most"),
        (0.4, GRID, r"a box of 24 nm is too small .* Take at least \d\d\.\d+ nm"),
    ],
)
def test_refuses_a_grid_that_cannot_hold_the_structure(
    k_mean: float, grid: Grid, says: str
) -> None:
    material = Material(k_mean, 0.3 * k_mean, (-0.6, 0.4))
    with pytest.raises(ValueError, match=says):
        material.draw(grid, NAMES, (0.0, 0.5, 1.0), default_rng(0))


def test_levels_that_do_not_rise_are_refused() -> None:
    with pytest.raises(ValueError, match=r"levels must rise, got \(0\.4, -0\.6\)"):
        replace(MATERIAL, levels=(0.4, -0.6))
