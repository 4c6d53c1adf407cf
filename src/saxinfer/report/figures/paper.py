"""The figures of the paper's experiment: scatter plots, R² of all columns, curves.

The baseline is vermilion and has squares, the posterior is blue and has circles.
"""

from pathlib import Path
from typing import Any, Final

import matplotlib
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy import ndarray

from saxinfer.paper.data import SCALES, Scale
from saxinfer.paper.experiment import Outcome
from saxinfer.paper.scores import Learner, reason_not_identifiable
from saxinfer.report.figures.drawing import (
    BAND,
    BELIEF,
    DATA,
    MODEL,
    PRIOR,
    STYLE,
    readable_log,
)
from saxinfer.report.wording import axis_label, in_words

__all__ = [
    "SHOWN",
    "example_figure",
    "overview_figure",
    "scatter_figure",
    "write_png",
]

SHOWN: Final = ("alpha_mean", "pow_exp", "mu")
"""Columns of the paper's figure 3, from left to right."""

COLOUR: Final[dict[Learner, str]] = {"baseline": MODEL, "ours": BELIEF}
MARKER: Final[dict[Learner, str]] = {"baseline": "s", "ours": "o"}
TITLE: Final[dict[Learner, str]] = {
    "baseline": "boosted trees",
    "ours": "posterior mean",
}
LEARNERS: Final[tuple[Learner, Learner]] = ("baseline", "ours")
SCALE_TITLE: Final[dict[Scale, str]] = {
    "absolute": "scale known",
    "unknown": "scale unknown",
}

EXAMPLES: Final = 3


def write_png(figure: Figure, path: Path) -> None:
    """Writes a figure for use in a text, 300 dots an inch."""
    with matplotlib.rc_context(STYLE):
        figure.savefig(path, format="png", dpi=300, metadata={"Software": "saxinfer"})


def scatter_figure(outcome: Outcome, scale: Scale) -> Figure:
    """The paper's figure 3 for the baseline, and below it for the posterior."""
    with matplotlib.rc_context(STYLE):
        figure = Figure(figsize=(7.2, 5.2), layout="constrained")
        rows = figure.subplots(2, len(SHOWN), sharex="col", sharey="col")
        for learner, row in zip(LEARNERS, rows, strict=True):
            for name, axes in zip(SHOWN, row, strict=True):
                _draw_scatter(axes, outcome, learner, scale, name)
        for name, axes in zip(SHOWN, rows[1], strict=True):
            _limit(axes, outcome, scale, name)
        parts = [axes.get_legend_handles_labels() for axes in rows[:, 0]]
        named = {
            label: handle for part in parts for handle, label in zip(*part, strict=True)
        }
        figure.legend(
            list(named.values()), list(named), loc="outside lower center", ncols=3
        )
    return figure


def _draw_scatter(
    axes: Axes, outcome: Outcome, learner: Learner, scale: Scale, name: str
) -> None:
    place = [column.name for column in outcome.curves.columns].index(name)
    column = outcome.curves.columns[place]
    found = outcome.predictions[learner, scale]
    chosen = outcome.predictions["ours", scale].rows
    axes.axvspan(
        column.low,
        column.high,
        color="#E8E8E8",
        lw=0,
        zorder=0,
        label="range of the prior",
    )
    axes.axline(
        (column.low, column.low), slope=1, color=DATA, lw=0.8, zorder=1, label="equal"
    )
    if learner == "baseline":
        truth = outcome.curves.truth[found.rows, place]
        axes.plot(
            found.value[:, place], truth, ".", ms=3, color=BAND, mew=0, zorder=2,
            rasterized=True, label="boosted trees, further test curves",
        )  # fmt: skip
    found = found.of(chosen)
    truth, value = outcome.curves.truth[chosen, place], found.value[:, place]
    if learner == "ours":
        ends = np.stack([found.low[:, place], found.high[:, place]])
        axes.hlines(
            truth,
            *ends,
            color=COLOUR[learner],
            lw=0.5,
            alpha=0.45,
            zorder=2,
            label="90 % interval",
        )
    axes.plot(
        value, truth, MARKER[learner], ms=2.6, color=COLOUR[learner], mew=0, zorder=3,
        label=TITLE[learner],
    )  # fmt: skip
    score = outcome.score(learner, scale, name)
    said = f"R² = {score.r2:.3f}; {100 * score.outside:.1f} % out of range"
    axes.set_title(said.replace("-", "−"), fontsize=8, loc="left")
    axes.set_ylabel(f"true {axis_label(name, column.unit)}")
    if learner == "ours":
        axes.set_xlabel(f"predicted {axis_label(name, column.unit)}")


def _limit(axes: Axes, outcome: Outcome, scale: Scale, name: str) -> None:
    """Shows every prediction of the baseline, and the prior's range with a margin."""
    place = [column.name for column in outcome.curves.columns].index(name)
    column = outcome.curves.columns[place]
    value = outcome.predictions["baseline", scale].value[:, place]
    low, high = min(value.min(), column.low), max(value.max(), column.high)
    margin = 0.06 * (high - low)
    axes.set_xlim(low - margin, high + margin)
    span = 0.04 * (column.high - column.low)
    axes.set_ylim(column.low - span, column.high + span)


def overview_figure(outcome: Outcome) -> Figure:
    """R² of all columns: both methods, both inputs, on the same curves."""
    columns = outcome.curves.columns
    height = 0.3 * len(columns) + 1.1
    with matplotlib.rc_context(STYLE):
        figure = Figure(figsize=(7.2, height), layout="constrained")
        panels = figure.subplots(1, 2, sharex=True, sharey=True)
        for scale, axes in zip(SCALES, panels, strict=True):
            _draw_overview(axes, outcome, scale)
            axes.set_title(SCALE_TITLE[scale])
        panels[0].set_yticks(range(len(columns)), [in_words(c.name) for c in columns])
        panels[0].set_ylim(len(columns) - 0.5, -0.5)
        found = np.array([[score.r2, score.r2_error] for score in outcome.scores])
        panels[0].set_xlim(max(-1.0, min(0.0, float((found[:, 0]).min())) - 0.06), 1.03)
        handles, labels = panels[0].get_legend_handles_labels()
        figure.legend(handles, labels, loc="outside lower center", ncols=3)
    return figure


def _draw_overview(axes: Axes, outcome: Outcome, scale: Scale) -> None:
    names = [column.name for column in outcome.curves.columns]
    places = np.arange(len(names))
    for learner, shift in zip(LEARNERS, (0.13, -0.13), strict=True):
        found = [outcome.score(learner, scale, name) for name in names]
        axes.errorbar(
            [score.r2 for score in found],
            places + shift,
            xerr=[score.r2_error for score in found],
            fmt=MARKER[learner],
            ms=4.5,
            elinewidth=0.9,
            color=COLOUR[learner],
            label=TITLE[learner],
        )
    untold = [
        place
        for place, name in enumerate(names)
        if reason_not_identifiable(outcome.scores, name, scale)
    ]
    for index, place in enumerate(untold):
        label = "" if index else "not identifiable"
        axes.axhspan(
            place - 0.5, place + 0.5, color="#E4E4E4", lw=0, zorder=0, label=label
        )
    axes.set_yticks(places)
    axes.grid(axis="x", color=PRIOR, lw=0.4)
    axes.axvline(0, color=DATA, lw=0.8)
    axes.set_xlabel("R² [1]")


def example_figure(outcome: Outcome) -> Figure:
    """Some curves of the data set and their closed forms, with the speckle."""
    curves, rows = outcome.curves, outcome.split.fitted[:EXAMPLES]
    closed = curves.closed_form(rows)
    with matplotlib.rc_context(STYLE):
        figure = Figure(figsize=(7.2, 4.4), layout="constrained")
        top, bottom = figure.subplots(
            2,
            EXAMPLES,
            sharex=True,
            sharey="row",
            gridspec_kw={"height_ratios": [2, 1]},
        )
        for place, row in enumerate(rows.tolist()):
            _draw_example(top[place], bottom[place], outcome, row, closed[place])
        top[0].set_ylabel("I [nm³]")
        bottom[0].set_ylabel("drawn / closed form [1]")
        top[0].legend(loc="lower left", markerscale=3)
        figure.align_ylabels()
    return figure


def _draw_example(
    top: Axes, bottom: Axes, outcome: Outcome, row: int, closed: ndarray
) -> None:
    curves = outcome.curves
    q, drawn, sigma = curves.q, curves.intensity[row], curves.sigma[row]
    dots: Any = {"ms": 1.8, "color": DATA, "mew": 0, "rasterized": True}
    top.fill_between(
        q, closed - sigma, closed + sigma, color=BAND, lw=0, label="± 1 speckle"
    )
    top.plot(q, drawn, ".", label="drawn", **dots)
    top.plot(q, closed, color=MODEL, lw=1.2, label="closed form")
    top.set(xscale="log", yscale="log")
    share = sigma / closed
    bottom.fill_between(q, 1 - share, 1 + share, color=BAND, lw=0)
    bottom.plot(q, drawn / closed, ".", **dots)
    bottom.axhline(1, color=MODEL, lw=1.2)
    bottom.set_xlabel("q [nm⁻¹]")
    names = [column.name for column in curves.columns]
    alpha, mu = (curves.truth[row, names.index(n)] for n in ("alpha_mean", "mu"))
    top.set_title(f"alpha mean {alpha:.1f} nm, mu {mu:.2f} nm⁻¹", fontsize=8)
    readable_log(top.xaxis)
