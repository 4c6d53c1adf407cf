"""Mirrors src/saxinfer/scattering/fourier.py."""

import math

import numpy as np
import pytest
from scipy.special import j1

from saxinfer.scattering.drawn_field import FieldOnGrid
from saxinfer.scattering.fourier import TRUSTED, Rings, averaged, spectrum
from saxinfer.scattering.grid import Grid


def distance(grid: Grid, centre: float) -> np.ndarray:
    """Distance [nm] of each pixel from a point on the diagonal."""
    axis = grid.pixel * np.arange(grid.pixels) - centre
    parts = np.meshgrid(*[axis] * grid.dimension, indexing="ij")
    return np.asarray(np.sqrt(sum(part**2 for part in parts)))


def test_a_grating_scatters_at_two_pi_over_its_period() -> None:
    grid = Grid(pixels=128, pixel=0.5)
    x = grid.pixel * np.arange(128)
    density = np.cos(2 * math.pi * x / 4.0)[:, None] * np.ones(128)
    rings = Rings.even(grid, reach=0.9)
    found = spectrum(density, rings)
    ring = int(found.argmax())
    assert rings.q[ring] == pytest.approx(2 * math.pi / 4, rel=0.01)
    # Two vectors of power V / 4 each, among those of the ring.
    assert found[ring] == pytest.approx(grid.volume / 4 / rings.vectors[ring])
    assert np.delete(found, ring).max() < 1e-20


@pytest.mark.parametrize("dimension", [2, 3])
def test_the_sum_over_all_wavevectors_is_the_variance(dimension: int) -> None:
    grid = Grid(pixels=24, pixel=0.7, dimension=dimension)
    density = np.random.default_rng(3).random(grid.shape)
    edges = np.array([0.0, 1.0, 3.0, 2 * grid.nyquist])
    rings = Rings(grid, edges)
    total = (spectrum(density, rings) * 2 * rings.vectors).sum() / grid.volume
    assert total == pytest.approx(density.var(), rel=1e-12)


def test_a_disk_scatters_as_its_closed_form() -> None:
    radius, grid = 6.0, Grid(pixels=1024, pixel=0.1)
    density = (distance(grid, 51.3) <= radius).astype(float)
    rings = Rings.even(grid)
    found = spectrum(density, rings)
    k = grid.wavenumbers()
    with np.errstate(invalid="ignore", divide="ignore"):
        exact = (2 * math.pi * radius * j1(k * radius) / k) ** 2 / grid.volume
    expected = rings.mean(np.nan_to_num(exact))
    # Pixels that are in or out change the area by chance, and fold edges back.
    assert np.abs(found - expected).max() < 0.01 * expected.max()
    band = rings.q < 4.0
    assert found[band].sum() == pytest.approx(expected[band].sum(), rel=0.01)


def test_white_noise_is_flat_and_scatters_about_it_by_its_speckle() -> None:
    grid = Grid(pixels=256, pixel=0.5)
    density = np.random.default_rng(4).standard_normal(grid.shape)
    rings = Rings.even(grid, reach=0.5)
    ratio = spectrum(density, rings) / grid.pixel**2
    z = (ratio - 1) / rings.speckle
    # Sixty-four rings: a right normalisation and error fail once in ten thousand.
    assert abs(z.mean()) < 3.9 / math.sqrt(len(z))
    assert 0.65 < z.std() < 1.4


def test_rings_about_given_q_hold_them() -> None:
    grid = Grid(pixels=256, pixel=0.5)
    q = np.linspace(0.3, 2.0, 20)
    rings = Rings.around(grid, q)
    assert np.abs(rings.q - q).max() < 0.02
    assert rings.vectors.sum() > 1000
    assert rings.q[-1] < TRUSTED * grid.nyquist * 2.1


def test_a_spectrum_gives_back_what_averaging_a_map_took() -> None:
    grid = Grid(pixels=64, pixel=0.5, dimension=3)
    field = FieldOnGrid(grid, lambda k: np.ones_like(k), 4.0)
    density = field.draw(np.random.default_rng(1))
    rings = Rings.even(grid, reach=0.6)
    kept = spectrum(averaged(density, 4), rings, subpixels=4)
    assert kept == pytest.approx(spectrum(density, rings), rel=1e-5)
    taken = spectrum(averaged(density, 4), rings)
    assert (taken[5:] < spectrum(density, rings)[5:]).all()


def test_refuses_empty_rings_and_foreign_maps() -> None:
    grid = Grid(pixels=64, pixel=0.5)
    with pytest.raises(ValueError, match=r"at least 0\.196 1/nm apart"):
        Rings.around(grid, np.linspace(0.2, 0.3, 10))
    with pytest.raises(ValueError, match=r"shape \(64, 64\) of its grid"):
        spectrum(np.zeros((32, 32)), Rings.even(grid))
