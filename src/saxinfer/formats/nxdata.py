"""Processed results of DAWN (Diamond, BAM): /processed/result with data and q.

References:
    J. Filik et al., J. Appl. Cryst. 50 (2017) 959.
"""

import re
from typing import Any

import numpy as np

from saxinfer.formats.entry import Entry
from saxinfer.formats.error import FormatError
from saxinfer.formats.hdf5 import numbers, opened, text_of
from saxinfer.formats.source import Source

__all__ = ["read", "recognises"]


def recognises(source: Source) -> bool:
    """Takes HDF5 with a group /processed/result or /entry/result of signal and axes."""
    if not source.is_hdf5:
        return False
    with opened(source) as file:
        return _result(file) is not None


def _result(file: Any) -> Any:  # noqa: ANN401
    for path in ("processed/result", "entry/result"):
        group = file.get(path)
        if group is not None and text_of(group, "signal") and text_of(group, "axes"):
            return group
    return None


def read(source: Source) -> list[Entry]:
    """Reads every frame of the result.

    Raises:
        FormatError: If the last axis of the result is not q.
    """
    with opened(source) as file:
        group = _result(file)
        axis = re.split(r"\W*,\W*", text_of(group, "axes"))[-1].strip("[]b' ")
        q, data = numbers(group, axis), numbers(group, text_of(group, "signal"))
        if q is None or data is None or not axis.lower().startswith("q"):
            raise FormatError(
                f"{source.name}: the result of DAWN must lie over q, but its last axis "
                f"is '{axis}'."
            )
        if q.ndim != 1 or data.shape[-1] != q.size or _squeezed(data.shape) > 2:
            raise FormatError(
                f"{source.name}: the result of DAWN has the shape {data.shape} over "
                f"{q.size} values of q: a map, not curves."
            )
        sigma = numbers(group, text_of(group, "data_uncertainty") or "errors")
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
                unit_text=text_of(group[axis], "units") or None,
                intensity_unit=text_of(group[text_of(group, "signal")], "units")
                or "a.u.",
            )
            for i, row in enumerate(frames)
        ]


def _squeezed(shape: tuple[int, ...]) -> int:
    return int(np.sum(np.array(shape) > 1))
