"""Pairs of quantities: what a curve fixes only together."""

from dataclasses import dataclass
from typing import Final

import matplotlib
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator
from scipy.ndimage import gaussian_filter

from saxinfer.posterior import Posterior, Quantity
from saxinfer.report.figures.drawing import (
    BELIEF,
    DATA,
    STYLE,
    density,
    wrapped_label,
)

__all__ = ["CORNER_COLUMNS", "corner_figure"]

CORNER_COLUMNS: Final = 10
CORNER_BINS: Final = 40
# Room for numbers and names [inch].
MARGIN: Final = 0.95
# From this ratio of the ends of its 90 % interval on a quantity has a logarithmic axis.
LOGARITHMIC_RATIO: Final = 8.0


@dataclass(frozen=True)
class _Column:
    """One quantity as drawn: on a logarithmic axis its values are logarithms."""

    quantity: Quantity
    values: np.ndarray
    window: tuple[float, float]
    median: float
    logarithmic: bool


def corner_figure(posterior: Posterior, quantities: tuple[Quantity, ...]) -> Figure:
    """Every pair of up to ten quantities: regions of 50 and 90 % of the belief."""
    chosen = [_column(posterior, q) for q in _corner_choice(posterior, quantities)]
    weights = posterior.weights.numpy()
    count = len(chosen)
    size = 7.6 if count > 4 else 1.7 * max(count, 2) + 0.8
    with matplotlib.rc_context(STYLE):
        figure = Figure(figsize=(size, size))
        for row in range(count):
            for column in range(row + 1):
                axes = figure.add_subplot(count, count, row * count + column + 1)
                if column == row:
                    _draw_marginal(axes, chosen[row], weights)
                else:
                    _draw_pair(axes, chosen[column], chosen[row], weights)
                _label_corner(axes, chosen, (row, column), (size - MARGIN) / count)
        margin = MARGIN / size
        figure.subplots_adjust(margin, margin, 0.985, 0.985, 0.07, 0.07)
    return figure


def _corner_choice(
    posterior: Posterior, quantities: tuple[Quantity, ...]
) -> tuple[Quantity, ...]:
    """The quantities that vary; of more than ten those the data taught most on."""
    varying = [q for q in quantities if posterior.summary(q.name).sd > 0]
    if len(varying) > CORNER_COLUMNS:
        taught = {q.name: posterior.summary(q.name).shrinkage for q in varying}
        limit = sorted(taught.values(), reverse=True)[CORNER_COLUMNS - 1]
        varying = [q for q in varying if taught[q.name] >= limit][:CORNER_COLUMNS]
    return tuple(varying)


def _column(posterior: Posterior, quantity: Quantity) -> _Column:
    name = quantity.name
    low, q05, median, q95, high = (
        posterior.quantile(name, share) for share in (0.002, 0.05, 0.5, 0.95, 0.998)
    )
    values = posterior.column(name).numpy()
    logarithmic = low > 0 and q95 > LOGARITHMIC_RATIO * q05
    if logarithmic:
        low, median, high = (float(np.log10(value)) for value in (low, median, high))
        values = np.log10(np.maximum(values, np.finfo(float).tiny))
    margin = 0.06 * (high - low)
    window = (low - margin, high + margin)
    return _Column(quantity, values, window, median, logarithmic)


def _draw_marginal(axes: Axes, column: _Column, weights: np.ndarray) -> None:
    low, high = column.window
    inside = (column.values >= low) & (column.values <= high)
    x, height = density(column.values[inside], weights[inside])
    axes.fill_between(x, 0, height, color=BELIEF, alpha=0.35, lw=0)
    axes.plot(x, height, color=BELIEF, lw=1.2)
    axes.axvline(column.median, color=DATA, lw=0.8, ls="--")
    axes.set(xlim=column.window, ylim=(0, 1.1), yticks=[])


def _draw_pair(axes: Axes, across: _Column, up: _Column, weights: np.ndarray) -> None:
    windows = across.window, up.window
    counts, x, y = np.histogram2d(
        across.values, up.values, CORNER_BINS, windows, weights=weights
    )
    height = gaussian_filter(counts, 1.6, mode="reflect")
    levels = _levels(height, (0.9, 0.5))
    centres = (x[1:] + x[:-1]) / 2, (y[1:] + y[:-1]) / 2
    if levels[0] < levels[1] < height.max():
        fills = [*levels, height.max() * 1.01]
        axes.contourf(*centres, height.T, fills, colors=["#A9CDE6", BELIEF])
        axes.contour(*centres, height.T, levels, colors="#003F66", linewidths=0.6)
    axes.set(xlim=windows[0], ylim=windows[1])


def _levels(height: np.ndarray, shares: tuple[float, ...]) -> list[float]:
    """Heights above which the given shares of the mass lie, ascending."""
    ordered = np.sort(height.ravel())[::-1]
    mass = np.cumsum(ordered) / ordered.sum()
    last = len(ordered) - 1
    places = (min(int(np.searchsorted(mass, share)), last) for share in shares)
    return [float(ordered[place]) for place in places]


def _label_corner(
    axes: Axes, chosen: list[_Column], place: tuple[int, int], panel: float
) -> None:
    """Ticks on every panel, numbers and names at the outer ones [panel: inches]."""
    (row, column), count = place, len(chosen)
    ticks, size = (3, 7) if count <= 6 else (2, 6)
    width = 18 if count <= 6 else 12
    axes.tick_params(labelsize=size, length=2)
    axes.set_xticks(*_ticks(chosen[column], ticks))
    if column < row:
        axes.set_yticks(*_ticks(chosen[row], ticks))
    if row == count - 1:
        label = wrapped_label(chosen[column].quantity, width)
        axes.set_xlabel(label, fontsize=size + 0.5)
        axes.xaxis.set_label_coords(0.5, -0.38 / panel)
        for text in axes.get_xticklabels():
            text.set(rotation=45, ha="right", rotation_mode="anchor")
    else:
        axes.set_xticklabels([])
    if column == 0 and row > 0:
        label = wrapped_label(chosen[row].quantity, width)
        axes.set_ylabel(label, fontsize=size + 0.5)
        axes.yaxis.set_label_coords(-0.36 / panel, 0.5)
    else:
        axes.set_yticklabels([])


def _ticks(column: _Column, count: int) -> tuple[list[float], list[str]]:
    """Places and numbers of ticks."""
    places = _inner_ticks(column.window, count)
    if not column.logarithmic:
        return places, [f"{place:g}" for place in places]
    # One digit is round enough on a logarithmic axis, and moves the tick a little.
    numbers = [float(f"{10**place:.0e}") for place in places]
    return [float(np.log10(each)) for each in numbers], [
        f"{each:g}" for each in numbers
    ]


def _inner_ticks(window: tuple[float, float], count: int) -> list[float]:
    """Round values away from the ends, where neighbouring panels' labels would meet."""
    low, high = window
    for bins in range(count, 4 * count):
        locator = MaxNLocator(bins, steps=[1, 2, 2.5, 5, 10])
        ticks = np.asarray(locator.tick_values(low, high))
        share = (ticks - low) / (high - low)
        inner = ticks[(share > 0.14) & (share < 0.86)]
        if len(inner) >= min(2, count):
            step = -(-(len(inner) - 1) // max(count - 1, 1))
            return [float(tick) for tick in inner[::step]]
    return [(low + high) / 2]
