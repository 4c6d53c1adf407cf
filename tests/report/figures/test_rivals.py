"""Residuals of all models stand side by side, over the same errors."""

from collections.abc import Callable
from dataclasses import replace
from types import ModuleType
from typing import Any

import numpy as np
import pytest
import torch
from matplotlib.figure import Figure
from matplotlib.text import Text

from saxinfer.inference.base import Fit
from saxinfer.report.figures import rivals_figure

Check = Callable[[Figure], Figure]


def test_every_model_has_its_panel_with_its_probability(
    chosen_fit: Fit, check: Check
) -> None:
    figure = check(rivals_figure(chosen_fit))
    titles = [axes.get_title(loc="left") for axes in figure.axes if axes.get_visible()]
    assert titles == [
        "sphere: 80.0 %",
        "core_shell_sphere: 20.0 %, fails its check",
        "cellulose: < 0.1 %, fails its check",
    ]
    drawn: list[Any] = figure.findobj(Text)
    texts = {text.get_text() for text in drawn}
    assert "q [nm⁻¹]" in texts
    assert "(measured − model) / σ [1]" in texts


def test_residuals_are_those_of_each_model_over_the_errors_of_the_first(
    chosen_fit: Fit, check: Check
) -> None:
    figure = check(rivals_figure(chosen_fit))
    for axes, rival in zip(figure.axes, chosen_fit.rivals, strict=False):
        missed = (chosen_fit.curve.intensity - rival.median) / chosen_fit.band.sigma
        inside = missed[missed.abs() <= 8].numpy()
        dots = np.asarray(axes.lines[1].get_ydata(), float)
        np.testing.assert_allclose(dots, inside)
        assert len(inside) > 100


def test_what_lies_beyond_the_axis_is_a_triangle_at_its_edge(
    chosen_fit: Fit, check: Check
) -> None:
    first, *others = chosen_fit.rivals
    median = first.median.clone()
    median[:3] += 100 * chosen_fit.band.sigma[:3]
    median[3:5] -= 100 * chosen_fit.band.sigma[3:5]
    odd = replace(chosen_fit, rivals=(replace(first, median=median), *others))
    above, below = check(rivals_figure(odd)).axes[0].lines[2:4]
    assert (above.get_marker(), below.get_marker()) == ("^", "v")
    assert len(np.asarray(above.get_ydata())) == 2
    assert len(np.asarray(below.get_ydata())) == 3


@pytest.mark.parametrize("count", [1, 2, 7, 9])
def test_any_number_of_models_can_be_read(
    made: ModuleType, check: Check, count: int
) -> None:
    fit: Fit = made.made_chosen_fit(made.made_curve(500))
    names = [f"model_with_a_name_{n}" for n in range(count)]
    rivals = tuple(
        replace(fit.rivals[0], model=name, probability=1 / count) for name in names
    )
    figure = check(rivals_figure(replace(fit, rivals=rivals)))
    shown = [axes for axes in figure.axes if axes.get_visible()]
    assert len(shown) == count
    assert torch.isfinite(fit.band.sigma).all()
