"""Pairs are drawn for up to ten quantities, readable at any number."""

from collections.abc import Callable

import pytest
from matplotlib.figure import Figure

from saxinfer.inference.base import Fit
from saxinfer.report.figures import CORNER_COLUMNS, corner_figure

Check = Callable[[Figure], Figure]


@pytest.mark.parametrize("count", [2, 5])
def test_any_number_of_quantities_is_readable(
    wide_fit: Fit, check: Check, count: int
) -> None:
    chosen = wide_fit.posterior.of_kind("parameter")[:count]
    figure = check(corner_figure(wide_fit.posterior, chosen))
    assert len(figure.axes) == count * (count + 1) // 2


def test_of_more_than_ten_the_most_narrowed_are_shown(
    wide_fit: Fit, check: Check
) -> None:
    chosen = wide_fit.posterior.of_kind("parameter")
    figure = check(corner_figure(wide_fit.posterior, chosen))
    assert len(figure.axes) == CORNER_COLUMNS * (CORNER_COLUMNS + 1) // 2
    labels = " ".join(axes.get_xlabel() for axes in figure.axes)
    assert "crystalline" not in labels
