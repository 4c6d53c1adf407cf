"""NIST text of six columns (.ABS): q, I, sigma, width of q, mean q, shadow factor.

A negative fourth column is the mark of the USANS instrument: minus the slit height.
The shadow factor is the part of the detector that the beam stop leaves free.

References:
    S. R. Kline, J. Appl. Cryst. 39 (2006) 895: reduction and analysis with Igor Pro.
"""

import re
from dataclasses import replace
from typing import Final

import numpy as np
from jaxtyping import Float64

from saxinfer.curve import Remark
from saxinfer.formats.entry import Convention, Entry
from saxinfer.formats.headings import Roles
from saxinfer.formats.source import Source
from saxinfer.formats.text import Block
from saxinfer.formats.text_entry import entry_from_table
from saxinfer.formats.units import PER_ANGSTROM

__all__ = ["read", "recognises"]

_NIST: Final = Convention(PER_ANGSTROM, "NIST's six columns")
_LEAST_FREE: Final = 0.95  # below it, the beam stop shadows the point


def recognises(source: Source) -> bool:
    """Takes six columns of which the last two are a mean q and a shadow factor."""
    if source.is_hdf5 or source.is_xml or b"\0" in source.head:
        return False
    tables = source.tables
    return bool(tables) and all(_is_six_columns(table) for table in tables)


def _is_six_columns(table: Block) -> bool:
    if table.rows.shape[1] != 6 or not np.isfinite(table.rows).any(axis=1).all():
        return False
    q, _, _, width, mean_q, free = table.rows.T
    if _names_them(table):
        return True
    if (width < 0).all() and (mean_q == width).all() and (free == width).all():
        return True
    whole = free > _LEAST_FREE
    return bool(
        ((free >= 0) & (free <= 1.0001)).all()
        and whole.mean() > 0.2
        and (np.abs(mean_q - q)[whole] < 0.2 * np.abs(q)[whole]).mean() > 0.9
    )


def _names_them(table: Block) -> bool:
    return any(re.search(r"sigmaQ.*meanQ.*Shadow", line) for line in table.heading)


def read(source: Source) -> list[Entry]:
    """Reads the table."""
    return [_entry(source, table) for table in source.tables]


def _entry(source: Source, table: Block) -> Entry:
    roles = Roles(q=0, intensity=1, sigma=2, resolution=3)
    entry = entry_from_table(table, source.name, _label(table), _NIST, roles)
    # Mean q and shadow factor are used here, so nothing is said about them.
    remarks = [r for r in entry.remarks if not r.text.startswith("Columns that")]
    _, _, _, width, mean_q, free = table.rows.T
    if (width < 0).mean() > 0.5:
        text = (
            "The curve is slit-smeared (USANS): slit height "
            f"{-float(np.median(width)):g} in the unit of q."
        )
        remarks.append(Remark(text, "slit"))
        return replace(entry, resolution=None, remarks=tuple(remarks))
    shadowed = free < _LEAST_FREE
    if _contradicts(entry.q[~shadowed], mean_q[~shadowed]):
        text = "The columns of q and of mean q contradict one another."
        remarks.append(Remark(text, "axis"))
    return replace(
        entry,
        masked=shadowed,
        masked_because="in the shadow of the beam stop",
        remarks=tuple(remarks),
    )


def _contradicts(q: Float64[np.ndarray, "q"], mean_q: Float64[np.ndarray, "q"]) -> bool:
    return bool(len(q)) and bool((np.abs(mean_q - q) > 0.5 * q).mean() > 0.1)


def _label(table: Block) -> str:
    labels = [line for line in table.heading if line.startswith("LABEL:")]
    return labels[0].removeprefix("LABEL:").strip() if labels else ""
