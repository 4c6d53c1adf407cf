"""What the data taught: each quantity before and after."""

import matplotlib
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from saxinfer.posterior import Posterior, Quantity
from saxinfer.report.figures.drawing import (
    BELIEF,
    PRIOR,
    STYLE,
    density,
    readable_log,
    wrapped_label,
)

__all__ = ["prior_figure"]


def prior_figure(posterior: Posterior, quantities: tuple[Quantity, ...]) -> Figure:
    """What the data taught: prior and posterior of each quantity, side by side."""
    columns = min(4, len(quantities))
    rows = -(-len(quantities) // columns)
    with matplotlib.rc_context(STYLE):
        figure = Figure(figsize=(7.2, 1.55 * rows + 0.35), layout="constrained")
        grid = np.atleast_1d(figure.subplots(rows, columns, squeeze=False)).ravel()
        for axes, quantity in zip(grid, quantities, strict=False):
            _draw_prior(axes, posterior, quantity)
        for axes in grid[len(quantities) :]:
            axes.set_axis_off()
        handles, labels = grid[0].get_legend_handles_labels()
        figure.legend(handles, labels, loc="outside upper left", ncols=3)
        figure.supylabel("density", fontsize=8)
    return figure


def _draw_prior(axes: Axes, posterior: Posterior, quantity: Quantity) -> None:
    name = quantity.name
    prior = posterior.prior_column(name).numpy()
    values, weights = posterior.column(name).numpy(), posterior.weights.numpy()
    logarithmic = prior.min() > 0 and (quantity.logarithmic or _spans_decades(prior))
    warp, back = (np.log, np.exp) if logarithmic else (_same, _same)
    x, height = density(warp(prior), None, smooth=6.0)
    axes.fill_between(back(x), 0, height, color=PRIOR, lw=0, label="before (prior)")
    x, height = density(warp(values), weights)
    axes.plot(back(x), height, color=BELIEF, lw=1.4, label="after (posterior)")
    low, high = posterior.quantile(name, 0.05), posterior.quantile(name, 0.95)
    inside = (back(x) >= low) & (back(x) <= high)
    axes.fill_between(
        back(x)[inside],
        0,
        height[inside],
        facecolor="none",
        edgecolor=BELIEF,
        hatch="////",
        lw=0,
        label="90 % interval",
    )
    axes.set(ylim=(0, 1.08), yticks=[])
    axes.set_xlabel(wrapped_label(quantity, 22))
    if logarithmic:
        axes.set_xscale("log")
        readable_log(axes.xaxis)
    else:
        axes.xaxis.set_major_locator(MaxNLocator(3))


def _spans_decades(prior: np.ndarray) -> bool:
    """Whether a linear axis would press most of a prior against its left end."""
    low, high = np.quantile(prior, (0.05, 0.95))
    return bool(high > 30 * low)


def _same(values: np.ndarray) -> np.ndarray:
    return values
