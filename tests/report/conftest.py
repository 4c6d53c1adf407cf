"""Fits for the tests of this folder, and how its tests look at a figure."""

import base64
import importlib.util
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.text import Text

from saxinfer.inference.base import Fit
from saxinfer.report.figures import image_source


def _load(path: Path) -> ModuleType:
    spec = importlib.util.spec_from_file_location(path.stem, path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="session")
def made() -> ModuleType:
    return _load(Path(__file__).with_name("made_fit.py"))


@pytest.fixture(scope="session")
def fit(made: ModuleType) -> Fit:
    found: Fit = made.made_fit()
    return found


@pytest.fixture(scope="session")
def wide_fit(made: ModuleType) -> Fit:
    found: Fit = made.made_wide_fit()
    return found


@pytest.fixture(scope="session")
def tree_fit(made: ModuleType) -> Fit:
    found: Fit = made.made_tree_fit()
    return found


@pytest.fixture(scope="session")
def chosen_fit(made: ModuleType) -> Fit:
    found: Fit = made.made_chosen_fit()
    return found


@pytest.fixture(scope="session")
def fit_of_none(made: ModuleType) -> Fit:
    """Chosen from models none of which passes."""
    found: Fit = made.made_chosen_fit(passing=())
    return found


def _texts(figure: Figure) -> Iterator[Text]:
    """Every text that is drawn: of all tick labels only those on the axis."""
    ticks: set[int] = set()
    for axes in figure.axes:
        axis: Any
        for axis in (axes.xaxis, axes.yaxis):
            drawn = axis._update_ticks() if axes.axison else []
            low, high = sorted(axis.get_view_interval())
            yield from (t.label1 for t in drawn if low <= t.get_loc() <= high)
            for tick in [*axis.majorTicks, *axis.minorTicks]:
                ticks.update((id(tick.label1), id(tick.label2)))
    texts: list[Any] = figure.findobj(Text)
    yield from (text for text in texts if id(text) not in ticks)


def _overlapping(figure: Figure) -> list[tuple[str, str]]:
    """Pairs of visible texts whose boxes meet, and texts that leave the figure."""
    canvas: Any = FigureCanvasAgg(figure)
    canvas.draw()
    renderer = canvas.get_renderer()
    boxes = [
        (text.get_text(), text.get_window_extent(renderer).padded(-0.5))
        for text in _texts(figure)
        # Slanted labels overlap as boxes long before they do as ink.
        if text.get_visible()
        and text.get_text().strip()
        and text.get_rotation() % 90 == 0
    ]
    page = figure.bbox
    cut = [
        (text, "the edge")
        for text, box in boxes
        if not (page.contains(*box.min) and page.contains(*box.max))
    ]
    return cut + [
        (first[0], second[0])
        for i, first in enumerate(boxes)
        for second in boxes[i + 1 :]
        if first[1].overlaps(second[1])
    ]


@pytest.fixture(scope="session")
def check() -> Callable[[Figure], Figure]:
    """Draws a figure; its texts must not overlap, its axes must have units."""

    def checked(figure: Figure) -> Figure:
        source = image_source(figure)
        head = "data:image/svg+xml;base64,"
        assert source.startswith(head)
        assert b"<svg" in base64.b64decode(source[len(head) :])
        assert _overlapping(figure) == []
        for axes in figure.axes:
            for label in (axes.get_xlabel(), axes.get_ylabel()):
                assert not label or "[" in label, f"{label} has no unit"
            assert np.isfinite(axes.get_xlim()).all()
            assert np.isfinite(axes.get_ylim()).all()
        return figure

    return checked
