"""BSL/OTOKO: a text header that names binary files, one for I, one for its errors.

The q axis lies in a second set whose header has the suffix .QAX. Neither header
states the unit of q.

References:
    M. W. Shotton et al., CCP13: BSL/OTOKO file format, Daresbury Laboratory.
"""

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
from jaxtyping import Float64

from saxinfer.curve import Remark
from saxinfer.formats.entry import Entry
from saxinfer.formats.error import FormatError
from saxinfer.formats.source import Source

__all__ = ["read", "recognises"]

_INDICATORS: Final = re.compile(r"(?:\s*\d+){10}\s*")
_BINARY_NAME: Final = re.compile(r"[A-Z]\d\d\d\d\d\.\w{3}")


@dataclass(frozen=True)
class _Set:
    """One binary file of a set: its name and the ten numbers that describe it."""

    name: str
    indicators: tuple[int, ...]


def recognises(source: Source) -> bool:
    """Takes a BSL header, and a binary file whose header lies beside it."""
    return _sets(source.head) != [] or _header_beside(source.path) is not None


def _header_beside(path: Path) -> Path | None:
    """Returns the header of a binary file: X12345.SUF belongs to X12000.SUF."""
    if not _BINARY_NAME.fullmatch(path.name.upper()):
        return None
    header = path.with_name(f"{path.name[:3]}000{path.suffix}")
    if header.name == path.name or not header.is_file():
        return None
    return header if _sets(header.read_bytes()[:4096]) else None


def _sets(head: bytes) -> list[_Set]:
    lines = head.decode("latin-1").replace("\r\n", "\n").split("\n")
    pairs = zip(lines[2::2], lines[3::2], strict=False)
    return [
        _Set(name.strip(), tuple(int(n) for n in numbers.split()))
        for numbers, name in pairs
        if _INDICATORS.fullmatch(numbers) and _BINARY_NAME.fullmatch(name.strip())
    ]


def read(source: Source) -> list[Entry]:
    """Reads all frames of the first binary file, with errors and q axis.

    Raises:
        FormatError: If a part of the set is missing or has the wrong size.
    """
    sets = _sets(source.head)
    if not sets:
        header = _header_beside(source.path)
        raise FormatError(
            f"{source.name}: is the binary part of a BSL set; pass its header, "
            f"{header.name if header else 'the file whose name ends in 000'}."
        )
    axis_header = _axis_header(source)
    intensity = _values(source, sets[0])
    sigma = _values(source, sets[1]) if len(sets) > 1 else None
    axis_set = _sets(axis_header.read_bytes()[:4096])[0]
    q = _values(source, axis_set)
    if q.shape[1] != intensity.shape[1]:
        raise FormatError(
            f"{source.name}: {sets[0].name} has {intensity.shape[1]} points, but the q "
            f"axis {axis_set.name} has {q.shape[1]}."
        )
    title = source.head.decode("latin-1").split("\n")[0].strip()
    text = f"A BSL set: q from {axis_header.name}, intensity from {sets[0].name}."
    many = len(intensity) > 1
    return [
        Entry(
            q=q[0],
            intensity=row,
            sigma=sigma[i]
            if sigma is not None and sigma.shape == intensity.shape
            else None,
            name=f"{title} {i + 1}" if many else title,
            remarks=(Remark(text),),
        )
        for i, row in enumerate(intensity)
    ]


def _axis_header(source: Source) -> Path:
    for suffix in (".QAX", ".qax"):
        path = source.path.with_suffix(suffix)
        if path.is_file() and path != source.path and _sets(path.read_bytes()[:4096]):
            return path
    if source.path.suffix.upper() == ".QAX":
        raise FormatError(
            f"{source.name}: is the q axis of a BSL set; pass the header of its data."
        )
    raise FormatError(
        f"{source.name}: is the header of a BSL set whose q axis, "
        f"{source.path.with_suffix('.QAX').name}, does not lie beside it."
    )


def _values(source: Source, part: _Set) -> Float64[np.ndarray, "frame q"]:
    path = source.path.with_name(part.name)
    if not path.is_file():
        raise FormatError(
            f"{source.name}: is the header of a BSL set whose part {part.name} does "
            "not lie beside it."
        )
    points, frames, _, little = part.indicators[:4]
    order = "<f4" if little == 1 else ">f4"
    data = path.read_bytes()
    if len(data) != 4 * points * frames:
        raise FormatError(
            f"{source.name}: promises {points} x {frames} numbers in {part.name}, "
            f"which holds {len(data) // 4}."
        )
    return np.frombuffer(data, order).astype(np.float64).reshape(frames, points)
