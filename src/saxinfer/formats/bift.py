"""RAW's BIFT output (.ift): P(r), then the curve it was made from, then a fit.

Only the measured curve is read; the distance distribution is no scattering curve.
"""

from dataclasses import replace
from typing import Final

from saxinfer.curve import Remark
from saxinfer.formats.entry import Convention, Entry
from saxinfer.formats.error import FormatError
from saxinfer.formats.headings import column_names
from saxinfer.formats.source import Source
from saxinfer.formats.text import Block, blocks_of_numbers
from saxinfer.formats.text_entry import entry_from_table
from saxinfer.formats.units import PER_ANGSTROM

__all__ = ["read", "recognises"]

_RAW: Final = Convention(PER_ANGSTROM, "BioXTAS RAW")


def recognises(source: Source) -> bool:
    """Takes text that begins with BIFT's mark."""
    return source.head.lstrip().startswith(b"# BIFT")


def read(source: Source) -> list[Entry]:
    """Reads the block of columns Q, I(Q), Error.

    Raises:
        FormatError: If there is no such block.
    """
    blocks = [b for b in blocks_of_numbers(source.lines) if _is_measured(b)]
    if not blocks:
        raise FormatError(
            f"{source.name}: holds a distance distribution P(r) (BIFT) without the "
            "measured curve. Pass the .dat file that it was made from."
        )
    entry = entry_from_table(blocks[0], source.name, convention=_RAW)
    text = (
        "Read from a BIFT result: the measured curve in it, not P(r) and not the fit."
    )
    return [replace(entry, remarks=(Remark(text), *entry.remarks))]


def _is_measured(block: Block) -> bool:
    names = column_names(block.heading, block.rows.shape[1])
    return names is not None and names[:3] == ["Q", "I(Q)", "Error"]
