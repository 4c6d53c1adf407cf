"""pySAXS data sets in XML: each ``data`` element is a curve, its arrays comma lists.

References:
    O. Taché, pySAXS (CEA, LIONS): its scattering vectors are in 1/Å throughout.
"""

from typing import Final
from xml.etree import ElementTree

import numpy as np
from jaxtyping import Float64

from saxinfer.formats.entry import Convention, Entry
from saxinfer.formats.error import FormatError
from saxinfer.formats.source import Source
from saxinfer.formats.units import PER_ANGSTROM

__all__ = ["read", "recognises"]

_PYSAXS: Final = Convention(PER_ANGSTROM, "pySAXS")


def recognises(source: Source) -> bool:
    """Takes XML whose first element is ``dataset``."""
    return (
        source.is_xml and b"<dataset" in source.head and b"SASroot" not in source.head
    )


def read(source: Source) -> list[Entry]:
    """Reads every data element that has q and i.

    Raises:
        FormatError: If the XML is broken or holds no curve.
    """
    try:
        root = ElementTree.fromstring(source.content)
    except ElementTree.ParseError as error:
        raise FormatError(
            f"{source.name}: is broken XML ({error}); the file may have been cut short."
        ) from None
    entries = [_entry(source, node) for node in root.findall("data")]
    if not entries:
        raise FormatError(f"{source.name}: is a pySAXS data set without any curve.")
    return entries


def _entry(source: Source, node: ElementTree.Element) -> Entry:
    q, intensity = _array(node, "q"), _array(node, "i")
    name = node.get("name", "")
    if q is None or intensity is None or len(q) != len(intensity):
        raise FormatError(f"{source.name}: '{name}' needs as many i as q, and has not.")
    sigma = _array(node, "error")
    return Entry(
        q=q,
        intensity=intensity,
        sigma=sigma if sigma is not None and len(sigma) == len(q) else None,
        name=name,
        convention=_PYSAXS,
    )


def _array(node: ElementTree.Element, tag: str) -> Float64[np.ndarray, "q"] | None:
    text = node.findtext(tag)
    if not text or not text.strip():
        return None
    return np.array([float(cell) for cell in text.split(",") if cell.strip()])
