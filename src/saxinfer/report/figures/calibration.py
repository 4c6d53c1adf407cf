"""The figures of a calibration: ranks, coverage, the joint posterior, conditions.

What a method shows is blue, what a perfect one stays within is grey; in a grey print
the band is light and the line dark. Shown are differences from what is expected: next
to a diagonal nothing small is seen.
"""

from collections.abc import Callable
from typing import Any, Final

import matplotlib
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy import ndarray

from saxinfer.calibration import Bin
from saxinfer.calibration.assessment import SURE
from saxinfer.calibration.coverage import LEVEL
from saxinfer.judging import Calibration
from saxinfer.judging.calibration import Condition
from saxinfer.report.calibration_findings import range_of
from saxinfer.report.figures.drawing import BELIEF, DATA, STYLE
from saxinfer.report.wording import in_words

__all__ = [
    "condition_figure",
    "coverage_figure",
    "joint_figure",
    "rank_figure",
]

# Light enough to tell lines on it, dark enough to be seen in print.
PERFECT: Final = "#D9D9D9"

# Panels of a row, and size of one [inches].
ACROSS, WIDTH, HEIGHT = 4, 1.85, 1.65

# Bins from few to many, dark to light, told apart by shape as well.
SHADES: Final = ("#00344D", "#0072B2", "#56B4E9", "#E69F00")
MARKERS: Final = ("o", "s", "^", "D")


def rank_figure(calibration: Calibration) -> Figure:
    """Distribution of the ranks less the uniform one, a panel a column."""
    part = calibration.assessment
    x = part.joint_levels
    low, high = part.rank_band

    def draw(axes: Axes, place: int) -> str:
        _band(axes, x, low - x, high - x)
        _curve(axes, x, part.rank_distribution[place] - x)
        p_value = part.checks[place].adjusted
        return f"p < {0.001:g}" if p_value < 0.001 else f"p = {p_value:.2g}"

    return _panels(
        calibration,
        draw,
        "share of samples below the truth [1]",
        "ECDF − uniform [1]",
    )


def coverage_figure(calibration: Calibration) -> Figure:
    """Coverage of central intervals less their level, a panel a column."""
    part = calibration.assessment
    low, high = part.coverage_band

    def draw(axes: Axes, place: int) -> str:
        _band(axes, part.levels, low - part.levels, high - part.levels)
        _curve(axes, part.levels, part.coverage[place] - part.levels)
        return f"largest {part.checks[place].gap:.3f}"

    return _panels(
        calibration,
        draw,
        "level of the central interval [1]",
        "coverage − level [1]",
    )


def joint_figure(calibration: Calibration) -> Figure | None:
    """Expected coverage of the joint posterior; None where it is not known."""
    part = calibration.assessment
    if part.joint_coverage is None or part.joint_check is None:
        return None
    x, found = part.joint_levels, part.joint_coverage
    low, high = part.joint_band
    with matplotlib.rc_context(STYLE):
        figure = Figure(figsize=(7.2, 3.1), layout="constrained")
        left, right = figure.subplots(1, 2)
        _band(left, x, low, high)
        left.plot([0, 1], [0, 1], color=DATA, lw=0.8, ls=(0, (4, 3)))
        _curve(left, x, found)
        left.set(xlim=(0, 1), ylim=(0, 1), ylabel="expected coverage [1]")
        left.set_aspect("equal")
        _band(right, x, low - x, high - x)
        right.axhline(0, color=DATA, lw=0.8, ls=(0, (4, 3)))
        _curve(right, x, found - x)
        right.set(xlim=(0, 1), ylabel="expected coverage − level [1]")
        for axes in (left, right):
            axes.set_xlabel("share of the posterior [1]")
            axes.set_xticks([0, 0.5, 1], ["0", "0.5", "1"])
        # One zero for both axes, which meet there.
        left.set_yticks([0.5, 1], ["0.5", "1"])
        _legend(figure, right)
    return figure


def condition_figure(calibration: Calibration) -> Figure:
    """Coverage of the 90 % intervals by noise and by window of q, a row a column."""
    names = [in_words(column.name) for column in calibration.columns]
    with matplotlib.rc_context(STYLE):
        height = 1.5 + 0.42 * len(names)
        figure = Figure(figsize=(7.2, height), layout="constrained")
        panels: Any = figure.subplots(1, 2, sharex=True, sharey=True)
        conditions: tuple[Condition, ...] = ("noise", "decades")
        for axes, condition in zip(panels, conditions, strict=True):
            _draw_bins(axes, calibration.bins(condition), condition)
            axes.axvline(LEVEL, color=DATA, lw=0.8, ls=(0, (4, 3)), zorder=1)
            axes.set_xlabel("coverage of the 90 % interval [1]")
        panels[0].set_yticks(range(len(names)), names)
        panels[0].set_ylim(len(names) - 0.5, -0.5)
        panels[0].set_xlim(min(0.6, panels[0].get_xlim()[0]), 1.01)
        for axes in panels:
            axes.tick_params(axis="y", length=0)
            for place in range(1, len(names)):
                axes.axhline(place - 0.5, color=PERFECT, lw=0.5, zorder=0)
    return figure


def _draw_bins(axes: Axes, bins: tuple[Bin, ...], condition: Condition) -> None:
    middle = (len(bins) - 1) / 2
    for place, each in enumerate(bins):
        rows = np.arange(len(each.inside)) + 0.19 * (place - middle)
        share = np.array([part.share for part in each.inside])
        ends = np.array([part.interval() for part in each.inside]).T
        axes.errorbar(
            share,
            rows,
            xerr=np.abs(ends - share),
            fmt=MARKERS[place % len(MARKERS)],
            ms=3.6,
            mew=0,
            elinewidth=0.9,
            color=SHADES[place % len(SHADES)],
            label=f"{range_of(each, condition)} ({each.count})",
        )
    titles = {"noise": "noise of a point", "decades": "decades of q"}
    axes.legend(
        title=f"{titles[condition]} (curves)",
        loc="lower left",
        bbox_to_anchor=(-0.02, 1.0),
        ncols=2,
        columnspacing=1.0,
        handletextpad=0.3,
        alignment="left",
    )


def _panels(
    calibration: Calibration,
    draw: Callable[[Axes, int], str],
    x_label: str,
    y_label: str,
) -> Figure:
    """One small panel a column, all with the same axes.

    Args:
        calibration: Whose columns they are.
        draw: Draws a column; returns what its title says beside its name.
        x_label: Of all panels.
        y_label: Of all panels.
    """
    columns = calibration.columns
    across = min(ACROSS, len(columns))
    down = -(-len(columns) // across)
    with matplotlib.rc_context(STYLE):
        size = (max(3.6, WIDTH * across), HEIGHT * down + 0.75)
        figure = Figure(figsize=size, layout="constrained")
        grid: Any = figure.subplots(
            down, across, sharex=True, sharey=True, squeeze=False
        )
        for place, axes in enumerate(grid.flat):
            if place >= len(columns):
                axes.set_visible(False)
                continue
            said = draw(axes, place)
            axes.axhline(0, color=DATA, lw=0.8, ls=(0, (4, 3)), zorder=2)
            name = in_words(columns[place].name)
            axes.set_title(f"{name}\n{said}", fontsize=8)
            # The lowest panel of each stack tells the numbers of the axis.
            axes.tick_params(labelbottom=place + across >= len(columns))
        grid[0, 0].set_xlim(0, 1)
        grid[0, 0].set_xticks([0, 0.5, 1], ["0", "0.5", "1"])
        reach = max(abs(end) for end in grid[0, 0].get_ylim())
        grid[0, 0].set_ylim(-reach, reach)
        figure.supxlabel(x_label, fontsize=9)
        figure.supylabel(y_label, fontsize=9)
        _legend(figure, grid[0, 0])
    return figure


def _band(axes: Axes, x: ndarray, low: ndarray, high: ndarray) -> None:
    x, low, high = (np.concatenate([[0.0], part]) for part in (x, low, high))
    label = f"a perfect method, {100 * SURE:g} %"
    axes.fill_between(x, low, high, color=PERFECT, lw=0, zorder=0, label=label)


def _curve(axes: Axes, x: ndarray, y: ndarray) -> None:
    x, y = (np.concatenate([[0.0], part]) for part in (x, y))
    axes.plot(x, y, color=BELIEF, lw=1.3, zorder=3, label="this method")


def _legend(figure: Figure, axes: Axes) -> None:
    handles, labels = axes.get_legend_handles_labels()
    # Below, it would lie on the label that all panels share.
    figure.legend(handles, labels, loc="outside upper center", ncols=2)
