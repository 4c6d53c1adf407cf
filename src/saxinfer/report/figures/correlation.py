"""Correlations as colours and numbers."""

import matplotlib
import torch
from matplotlib.figure import Figure

from saxinfer.posterior import Posterior, Quantity
from saxinfer.report.figures.drawing import STYLE

__all__ = ["correlation_figure"]


def correlation_figure(
    posterior: Posterior, quantities: tuple[Quantity, ...]
) -> Figure:
    """Correlation of every two quantities, as colour and as number."""
    names = tuple(q.name for q in quantities)
    matrix = posterior.correlation(names).to(torch.float64).numpy()
    count = len(names)
    # Room for the longest name at the side and below it.
    side = 0.075 * max(len(name) for name in names) + 0.15
    cells, below = min(5.2, 0.42 * count), 0.75 * side + 0.1
    width, height = side + cells + 1.1, below + max(cells, 1.5) + 0.1
    labels = [q.name.replace("_", " ") for q in quantities]
    with matplotlib.rc_context(STYLE):
        figure = Figure(figsize=(width, height))
        axes = figure.add_axes(
            (side / width, below / height, cells / width, cells / height)
        )
        beside = (side + cells + 0.25) / width, below / height
        scale = figure.add_axes((*beside, 0.15 / width, max(cells, 1.5) / height))
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
        figure.colorbar(image, cax=scale, label="correlation [1]")
    return figure


def _correlation_text(value: float) -> str:
    """One digit; nothing where a correlation rounds to zero."""
    return "" if abs(value) < 0.05 else f"{value:+.1f}".replace("-", "−")
