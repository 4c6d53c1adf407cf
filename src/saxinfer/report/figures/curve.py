"""Measured and fitted curve, residuals below."""

from typing import Final

import matplotlib
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from saxinfer.inference.base import Fit
from saxinfer.report.figures.drawing import (
    BAND,
    DATA,
    MODEL,
    STYLE,
    readable_log,
)
from saxinfer.report.wording import from_trees, unit_in_print

__all__ = ["curve_figure"]

# Above it points are drawn as one picture within the drawing: it stays small.
MANY_POINTS: Final = 400
RESIDUAL_LIMIT: Final = 8.0


def curve_figure(fit: Fit) -> Figure:
    """Measured curve, fitted curve with its 90 % band, and residuals below."""
    with matplotlib.rc_context(STYLE):
        figure = Figure(figsize=(7.2, 5.4), layout="constrained")
        top, bottom = figure.subplots(
            2, 1, sharex=True, gridspec_kw={"height_ratios": [3.2, 1]}
        )
        _draw_curve(top, fit)
        _draw_residuals(bottom, fit)
        readable_log(bottom.xaxis)
        bottom.set_xlabel("q [nm⁻¹]")
        figure.align_ylabels()
    return figure


def _draw_curve(axes: Axes, fit: Fit) -> None:
    curve, band = fit.curve, fit.band
    q, intensity = curve.q.numpy(), curve.intensity.numpy()
    axes.set(xscale="log", yscale="log")
    floor = _floor(intensity, band.median.numpy())
    shown = intensity > 0
    errors = None if curve.sigma is None else curve.sigma.numpy()[shown]
    many = len(q) > MANY_POINTS
    axes.errorbar(
        q[shown],
        intensity[shown],
        errors,
        fmt="o",
        ms=1.6 if many else 2.6,
        mfc="none",
        mew=0.6,
        elinewidth=0.5,
        color=DATA,
        alpha=0.5 if many else 0.8,
        label="measured" + ("" if errors is None else " ± 1 σ"),
        rasterized=many,
        zorder=2,
    )
    low, high = (side.numpy().clip(floor / 100) for side in (band.low, band.high))
    around, line = "90 % of repeated measurements", "fit"
    if from_trees(fit.posterior):
        around, line = "± 1.64 σ, misfit included", "model at the medians"
    axes.fill_between(q, low, high, color=BAND, lw=0, label=around, zorder=1)
    axes.plot(q, band.median.numpy(), color=MODEL, lw=1.6, label=line, zorder=3)
    top = max(intensity.max(), band.median.numpy().max(), floor)
    axes.set_ylim(floor, max(1.5 * top, min(1.2 * high.max(), 10 * top)))
    axes.set_ylabel(f"I [{unit_in_print(curve.intensity_unit)}]")
    axes.legend(loc="lower left")
    readable_log(axes.yaxis)
    hidden = int((intensity < floor).sum())
    if hidden:
        noun = "point lies" if hidden == 1 else "points lie"
        text = f"{hidden} {noun} below the axis"
        axes.set_title(text, loc="right", fontsize=7.5, pad=2)


def _floor(intensity: np.ndarray, median: np.ndarray) -> float:
    """Lower end of a logarithmic axis that shows the curve, not its worst points."""
    positive = intensity[intensity > 0]
    lowest = np.quantile(positive, 0.01) if len(positive) else 1.0
    fitted = median[median > 0].min(initial=np.inf)
    return float(min(lowest, max(fitted, 1e-3 * lowest)) / 2)


def _draw_residuals(axes: Axes, fit: Fit) -> None:
    q, residuals = fit.curve.q.numpy(), fit.band.residuals.numpy()
    largest = np.abs(residuals).max(initial=0.0)
    limit = float(np.clip(1.15 * largest, 3.5, RESIDUAL_LIMIT))
    inside = np.abs(residuals) <= limit
    axes.axhspan(-2, 2, color="#EEEEEE", lw=0)
    axes.axhline(0, color=MODEL, lw=1.2, zorder=3)
    many = len(q) > MANY_POINTS
    axes.plot(
        q[inside], residuals[inside], "o", ms=2.2, color=DATA, mew=0, rasterized=many
    )
    for sign, marker in ((1, "^"), (-1, "v")):
        beyond = sign * residuals > limit
        edge = np.full(int(beyond.sum()), 0.93 * sign * limit)
        axes.plot(q[beyond], edge, marker, ms=4, color=DATA, rasterized=many)
    axes.set(xscale="log", ylim=(-limit, limit))
    axes.set_ylabel("residual / σ [1]")
    if not inside.all():
        text = f"△ {int((~inside).sum())} beyond the axis, up to {largest:.3g} σ"
        axes.set_title(text, loc="right", fontsize=7.5, pad=2)
