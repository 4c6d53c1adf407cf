"""Mirrors src/saxinfer/scattering/grid.py."""

import math

import numpy as np
import pytest

from saxinfer.scattering.grid import Grid


@pytest.mark.parametrize("dimension", [2, 3])
def test_wavenumbers_are_those_of_the_real_transform(dimension: int) -> None:
    grid = Grid(pixels=8, pixel=0.5, dimension=dimension)
    wave = [math.pi * np.arange(8) * m / 4 for m in (3, 2, 1)[:dimension]]
    phase = sum(np.meshgrid(*wave, indexing="ij"))
    power = np.abs(np.fft.rfftn(np.cos(phase)))
    place = np.unravel_index(power.argmax(), power.shape)
    expected = grid.step * math.sqrt(sum(m * m for m in (3, 2, 1)[:dimension]))
    assert grid.wavenumbers()[place] == pytest.approx(expected)


@pytest.mark.parametrize("dimension", [2, 3])
def test_multiplicities_count_every_wavevector_once(dimension: int) -> None:
    grid = Grid(pixels=10, pixel=1.0, dimension=dimension)
    total = np.broadcast_to(grid.multiplicity(), grid.wavenumbers().shape).sum()
    assert total == 10**dimension


def test_the_box_knows_its_size() -> None:
    grid = Grid(pixels=64, pixel=0.25, dimension=3)
    assert grid.edge == 16
    assert grid.volume == 4096
    assert grid.nyquist == pytest.approx(32 * grid.step)


@pytest.mark.parametrize(
    ("pixels", "pixel", "dimension", "says"),
    [
        (64, 0.25, 1, "2 or 3, got 1"),
        (7, 0.25, 2, "from 8 on, got 7"),
        (65, 0.25, 2, "even number"),
        (64, 0.0, 2, "positive, got 0"),
    ],
)
def test_refuses_what_is_no_box(
    pixels: int, pixel: float, dimension: int, says: str
) -> None:
    with pytest.raises(ValueError, match=says):
        Grid(pixels, pixel, dimension)
