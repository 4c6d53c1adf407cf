"""The figure of a curve shows data, fit, band and residuals, with units."""

from collections.abc import Callable
from dataclasses import replace
from types import ModuleType

import pytest
import torch
from matplotlib.figure import Figure

from saxinfer.inference.base import Fit
from saxinfer.report.figures import curve_figure, image_source

Check = Callable[[Figure], Figure]


def test_axes_have_units_and_a_logarithmic_scale(fit: Fit, check: Check) -> None:
    top, bottom = check(curve_figure(fit)).axes
    assert bottom.get_xlabel() == "q [nm⁻¹]"
    assert top.get_ylabel() == "I [cm⁻¹]"
    assert top.get_xscale() == top.get_yscale() == "log"


@pytest.mark.parametrize("points", [5, 3000])
@pytest.mark.parametrize("errors", [True, False])
def test_any_number_of_points_can_be_drawn(
    made: ModuleType, check: Check, points: int, errors: bool
) -> None:
    figure = check(curve_figure(made.made_fit(made.made_curve(points, errors=errors))))
    assert len(image_source(figure)) < 1_500_000


def test_a_narrow_window_has_numbers_on_its_axis(
    made: ModuleType, check: Check
) -> None:
    curve = made.made_curve(50)
    narrow = replace(
        curve, q=torch.linspace(0.31, 0.38, 50, dtype=torch.float64), resolution=None
    )
    figure = check(curve_figure(made.made_fit(narrow)))
    labels = [t.get_text() for t in figure.axes[1].get_xticklabels()]
    assert "0.34" in labels


def test_negative_points_and_wild_residuals_are_said(fit: Fit, check: Check) -> None:
    intensity = fit.curve.intensity.clone()
    intensity[-20:-10] *= -1
    residuals = fit.band.residuals.clone()
    residuals[3], residuals[9] = 400.0, -30.0
    odd = replace(
        fit,
        curve=replace(fit.curve, intensity=intensity),
        band=replace(fit.band, residuals=residuals),
    )
    top, bottom = check(curve_figure(odd)).axes
    assert "10 points lie below" in top.get_title(loc="right")
    assert "2 beyond the axis, up to 400" in bottom.get_title(loc="right")


def test_a_curve_without_a_positive_point_is_no_error(fit: Fit, check: Check) -> None:
    negative = replace(fit.curve, intensity=-fit.curve.intensity)
    check(curve_figure(replace(fit, curve=negative)))


def test_the_curve_of_trees_is_called_what_it_is(tree_fit: Fit, check: Check) -> None:
    legend = check(curve_figure(tree_fit)).axes[0].get_legend()
    assert legend is not None
    texts = [text.get_text() for text in legend.get_texts()]
    assert "model at the medians" in texts
    assert not any("repeated measurements" in text for text in texts)
