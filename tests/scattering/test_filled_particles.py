"""Mirrors src/saxinfer/scattering/filled_particles.py."""

from dataclasses import replace

import pytest
from numpy.random import default_rng

from saxinfer.scattering.filled_particles import FilledParticles
from saxinfer.scattering.grid import Grid
from saxinfer.scattering.particle_interior import K_MAX

PARTICLES = FilledParticles(
    radius_mean=12.0,
    radius_cv=0.12,
    thickness=4.5,
    core=0.2,
    shell=-0.1,
    means=(0.9, 1.2),
    stds=(0.2, 0.3),
    shares=(0.7, 0.3),
)
GRID = Grid(96, 0.8, 3)


def test_density_is_that_of_its_phase_and_fluctuates_in_the_core_only() -> None:
    drawn = PARTICLES.draw(GRID, default_rng(1))
    assert drawn.names == ("solvent", "shell", "core")
    assert float(abs(drawn.density[drawn.phases == 0]).max()) <= 0.1 + 1e-6
    core = drawn.density[drawn.phases == 2]
    # Its variance is 0.0434; voxels at its surface are mixed.
    assert core.std() == pytest.approx(0.0434**0.5, rel=0.25)
    assert core.mean() == pytest.approx(0.2, abs=0.06)


def test_every_particle_has_a_core() -> None:
    broad = replace(PARTICLES, radius_mean=10.0, radius_cv=0.3, thickness=7.0)
    drawn = broad.draw(Grid(120, 0.9, 3), default_rng(2))
    assert (drawn.radii > 7.0).all()


def test_where_the_spectrum_is_broad_its_band_limit_cuts_it() -> None:
    assert PARTICLES.k_max < K_MAX
    assert replace(PARTICLES, stds=(0.9, 0.3)).k_max == K_MAX


def test_coarse_pixels_small_boxes_and_squares_are_refused() -> None:
    with pytest.raises(ValueError, match=r"pixels of 2 nm are too coarse"):
        PARTICLES.refuse_unfit(Grid(96, 2.0, 3))
    with pytest.raises(ValueError, match=r"box of 38\.4 nm is too small"):
        PARTICLES.refuse_unfit(Grid(48, 0.8, 3))
    with pytest.raises(ValueError, match="three dimensions"):
        PARTICLES.refuse_unfit(Grid(96, 0.8))


def test_particles_that_no_box_holds_have_none_suggested() -> None:
    with pytest.raises(ValueError, match="Take smaller particles"):
        replace(PARTICLES, radius_mean=50.0, radius_cv=0.4).suggested_grid()
