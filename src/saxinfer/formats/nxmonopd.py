"""NXmonopd: powder curves over 2θ (or q), as pyFAI's ``save_NXmonpd`` writes them."""

from typing import Any

import numpy as np

from saxinfer.formats.entry import Entry
from saxinfer.formats.error import FormatError
from saxinfer.formats.hdf5 import (
    groups,
    numbers,
    opened,
    text_of,
    unit_of,
    wavelength_of,
)
from saxinfer.formats.source import Source
from saxinfer.formats.units import q_from_two_theta, q_unit_from_text

__all__ = ["read", "recognises"]


def recognises(source: Source) -> bool:
    """Takes HDF5 with an NXdata group of the axis ``polar_angle``."""
    if not source.is_hdf5:
        return False
    with opened(source) as file:
        return any(_is_curve(group) for group in groups(file))


def _is_curve(group: Any) -> bool:  # noqa: ANN401
    return "polar_angle" in text_of(group, "axes") and text_of(group, "signal") in group


def read(source: Source) -> list[Entry]:
    """Reads every curve over the polar angle.

    Raises:
        FormatError: If there is no wavelength to compute q with.
    """
    with opened(source) as file:
        found = [group for group in groups(file) if _is_curve(group)]
        return [_entry(source, file, group) for group in found]


def _entry(source: Source, file: Any, group: Any) -> Entry:  # noqa: ANN401
    axis, data = numbers(group, "polar_angle"), numbers(group, text_of(group, "signal"))
    if axis is None or data is None or data.shape != axis.shape or axis.ndim != 1:
        raise FormatError(
            f"{source.name}: {group.name} is not one curve over an angle."
        )
    units = unit_of(group["polar_angle"]).lower()
    stated = q_unit_from_text(units.split("_")[-1])
    q = axis
    if not stated:
        wavelength = wavelength_of(file)
        if wavelength is None:
            raise FormatError(
                f"{source.name}: the axis is 2theta and the file states no wavelength "
                "or energy, so that q cannot be computed. Integrate over q instead."
            )
        angle = axis if "rad" in units else np.radians(axis)
        q = q_from_two_theta(angle, wavelength)
    return Entry(
        q=q,
        intensity=data,
        sigma=numbers(group, "errors"),
        name=text_of(group.parent, "title") or source.path.stem,
        unit_text=units.split("_")[-1] if stated else None,
        from_angle=not stated,
    )
