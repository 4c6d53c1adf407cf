"""Mirrors src/saxinfer/formats/nist.py."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from saxinfer.formats import FormatError, load

Write = Callable[[str, str | bytes], Path]


def six_columns(**changed: float) -> str:
    q = np.linspace(0.003, 0.3, 30)
    columns = {
        "q": q,
        "intensity": 1 / q,
        "sigma": 0.02 / q,
        "width": 0.1 * q,
        "mean_q": q * 1.01,
        "free": np.where(q < 0.01, 0.4, 1.0),
    } | changed
    table = np.column_stack([np.broadcast_to(c, q.shape) for c in columns.values()])
    return "\n".join("  ".join(f"{x:.6g}" for x in row) for row in table)


def test_six_columns_of_nist_are_known_without_a_heading(write: Write) -> None:
    (curve,) = load(write("a.txt", six_columns()))
    assert curve.q_unit == "1/Å"
    assert curve.resolution is not None
    assert "NIST" in curve.remarks[0].text


def test_points_in_the_shadow_of_the_beam_stop_are_left_out(write: Write) -> None:
    (curve,) = load(write("a.txt", six_columns()))
    assert curve.dropped == 1
    assert "shadow of the beam stop" in curve.remarks[-1].text


def test_a_negative_width_is_a_slit(write: Write) -> None:
    text = six_columns(width=-0.117, mean_q=-0.117, free=-0.117)
    (curve,) = load(write("a.abs", text))
    assert curve.resolution is None
    assert [r.kind for r in curve.remarks] == ["note", "slit"]
    assert "0.117" in curve.remarks[1].text


def test_a_mean_q_that_contradicts_q_voids_the_axis(write: Write) -> None:
    heading = "The 6 columns are | Q (1/A) | I(Q) (1/cm) | std. dev. I(Q) (1/cm) "
    heading += "| sigmaQ | meanQ | ShadowFactor|\n"
    (curve,) = load(write("a.abs", heading + six_columns(mean_q=5.0)))
    assert curve.remarks[0].kind == "axis"
    assert curve.intensity_unit == "1/cm"


def test_six_other_columns_are_not_taken_for_nist(write: Write) -> None:
    with pytest.raises(FormatError, match="6 columns and no line that names them"):
        load(write("a.txt", six_columns(free=7.5)))
