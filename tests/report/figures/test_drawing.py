"""Densities are scaled and keep their shape; figures repeat by the byte."""

import numpy as np
import pytest

from saxinfer.inference.base import Fit
from saxinfer.report.figures import curve_figure, image_source
from saxinfer.report.figures.drawing import density


def test_the_highest_point_of_a_density_is_one() -> None:
    values = np.random.default_rng(0).normal(3, 1, 5000)
    x, height = density(values, None)
    assert height.max() == 1
    assert x[height.argmax()] == pytest.approx(3, abs=0.3)


def test_a_flat_density_stays_flat_up_to_its_bounds() -> None:
    x, height = density(np.linspace(0, 1, 8000), None)
    assert height.min() > 0.95
    assert (x[0], x[-1]) == (0, 1)


def test_weights_shape_a_density() -> None:
    values = np.linspace(0, 1, 4000)
    x, height = density(values, values)
    assert x[height.argmax()] > 0.9


def test_one_value_and_no_number_are_no_error() -> None:
    assert density(np.full(9, 2.0), None)[1].max() == 1
    assert density(np.full(9, np.nan), None)[1].max() == 0


def test_the_same_fit_gives_the_same_picture(fit: Fit) -> None:
    first, second = (image_source(curve_figure(fit)) for _ in range(2))
    assert first == second
