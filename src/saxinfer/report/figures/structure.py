"""Figures of a drawn structure: its map, its curve by both engines, its correlations.

Pictures of maps show a part where the whole would show single pixels as dust; cubes
are shown by their first slice.
"""

import math
from typing import TYPE_CHECKING, Final

import matplotlib
import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import BoundaryNorm, ListedColormap
from matplotlib.figure import Figure
from matplotlib.patches import Patch, Rectangle

from saxinfer.report.figures.drawing import BAND, DATA, MODEL, STYLE, readable_log
from saxinfer.scattering.fourier import TRUSTED
from saxinfer.scattering.realisation import Realisation

if TYPE_CHECKING:
    from saxinfer.report.structure_folder import DrawnStructure

__all__ = ["both_engines_figure", "map_figure", "two_point_figure"]

# From dark to light, told apart in grey and by colour-blind readers.
PHASES: Final = ("#1B3A4B", "#56B4E9", "#F3E9D2", "#D55E00")

# A picture shows at most so many pixels along an edge.
SHOWN: Final = 1024

# Bands of q that the ratio of the engines is averaged over.
BANDS: Final = 24


def map_figure(drawn: Realisation) -> Figure:
    """Phase map and density map, with a scale bar, names and fractions."""
    phases, title = _shown(drawn, drawn.phases)
    density, _ = _shown(drawn, drawn.density)
    colours, edge = _colours(drawn), drawn.grid.pixel * phases.shape[0]
    norm = BoundaryNorm(np.arange(len(colours) + 1) - 0.5, len(colours))
    with matplotlib.rc_context(STYLE):
        figure = Figure(figsize=(7.4, 4.55))
        # Two squares of 3.5 inches with room for what stands below them.
        left, right, scale = (
            figure.add_axes((x / 7.4, y / 4.55, width / 7.4, height / 4.55))
            for x, y, width, height in (
                (0.1, 0.75, 3.5, 3.5),
                (3.8, 0.75, 3.5, 3.5),
                (4.3, 0.5, 2.5, 0.12),
            )
        )
        left.imshow(
            phases,
            cmap=ListedColormap(colours),
            norm=norm,
            extent=(0.0, edge, 0.0, edge),
            interpolation="nearest",
        )
        image = right.imshow(
            density, cmap="cividis", extent=(0.0, edge, 0.0, edge), interpolation="none"
        )
        for axes in (left, right):
            axes.set_axis_off()
            _scale_bar(axes, edge)
        left.set_title(f"phases, {title}")
        right.set_title("scattering length density")
        figure.colorbar(
            image, cax=scale, orientation="horizontal", label="density [relative]"
        )
        handles = [
            Patch(facecolor=colour, edgecolor="#333333", label=f"{name}, {share:.3f}")
            for name, share, colour in zip(
                drawn.names, drawn.fractions, colours, strict=True
            )
            if share > 0
        ]
        left.legend(
            handles=handles,
            loc="upper center",
            bbox_to_anchor=(0.5, -0.02),
            ncols=3,
            title="phase, fraction [1]",
            columnspacing=1.0,
            handlelength=1.0,
            handletextpad=0.5,
        )
    return figure


def both_engines_figure(structure: "DrawnStructure") -> Figure:
    """Curve of the map with its speckle, the closed form, and their ratio below."""
    measured = structure.measured
    q, top = measured.rings.q, TRUSTED * structure.drawn.grid.nyquist
    intensity, closed = structure.intensity, structure.closed
    speckle = measured.rings.speckle
    with matplotlib.rc_context(STYLE):
        figure = Figure(figsize=(7.2, 5.4), layout="constrained")
        upper, lower = figure.subplots(
            2, 1, sharex=True, gridspec_kw={"height_ratios": [3.2, 1.2]}
        )
        upper.set(xscale="log", yscale="log")
        upper.fill_between(
            q,
            closed * np.maximum(1 - 2 * speckle, 0.02),
            closed * (1 + 2 * speckle),
            color=BAND,
            lw=0,
            label="± 2 speckle errors",
        )
        upper.plot(
            q,
            intensity,
            "o",
            ms=2,
            mfc="none",
            mew=0.5,
            color=DATA,
            label="drawn, one box",
        )
        upper.plot(q, closed, color=MODEL, lw=1.5, label="closed form")
        upper.set_ylabel("I(q) [nm³ × relative density²]")
        upper.legend(loc="lower left")
        count = len(structure.drawn.radii)
        particles = f", {count} particles" if count else ""
        upper.set_title(f"{structure.model}{particles}", loc="left")
        middle, ratio, error = _banded(intensity / closed, measured.rings.vectors, q)
        lower.axhspan(0.99, 1.01, color="#EEEEEE", lw=0)
        lower.axhline(1, color=MODEL, lw=1.2)
        lower.errorbar(
            middle, ratio, error, fmt="o", ms=2.5, color=DATA, elinewidth=0.7
        )
        lower.plot(
            q,
            1 + measured.folded / np.maximum(closed, 1e-300) * _factor(structure),
            ":",
            color=DATA,
            lw=1.2,
            label="folded back by the pixels, estimated",
        )
        spread = float(np.max(np.abs(ratio - 1) + error, initial=0.05))
        lower.set_ylim(1 - min(1.1 * spread, 0.6), 1 + min(1.1 * spread, 0.6))
        lower.set_ylabel("drawn / closed [1]")
        lower.set_xlabel("q [nm⁻¹]")
        lower.legend(loc="upper left")
        for axes in (upper, lower):
            axes.axvline(top, color="#777777", lw=0.8, ls="--")
        upper.text(
            top, 0.97, " a sixth of Nyquist", transform=upper.get_xaxis_transform(),
            va="top", size=7.5, color="#555555",
        )  # fmt: skip
        readable_log(lower.xaxis)
        readable_log(upper.yaxis)
    return figure


def two_point_figure(structure: "DrawnStructure") -> Figure:
    """How likely both ends of a segment lie in one phase, by its length."""
    found, drawn = structure.measured.two_point, structure.drawn
    styles = ("-", "--", "-.", ":")
    with matplotlib.rc_context(STYLE):
        figure = Figure(figsize=(6.0, 3.8), layout="constrained")
        axes = figure.subplots()
        reach = found.r <= min(found.r[-1], 12 * _length(structure))
        for number, name in enumerate(drawn.names):
            share = drawn.fractions[number]
            if share in (0.0, 1.0):
                continue
            excess = (found.probability[number] - share**2) / (share * (1 - share))
            axes.plot(
                found.r[reach],
                excess[reach],
                styles[number % 4],
                color=(DATA, "#0072B2", MODEL, "#009E73")[number % 4],
                label=name,
            )
        axes.axhline(0, color="#999999", lw=0.7)
        axes.set_xlabel("distance r [nm]")
        axes.set_ylabel("[P(r) − φ²] / [φ (1 − φ)]  [1]")
        axes.set_title("both ends of a segment in the same phase", loc="left")
        axes.legend()
    return figure


def _colours(drawn: Realisation) -> list[str]:
    """A colour for each phase, the darker the denser."""
    held = np.bincount(drawn.phases.ravel(), minlength=len(drawn.names))
    total = np.bincount(
        drawn.phases.ravel(), drawn.density.ravel(), minlength=len(drawn.names)
    )
    rank = np.argsort(np.argsort(-total / np.maximum(held, 1)))
    scale = PHASES if len(drawn.names) > 2 else (PHASES[0], PHASES[2])
    return [scale[number] for number in rank]


def _shown(drawn: Realisation, values: np.ndarray) -> tuple[np.ndarray, str]:
    """A square of a map that can be looked at, and what it is."""
    title = f"box of {drawn.grid.edge:.4g} nm"
    if drawn.grid.dimension == 3:
        # Of a dilute dispersion, not one of the many slices with hardly a particle.
        common = np.bincount(drawn.phases.ravel()).argmax()
        slices = (drawn.phases != common).sum((1, 2))
        values, title = values[int(slices.argmax())], f"fullest slice, {title}"
    elif drawn.grid.pixels > SHOWN:
        title = f"{SHOWN * drawn.grid.pixel:.4g} nm of a {title}"
    return values[:SHOWN, :SHOWN], title


def _scale_bar(axes: Axes, edge: float) -> None:
    """A bar of a round length, about a fifth of the picture."""
    rough = edge / 5
    decade = 10 ** math.floor(math.log10(rough))
    length = max(step for step in (1, 2, 5, 10) if step * decade <= rough) * decade
    room = 0.028 * edge
    axes.add_patch(
        Rectangle((room, room), length + 2 * room, 3.6 * room, fc="white", alpha=0.85)
    )
    axes.add_patch(Rectangle((2 * room, 1.7 * room), length, 0.5 * room, fc="black"))
    axes.text(
        2 * room + length / 2, 2.5 * room, f"{length:g} nm", ha="center", va="bottom",
        size=8,
    )  # fmt: skip


def _banded(
    ratio: np.ndarray, vectors: np.ndarray, q: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Means of a ratio over bands of q, with their speckle errors."""
    usable = np.isfinite(ratio)
    edges = np.geomspace(q[0] * 0.999, q[-1] * 1.001, BANDS + 1)
    band = np.digitize(q, edges) - 1
    rows = []
    for number in range(BANDS):
        own = (band == number) & usable
        if own.any():
            held = float(vectors[own].sum())
            means = (float(x[own] @ vectors[own]) / held for x in (q, ratio))
            rows.append((*means, 1 / math.sqrt(held)))
    table = np.array(rows).reshape(-1, 3)
    return table[:, 0], table[:, 1], table[:, 2]


def _factor(structure: "DrawnStructure") -> np.ndarray:
    """From the map's spectrum to the intensity."""
    spectrum = np.maximum(structure.measured.spectrum, 1e-300)
    return np.asarray(structure.intensity / spectrum)


def _length(structure: "DrawnStructure") -> float:
    """A length over which the map is correlated [nm]: volume over boundary."""
    total = sum(edge.density for edge in structure.measured.boundaries)
    return 1 / total if total > 0 else structure.drawn.grid.edge
