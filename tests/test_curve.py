"""Mirrors src/saxinfer/curve.py."""

import math
import re
import subprocess
import sys
from dataclasses import FrozenInstanceError

import pytest
import torch

from saxinfer.curve import Curve, Remark

Q = torch.tensor([0.1, 0.2, 0.3], dtype=torch.float64)
ONES = torch.ones(3, dtype=torch.float64)


@pytest.mark.parametrize(
    ("q", "where", "value"),
    [
        ((0.1, 0.3, 0.2), 2, "0.2"),
        ((0.1, 0.1, 0.2), 1, "0.1"),
        ((0.0, 0.1, 0.2), 0, "0"),
        ((-0.1, 0.1, 0.2), 0, "-0.1"),
    ],
)
def test_refuses_q_that_does_not_rise_from_above_zero_and_names_the_point(
    q: tuple[float, float, float], where: int, value: str
) -> None:
    sentence = re.escape(f"point {where} is {value} 1/nm. Sort the curve")
    with pytest.raises(ValueError, match=sentence):
        Curve(torch.tensor(q, dtype=torch.float64), ONES)


@pytest.mark.parametrize("name", ["intensity", "sigma", "resolution"])
@pytest.mark.parametrize("value", [math.nan, math.inf])
def test_refuses_a_value_that_is_not_finite_and_names_column_and_point(
    name: str, value: float
) -> None:
    columns = {"intensity": ONES.clone(), name: ONES.clone()}
    columns[name][1] = value
    with pytest.raises(ValueError, match=rf"{name} must be finite, but point 1 is"):
        Curve(Q, **columns)  # type: ignore[arg-type]


@pytest.mark.parametrize("value", [0.0, -0.5])
def test_refuses_an_error_bar_that_is_not_positive_and_says_what_to_pass(
    value: float,
) -> None:
    sigma = torch.tensor([0.1, value, 0.1], dtype=torch.float64)
    with pytest.raises(ValueError, match=r"point 1 is .*Pass sigma=None where"):
        Curve(Q, ONES, sigma)


def test_a_negative_intensity_is_no_error() -> None:
    assert len(Curve(Q, -ONES)) == 3


def test_nothing_of_it_can_be_assigned_to() -> None:
    with pytest.raises(FrozenInstanceError):
        Curve(Q, ONES).name = "other"  # type: ignore[misc]


def test_says_in_one_line_what_it_holds() -> None:
    text = repr(Curve(Q, ONES, ONES, name="wood"))
    assert text == "Curve('wood', 3 points, q = 0.1 to 0.3 1/nm, with errors)"


def test_a_remark_is_for_information_unless_it_says_otherwise() -> None:
    assert Remark("Measured at night.").kind == "note"


def test_refuses_an_infinite_q() -> None:
    with pytest.raises(ValueError, match="point 2"):
        Curve(torch.tensor([0.1, 0.2, math.inf], dtype=torch.float64), ONES)


def test_refuses_a_curve_without_points() -> None:
    with pytest.raises(ValueError, match="point"):
        Curve(torch.zeros(0), torch.zeros(0))


def test_refuses_unequal_columns_without_a_checker_of_shapes_too() -> None:
    lines = (
        "import torch; from saxinfer.curve import Curve",
        "Curve(torch.tensor([0.1, 0.2, 0.3]), torch.ones(2))",
    )
    command = [sys.executable, "-c", "\n".join(lines)]
    done = subprocess.run(command, capture_output=True, text=True)
    assert "ValueError" in done.stderr
