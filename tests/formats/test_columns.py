"""Mirrors src/saxinfer/formats/columns.py."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from jaxtyping import Float64

from saxinfer.formats import FormatError, load

Numbers = Float64[np.ndarray, "q"]
Write = Callable[[str, str | bytes], Path]


def rows(*columns: Numbers, separator: str = " ") -> str:
    table = np.column_stack(columns)
    return "\n".join(separator.join(repr(float(x)) for x in row) for row in table)


def test_three_columns_with_a_unit_are_a_curve(
    write: Write, q: Numbers, intensity: Numbers
) -> None:
    path = write("a.dat", "# q[1/A] I[1/cm] sigma\n" + rows(q, intensity, intensity))
    (curve,) = load(path)
    assert curve.q.numpy() == pytest.approx(10 * q)
    assert curve.intensity.numpy() == pytest.approx(intensity)
    assert (curve.intensity_unit, curve.q_unit, curve.file) == (
        "1/cm",
        "1/Å",
        str(path),
    )


def test_columns_without_a_unit_are_refused_unless_it_is_given(
    write: Write, q: Numbers, intensity: Numbers
) -> None:
    path = write("a.dat", rows(q, intensity))
    with pytest.raises(FormatError, match=r"^a\.dat: the unit of q .* --q-unit"):
        load(path)
    (curve,) = load(path, q_unit="1/nm")
    assert curve.q.numpy() == pytest.approx(q)
    assert [remark.kind for remark in curve.remarks] == ["note", "sigma"]


@pytest.mark.parametrize(
    ("heading", "writer"),
    [
        ("GRASP V.6.28    Instrument:  ILL_d22\nMod_Q   \tI\tErr_I", "GRASP"),
        (" LOQ run\n title\n 40 0 0 0 1 40 0\n 0 0 0 0\n 3 (F12.5,2E16.6)", "ISIS"),
        ("<X>   <Y>   <dY>", "SasView"),
        ("# SAXS profile: number of points = 40", "FoXS"),
    ],
)
def test_a_program_that_always_uses_one_unit_is_known_by_its_heading(
    write: Write, q: Numbers, intensity: Numbers, heading: str, writer: str
) -> None:
    path = write("a.dat", f"{heading}\n" + rows(q, intensity, intensity / 50))
    (curve,) = load(path)
    assert curve.q.numpy() == pytest.approx(10 * q)
    assert f"by the convention of {writer}" in curve.remarks[0].text.replace(
        "RKH text of ", ""
    )


def test_a_heading_of_atsas_does_not_fix_the_unit(
    write: Write, q: Numbers, intensity: Numbers
) -> None:
    heading = (
        "Sample description: b'Au'\nSample: b'Au'  c= 0 mg/ml  Code: \nParent(s): a\n"
    )
    with pytest.raises(FormatError, match="unit of q"):
        load(write("a.dat", heading + rows(q, intensity, intensity)))


def test_a_smeared_curve_is_called_so_and_a_desmeared_one_is_not(
    write: Write, q: Numbers, intensity: Numbers
) -> None:
    table = rows(q, intensity, intensity / 50)
    (smeared,) = load(write("a.dat", f"# slit-smeared: Q[1/A],I,Idev\n{table}"))
    (desmeared,) = load(write("b.dat", f"# desmeared: Q[1/A],I,Idev\n{table}"))
    assert [remark.kind for remark in smeared.remarks] == ["slit"]
    assert desmeared.remarks == ()


def test_a_series_in_one_file_gives_several_curves(
    write: Write, q: Numbers, intensity: Numbers
) -> None:
    block = "# q[1/nm] I sigma\n" + rows(q, intensity, intensity / 50)
    curves = load(write("series.dat", f"{block}\n{block}\n{block}"))
    assert [curve.name for curve in curves] == ["series 1", "series 2", "series 3"]
    assert [curve.entry for curve in curves] == [0, 1, 2]


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("", "is empty"),
        ("\n\n \n", "is empty"),
        ("name: a\nsample: b\ntemperature: 3\n", "metadata"),
        ("Shape,ellipsoid,,\nMin D,25,,\nMax D,100,,\n", "table of names and values"),
        ("one two\nthree four\nfive six\n", "text without columns"),
        ("1\n2\n3\n", "text without columns"),
        ("energy[keV] mu\n" + "\n".join(f"{i} 1" for i in range(20)), "over 'energy"),
        ("a.chi\n2-Theta Angle (Degrees)\nIntensity\n 20\n" + "1 2\n" * 20, "angle"),
        ("2Theta I\n" + "\n".join(f"{i} 1" for i in range(20)), "angle"),
        ("\n".join(" ".join("123456") for _ in range(20)), "6 columns"),
        ("\n".join(",".join(["1.5"] * 90) for _ in range(40)), "matrix of 40 x 90"),
    ],
)
def test_text_that_is_no_curve_is_refused_by_what_it_is(
    write: Write, text: str, what: str
) -> None:
    with pytest.raises(FormatError, match=rf"^a\.csv: .*{what}"):
        load(write("a.csv", text), q_unit="1/nm")


def test_whole_numbers_in_the_third_column_are_no_errors(
    write: Write, q: Numbers, intensity: Numbers
) -> None:
    (curve,) = load(
        write("a.dat", "# q[1/nm]\n" + rows(q, intensity, np.arange(40.0) + 3))
    )
    assert curve.sigma is None
    assert curve.remarks[0].kind == "sigma"


def test_a_map_over_qx_and_qy_without_a_heading_is_refused(write: Write) -> None:
    axis = np.linspace(-0.1, 0.1, 30)
    qx, qy = np.meshgrid(axis, axis)
    table = rows(qx.ravel() + 1e-6 * qy.ravel(), qy.ravel(), np.exp(-qx.ravel()))
    with pytest.raises(FormatError, match="2D map"):
        load(write("a.dat", table), q_unit="1/A")
