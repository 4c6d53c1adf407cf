"""Mirrors src/saxinfer/scattering/two_point.py."""

import math

import numpy as np
import pytest
from numpy.random import default_rng
from scipy.special import j0

from saxinfer.scattering.grid import Grid
from saxinfer.scattering.two_point import covariance, two_point


def test_of_a_disk_is_the_overlap_of_two() -> None:
    grid, radius = Grid(512, 0.1), 8.0
    axis = grid.pixel * np.arange(512) - 25.33
    phases = (axis[:, None] ** 2 + axis**2 <= radius**2).astype(np.uint8)
    found = two_point(phases, grid)
    x = np.minimum(found.r / (2 * radius), 1.0)
    lens = 2 * radius**2 * (np.arccos(x) - x * np.sqrt(1 - x**2))
    # Pixels are in or out: a few in a thousand of the area.
    assert np.abs(found.probability[1] - lens / grid.volume).max() < 3e-4
    assert lens.max() / grid.volume == pytest.approx(0.0767, rel=0.01)


@pytest.mark.parametrize("dimension", [2, 3])
def test_is_the_fraction_at_no_distance_and_its_square_far_away(dimension: int) -> None:
    grid = Grid(64, 0.5, dimension)
    phases = default_rng(1).choice(3, grid.shape, p=[0.2, 0.3, 0.5]).astype(np.uint8)
    found = two_point(phases, grid)
    fractions = np.bincount(phases.ravel()) / phases.size
    assert np.allclose(found.probability[:, 0], fractions, atol=1e-6)
    assert np.allclose(found.probability[:, 5:].T, fractions**2, atol=5e-3)
    assert found.r[0] == 0
    assert found.r[-1] == pytest.approx(grid.edge / 2, rel=0.02)


def test_the_covariance_of_a_wave_is_a_bessel_function() -> None:
    grid = Grid(256, 0.25)
    k = 2 * math.pi * 6 / grid.edge
    x = grid.pixel * np.arange(256)
    r, found = covariance(3 + np.cos(k * x)[:, None] * np.ones(256), grid)
    # A shell of pixels meets the crests of a single wave by chance.
    assert np.abs(found - 0.5 * j0(k * r))[:40].max() < 0.02
    assert found[0] == pytest.approx(0.5)
