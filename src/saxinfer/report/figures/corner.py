"""Pairs of quantities: what a curve fixes only together."""

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


def corner_figure(posterior: Posterior, quantities: tuple[Quantity, ...]) -> Figure:
    """Every pair of up to ten quantities: regions of 50 and 90 % of the belief."""
    chosen = _corner_choice(posterior, quantities)
    count = len(chosen)
    size = 7.6 if count > 4 else 1.7 * max(count, 2) + 0.8
    with matplotlib.rc_context(STYLE):
        figure = Figure(figsize=(size, size))
        for row in range(count):
            for column in range(row + 1):
                axes = figure.add_subplot(count, count, row * count + column + 1)
                if column == row:
                    _draw_marginal(axes, posterior, chosen[row])
                else:
                    _draw_pair(axes, posterior, chosen[column], chosen[row])
                _label_corner(axes, chosen, row, column)
        figure.subplots_adjust(0.13, 0.13, 0.985, 0.985, 0.07, 0.07)
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


def _window(posterior: Posterior, quantity: Quantity) -> tuple[float, float]:
    low, high = (posterior.quantile(quantity.name, s) for s in (0.002, 0.998))
    margin = 0.06 * (high - low)
    return low - margin, high + margin


def _draw_marginal(axes: Axes, posterior: Posterior, quantity: Quantity) -> None:
    window = _window(posterior, quantity)
    values = posterior.column(quantity.name).numpy()
    weights = posterior.weights.numpy()
    inside = (values >= window[0]) & (values <= window[1])
    x, height = density(values[inside], weights[inside])
    axes.fill_between(x, 0, height, color=BELIEF, alpha=0.35, lw=0)
    axes.plot(x, height, color=BELIEF, lw=1.2)
    axes.axvline(posterior.quantile(quantity.name, 0.5), color=DATA, lw=0.8, ls="--")
    axes.set(xlim=window, ylim=(0, 1.1), yticks=[])


def _draw_pair(
    axes: Axes, posterior: Posterior, across: Quantity, up: Quantity
) -> None:
    windows = _window(posterior, across), _window(posterior, up)
    counts, x, y = np.histogram2d(
        posterior.column(across.name).numpy(),
        posterior.column(up.name).numpy(),
        CORNER_BINS,
        windows,
        weights=posterior.weights.numpy(),
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
    axes: Axes, chosen: tuple[Quantity, ...], row: int, column: int
) -> None:
    count = len(chosen)
    ticks, size = (3, 7) if count <= 6 else (2, 6)
    width = 18 if count <= 6 else 12
    axes.tick_params(labelsize=size, length=2)
    axes.set_xticks(_inner_ticks(axes.get_xlim(), ticks))
    if column < row:
        axes.set_yticks(_inner_ticks(axes.get_ylim(), ticks))
    offset = 0.11 * count if count > 4 else 0.08 * count + 0.05
    if row == count - 1:
        axes.set_xlabel(wrapped_label(chosen[column], width), fontsize=size + 0.5)
        axes.xaxis.set_label_coords(0.5, -min(offset, 0.55))
        for label in axes.get_xticklabels():
            label.set(rotation=45, ha="right", rotation_mode="anchor")
    else:
        axes.set_xticklabels([])
    if column == 0 and row > 0:
        axes.set_ylabel(wrapped_label(chosen[row], width), fontsize=size + 0.5)
        axes.yaxis.set_label_coords(-min(offset, 0.5), 0.5)
    else:
        axes.set_yticklabels([])


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
