"""The figures of a fit. The one door to matplotlib, opened only when one is drawn."""

from saxinfer.report.figures.corner import CORNER_COLUMNS, corner_figure
from saxinfer.report.figures.correlation import correlation_figure
from saxinfer.report.figures.curve import curve_figure
from saxinfer.report.figures.drawing import image_source
from saxinfer.report.figures.prior import prior_figure
from saxinfer.report.figures.rivals import rivals_figure

__all__ = [
    "CORNER_COLUMNS",
    "corner_figure",
    "correlation_figure",
    "curve_figure",
    "image_source",
    "prior_figure",
    "rivals_figure",
]
