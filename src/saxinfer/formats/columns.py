"""Plain columns: q, intensity and, if there, its error and the width of q.

Which column is which is taken from the names above the columns; without names the
order is the one just given. The unit of q comes from the heading; a few programs
write no unit but always use the same one, and are known by their heading.

ATSAS is not among them: its .dat files may be in 1/Å or in 1/nm, as its own page on
the format says (https://biosaxs-com.github.io/atsas, file formats, dat).
"""

import re
from dataclasses import replace
from typing import Final

from saxinfer.curve import Remark
from saxinfer.formats.entry import Convention, Entry
from saxinfer.formats.error import FormatError
from saxinfer.formats.headings import Roles
from saxinfer.formats.source import Source
from saxinfer.formats.text import Block
from saxinfer.formats.text_entry import entry_from_table
from saxinfer.formats.units import PER_ANGSTROM

__all__ = ["read", "recognises"]

_CONVENTIONS: Final = (
    (r"^\s*\d+\s*\(F12\.5,\s*\d?E16\.6\)", "RKH text of ISIS (COLETTE, Mantid)"),
    (r"^GRASP V\.", "GRASP (ILL)"),
    (r"^\s*<X>\s+<Y>", "SasView, which names its columns so"),
    (r"^# SAXS profile: number of points", "FoXS"),
    (r"Dif/Atom/Shape/Bord", "CRYSOL"),
    (r"created by WAXSiS", "WAXSiS"),
    (r"^#?\s*Q\s+Intensity\s+Nb of points\s+Deviation", "pySAXS (.rgr)"),
)
_COMPUTED: Final = re.compile(
    r"^# SAXS profile: number of points|Dif/Atom/Shape/Bord|created by WAXSiS"
    r"|generated for model|^\W*simulated sample",
    re.I | re.M,
)
_SMEARED: Final = re.compile(r"(?<!de)(?<!un)smear(?:ed|ing)", re.I)
_CRYSOL: Final = re.compile(r"Dif/Atom/Shape/Bord")
_SLIT: Final = re.compile(r"resolution\b.*\bslit (?:height|length)", re.I)


def recognises(source: Source) -> bool:
    """Takes whatever is not HDF5 or XML: it is the reader of last resort."""
    return not source.is_hdf5 and not source.is_xml


def read(source: Source) -> list[Entry]:
    """Reads the tables of a text file.

    Raises:
        FormatError: If there is no table of numbers, or if it is not I(q).
    """
    tables = source.tables
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
    heading = "\n".join(table.heading)
    # CRYSOL's further columns are the parts that its intensity is made of.
    roles = Roles(0, 1, None, None) if _CRYSOL.search(heading) else None
    entry = entry_from_table(table, source.name, name, _convention(heading), roles)
    return replace(entry, remarks=(*_remarks(heading), *entry.remarks))


def _convention(heading: str) -> Convention | None:
    for pattern, writer in _CONVENTIONS:
        if re.search(pattern, heading, re.M):
            return Convention(PER_ANGSTROM, writer)
    return None


def _remarks(heading: str) -> list[Remark]:
    remarks = []
    if _COMPUTED.search(heading):
        text = "The heading says that this curve was computed, not measured."
        remarks.append(Remark(text))
    for line in heading.splitlines():
        smeared = _SMEARED.search(line) or _SLIT.search(line)
        if smeared and "pinhole" not in line.lower():
            text = f"The heading says that the curve is smeared: '{line.strip()[:90]}'."
            remarks.append(Remark(text, "slit"))
            break
    return remarks
