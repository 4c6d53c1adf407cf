"""Files of the same laboratories that are no curve I(q): refused by what they are."""

import re
import zlib
from typing import Final

from saxinfer.formats.entry import Entry
from saxinfer.formats.error import FormatError
from saxinfer.formats.source import Source

__all__ = ["read", "recognises"]

_GZIP: Final = b"\x1f\x8b"
_REDUCE: Final = "Integrate it over the angle first, with pyFAI for example."
_BINARY: Final = (
    (b"II*\0", f"is a detector image (TIFF), not a curve. {_REDUCE}"),
    (b"MM\0*", f"is a detector image (TIFF), not a curve. {_REDUCE}"),
    (b"II+\0", f"is a detector image (TIFF), not a curve. {_REDUCE}"),
    (b"###CBF", f"is a detector image (CBF), not a curve. {_REDUCE}"),
    (b"\x89PNG", "is a picture (PNG), not a curve."),
    (b"\xff\xd8\xff", "is a picture (JPEG), not a curve."),
    (b"GIF8", "is a picture (GIF), not a curve."),
    (b"BM", "is a picture (BMP), not a curve."),
    (b"%PDF", "is a PDF document, not a curve."),
    (b"BZh", "is compressed (bzip2). Unpack it first."),
    (b"\xfd7zXZ", "is compressed (xz). Unpack it first."),
    (b"PK\x03\x04", "is a zip archive or a spreadsheet. Save the curve as text first."),
    (
        b"\xd0\xcf\x11\xe0",
        "is an old spreadsheet (.xls). Save the curve as text first.",
    ),
    (b"\x93NUMPY", "is a numpy array, whose axes are not known. Save it as text."),
    (b"\x0e\x03\x13\x01", "is HDF4, not HDF5. Convert it with h4toh5 first."),
)
_TEXT: Final = (
    (
        re.compile(r"^\s*\{\s*\n?.{0,400}?(?:EDF_|HeaderID|Dim_1\s*=)", re.S),
        f"is a detector image (EDF), not a curve. {_REDUCE}",
    ),
    (
        re.compile(r"^(?:poni_version|Poni1)\s*:", re.M),
        "is a calibration of pyFAI (.poni), not a curve.",
    ),
    (
        re.compile(r"G N O M\s+Version|####\s+G N O M"),
        "is a result of GNOM, a distance distribution P(r) with a fit, not a measured "
        "curve. Pass the .dat file that it was made from.",
    ),
    (
        re.compile(r"detector image is a standard X-Y|^Data is written by row", re.M),
        f"is a detector image in text (NIST .ASC), not a curve. {_REDUCE}",
    ),
    (
        re.compile(
            r"^\W*Data columns(?: are)? Qx\s*-\s*Qy|^\W*Qx\s*[-,\t ]\s*Qy", re.M
        ),
        f"holds a 2D map I(qx, qy), not a curve. {_REDUCE}",
    ),
    (
        re.compile(r"^SpinEchoLength", re.M),
        "holds spin-echo data (SESANS) over a length, not a curve I(q).",
    ),
    (
        re.compile(r"^#\s*#?\s*ORSO reflectivity", re.M),
        "holds a reflectivity curve (ORSO), not a scattering curve I(q).",
    ),
    (
        re.compile(r"^(?:ATOM  |HETATM)", re.M),
        "holds atomic coordinates (PDB), not a curve.",
    ),
    (
        re.compile(r"^\s*<!DOCTYPE html|^\s*<html", re.I),
        "is a web page, not a curve; a download may have failed.",
    ),
)


def recognises(source: Source) -> bool:
    """Takes whatever is known to be no curve."""
    return _what(source) is not None


def read(source: Source) -> list[Entry]:
    """Refuses the file.

    Raises:
        FormatError: Always.
    """
    raise FormatError(f"{source.name}: {_what(source)}")


def _what(source: Source) -> str | None:
    head = source.head
    if head.startswith(_GZIP):
        return _compressed(head)
    return _what_it_begins_as(head)


def _compressed(head: bytes) -> str:
    try:
        begin = zlib.decompressobj(wbits=31).decompress(head)
    except zlib.error:
        return "is damaged: it begins as gzip does, but cannot be unpacked."
    inside = _what_it_begins_as(begin)
    return f"is compressed (gzip); unpacked, it {inside or 'may be read. Unpack it.'}"


def _what_it_begins_as(head: bytes) -> str | None:
    for magic, what in _BINARY:
        if head.startswith(magic):
            return what
    text = head.decode("latin-1").replace("\r\n", "\n").replace("\r", "\n")
    return next((what for pattern, what in _TEXT if pattern.search(text)), None)
