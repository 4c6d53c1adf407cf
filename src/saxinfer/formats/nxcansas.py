"""NXcanSAS: reduced curves in HDF5, as SasView, Mantid, Nika, Irena and pyFAI write.

Every SASdata group is a curve, or a series of curves where the intensity has further
axes (time, temperature). Old attribute names (``uncertainty``, ``I_uncertainty``)
are understood. Two-dimensional data are refused by what they are.

References:
    NeXus application definition NXcanSAS 1.1,
    https://manual.nexusformat.org/classes/applications/NXcanSAS.html
"""

import re
from dataclasses import replace
from typing import Any, Final

import numpy as np
from jaxtyping import Bool, Float64

from saxinfer.curve import Remark
from saxinfer.formats.entry import Entry
from saxinfer.formats.error import FormatError
from saxinfer.formats.hdf5 import groups, numbers, opened, text_of, unit_of
from saxinfer.formats.source import Source
from saxinfer.formats.units import q_unit_from_text

__all__ = ["read", "recognises"]

_SEPARATORS: Final = re.compile(r"[\s,:;\[\]'\"]+|\bb(?=')")


def recognises(source: Source) -> bool:
    """Takes HDF5 with at least one SASdata group."""
    if not source.is_hdf5:
        return False
    with opened(source) as file:
        return any(_is_sasdata(group) for group in groups(file))


def _is_sasdata(group: Any) -> bool:  # noqa: ANN401
    if "SASdata" in (text_of(group, "canSAS_class"), text_of(group, "NX_class")):
        return True
    has_curve = {"Q", "I"} <= set(group)
    return has_curve and text_of(group.parent, "definition") == "NXcanSAS"


def read(source: Source) -> list[Entry]:
    """Reads every one-dimensional SASdata group.

    Raises:
        FormatError: If there are only two-dimensional ones, or one is broken.
    """
    entries: list[Entry] = []
    aside: list[str] = []
    broken: list[FormatError] = []
    with opened(source) as file:
        for group in groups(file):
            if not _is_sasdata(group):
                if _is_raw_scan(group):
                    aside.append(f"{group.name} (a raw scan, no SASdata)")
            elif _is_map(group):
                aside.append(f"{group.name} (two-dimensional data, I over qx and qy)")
            else:
                try:
                    entries.extend(_entries_of(source, group))
                except FormatError as error:
                    broken.append(error)
                    aside.append(f"{group.name} (broken)")
    if not entries and broken:
        raise broken[0]
    if not entries:
        raise FormatError(
            f"{source.name}: holds no curve, only {', '.join(aside)}. "
            "Average it over the angle first."
        )
    if aside:
        remark = Remark(f"Left aside in this file: {', '.join(aside)}.")
        entries[0] = replace(entries[0], remarks=(*entries[0].remarks, remark))
    return entries


def _is_raw_scan(group: Any) -> bool:  # noqa: ANN401
    return {"Q", "Intensity"} <= set(group)


def _axes(group: Any) -> list[str]:  # noqa: ANN401
    text = text_of(group, "I_axes") or text_of(group, "axes")
    return [name for name in _SEPARATORS.split(text) if name]


def _is_map(group: Any) -> bool:  # noqa: ANN401
    if {"Qx", "Qy"} <= set(group) or _axes(group).count("Q") > 1:
        return True
    q, intensity = numbers(group, "Q"), numbers(group, "I")
    if q is None or intensity is None:
        return False
    # A vector Q has one more axis than I: its components.
    return q.squeeze().ndim > 1 and q.shape != intensity.shape


def _entries_of(source: Source, group: Any) -> list[Entry]:  # noqa: ANN401
    q, intensity = numbers(group, "Q"), numbers(group, text_of(group, "signal") or "I")
    if q is None or intensity is None:
        raise FormatError(f"{source.name}: {group.name} lacks Q or I.")
    place = _place_of_q(source, group, q, intensity)
    frames = _frames(intensity, place)
    count = len(frames)
    sigma = _like(_uncertainty(group), intensity, place)
    width, slit = _resolution(group)
    masks = _like(_mask(group), intensity, place)
    q_rows = np.broadcast_to(
        _frames(q, place) if q.ndim > 1 else q.ravel(), frames.shape
    )
    title = _title(group)
    remarks = (*slit, *_remarks_on_units(group, intensity))
    unit_text = unit_of(group["Q"]) or None
    return [
        Entry(
            q=q_rows[i].copy(),
            intensity=frames[i],
            sigma=None if sigma is None else sigma[i],
            resolution=_width_of_frame(width, frames.shape, i),
            masked=None if masks is None else _as_mask(masks[i]),
            name=title if count == 1 else f"{title} {i + 1}",
            unit_text=unit_text,
            intensity_unit=unit_of(group["I"]).strip("[] ") or "a.u.",
            remarks=remarks,
        )
        for i in range(count)
    ]


def _as_mask(values: Float64[np.ndarray, "q"]) -> Bool[np.ndarray, "q"]:
    return np.asarray(values != 0)


def _place_of_q(
    source: Source,
    group: Any,  # noqa: ANN401
    q: Float64[np.ndarray, "..."],
    intensity: Float64[np.ndarray, "..."],
) -> int:
    """Returns which axis of the intensity is q."""
    if q.shape == intensity.shape and q.ndim > 1:
        axes = _axes(group)
        return axes.index("Q") if len(axes) == q.ndim and "Q" in axes else q.ndim - 1
    axes = _axes(group)
    if len(axes) == intensity.ndim and "Q" in axes:
        place = axes.index("Q")
        if intensity.shape[place] == q.size:
            return place
    fitting = [i for i, size in enumerate(intensity.shape) if size == q.size]
    if not fitting:
        raise FormatError(
            f"{source.name}: in {group.name} I must have as many points as Q, but Q "
            f"has {q.size} and I has the shape {intensity.shape}."
        )
    return fitting[-1]


def _frames(
    values: Float64[np.ndarray, "..."], place: int
) -> Float64[np.ndarray, "frame q"]:
    """Moves the axis of q to the end and lists all that is left."""
    moved = np.moveaxis(values, place, -1)
    return moved.reshape(-1, moved.shape[-1]).copy()


def _like(
    values: Float64[np.ndarray, "..."] | None,
    intensity: Float64[np.ndarray, "..."],
    place: int,
) -> Float64[np.ndarray, "frame q"] | None:
    if values is None:
        return None
    if values.ndim == 1 and values.size == intensity.shape[place]:
        count = intensity.size // values.size
        return np.tile(values, (count, 1))
    if values.shape != intensity.shape:
        return None
    return _frames(values, place)


def _uncertainty(group: Any) -> Float64[np.ndarray, "..."] | None:  # noqa: ANN401
    signal = text_of(group, "signal") or "I"
    attributes = (
        text_of(group[signal], "uncertainties"),
        text_of(group[signal], "uncertainty"),
        text_of(group, "I_uncertainties"),
        text_of(group, "I_uncertainty"),
        "Idev",
        "I_errors",
        "errors",
    )
    found = (numbers(group, name) for name in attributes)
    return next((values for values in found if values is not None), None)


def _mask(group: Any) -> Float64[np.ndarray, "..."] | None:  # noqa: ANN401
    name = text_of(group, "mask")
    if not name or name not in group:
        return None
    return np.asarray(group[name][()], dtype=np.float64)


def _resolution(
    group: Any,  # noqa: ANN401
) -> tuple[Float64[np.ndarray, "..."] | None, tuple[Remark, ...]]:
    """Returns the width of q in the unit of Q, and what is to be said of a slit."""
    q = group["Q"]
    stated = text_of(q, "resolutions") or text_of(q, "resolution") or "Qdev"
    names = [name for name in _SEPARATORS.split(stated) if name]
    length = numbers(group, "dQl")
    if length is not None and np.nanmax(length) > 0:
        unit = unit_of(group["dQl"]) or unit_of(q)
        text = f"The curve is slit-smeared: slit length {np.nanmax(length):g} {unit}."
        return None, (Remark(text, "slit"),)
    if re.search(r"_SMR$|^SMR_", group.name.strip("/").replace("/sasdata", "")):
        text = "The name of the entry (SMR) says that the curve is slit-smeared."
        return None, (Remark(text, "slit"),)
    width = numbers(group, names[0]) if names else None
    if width is not None:
        own = q_unit_from_text(unit_of(group[names[0]]))
        axis = q_unit_from_text(unit_of(q))
        if own and axis:
            width = width * (own.in_per_nm / axis.in_per_nm)
    return width, ()


def _width_of_frame(
    width: Float64[np.ndarray, "..."] | None, shape: tuple[int, ...], i: int
) -> Float64[np.ndarray, "q"] | None:
    if width is None:
        return None
    if width.size == shape[1]:
        return width.ravel().copy()
    return width.reshape(shape)[i].copy() if width.size == shape[0] * shape[1] else None


def _title(group: Any) -> str:  # noqa: ANN401
    """Returns the title of the entry; the names of the groups make it distinct."""
    parent = group.parent
    title = text_of(parent, "title") or text_of(parent, "canSAS_name")
    own = parent.name.strip("/").split("/")[-1]
    data = group.name.strip("/").split("/")[-1]
    siblings = [g for g in parent.values() if hasattr(g, "keys") and _is_sasdata(g)]
    parts = [title or own]
    if own not in parts[0] and not re.fullmatch(r"(?:sas)?entry\d*", own):
        parts.append(own)
    if len(siblings) > 1:
        parts.append(data)
    return " ".join(parts)


def _remarks_on_units(
    group: Any,  # noqa: ANN401
    intensity: Float64[np.ndarray, "..."],
) -> tuple[Remark, ...]:
    unit = unit_of(group["I"])
    finite = intensity[np.isfinite(intensity)]
    if unit.lower() == "counts" and not np.array_equal(finite, np.round(finite)):
        text = (
            "The file states the intensity in counts, but the values are no whole "
            "numbers; its absolute scale is not known."
        )
        return (Remark(text),)
    return ()
