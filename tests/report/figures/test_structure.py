"""The figures of a drawn structure can be read, and show what was drawn."""

from collections.abc import Callable

import numpy as np
import pytest
from matplotlib.colors import to_rgb
from matplotlib.figure import Figure

from saxinfer.report.figures.structure import (
    both_engines_figure,
    map_figure,
    two_point_figure,
)
from saxinfer.report.structure_folder import DrawnStructure
from saxinfer.scattering.grid import Grid
from saxinfer.scattering.measured import Measured
from saxinfer.scattering.realisation import Realisation

Check = Callable[[Figure], Figure]


def stripes(dimension: int) -> Realisation:
    grid = Grid(64, 0.5, dimension)
    phases = np.zeros(grid.shape, np.uint8)
    phases[:, 16:24] = 1
    phases[:, 40:60] = 2
    density = np.array([0.0, 1.0, 0.4], np.float32)[phases]
    names = ("void", "wall", "gel")
    return Realisation(grid, phases, names, density, np.empty(0))


def structure(dimension: int = 2) -> DrawnStructure:
    drawn = stripes(dimension)
    measured = Measured.of(drawn)
    return DrawnStructure(
        model="stripes",
        nominal={"width": ("nm", 4.0)},
        found={"width": 4.0},
        drawn=drawn,
        measured=measured,
        intensity=measured.spectrum + 1e-6,
        closed=np.where(measured.rings.q < 2, measured.spectrum + 1e-6, np.nan),
        seed=0,
        command="saxinfer realise stripes",
    )


@pytest.mark.parametrize("dimension", [2, 3])
def test_a_map_has_a_scale_bar_and_names_its_phases(
    check: Check, dimension: int
) -> None:
    figure = check(map_figure(stripes(dimension)))
    left = figure.axes[0]
    texts = [text.get_text() for text in left.texts]
    assert texts == ["5 nm"]
    legend = left.get_legend()
    assert legend is not None
    named = [text.get_text() for text in legend.get_texts()]
    assert named == ["void, 0.562", "wall, 0.125", "gel, 0.312"]
    assert "32 nm" in left.get_title()


def test_the_denser_a_phase_the_darker_it_is(check: Check) -> None:
    legend = check(map_figure(stripes(2))).axes[0].get_legend()
    assert legend is not None
    patches = legend.get_patches()
    light = [sum(to_rgb(patch.get_facecolor())) for patch in patches]
    assert light[0] > light[2] > light[1]


def test_curves_have_units_and_only_known_parts_are_compared(check: Check) -> None:
    upper, lower = check(both_engines_figure(structure())).axes
    assert lower.get_xlabel() == "q [nm⁻¹]"
    assert "nm³" in upper.get_ylabel()
    assert upper.get_xscale() == upper.get_yscale() == "log"
    low, high = lower.get_ylim()
    assert 0 < low < 1 < high < 2


def test_correlations_start_at_one(check: Check) -> None:
    (axes,) = check(two_point_figure(structure())).axes
    assert axes.get_xlabel() == "distance r [nm]"
    for line in axes.lines[:3]:
        assert np.asarray(line.get_ydata())[0] == pytest.approx(1.0)
