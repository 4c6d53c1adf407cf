"""NXdata over q: results of DAWN, and what a NeXus file marks as its default plot.

DAWN (Diamond, BAM) writes /processed/result; others point to their result by the
attribute ``default`` of the file and of its entry.

References:
    J. Filik et al., J. Appl. Cryst. 50 (2017) 959.
"""

import re
from typing import Any

import numpy as np

from saxinfer.formats.entry import Entry
from saxinfer.formats.error import FormatError
from saxinfer.formats.hdf5 import numbers, opened, text_of, unit_of
from saxinfer.formats.source import Source

__all__ = ["read", "recognises"]


def recognises(source: Source) -> bool:
    """Takes HDF5 whose result is an NXdata group of signal and axes."""
    if not source.is_hdf5:
        return False
    with opened(source) as file:
        return _result(file) is not None


def _result(file: Any) -> Any:  # noqa: ANN401
    found = (file.get("processed/result"), file.get("entry/result"), _default(file))
    return next(
        (group for group in found if group is not None and _is_data(group)), None
    )


def _default(file: Any) -> Any:  # noqa: ANN401
    node = file
    for _ in range(4):
        name = text_of(node, "default")
        below = node.get(name) if name else None
        if below is None or not hasattr(below, "keys"):
            break
        node = below
    return node if node is not file else None


def _is_data(group: Any) -> bool:  # noqa: ANN401
    signal = text_of(group, "signal")
    return bool(signal) and signal in group and bool(text_of(group, "axes"))


def read(source: Source) -> list[Entry]:
    """Reads every frame of the result.

    Raises:
        FormatError: If the last axis of the result is not q.
    """
    with opened(source) as file:
        group = _result(file)
        axis = re.split(r"[\s,:]+", text_of(group, "axes"))[-1].strip("[]b' ")
        q, data = numbers(group, axis), numbers(group, text_of(group, "signal"))
        if q is None or data is None or not axis.lower().startswith("q"):
            raise FormatError(
                f"{source.name}: the result must lie over q, but its last axis "
                f"is '{axis}'."
            )
        if q.ndim != 1 or data.shape[-1] != q.size or _squeezed(data.shape) > 2:
            raise FormatError(
                f"{source.name}: the result has the shape {data.shape} over "
                f"{q.size} values of q: a map, not curves."
            )
        sigma = numbers(group, _error_name(group))
        width = numbers(group, text_of(group, "q_uncertainty"))
        frames = data.reshape(-1, q.size)
        if sigma is not None and sigma.shape != data.shape:
            sigma = None
        title = text_of(group.parent, "title") or source.path.stem
        return [
            Entry(
                q=q.copy(),
                intensity=row.copy(),
                sigma=None if sigma is None else sigma.reshape(frames.shape)[i].copy(),
                resolution=width
                if width is not None and width.shape == q.shape
                else None,
                name=title if len(frames) == 1 else f"{title} frame {i}",
                unit_text=unit_of(group[axis]) or None,
                intensity_unit=unit_of(group[text_of(group, "signal")]) or "a.u.",
            )
            for i, row in enumerate(frames)
        ]


def _error_name(group: Any) -> str:  # noqa: ANN401
    signal = text_of(group, "signal")
    names = (
        text_of(group, "data_uncertainty"),
        text_of(group[signal], "uncertainties"),
        f"{signal}_errors",
        "errors",
    )
    return next((name for name in names if name and name in group), "errors")


def _squeezed(shape: tuple[int, ...]) -> int:
    return int(np.sum(np.array(shape) > 1))
