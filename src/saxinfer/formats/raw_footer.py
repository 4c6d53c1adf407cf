"""BioXTAS RAW: three columns and a JSON footer that tells how they were made.

RAW works in 1/Å. The footer holds two accounts of the experiment: what the detector
wrote into its image (``imageHeader``), and the configuration that RAW integrated with
(``calibration_params``). Where they contradict one another, the q axis is not to be
trusted, and the remark says so.

References:
    J. B. Hopkins, R. E. Gillilan, S. Skou, J. Appl. Cryst. 50 (2017) 1545.
"""

import json
import re
from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Final

from saxinfer.curve import Remark
from saxinfer.formats.entry import Convention, Entry
from saxinfer.formats.error import FormatError
from saxinfer.formats.headings import q_unit_text_of
from saxinfer.formats.source import Source
from saxinfer.formats.text import tables_of_numbers
from saxinfer.formats.text_entry import entry_from_table
from saxinfer.formats.units import PER_ANGSTROM

__all__ = ["read", "recognises"]

_RAW: Final = Convention(PER_ANGSTROM, "BioXTAS RAW")
_FOOTER: Final = "### HEADER:"

# Distances and wavelengths agree within this, beam centres within so many pixels.
_TOLERANCE: Final = 0.05
_CENTRE_TOLERANCE: Final = 10.0


def recognises(source: Source) -> bool:
    """Takes text with RAW's mark above the data or above the footer."""
    if source.is_hdf5 or b"\0" in source.head:
        return False
    return source.head.lstrip().startswith(b"### DATA:") or (
        not source.is_xml
        and f"\n{_FOOTER}" in source.text
        and "# BIFT" not in source.text
    )


def read(source: Source) -> list[Entry]:
    """Reads the curve and weighs its footer.

    Raises:
        FormatError: If there are no data.
    """
    data, _, footer = source.text.partition(_FOOTER)
    tables = tables_of_numbers(data.split("\n"))
    if not tables:
        raise FormatError(f"{source.name}: has RAW's heading but no rows of numbers.")
    entry = entry_from_table(tables[0], source.name, convention=_RAW)
    settings, remarks = _settings(footer)
    comment = str(_part(settings, "counters").get("comment", ""))
    unit_text = entry.unit_text or q_unit_text_of(tuple(comment.splitlines()))
    remarks += _axis_remarks(settings)
    return [replace(entry, unit_text=unit_text, remarks=(*entry.remarks, *remarks))]


def _settings(footer: str) -> tuple[Mapping[str, Any], list[Remark]]:
    text = "\n".join(line.lstrip().removeprefix("#") for line in footer.splitlines())
    if not text.strip():
        return {}, []
    try:
        settings = json.loads(text, strict=False)
    except ValueError:
        return {}, [
            Remark("The footer of the file is broken and could not be weighed.")
        ]
    return (settings if isinstance(settings, dict) else {}), []


def _part(settings: Mapping[str, Any], key: str) -> Mapping[str, Any]:
    part = settings.get(key)
    return part if isinstance(part, dict) else {}


def _axis_remarks(settings: Mapping[str, Any]) -> list[Remark]:
    """Compares the geometry in the image with the one that was integrated with."""
    image = _image_geometry(_part(settings, "imageHeader"))
    used = _part(settings, "calibration_params")
    conflicts = []
    for what, key, unit, tolerance in (
        ("distance", "Sample-to-detector distance (mm)", "mm", _TOLERANCE),
        ("wavelength", "Wavelength (A)", "Å", _TOLERANCE),
        ("beam centre x", "Beam_Center_X", "pixels", None),
        ("beam centre y", "Beam_Center_Y", "pixels", None),
    ):
        stated, taken = image.get(what), _first_number(used.get(key))
        if stated is None or taken is None:
            continue
        allowed = _CENTRE_TOLERANCE if tolerance is None else tolerance * stated
        if abs(stated - taken) > allowed:
            conflicts.append(f"{what} {stated:g} against {taken:g} {unit}")
    if not conflicts:
        return []
    text = (
        "The q axis cannot be trusted: the image header of the file contradicts the "
        f"settings that RAW integrated with ({'; '.join(conflicts)})."
    )
    return [Remark(text, "axis")]


def _image_geometry(header: Mapping[str, Any]) -> dict[str, float]:
    """Returns the geometry that the detector wrote, in mm, Å and pixels.

    Bruker frames write it under CENTER, DISTANC [cm] and WAVELEN; Pilatus headers
    under Beam_xy, Detector_distance and Wavelength. Many beamlines never fill in the
    latter: a beam centre of (0, 0) says that nothing there is meant.
    """
    centre = _all_numbers(header.get("CENTER"))
    distance = _first_number(header.get("DISTANC"))
    wavelength = _first_number(header.get("WAVELEN"))
    if distance is not None:
        distance *= 10  # cm to mm
    if len(centre) < 2:
        centre = _all_numbers(header.get("Beam_xy"))
        distance = _first_number(header.get("Detector_distance"))
        wavelength = _first_number(header.get("Wavelength"))
        if distance is not None:
            distance *= 1000  # m to mm
    if len(centre) < 2 or centre[:2] == [0, 0]:
        return {}
    geometry = {
        "beam centre x": centre[0],
        "beam centre y": centre[1],
        "distance": distance,
        "wavelength": wavelength,
    }
    return {key: value for key, value in geometry.items() if value}


def _all_numbers(value: object) -> list[float]:
    found = re.findall(r"[-+]?\d+\.?\d*(?:[eE][-+]?\d+)?", str(value or ""))
    return [float(number) for number in found]


def _first_number(value: object) -> float | None:
    numbers = _all_numbers(value)
    return numbers[0] if numbers else None
