"""PDH, the format of PCG software and of Anton Paar's SAXSess.

Five lines stand above three columns. Line 3 holds eight whole numbers, the first of
which is the number of points; lines 4 and 5 hold five numbers each. The format's own
unit of q is 1/nm. Anton Paar writes the unit and the slit once more in an XML tail.

References:
    O. Glatter, PCG software manual, University of Graz: the PDH format.
"""

import re
from dataclasses import replace
from typing import Final

from saxinfer.curve import Remark
from saxinfer.formats.entry import Convention, Entry
from saxinfer.formats.error import FormatError
from saxinfer.formats.headings import Roles
from saxinfer.formats.source import Source
from saxinfer.formats.text import tables_of_numbers
from saxinfer.formats.text_entry import entry_from_table
from saxinfer.formats.units import PER_NM

__all__ = ["read", "recognises"]

_PDH: Final = Convention(PER_NM, "the PDH format (PCG, Anton Paar)")
_HEADER_LINES: Final = 5
_UNIT: Final = re.compile(r'<column key="X">.*?<value key="unit">([^<]+)<', re.S)
_SLIT: Final = re.compile(
    r'<parameter key="CounterSlitLength".*?<value key="value">([^<]+)<'
    r'.*?<value key="unit">([^<]+)<',
    re.S,
)


def recognises(source: Source) -> bool:
    """Takes text whose lines 3 to 5 hold eight, five and five numbers."""
    lines = source.head.decode("latin-1").replace("\r\n", "\n").split("\n")[:6]
    if source.is_hdf5 or len(lines) <= _HEADER_LINES:
        return False
    integers = re.fullmatch(r"(\s*-?\d+){8}\s*", lines[2])
    reals = all(len(line.split()) == 5 and "." in line for line in lines[3:5])
    return bool(integers) and reals


def read(source: Source) -> list[Entry]:
    """Reads the curve.

    Raises:
        FormatError: If there are fewer points than the header promises.
    """
    tail = source.text
    promised = int(source.lines[2].split()[0])
    tables = tables_of_numbers(source.lines[_HEADER_LINES:], fewest=1)
    points = sum(len(table.rows) for table in tables)
    if len(tables) != 1 or points < promised:
        raise FormatError(
            f"{source.name}: the PDH header promises {promised} points, but {points} "
            "follow; the file may have been cut short."
        )
    title = source.lines[0].strip()
    roles = Roles(0, 1, 2 if tables[0].rows.shape[1] > 2 else None, None)
    entry = entry_from_table(tables[0], source.name, title, _PDH, roles)
    unit = _UNIT.search(tail)
    unit_text = unit[1].replace("_", "") if unit else None
    remarks = (*entry.remarks, *_slit_remarks(tail))
    return [replace(entry, unit_text=unit_text, remarks=remarks)]


def _slit_remarks(tail: str) -> tuple[Remark, ...]:
    slit = _SLIT.search(tail)
    if not slit or float(slit[1]) <= 0:
        return ()
    text = (
        f"The file states a detector slit of length {float(slit[1]):.4g} "
        f"{slit[2].replace('_', '')}: the curve is slit-smeared unless it was "
        "desmeared before it was written."
    )
    return (Remark(text, "slit"),)
