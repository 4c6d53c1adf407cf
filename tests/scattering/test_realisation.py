"""Mirrors src/saxinfer/scattering/realisation.py."""

import numpy as np
import pytest

from saxinfer.scattering.fourier import Rings, spectrum
from saxinfer.scattering.grid import Grid
from saxinfer.scattering.realisation import Realisation

GRID = Grid(pixels=16, pixel=0.5)


def drawn(densities: tuple[float, ...] = (1.0, 0.2)) -> Realisation:
    phases = (np.random.default_rng(1).random(GRID.shape) < 0.25).astype(np.uint8)
    return Realisation(GRID, phases, ("matrix", "pore"), densities, np.empty(0))


def test_the_density_is_that_of_each_pixels_phase() -> None:
    found = drawn()
    assert set(np.unique(found.density)) == {0.2, 1.0}
    assert found.density[found.phases == 1].max() == 0.2


def test_the_fractions_are_shares_of_the_pixels() -> None:
    found = drawn()
    assert sum(found.fractions) == pytest.approx(1)
    assert found.fractions[1] == float(found.phases.mean())


def test_the_spectrum_is_that_of_the_density() -> None:
    found, rings = drawn(), Rings.even(GRID, reach=0.9)
    assert (found.spectrum(rings) == spectrum(found.density, rings)).all()
    doubled = drawn((2.0, 0.4)).spectrum(rings)
    assert np.allclose(doubled, 4 * found.spectrum(rings))


def test_refuses_maps_of_another_grid_and_phases_without_a_density() -> None:
    phases = np.zeros((8, 8), np.uint8)
    with pytest.raises(ValueError, match=r"shape \(16, 16\) of the grid"):
        Realisation(GRID, phases, ("a",), (1.0,), np.empty(0))
    with pytest.raises(ValueError, match="phases up to number 1"):
        Realisation(GRID, drawn().phases, ("a",), (1.0,), np.empty(0))
