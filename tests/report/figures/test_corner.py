"""Pairs are drawn for up to ten quantities, readable at any number."""

from collections.abc import Callable
from dataclasses import replace

import pytest
import torch
from matplotlib.figure import Figure

from saxinfer.inference.base import Fit
from saxinfer.report.figures import CORNER_COLUMNS, corner_figure

Check = Callable[[Figure], Figure]


def test_a_quantity_that_spans_decades_has_a_logarithmic_axis(
    fit: Fit, check: Check
) -> None:
    samples = fit.posterior.samples.clone()
    samples[:, 1] = 10 ** (-3 + 2 * torch.rand(len(samples)).double())
    posterior = replace(fit.posterior, samples=samples)
    figure = check(corner_figure(posterior, posterior.of_kind("parameter")))
    labels = [text.get_text() for text in figure.axes[1].get_yticklabels()]
    assert {"0.003", "0.03"} & set(labels)


@pytest.mark.parametrize("count", [2, 5])
def test_any_number_of_quantities_is_readable(
    wide_fit: Fit, check: Check, count: int
) -> None:
    chosen = wide_fit.posterior.of_kind("parameter")[:count]
    figure = check(corner_figure(wide_fit.posterior, chosen))
    assert len(figure.axes) == count * (count + 1) // 2


def test_of_more_than_ten_the_most_narrowed_are_shown(
    wide_fit: Fit, check: Check
) -> None:
    chosen = wide_fit.posterior.of_kind("parameter")
    figure = check(corner_figure(wide_fit.posterior, chosen))
    assert len(figure.axes) == CORNER_COLUMNS * (CORNER_COLUMNS + 1) // 2
    labels = " ".join(axes.get_xlabel() for axes in figure.axes)
    assert "crystalline" not in labels
