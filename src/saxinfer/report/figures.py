"""The figures of a fit. The one door to matplotlib.

Colours are from Okabe and Ito's set, told apart by colour-blind readers; every
difference is also one of lightness or line style, so that a grey print can be read.

References:
    Okabe and Ito, "Color Universal Design" (2008), https://jfly.uni-koeln.de/color/
"""

import base64
import io
import textwrap
from typing import Any, Final

import matplotlib
import numpy as np
import torch
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import LogFormatterSciNotation, MaxNLocator, NullFormatter

from saxinfer.inference.base import Fit
from saxinfer.posterior import Posterior, Quantity
from saxinfer.report.wording import axis_label, unit_in_print

__all__ = [
    "corner_figure",
    "correlation_figure",
    "curve_figure",
    "image_source",
    "prior_figure",
]

DATA: Final = "#333333"
MODEL: Final = "#D55E00"
BAND: Final = "#F6C9A6"
BELIEF: Final = "#0072B2"
PRIOR: Final = "#BBBBBB"

STYLE: Final[Any] = {
    "font.size": 9,
    "axes.labelsize": 9,
    "axes.titlesize": 9,
    "xtick.labelsize": 8,
    "ytick.labelsize": 8,
    "legend.fontsize": 8,
    "legend.frameon": False,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "xtick.direction": "in",
    "ytick.direction": "in",
    "svg.hashsalt": "saxinfer",
    "svg.fonttype": "path",
}

# Above it points are drawn as one picture within the drawing: it stays small.
MANY_POINTS: Final = 1500
RESIDUAL_LIMIT: Final = 8.0
CORNER_COLUMNS: Final = 10
CORNER_BINS: Final = 40


def image_source(figure: Figure) -> str:
    """A figure as the ``src`` of an HTML image: SVG, embedded, no network."""
    buffer = io.BytesIO()
    with matplotlib.rc_context(STYLE):
        figure.savefig(buffer, format="svg", dpi=200, metadata={"Date": None})
    return "data:image/svg+xml;base64," + base64.b64encode(buffer.getvalue()).decode()


def curve_figure(fit: Fit) -> Figure:
    """Measured curve, fitted curve with its 90 % band, and residuals below."""
    with matplotlib.rc_context(STYLE):
        figure = Figure(figsize=(7.2, 5.4), layout="constrained")
        top, bottom = figure.subplots(
            2, 1, sharex=True, gridspec_kw={"height_ratios": [3.2, 1]}
        )
        _draw_curve(top, fit)
        _draw_residuals(bottom, fit)
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
    axes.errorbar(
        q[shown],
        intensity[shown],
        errors,
        fmt="o",
        ms=2.6,
        mfc="none",
        mew=0.6,
        elinewidth=0.5,
        color=DATA,
        alpha=0.8,
        label="measured" + ("" if errors is None else " ± 1 σ"),
        rasterized=len(q) > MANY_POINTS,
        zorder=2,
    )
    low, high = (side.numpy().clip(floor / 100) for side in (band.low, band.high))
    axes.fill_between(
        q, low, high, color=BAND, lw=0, label="90 % of repeated measurements", zorder=1
    )
    axes.plot(q, band.median.numpy(), color=MODEL, lw=1.6, label="fit", zorder=3)
    axes.set_ylim(floor, 2 * max(intensity.max(), band.median.numpy().max()))
    axes.set_ylabel(f"I [{unit_in_print(curve.intensity_unit)}]")
    axes.legend(loc="lower left")
    _tidy_log(axes)
    hidden = int((intensity < floor).sum())
    if hidden:
        noun = "point lies" if hidden == 1 else "points lie"
        text = f"{hidden} {noun} below the axis"
        axes.annotate(text, (0.99, 0.02), xycoords="axes fraction", ha="right")


def _floor(intensity: np.ndarray, median: np.ndarray) -> float:
    """Lower end of a logarithmic axis that shows the curve, not its worst points."""
    positive = intensity[intensity > 0]
    lowest = np.quantile(positive, 0.01) if len(positive) else 1.0
    fitted = median[median > 0].min(initial=np.inf)
    return float(min(lowest, max(fitted, 1e-3 * lowest)) / 2)


def _tidy_log(axes: Axes) -> None:
    """Numbers on decades, and on parts of them where a decade is not spanned."""
    for axis, (low, high) in (
        (axes.xaxis, axes.get_xlim()),
        (axes.yaxis, axes.get_ylim()),
    ):
        if np.log10(high / low) > 2:
            axis.set_minor_formatter(NullFormatter())
        else:
            axis.set_minor_formatter(LogFormatterSciNotation(minor_thresholds=(2, 0.7)))


def _draw_residuals(axes: Axes, fit: Fit) -> None:
    q, residuals = fit.curve.q.numpy(), fit.band.residuals.numpy()
    largest = np.abs(residuals).max(initial=0.0)
    limit = float(np.clip(1.15 * largest, 3.5, RESIDUAL_LIMIT))
    inside = np.abs(residuals) <= limit
    axes.axhspan(-2, 2, color="#EEEEEE", lw=0)
    axes.axhline(0, color=MODEL, lw=1.2)
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
    logarithmic = quantity.logarithmic and quantity.prior_low > 0
    warp, back = (np.log, np.exp) if logarithmic else (_same, _same)
    x, height = _density(warp(prior), None, smooth=6.0)
    axes.fill_between(back(x), 0, height, color=PRIOR, lw=0, label="before (prior)")
    x, height = _density(warp(values), weights)
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
    axes.set_xlabel(_wrapped(quantity, 22))
    if logarithmic:
        axes.set_xscale("log")
        _few_log_ticks(axes)
    else:
        axes.xaxis.set_major_locator(MaxNLocator(3))


def _few_log_ticks(axes: Axes) -> None:
    low, high = axes.get_xlim()
    if np.log10(high / low) > 1.3:
        axes.xaxis.set_minor_formatter(NullFormatter())
    else:
        axes.xaxis.set_minor_formatter(LogFormatterSciNotation(minor_thresholds=(2, 0)))


def _same(values: np.ndarray) -> np.ndarray:
    return values


def _density(
    values: np.ndarray, weights: np.ndarray | None, smooth: float = 2.5
) -> tuple[np.ndarray, np.ndarray]:
    """Smoothed histogram, scaled to a highest point of one."""
    low, high = values.min(), values.max()
    if not high > low:
        half = 0.01 * max(abs(low), 1e-12)
        return np.array([low - half, low, low, low + half]), np.array([0.0, 1, 1, 0])
    counts, edges = np.histogram(values, 80, (low, high), weights=weights)
    reach = int(4 * smooth)
    kernel = np.exp(-0.5 * (np.arange(-reach, reach + 1) / smooth) ** 2)
    # Reflected at the ends: a flat density stays flat up to its bounds.
    height = np.convolve(np.pad(counts, reach, mode="symmetric"), kernel, "valid")
    centres = (edges[1:] + edges[:-1]) / 2
    x = np.concatenate([[low], centres, [high]])
    return x, np.pad(height, 1, mode="edge") / height.max()


def _wrapped(quantity: Quantity, width: int) -> str:
    label = axis_label(quantity.name, quantity.unit)
    return "\n".join(textwrap.wrap(label, width, break_long_words=False))


def corner_figure(posterior: Posterior, quantities: tuple[Quantity, ...]) -> Figure:
    """Every pair of up to ten quantities: regions of 50 and 90 % of the belief."""
    chosen = _corner_choice(posterior, quantities)
    count = len(chosen)
    size = 7.6 if count > 4 else 1.7 * max(count, 2) + 0.8
    with matplotlib.rc_context(STYLE):
        figure = Figure(figsize=(size, size))
        grid = figure.subplots(count, count, squeeze=False)
        for row in range(count):
            for column in range(count):
                axes = grid[row, column]
                if column > row:
                    axes.set_axis_off()
                    continue
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
    x, height = _density(values[inside], weights[inside])
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
    density = _blurred(counts)
    levels = _levels(density, (0.9, 0.5))
    centres = (x[1:] + x[:-1]) / 2, (y[1:] + y[:-1]) / 2
    if levels[0] < levels[1] < density.max():
        fills = [*levels, density.max() * 1.01]
        axes.contourf(*centres, density.T, fills, colors=["#A9CDE6", BELIEF])
        axes.contour(*centres, density.T, levels, colors="#003F66", linewidths=0.6)
    axes.set(xlim=windows[0], ylim=windows[1])


def _blurred(counts: np.ndarray) -> np.ndarray:
    from scipy.ndimage import gaussian_filter

    return np.asarray(gaussian_filter(counts, 1.6, mode="reflect"))


def _levels(density: np.ndarray, shares: tuple[float, ...]) -> list[float]:
    """Heights above which the given shares of the mass lie, ascending."""
    ordered = np.sort(density.ravel())[::-1]
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
        axes.set_xlabel(_wrapped(chosen[column], width), fontsize=size + 0.5)
        axes.xaxis.set_label_coords(0.5, -min(offset, 0.55))
        for label in axes.get_xticklabels():
            label.set(rotation=45, ha="right", rotation_mode="anchor")
    else:
        axes.set_xticklabels([])
    if column == 0 and row > 0:
        axes.set_ylabel(_wrapped(chosen[row], width), fontsize=size + 0.5)
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


def correlation_figure(
    posterior: Posterior, quantities: tuple[Quantity, ...]
) -> Figure:
    """Correlation of every two quantities, as colour and as number."""
    names = tuple(q.name for q in quantities)
    matrix = posterior.correlation(names).to(torch.float64).numpy()
    count = len(names)
    size = min(7.2, 2.6 + 0.38 * count)
    labels = [q.name.replace("_", " ") for q in quantities]
    with matplotlib.rc_context(STYLE):
        figure = Figure(figsize=(size + 0.7, size), layout="constrained")
        axes = figure.subplots()
        image = axes.imshow(matrix, cmap="PuOr_r", vmin=-1, vmax=1)
        axes.set_xticks(range(count), labels, rotation=45, ha="right")
        axes.set_yticks(range(count), labels)
        axes.tick_params(length=0)
        for row in range(count):
            for column in range(count):
                value = matrix[row, column]
                colour = "white" if abs(value) > 0.6 else "black"
                text = "1" if row == column else _correlation_text(value)
                axes.text(
                    column, row, text, ha="center", va="center", color=colour, size=7
                )
        figure.colorbar(image, ax=axes, shrink=0.7, label="correlation [1]")
    return figure


def _correlation_text(value: float) -> str:
    """One digit; nothing where a correlation rounds to zero."""
    return "" if abs(value) < 0.05 else f"{value:+.1f}".replace("-", "−")
