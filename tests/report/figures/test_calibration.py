"""The figures of a calibration are legible and show what they claim."""

from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest
from matplotlib.figure import Figure

from saxinfer.judging import Calibration
from saxinfer.report.figures.calibration import (
    condition_figure,
    coverage_figure,
    joint_figure,
    rank_figure,
)

Check = Callable[[Figure], Figure]

Loaded = Callable[[Path], ModuleType]


@pytest.fixture(scope="module")
def made(loaded: Loaded) -> ModuleType:
    return loaded(Path(__file__).parents[1] / "made_calibration.py")


@pytest.fixture(scope="module")
def wide(made: ModuleType) -> Calibration:
    """Ten columns, one of them too narrow."""
    found: Calibration = made.made_calibration(
        "cellulose", 100, lambda place: 0.6 if place == 2 else 1.0
    )
    return found


def test_coverage_has_a_panel_for_each_column(wide: Calibration, check: Check) -> None:
    figure = check(coverage_figure(wide))
    shown = [axes for axes in figure.axes if axes.get_visible()]
    assert [axes.get_title().split("\n")[0] for axes in shown] == [
        column.name.replace("_", " ") for column in wide.columns
    ]
    part = wide.assessment
    line = shown[2].lines[0].get_ydata()
    expected = part.coverage[2] - part.levels
    np.testing.assert_allclose(np.asarray(line)[1:], expected)
    assert shown[2].get_title().endswith(f"{part.checks[2].gap:.3f}")


def test_ranks_are_shown_less_the_uniform_ones(made: ModuleType, check: Check) -> None:
    found = made.made_calibration("sphere", 60)
    figure = check(rank_figure(found))
    part = found.assessment
    line = np.asarray(figure.axes[1].lines[0].get_ydata())
    assert line[0] == line[-1] == 0
    expected = part.rank_distribution[1] - part.joint_levels
    np.testing.assert_allclose(line[1:], expected)


def test_the_joint_posterior_is_shown_where_it_is_known(
    made: ModuleType, wide: Calibration, check: Check
) -> None:
    figure = joint_figure(wide)
    assert figure is not None
    check(figure)
    assert joint_figure(made.made_calibration("sphere", 60, joint=False)) is None


def test_every_bin_has_its_mark_and_its_number_of_curves(
    wide: Calibration, check: Check
) -> None:
    figure = check(condition_figure(wide))
    for axes, condition in zip(figure.axes, ("noise", "decades"), strict=True):
        bins = wide.bins(condition)  # type: ignore[arg-type]
        legend = axes.get_legend()
        assert legend is not None
        counts = [text.get_text().split("(")[1] for text in legend.get_texts()]
        assert counts == [f"{each.count})" for each in bins]
        assert len({kind.get_marker() for kind, *_ in axes.containers}) == len(bins)
