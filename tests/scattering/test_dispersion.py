"""Mirrors src/saxinfer/scattering/dispersion.py."""

import math
from dataclasses import replace

import numpy as np
import pytest
import torch
from numpy.random import default_rng

from saxinfer.scattering.dispersion import Dispersion
from saxinfer.scattering.fourier import Rings
from saxinfer.scattering.grid import Grid
from saxinfer.scattering.spheres import core_shell_intensity

GRID = Grid(pixels=96, pixel=0.5, dimension=3)
COPIES = 40


@pytest.mark.parametrize(
    "dispersion",
    [
        Dispersion(5.0, 0.4),
        Dispersion(6.0, 0.5, core_ratio=0.6, core=-0.5, shell=1.0),
        Dispersion(5.0, 0.01),
    ],
    ids=["spheres", "core-shell", "nearly equal"],
)
def test_the_mean_spectrum_is_the_closed_form(dispersion: Dispersion) -> None:
    rng, rings = default_rng(3), Rings.even(GRID, reach=1 / 5)
    drawn = [dispersion.draw(GRID, rng) for _ in range(COPIES)]
    found = np.array([each.spectrum(rings) / each.share for each in drawn])
    values = [getattr(dispersion, name) for name in ("radius_mean", "radius_std")]
    values += [dispersion.core_ratio * (1 - 1e-9), dispersion.core, dispersion.shell]
    columns = [torch.tensor([value]).double() for value in values]
    expected = rings.mean_of(
        lambda k: core_shell_intensity(torch.from_numpy(k), *columns)[0].numpy()
    )
    error = found.std(0, ddof=1) / math.sqrt(COPIES)
    # Voxels that are in or out would be wrong by 1e-4 of the highest point.
    allowed = 4 * error + 0.01 * expected + 1e-6 * expected.max()
    assert (np.abs(found.mean(0) - expected) < allowed).all()
    assert (error < 0.2 * expected).mean() > 0.7


def test_the_volume_fraction_is_nominal_in_the_mean() -> None:
    rng, dispersion = default_rng(4), Dispersion(5.0, 1.0)
    drawn = [dispersion.draw(GRID, rng) for _ in range(60)]
    taken = [float(each.density.mean()) for each in drawn]
    share = drawn[0].share
    error = np.std(taken) / math.sqrt(len(taken))
    assert abs(np.mean(taken) - share) < 4 * error
    assert error < 0.1 * share
    assert share == pytest.approx(dispersion.fraction, rel=0.5)


def test_phases_are_nested_and_the_same_seed_gives_the_same_map() -> None:
    dispersion = Dispersion(6.0, 0.3, core_ratio=0.5, core=0.2, shell=0.7)
    one, two = (dispersion.draw(GRID, default_rng(9)) for _ in range(2))
    assert (one.density == two.density).all()
    alone = (one.phases == 1) & (one.density < 0.71)
    # Most voxels of a shell are whole.
    assert np.median(one.density[alone]) == pytest.approx(0.7, rel=1e-6)
    assert one.fractions[2] / (one.fractions[1] + one.fractions[2]) == pytest.approx(
        0.125, rel=0.1
    )


@pytest.mark.parametrize(
    ("change", "grid", "says"),
    [
        ({}, Grid(64, 0.5, 2), "three dimensions"),
        ({"radius_mean": 2.0}, GRID, r"Take 0\.4 nm at most"),
        ({"radius_mean": 20.0}, GRID, "at least"),
    ],
)
def test_refuses_a_grid_that_cannot_hold_the_particles(
    change: dict[str, float], grid: Grid, says: str
) -> None:
    with pytest.raises(ValueError, match=says):
        replace(Dispersion(5.0, 0.4), **change).draw(grid, default_rng(0))
