"""Mirrors src/saxinfer/formats/pdh.py."""

from collections.abc import Callable
from pathlib import Path

import pytest

from saxinfer.formats import FormatError, load

Write = Callable[[str, str | bytes], Path]

HEADER = """Lysozyme 10 mg/ml
SAXS BOX
{points}         0         0         0         0         0         0         0
  0.000000E+00   2.612000E+02   0.000000E+00   1.000000E+00   1.542000E-01
  0.000000E+00   0.000000E+00   0.000000E+00   0.000000E+00   0.000000E+00
"""
ROWS = "\n".join(f"{0.1 * i:.6E} {1 / i:.6E} {0.01:.6E}" for i in range(1, 21))
SLIT = """<fileinfo><column key="X"><value key="unit">n_m^-1</value></column>
<parameter key="CounterSlitLength"><value key="value">5.5</value>
<value key="unit">n_m^-1</value></parameter></fileinfo>"""


def test_the_q_of_a_pdh_file_is_in_inverse_nanometres(write: Write) -> None:
    (curve,) = load(write("a.pdh", HEADER.format(points=20) + ROWS))
    assert curve.q[-1].item() == pytest.approx(2.0)
    assert curve.name == "Lysozyme 10 mg/ml"
    assert "convention of the PDH format" in curve.remarks[0].text


def test_a_slit_in_the_tail_is_told(write: Write) -> None:
    (curve,) = load(write("a.pdh", f"{HEADER.format(points=20)}{ROWS}\n{SLIT}"))
    assert [r.kind for r in curve.remarks] == ["slit"]
    assert "5.5 nm^-1" in curve.remarks[0].text


def test_fewer_points_than_promised_are_refused(write: Write) -> None:
    with pytest.raises(FormatError, match="promises 30 points, but 20"):
        load(write("a.pdh", HEADER.format(points=30) + ROWS))


def test_the_measured_files_span_what_their_instrument_reaches(
    measured: Callable[[str], Path],
) -> None:
    (curve,) = load(measured("Anton-Paar.pdh"))
    assert (curve.q[0].item(), curve.q[-1].item()) == pytest.approx(
        (0.06604, 4.502), 1e-3
    )
