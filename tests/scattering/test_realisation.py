"""Mirrors src/saxinfer/scattering/realisation.py."""

import numpy as np
import pytest

from saxinfer.scattering.fourier import Rings, spectrum
from saxinfer.scattering.grid import Grid
from saxinfer.scattering.realisation import Realisation

GRID = Grid(pixels=16, pixel=0.5)


def drawn(contrast: float = 0.8) -> Realisation:
    phases = (np.random.default_rng(1).random(GRID.shape) < 0.25).astype(np.uint8)
    density = 1.0 - contrast * phases
    return Realisation(GRID, phases, ("matrix", "pore"), density, np.empty(0))


def test_the_fractions_are_shares_of_the_pixels() -> None:
    found = drawn()
    assert sum(found.fractions) == pytest.approx(1)
    assert found.fractions[1] == float(found.phases.mean())


def test_the_spectrum_is_that_of_the_density() -> None:
    found, rings = drawn(), Rings.even(GRID, reach=0.9)
    assert (found.spectrum(rings) == spectrum(found.density, rings)).all()
    doubled = drawn(1.6).spectrum(rings)
    assert np.allclose(doubled, 4 * found.spectrum(rings))


def test_refuses_maps_of_another_grid_and_phases_without_a_name() -> None:
    phases, density = drawn().phases, drawn().density
    with pytest.raises(ValueError, match=r"shape \(16, 16\) of the grid"):
        Realisation(GRID, phases[:8, :8], ("a", "b"), density, np.empty(0))
    with pytest.raises(ValueError, match="number 1 need 2 names, got 1"):
        Realisation(GRID, phases, ("a",), density, np.empty(0))
