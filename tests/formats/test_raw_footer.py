"""Mirrors src/saxinfer/formats/raw_footer.py."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from saxinfer.formats import FormatError, load

Write = Callable[[str, str | bytes], Path]
USED = {
    "Beam_Center_X": 512.0,
    "Beam_Center_Y": 512.0,
    "Sample-to-detector distance (mm)": 1000,
    "Wavelength (A)": 1.0,
}


def raw(**footer: Any) -> str:
    rows = "\n".join(f"{0.01 * i:.8E} {1 / i:.8E} {0.01:.8E}" for i in range(1, 21))
    text = json.dumps(footer, indent=4)
    lines = "\n".join(f"#{line}" for line in text.splitlines())
    heading = "### DATA:\n#\n# 20\n#      Q             I(Q)           Error"
    return f"{heading}\n{rows}\n\n\n### HEADER:\n#\n{lines}\n\n"


def kinds(text: str, write: Write) -> list[str]:
    (curve,) = load(write("a.dat", text))
    return [remark.kind for remark in curve.remarks]


def test_raw_works_in_inverse_angstrom(write: Write) -> None:
    (curve,) = load(write("a.dat", raw()))
    assert curve.q[-1].item() == pytest.approx(2.0)
    assert "BioXTAS RAW" in curve.remarks[0].text


def test_a_bruker_image_that_contradicts_the_settings_voids_the_axis(
    write: Write,
) -> None:
    image = {"CENTER": "1024.0 1021.5", "DISTANC": "107.05", "WAVELEN": "1.5418 1.54"}
    (curve,) = load(write("a.dat", raw(calibration_params=USED, imageHeader=image)))
    assert [remark.kind for remark in curve.remarks] == ["note", "axis"]
    assert "distance 1070.5 against 1000 mm" in curve.remarks[1].text


def test_an_image_that_agrees_with_the_settings_is_silent(write: Write) -> None:
    image = {"CENTER": "512.0 513.0", "DISTANC": "100.5", "WAVELEN": "1.001"}
    text = raw(calibration_params=USED, imageHeader=image)
    assert kinds(text, write) == ["note"]


def test_a_pilatus_header_that_was_never_filled_in_says_nothing(write: Write) -> None:
    image = {"Beam_xy": "(0.00, 0.00) pixels", "Detector_distance": "3.00000 m"}
    text = raw(calibration_params=USED, imageHeader=image)
    assert kinds(text, write) == ["note"]


def test_a_pilatus_header_that_contradicts_voids_the_axis(write: Write) -> None:
    image = {"Beam_xy": "(90.5, 200.0) pixels", "Detector_distance": "3.00000 m"}
    text = raw(calibration_params=USED, imageHeader=image)
    assert kinds(text, write) == ["note", "axis"]


def test_a_broken_footer_is_told_and_the_data_are_read(write: Write) -> None:
    text = raw(calibration_params=USED)
    assert kinds(text[: text.index("Wavelength")], write) == ["note", "note"]


def test_a_unit_in_the_comment_goes_before_the_convention(write: Write) -> None:
    text = raw(counters={"comment": "# I(Q)\n#Q (1/nm)  I (1/cm)"})
    (curve,) = load(write("a.dat", text))
    assert curve.q_unit == "1/nm"


def test_raw_without_rows_is_refused(write: Write) -> None:
    with pytest.raises(FormatError, match="no rows of numbers"):
        load(write("a.dat", "### DATA:\n#\n# 0\n"))


def test_the_aerogel_integrated_with_default_settings_is_not_trusted(
    measured: Callable[[str], Path],
) -> None:
    (curve,) = load(measured("Aerogel1_2_60s_107cm_01_unwarped.dat"))
    assert "axis" in {remark.kind for remark in curve.remarks}
