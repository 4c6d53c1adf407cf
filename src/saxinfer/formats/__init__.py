"""File formats of scattering curves. To add one: write its file, list it here.

A reader is a module of two functions: ``recognises(source)`` looks at the content,
never at the name alone, and ``read(source)`` returns what the file says about each
of its curves. Units, unusable points and error bars are judged in one place for all.
"""

from dataclasses import replace
from pathlib import Path
from types import ModuleType
from typing import Final

from saxinfer.curve import Curve, Remark
from saxinfer.formats import (
    bift,
    bsl,
    cansas_xml,
    columns,
    foreign,
    nist,
    nxazint,
    nxcansas,
    nxdata,
    nxmonopd,
    pdh,
    pysaxs_xml,
    raw_footer,
)
from saxinfer.formats.background import subtract
from saxinfer.formats.entry import Entry
from saxinfer.formats.error import FormatError
from saxinfer.formats.source import Source
from saxinfer.formats.table import curve_from_entry
from saxinfer.formats.units import QUnit, q_unit_from_text

__all__ = ["FormatError", "load", "subtract"]

# The first that recognises a file reads it: special ones first, plain columns last.
READERS: Final[tuple[ModuleType, ...]] = (
    foreign,
    nxazint,
    nxcansas,
    nxmonopd,
    nxdata,
    cansas_xml,
    pysaxs_xml,
    bsl,
    pdh,
    bift,
    raw_footer,
    nist,
    columns,
)


def load(path: str | Path, *, q_unit: str | None = None) -> list[Curve]:
    """Reads all scattering curves of a file, whatever its format.

    Args:
        path: The file.
        q_unit: Unit of q in the file, "1/nm", "1/Å" (or "1/A") or "1/m". Needed
            where neither the file nor its format states it; overrides what they do
            state.

    Returns:
        The curves, at least one, with q in 1/nm.

    Raises:
        FormatError: If the file holds no curve that can be read.
        OSError: If the file does not exist or must not be read.
    """
    path = Path(path)
    asked = _asked_unit(q_unit)
    if path.is_dir():
        raise FormatError(f"{path.name}: is a folder, not a file. Name a file in it.")
    if path.stat().st_size == 0:
        raise FormatError(f"{path.name}: is empty.")
    source = Source(path)
    return _curves(source, _entries(source), asked)


def _asked_unit(q_unit: str | None) -> QUnit | None:
    if q_unit is None:
        return None
    unit = q_unit_from_text(q_unit)
    if unit is None:
        raise FormatError(
            f"q_unit must be 1/nm, 1/A or 1/m, but is '{q_unit}'. Pass one of these."
        )
    return unit


def _entries(source: Source) -> list[Entry]:
    """Asks the readers in turn; whatever breaks inside one becomes a FormatError."""
    try:
        for reader in READERS:
            if reader.recognises(source):
                return list(reader.read(source))
    except (FormatError, OSError):
        raise
    except (
        ArithmeticError,
        AttributeError,
        LookupError,
        RuntimeError,
        TypeError,
        ValueError,
    ) as error:
        raise FormatError(
            f"{source.name}: is damaged or not what its beginning promises "
            f"({type(error).__name__}: {' '.join(str(error).split())[:120]})."
        ) from error
    what = "HDF5 without" if source.is_hdf5 else "XML without"
    raise FormatError(
        f"{source.name}: is {what} a scattering curve in a layout that is known here "
        "(NXcanSAS, NXazint, NXmonopd, DAWN, canSAS XML, pySAXS)."
    )


def _curves(source: Source, entries: list[Entry], asked: QUnit | None) -> list[Curve]:
    """Builds the curves that can be built; raises only if there is none."""
    curves: list[Curve] = []
    refusals: list[FormatError] = []
    for entry in entries:
        try:
            curves.append(curve_from_entry(entry, source.path, len(curves), asked))
        except FormatError as refusal:
            refusals.append(refusal)
    if not curves:
        raise refusals[0] if refusals else FormatError(f"{source.name}: has no curve.")
    if refusals:
        remark = Remark(
            f"{len(refusals)} of {len(entries)} curves of the file are left out: "
            f"{str(refusals[0]).removeprefix(source.name + ': ')}"
        )
        curves[0] = replace(curves[0], remarks=(*curves[0].remarks, remark))
    return curves
