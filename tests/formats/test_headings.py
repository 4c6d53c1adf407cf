"""Mirrors src/saxinfer/formats/headings.py."""

import re

import pytest

from saxinfer.formats.headings import (
    Roles,
    column_names,
    foreign_quantity,
    intensity_unit_of,
    q_unit_text_of,
    roles_of,
)
from saxinfer.formats.units import PER_ANGSTROM, PER_NM, q_unit_from_text


@pytest.mark.parametrize(
    ("line", "unit"),
    [
        ("# q[1/A] I[a.u.]", PER_ANGSTROM),
        ("#q*Aangstroem\tI*cm*sr\tstddev*cm*sr", PER_ANGSTROM),
        ("q(A-1)              I(q)Sub_xxxx         Sig(q)", PER_ANGSTROM),
        ("Q (A-1), I0(80_1.004),I0(err), Bin_Factor", PER_ANGSTROM),
        ("q Å-1\tI(q) cm-1\tSig cm-1", PER_ANGSTROM),
        ("The 6 columns are | Q (1/A) | I(Q) (1/cm) | std. dev.", PER_ANGSTROM),
        ("# q [1/Angstrom], dSigma/dOmega [1/cm/sr]", PER_ANGSTROM),
        ("q[nm-1]\tI(q)[sr-1]_water\terror", PER_NM),
        ("#       q_nm^-1             I            sigma", PER_NM),
        ("# Q (nm$^{-1}$)  I", None),
        ("scattering vector (1/nm), intensity", PER_NM),
        ("q / nm^-1 ; I / cm^-1", PER_NM),
        ("# 255 nm spheres, 1/10 dilution, I in 1/cm", None),
        ("q,I,sigma_I", None),
        ("Q (inverse nanometres)", PER_NM),
        ("# wavelength 1 A, q in nm^-1", PER_NM),
        ("# q [1/A] converted to q [1/nm]", None),
    ],
)
def test_the_unit_of_q_is_found_in_the_heading(line: str, unit: object) -> None:
    text = q_unit_text_of((line,))
    assert (q_unit_from_text(text) if text else None) == unit


def test_a_line_of_units_may_stand_below_the_line_of_names() -> None:
    heading = ("Q I IErr", "nm⁻¹ m⁻¹ m⁻¹")
    assert q_unit_from_text(q_unit_text_of(heading) or "") == PER_NM
    assert column_names(heading, 3) == ["Q", "I", "IErr"]


def test_a_number_of_pixels_is_no_error() -> None:
    names = column_names(("#Q\tIntensity\tNb of points\tDeviation",), 4)
    assert roles_of(names, 4) == Roles(0, 1, 3, None)


def test_sigma_of_q_is_a_width_and_sigma_in_q_is_an_error() -> None:
    assert roles_of(["Q", "I(Q)", "sigma(q)", "sigmaQ"], 4) == Roles(0, 1, 2, 3)
    assert roles_of(["Mod_Q", "I", "Err_I", "Sigma_Q"], 4) == Roles(0, 1, 2, 3)


def test_five_columns_without_names_cannot_be_told_apart() -> None:
    assert roles_of(None, 5) is None
    assert roles_of(None, 4) == Roles(0, 1, 2, 3)


@pytest.mark.parametrize(
    ("names", "what"),
    [
        (["q", "|F(q)|", "deltaF"], "form-factor"),
        (["SizesDistDiameter_0", "SizesNumberDistribution_0"], "size distribution"),
        (["xMean", "xWidth", "yMean"], "size distribution"),
        (["R", "P(R)", "Error"], "P\\(r\\)"),
        (["energy", "mu"], "over 'energy'"),
        (["2Theta", "I"], "over '2Theta'"),
        (["Qx", "Qy", "I"], "2D map"),
    ],
)
def test_columns_that_are_no_curve_are_named(names: list[str], what: str) -> None:
    assert re.search(what, foreign_quantity(names) or "")


@pytest.mark.parametrize("names", [["q", "I", "sigma"], ["A", "B", "C"], ["X", "Y"]])
def test_a_curve_is_not_taken_for_something_else(names: list[str]) -> None:
    assert foreign_quantity(names) is None


@pytest.mark.parametrize(
    ("line", "unit"),
    [
        ("q[nm-1]\tI(q)[sr-1]_Luiz\terror", "sr-1"),
        ("q Å-1\tI(q) cm-1\tSig cm-1", "cm-1"),
        ("# q[1/A] I[1/cm]", "1/cm"),
        ("Intensity units are:  cm-1", "cm-1"),
        ("# q [1/Angstrom], dSigma/dOmega [1/cm/sr]", "1/cm/sr"),
        ("q,I,sigma_I", "a.u."),
    ],
)
def test_the_unit_of_the_intensity_is_as_in_the_file(line: str, unit: str) -> None:
    assert intensity_unit_of((line,), None) == unit


def test_columns_in_another_order_are_found_by_name() -> None:
    assert roles_of(["I", "q", "err"], 3) == Roles(1, 0, 2, None)
    assert roles_of(["", "q", "I", "sigma"], 4) == Roles(1, 2, 3, None)
    assert roles_of(["q", "error", "Intensity"], 3) == Roles(0, 2, 1, None)


def test_the_row_numbers_of_a_spreadsheet_need_no_name() -> None:
    assert column_names((",q,I,sigma",), 4) == ["", "q", "I", "sigma"]


@pytest.mark.parametrize(
    "names", [["q^2", "ln(I)"], ["log q", "log I"], ["q", "ln(I)"]]
)
def test_a_guinier_plot_is_no_curve(names: list[str]) -> None:
    assert foreign_quantity(names) is not None
