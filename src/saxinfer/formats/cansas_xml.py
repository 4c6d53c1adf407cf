"""canSAS 1D in XML, versions 1.0 and 1.1: any number of entries and data sets.

References:
    canSAS Data Formats Working Group, cansas1d 1.1 (2013),
    https://www.cansas.org/formats/canSAS1d/1.1/doc/
"""

import re
from collections.abc import Iterator
from typing import Final
from xml.etree import ElementTree

import numpy as np
from jaxtyping import Float64

from saxinfer.curve import Remark
from saxinfer.formats.entry import Entry
from saxinfer.formats.error import FormatError
from saxinfer.formats.source import Source
from saxinfer.formats.units import q_unit_from_text

__all__ = ["read", "recognises"]

_DESMEARED: Final = re.compile(r"(?<!not-)(?<!not )desmeared|dataType=desmeared", re.I)


def recognises(source: Source) -> bool:
    """Takes XML whose first element is SASroot."""
    return source.is_xml and b"SASroot" in source.content[:20_000]


def read(source: Source) -> list[Entry]:
    """Reads every SASdata of every SASentry.

    Raises:
        FormatError: If the XML is broken or holds no data.
    """
    try:
        root = ElementTree.fromstring(source.content)
    except ElementTree.ParseError as error:
        raise FormatError(
            f"{source.name}: is broken XML ({error}); the file may have been cut short."
        ) from None
    found = [
        (entry, data)
        for entry in _children(root, "SASentry")
        for data in _children(entry, "SASdata")
    ]
    if not found:
        raise FormatError(f"{source.name}: is canSAS XML without any SASdata.")
    titles = [_text(entry, "Title") or entry.get("name", "") for entry, _ in found]
    return [
        _entry(source, entry, data, _name(entry, data, titles)) for entry, data in found
    ]


def _children(node: ElementTree.Element, tag: str) -> Iterator[ElementTree.Element]:
    """Yields the children of a name, whatever the name space."""
    return (c for c in node if c.tag.split("}")[-1] == tag)


def _text(node: ElementTree.Element, tag: str) -> str:
    return next(((c.text or "").strip() for c in _children(node, tag)), "")


def _name(
    entry: ElementTree.Element, data: ElementTree.Element, titles: list[str]
) -> str:
    """Returns the title, made distinct by the names of the entry and the data."""
    title = _text(entry, "Title") or entry.get("name", "")
    if titles.count(title) == 1:
        return title
    parts = (title, entry.get("name", ""), data.get("name", ""))
    return " ".join(dict.fromkeys(part.strip() for part in parts if part.strip()))


def _entry(
    source: Source,
    entry: ElementTree.Element,
    data: ElementTree.Element,
    name: str,
) -> Entry:
    points = [p for p in _children(data, "Idata")]
    columns = {tag: _column(points, tag) for tag in ("Q", "I", "Idev", "Qdev")}
    slit = {tag: _column(points, tag) for tag in ("dQl", "dQw")}
    if not points or columns["Q"] is None or columns["I"] is None:
        raise FormatError(f"{source.name}: a SASdata has no points of Q and I.")
    return Entry(
        q=columns["Q"],
        intensity=columns["I"],
        sigma=columns["Idev"],
        resolution=_width(source, points, columns["Qdev"]),
        name=name,
        unit_text=_one_unit(source, points, "Q"),
        intensity_unit=_one_unit(source, points, "I") or "a.u.",
        remarks=_slit_remarks(entry, data, slit["dQl"]),
    )


def _column(
    points: list[ElementTree.Element], tag: str
) -> Float64[np.ndarray, "q"] | None:
    texts = [_text(point, tag) for point in points]
    if not any(texts):
        return None
    return np.array([_number(text) for text in texts], dtype=np.float64)


def _width(
    source: Source,
    points: list[ElementTree.Element],
    width: Float64[np.ndarray, "q"] | None,
) -> Float64[np.ndarray, "q"] | None:
    """Returns the width of q in the unit of Q, whatever its own unit is."""
    axis = q_unit_from_text(_one_unit(source, points, "Q") or "")
    own = q_unit_from_text(_one_unit(source, points, "Qdev") or "")
    if width is None or axis is None or own is None:
        return width
    return np.asarray(width * (own.in_per_nm / axis.in_per_nm))


def _number(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        return float("nan")


def _one_unit(
    source: Source, points: list[ElementTree.Element], tag: str
) -> str | None:
    """Returns the unit that all points state for one of their values."""
    units = {c.get("unit", "") for point in points for c in _children(point, tag)}
    units.discard("")
    if len(units) > 1:
        raise FormatError(
            f"{source.name}: all points must state one unit of {tag}, but the file "
            f"states {' and '.join(sorted(units))}."
        )
    return units.pop() if units else None


def _slit_remarks(
    entry: ElementTree.Element,
    data: ElementTree.Element,
    slit: Float64[np.ndarray, "q"] | None,
) -> tuple[Remark, ...]:
    if slit is not None and np.nanmax(slit) > 0:
        text = f"The curve is slit-smeared: dQl = {np.nanmax(slit):g} (unit of q)."
        return (Remark(text, "slit"),)
    lengths = [n for n in entry.iter() if str(n.tag).split("}")[-1] == "slit_length"]
    stated = [n for n in lengths if _number(n.text or "") > 0]
    if not stated:
        return ()
    length = f"{_number(stated[0].text or ''):g} {stated[0].get('unit', '')}".strip()
    words = [data.get("name", ""), _text(entry, "Run"), _text(entry, "Title")]
    if any(_DESMEARED.search(word) for word in words):
        text = f"Measured with a slit of length {length}; the file says: desmeared."
        return (Remark(text),)
    return (Remark(f"The curve is slit-smeared: slit length {length}.", "slit"),)
