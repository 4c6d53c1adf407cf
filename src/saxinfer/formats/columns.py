"""Plain columns: q, intensity and, if there, its error and the width of q.

Which column is which is taken from the names above the columns; without names the
order is the one just given. The unit of q comes from the heading; a few programs
write no unit but always use the same one, and are known by their heading.
"""

import re
from typing import Final

import numpy as np
from jaxtyping import Float64

from saxinfer.curve import Remark
from saxinfer.formats.entry import Convention, Entry
from saxinfer.formats.error import FormatError
from saxinfer.formats.headings import (
    Roles,
    column_names,
    foreign_quantity,
    intensity_unit_of,
    q_unit_text_of,
    roles_of,
)
from saxinfer.formats.source import Source
from saxinfer.formats.text import Block, tables_of_numbers
from saxinfer.formats.units import PER_ANGSTROM

__all__ = ["read", "recognises"]

_CONVENTIONS: Final = (
    (r"^\s*\d+\s*\(F12\.5,\s*\d?E16\.6\)", "RKH text of ISIS (COLETTE, Mantid)"),
    (r"^GRASP V\.", "GRASP (ILL)"),
    (r"^\s*<X>\s+<Y>", "SasView, which names its columns so"),
    (r"^# SAXS profile: number of points", "FoXS"),
    (r"Dif/Atom/Shape/Bord", "CRYSOL"),
    (r"created by WAXSiS", "WAXSiS"),
    (r"^#?\s*Q\tIntensity\tNb of points\tDeviation", "pySAXS (.rgr)"),
)
_COMPUTED: Final = re.compile(
    r"^# SAXS profile: number of points|Dif/Atom/Shape/Bord|created by WAXSiS"
    r"|generated for model|^\W*simulated sample",
    re.I | re.M,
)
_SMEARED: Final = re.compile(r"(?<!de)(?<!un)smear(?:ed|ing)", re.I)
_CRYSOL: Final = re.compile(r"Dif/Atom/Shape/Bord")
_ANGLE: Final = re.compile(r"(?:2|two)[-_ ]?th(?:eta)?|tth", re.I)


def recognises(source: Source) -> bool:
    """Takes whatever is not HDF5 or XML: it is the reader of last resort."""
    return not source.is_hdf5 and not source.is_xml


def read(source: Source) -> list[Entry]:
    """Reads the tables of a text file.

    Raises:
        FormatError: If there is no table of numbers, or if it is not I(q).
    """
    tables = tables_of_numbers(source.lines)
    if not tables or max(len(table.rows) for table in tables) < 2:
        raise FormatError(f"{source.name}: {_what_the_text_is(source)}.")
    several = len(tables) > 1
    return [
        _entry(source, table, f"{source.path.stem} {number}" if several else "")
        for number, table in enumerate(tables, 1)
    ]


def _what_the_text_is(source: Source) -> str:
    lines = [line for line in source.lines if line.strip()]
    if not lines:
        return "is empty"
    pairs = sum(bool(re.match(r"\s*[\w .-]+:(?:\s|$)", line)) for line in lines)
    if pairs > 0.4 * len(lines):
        return "holds metadata ('key: value' lines), not a scattering curve"
    if sum(line.count(",") > 0 for line in lines) > 0.8 * len(lines):
        return "is a table of names and values (parameters), not a scattering curve"
    return "is text without columns of numbers, not a scattering curve"


def _entry(source: Source, table: Block, name: str) -> Entry:
    count = table.rows.shape[1]
    heading = "\n".join(table.heading)
    names = column_names(table.heading, count)
    what = foreign_quantity(names)
    if what and _ANGLE.match((names or [""])[0]):
        what = f"a curve over the angle '{(names or [''])[0]}' without a wavelength"
    if what:
        raise FormatError(f"{source.name}: holds {what}, not a scattering curve I(q).")
    roles = Roles(0, 1, None, None) if _CRYSOL.search(heading) else None
    roles = roles or roles_of(names, count)
    if roles is None:
        raise FormatError(f"{source.name}: {_too_many(table)}.")
    remarks = [*_remarks_on_text(heading), *_remarks_on_columns(names, roles, table)]
    if table.lost:
        text = f"{table.lost} rows with missing or additional columns are left out."
        remarks.append(Remark(text))
    return Entry(
        q=_column(table, roles.q),
        intensity=_column(table, roles.intensity),
        sigma=_sigma(table, roles, remarks),
        resolution=_optional(table, roles.resolution),
        name=name,
        unit_text=q_unit_text_of(table.heading),
        convention=_convention(heading),
        intensity_unit=intensity_unit_of(table.heading, names),
        dropped=table.lost,
        remarks=tuple(remarks),
    )


def _column(table: Block, index: int) -> Float64[np.ndarray, "q"]:
    return np.ascontiguousarray(table.rows[:, index])


def _optional(table: Block, index: int | None) -> Float64[np.ndarray, "q"] | None:
    return None if index is None else _column(table, index)


def _sigma(
    table: Block, roles: Roles, remarks: list[Remark]
) -> Float64[np.ndarray, "q"] | None:
    """Returns the error column, unless it counts something."""
    sigma = _optional(table, roles.sigma)
    if sigma is None:
        return None
    intensity = _column(table, roles.intensity)
    finite = sigma[np.isfinite(sigma)]
    whole = np.array_equal(finite, np.round(finite)) and len(np.unique(finite)) > 2
    measured = intensity[np.isfinite(intensity)]
    if whole and not np.array_equal(measured, np.round(measured)):
        text = (
            "The third column holds whole numbers, as a number of pixels does, and is "
            "not taken for error bars."
        )
        remarks.append(Remark(text, "sigma"))
        return None
    return sigma


def _too_many(table: Block) -> str:
    rows, count = table.rows.shape
    if count >= 20:
        return (
            f"is a matrix of {rows} x {count} numbers (a 2D map or a series), not one "
            "curve; reduce it to q, I and sigma first"
        )
    return (
        f"has {count} columns and no line that names them, so intensity and error "
        "cannot be told apart; keep q, I and sigma, or add a line of names"
    )


def _convention(heading: str) -> Convention | None:
    for pattern, writer in _CONVENTIONS:
        if re.search(pattern, heading, re.M):
            return Convention(PER_ANGSTROM, writer)
    return None


def _remarks_on_text(heading: str) -> list[Remark]:
    remarks = []
    if _COMPUTED.search(heading):
        text = "The heading says that this curve was computed, not measured."
        remarks.append(Remark(text))
    for line in heading.splitlines():
        if _SMEARED.search(line) and "pinhole" not in line.lower():
            text = f"The heading says that the curve is smeared: '{line.strip()[:90]}'."
            remarks.append(Remark(text, "slit"))
            break
    return remarks


def _remarks_on_columns(
    names: list[str] | None, roles: Roles, table: Block
) -> list[Remark]:
    used = {roles.q, roles.intensity, roles.sigma, roles.resolution}
    unused = [i for i in range(table.rows.shape[1]) if i not in used]
    if not unused:
        return []
    if names is None:
        text = f"Columns {', '.join(str(i + 1) for i in unused)} are not used."
    else:
        text = f"Columns not used: {', '.join(names[i] for i in unused)}."
    return [Remark(text)]
