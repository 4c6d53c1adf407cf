"""What all figures share: style, colours, densities, and how they are embedded.

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
from matplotlib.axis import Axis
from matplotlib.figure import Figure
from matplotlib.ticker import (
    FuncFormatter,
    LogLocator,
    MaxNLocator,
    NullFormatter,
    NullLocator,
)

from saxinfer.posterior import Quantity
from saxinfer.report.wording import axis_label

__all__ = [
    "BAND",
    "BELIEF",
    "DATA",
    "MODEL",
    "PRIOR",
    "STYLE",
    "density",
    "image_source",
    "readable_log",
    "wrapped_label",
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


def image_source(figure: Figure) -> str:
    """A figure as the ``src`` of an HTML image: SVG, embedded, no network."""
    buffer = io.BytesIO()
    with matplotlib.rc_context(STYLE):
        figure.savefig(buffer, format="svg", dpi=200, metadata={"Date": None})
    return "data:image/svg+xml;base64," + base64.b64encode(buffer.getvalue()).decode()


def readable_log(axis: Axis) -> None:
    """Numbers on decades; on a shorter axis plain numbers at 1, 2 and 5."""
    low, high = axis.get_view_interval()
    if np.log10(high / low) > 2:
        axis.set_minor_formatter(NullFormatter())
        return
    axis.set_major_locator(LogLocator(subs=(1.0, 2.0, 5.0)))
    axis.set_minor_formatter(NullFormatter())
    if low > 1e-4 and high < 1e5:
        axis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    if np.log10(high / low) < 0.7:
        # Too short for 1, 2, 5: numbers as on a linear axis.
        axis.set_major_locator(MaxNLocator(5))
        axis.set_minor_locator(NullLocator())


def density(
    values: np.ndarray, weights: np.ndarray | None, smooth: float = 2.5
) -> tuple[np.ndarray, np.ndarray]:
    """Smoothed histogram of what is finite, scaled to a highest point of one."""
    finite = np.isfinite(values)
    if not finite.any():
        return np.array([0.0, 1.0]), np.array([0.0, 0.0])
    values, weights = values[finite], None if weights is None else weights[finite]
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


def wrapped_label(quantity: Quantity, width: int) -> str:
    """Label of a quantity in lines of so many characters."""
    label = axis_label(quantity.name, quantity.unit)
    return "\n".join(textwrap.wrap(label, width, break_long_words=False))
