"""Where each of several models misses a curve."""

import math
from typing import Final

import matplotlib
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from saxinfer.inference.base import Fit, Rival
from saxinfer.report.choice import likely
from saxinfer.report.figures.drawing import DATA, MODEL, STYLE, readable_log

__all__ = ["rivals_figure"]

# End of the axes; above so many points they are drawn as one picture.
LIMIT: Final = 8.0
MANY_POINTS: Final = 400


def rivals_figure(fit: Fit) -> Figure:
    """Residuals of each model, all over the same standard errors."""
    shown = fit.rivals
    columns = min(2, len(shown))
    rows = math.ceil(len(shown) / columns)
    with matplotlib.rc_context(STYLE):
        figure = Figure(figsize=(7.2, 0.9 + 1.25 * rows), layout="constrained")
        grid = figure.subplots(rows, columns, sharex=True, sharey=True, squeeze=False)
        for axes, rival in zip(grid.flat, shown, strict=False):
            _draw(axes, fit, rival)
        for axes in grid.flat[len(shown) :]:
            axes.set_visible(False)
        for axes in grid.flat[len(shown) - columns : len(shown)]:
            axes.tick_params(labelbottom=True)
            readable_log(axes.xaxis)
        figure.supxlabel("q [nm⁻¹]", fontsize=9)
        figure.supylabel("(measured − model) / σ [1]", fontsize=9)
    return figure


def _draw(axes: Axes, fit: Fit, rival: Rival) -> None:
    q = fit.curve.q.numpy()
    missed = ((fit.curve.intensity - rival.median) / fit.band.sigma).numpy()
    inside = np.abs(missed) <= LIMIT
    many = len(q) > MANY_POINTS
    axes.axhspan(-2, 2, color="#EEEEEE", lw=0)
    axes.axhline(0, color=MODEL, lw=1.2, zorder=3)
    axes.plot(
        q[inside], missed[inside], "o", ms=1.6, color=DATA, mew=0, rasterized=many
    )
    for sign, marker in ((1, "^"), (-1, "v")):
        beyond = sign * missed > LIMIT
        edge = np.full(int(beyond.sum()), 0.93 * sign * LIMIT)
        axes.plot(q[beyond], edge, marker, ms=3, color=DATA, mew=0, rasterized=many)
    axes.set(xscale="log", ylim=(-LIMIT, LIMIT), yticks=(-5, 0, 5))
    title = f"{rival.model}: {likely(rival.probability)}"
    title += "" if rival.passes else ", fails its check"
    axes.set_title(title, loc="left", fontsize=8.5, pad=3)
