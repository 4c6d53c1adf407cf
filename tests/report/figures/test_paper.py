"""The figures of the paper's experiment are legible and show what they claim."""

import importlib.util
import struct
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest
from matplotlib.figure import Figure

from saxinfer.paper.data import SCALES, Scale
from saxinfer.paper.experiment import Outcome
from saxinfer.report.figures.paper import (
    SHOWN,
    example_figure,
    overview_figure,
    scatter_figure,
    write_png,
)

Check = Callable[[Figure], Figure]


@pytest.fixture(scope="module")
def outcome() -> Outcome:
    path = Path(__file__).parents[1] / "made_paper.py"
    spec = importlib.util.spec_from_file_location(path.stem, path)
    assert spec is not None
    assert spec.loader is not None
    made: ModuleType = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(made)
    found: Outcome = made.made_outcome()
    return found


@pytest.mark.parametrize("scale", SCALES)
def test_predictions_are_on_x_and_the_truth_is_on_y(
    outcome: Outcome, scale: Scale, check: Check
) -> None:
    figure = check(scatter_figure(outcome, scale))
    assert len(figure.axes) == 6
    for place, name in enumerate(SHOWN):
        words = name.replace("_", " ")
        upper, lower = figure.axes[place], figure.axes[place + 3]
        assert upper.get_ylabel().startswith(f"true {words} [")
        assert lower.get_xlabel().startswith(f"predicted {words} [")
        column = [c.name for c in outcome.curves.columns].index(name)
        found = outcome.predictions["ours", scale]
        (dots,) = [line for line in lower.lines if line.get_label() == "posterior mean"]
        np.testing.assert_array_equal(dots.get_xdata(), found.value[:, column])
        truth = outcome.curves.truth[found.rows, column]
        np.testing.assert_array_equal(dots.get_ydata(), truth)


def test_every_prediction_of_the_baseline_is_within_the_axes(
    outcome: Outcome, check: Check
) -> None:
    figure = check(scatter_figure(outcome, "absolute"))
    names = [column.name for column in outcome.curves.columns]
    for axes, name in zip(figure.axes, SHOWN, strict=False):
        low, high = axes.get_xlim()
        value = outcome.predictions["baseline", "absolute"].value[:, names.index(name)]
        assert low < value.min()
        assert value.max() < high


def test_the_overview_has_a_line_for_each_column(
    outcome: Outcome, check: Check
) -> None:
    figure = check(overview_figure(outcome))
    left = figure.axes[0]
    labels = [tick.get_text() for tick in left.get_yticklabels()]
    assert labels == [c.name.replace("_", " ") for c in outcome.curves.columns]
    assert left.get_xlim()[1] > 1
    names = {text.get_text() for text in figure.legends[0].get_texts()}
    assert names == {"boosted trees", "posterior mean", "not identifiable"}


def test_examples_show_drawn_curves_and_closed_forms(
    outcome: Outcome, check: Check
) -> None:
    figure = check(example_figure(outcome))
    row = int(outcome.split.fitted[0])
    drawn, closed = figure.axes[0].lines
    np.testing.assert_array_equal(drawn.get_ydata(), outcome.curves.intensity[row])
    expected = outcome.curves.closed_form(outcome.split.fitted[:3])[0]
    np.testing.assert_array_equal(closed.get_ydata(), expected)


def test_a_png_is_fine_enough_for_print(outcome: Outcome, tmp_path: Path) -> None:
    write_png(overview_figure(outcome), tmp_path / "x.png")
    head = (tmp_path / "x.png").read_bytes()[:24]
    assert head.startswith(b"\x89PNG")
    # Seven inches at three hundred dots.
    assert struct.unpack(">I", head[16:20])[0] > 2000
