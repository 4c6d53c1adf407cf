"""The one door to h5py: opening HDF5 files, and reading attributes as text.

A file that was cut short is refused. One whose bytes were changed inside may keep the
HDF5 library itself busy for ever, which nothing in the same process can prevent.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final

import numpy as np
from jaxtyping import Float64

from saxinfer.formats.error import FormatError
from saxinfer.formats.source import Source

__all__ = [
    "groups",
    "numbers",
    "opened",
    "text_of",
    "texts_of",
    "unit_of",
    "wavelength_of",
]

# hc, exact since 2019 by the definition of the SI.
_KEV_NM: Final = 1.2398419843320026
_NM: Final = {"nm": 1.0, "m": 1e9, "pm": 1e-3, "a": 0.1, "å": 0.1}


@contextmanager
def opened(source: Source) -> Iterator[Any]:
    """Opens an HDF5 file for reading, with the compression filters of detectors.

    Args:
        source: The file.

    Yields:
        The open ``h5py.File``.

    Raises:
        FormatError: If HDF5 cannot open it.
    """
    import h5py
    import hdf5plugin  # noqa: F401  # registers the filters when imported

    try:
        file = h5py.File(source.path, "r", locking=False)
    except (OSError, RuntimeError, ValueError) as error:
        raise FormatError(
            f"{source.name}: begins as HDF5 but cannot be opened "
            f"({' '.join(str(error).split())[:100]}); the file may have been cut short."
        ) from None
    with file:
        try:
            yield file
        except OSError as error:
            raise FormatError(
                f"{source.name}: a part of the HDF5 file cannot be read "
                f"({' '.join(str(error).split())[:100]})."
            ) from None


def groups(node: Any) -> Iterator[Any]:  # noqa: ANN401
    """Yields a group and all groups below it, each once, in the order of the file.

    Soft links are passed by: what they lead to is met in its own place.
    """
    import h5py

    seen: set[tuple[int, int]] = set()
    stack = [node]
    while stack:
        group = stack.pop()
        info = h5py.h5o.get_info(group.id)
        if (info.fileno, info.addr) in seen:
            continue
        seen.add((info.fileno, info.addr))
        yield group
        own = (key for key in group if not _is_soft_link(group, key))
        below = [_member(group, key) for key in own]
        stack.extend(g for g in reversed(below) if isinstance(g, h5py.Group))


def _is_soft_link(group: Any, key: str) -> bool:  # noqa: ANN401
    import h5py

    return isinstance(group.get(key, getlink=True), h5py.SoftLink)


def _member(group: Any, key: str) -> Any:  # noqa: ANN401
    try:
        return group[key]
    except (KeyError, OSError, RuntimeError):
        return None


def texts_of(value: Any) -> list[str]:  # noqa: ANN401
    """Returns an attribute or data set of text as a list, however it was written."""
    if value is None:
        return []
    values = np.atleast_1d(np.asarray(value, dtype=object)).ravel()
    return [
        v.decode("utf-8", "replace") if isinstance(v, bytes) else str(v) for v in values
    ]


def text_of(node: Any, key: str) -> str:  # noqa: ANN401
    """Returns an attribute, or a data set of text, or "" where there is neither."""
    if key in node.attrs:
        return ", ".join(texts_of(node.attrs[key])).strip()
    if hasattr(node, "keys") and key in node:
        member = _member(node, key)
        if member is not None and hasattr(member, "shape"):
            return ", ".join(texts_of(member[()])).strip()
    return ""


def unit_of(data_set: Any) -> str:  # noqa: ANN401
    """Returns the unit of a data set, or "": old files write ``unit`` for ``units``."""
    return text_of(data_set, "units") or text_of(data_set, "unit")


def numbers(node: Any, key: str | None) -> Float64[np.ndarray, "..."] | None:  # noqa: ANN401
    """Returns a data set as numbers, or None where it is missing or no numbers."""
    if not key or key not in node:
        return None
    member = _member(node, key)
    if member is None or not hasattr(member, "shape") or member.dtype.kind not in "iuf":
        return None
    return np.asarray(member[()], dtype=np.float64)


def wavelength_of(file: Any) -> float | None:  # noqa: ANN401
    """Returns the wavelength that the instrument part of a file states.

    Args:
        file: The open file.

    Returns:
        The wavelength [nm], computed from the energy where only that is stated, or
        None where neither stands there with a unit.
    """
    energy = None
    for group in groups(file):
        if "instrument" not in group.name and "reduction" not in group.name:
            continue
        for key in ("wavelength", "incident_wavelength"):
            value = _scalar(group, key)
            unit = unit_of(group[key]).lower() if value else ""
            unit = "a" if unit.startswith(("ang", "ång")) else unit
            if value and unit in _NM:
                return value * _NM[unit]
        value = _scalar(group, "energy")
        if value and unit_of(group["energy"]).lower() in ("kev", "ev"):
            scale = 1.0 if unit_of(group["energy"]).lower() == "kev" else 1e-3
            energy = value * scale
    return _KEV_NM / energy if energy else None


def _scalar(group: Any, key: str) -> float | None:  # noqa: ANN401
    values = numbers(group, key)
    if values is None or values.size != 1 or not values.item() > 0:
        return None
    return float(values.item())
