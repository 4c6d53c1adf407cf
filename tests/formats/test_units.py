"""Mirrors src/saxinfer/formats/units.py."""

import math

import numpy as np
import pytest

from saxinfer.formats.units import (
    PER_ANGSTROM,
    PER_METRE,
    PER_NM,
    q_from_two_theta,
    q_unit_from_text,
)

SPELLINGS = {
    PER_ANGSTROM: "1/A A-1 A^-1 Å⁻¹ Å^-1 1/Å 1/Ang Ang^-1 1/angstrom 1/Angstrom "
    "angstrom^-1 Angstroms^-1 A^{-1} /A inv_A invA per_angstrom [A^-1] (1/A) A**-1 "
    "1/aangstroem ANGSTROM-1 Å-1 1/Ångström",
    PER_NM: "1/nm nm-1 nm^-1 nm⁻¹ nm^{-1} n_m^-1 1/nanometer (nm^-1) /nm nm**-1 inv.nm",
    PER_METRE: "1/m m^-1 m⁻¹ 1/metre",
}


@pytest.mark.parametrize(
    ("text", "unit"),
    [(text, unit) for unit, texts in SPELLINGS.items() for text in texts.split()],
)
def test_a_unit_is_known_in_all_its_spellings(text: str, unit: object) -> None:
    assert q_unit_from_text(text) == unit


@pytest.mark.parametrize(
    "text", ["", "nm", "A", "degrees", "1/cm", "cm-1", "2th_deg", "mm^-1", "1/s", "-1"]
)
def test_what_is_no_unit_of_q_is_none(text: str) -> None:
    assert q_unit_from_text(text) is None


def test_one_per_angstrom_is_ten_per_nanometre() -> None:
    assert PER_ANGSTROM.in_per_nm == 10 * PER_NM.in_per_nm
    assert PER_METRE.in_per_nm == 1e-9


def test_backscattering_gives_four_pi_over_the_wavelength() -> None:
    q = q_from_two_theta(np.array([math.pi]), 0.1)
    assert q[0] == pytest.approx(4 * math.pi / 0.1)
