"""NXazint: azimuthal integration as MAX IV writes it (CoSAXS, ForMAX, DanMAX).

A file holds one frame or thousands. Its radial axis is q, or the scattering angle 2θ
with the wavelength beside it. Cakes (intensity over azimuth and q) are refused, or
left aside where the file has curves as well.

References:
    NeXus definitions NXazint1d and NXazint2d;
    https://maxiv-science.github.io/azint_writer
"""

from typing import Any, Final

import numpy as np
from jaxtyping import Float64

from saxinfer.curve import Remark
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

_AXIS: Final = "radial_axis"


def recognises(source: Source) -> bool:
    """Takes HDF5 with a definition NXazint1d or NXazint2d."""
    if not source.is_hdf5:
        return False
    with opened(source) as file:
        return any("nxazint" in text_of(g, "definition").lower() for g in groups(file))


def read(source: Source) -> list[Entry]:
    """Reads every frame of the one-dimensional integration.

    Raises:
        FormatError: If there is only a cake, or if q cannot be known.
    """
    entries: list[Entry] = []
    with opened(source) as file:
        found = [g for g in groups(file) if _AXIS in g and "I" in g]
        for group in found:
            if "azimuthal_axis" not in group and group["I"].ndim <= 2:
                entries.extend(_frames(source, file, group))
    if not entries:
        what = (
            "a cake (intensity over azimuth and q)" if found else "no integrated data"
        )
        raise FormatError(
            f"{source.name}: is an NXazint file with {what}, not curves. "
            "Integrate with one azimuthal bin."
        )
    return entries


def _frames(source: Source, file: Any, group: Any) -> list[Entry]:  # noqa: ANN401
    axis, intensity = numbers(group, _AXIS), numbers(group, "I")
    if axis is None or intensity is None or intensity.shape[-1] != axis.size:
        raise FormatError(
            f"{source.name}: in {group.name} I must have as many points as the radial "
            "axis, and has not."
        )
    frames = intensity.reshape(-1, axis.size)
    sigma = _spread(numbers(group, "I_errors"), frames.shape)
    pixels = _spread(numbers(group, "norm"), frames.shape)
    q, unit_text, from_angle = _q(source, file, group, axis.ravel())
    title = text_of(group.parent, "title") or source.path.stem
    skipped = _remark_on_cakes(file)
    return [
        Entry(
            q=q.copy(),
            intensity=frames[i].copy(),
            sigma=None if sigma is None else sigma[i].copy(),
            masked=None if pixels is None else np.asarray(pixels[i] <= 0),
            masked_because="without any pixel",
            name=title if len(frames) == 1 else f"{title} frame {i}",
            unit_text=unit_text,
            intensity_unit=unit_of(group["I"]) or "a.u.",
            from_angle=from_angle,
            remarks=skipped,
        )
        for i in range(len(frames))
    ]


def _spread(
    values: Float64[np.ndarray, "..."] | None, shape: tuple[int, ...]
) -> Float64[np.ndarray, "frame q"] | None:
    if values is None or values.size not in (shape[1], shape[0] * shape[1]):
        return None
    return np.broadcast_to(values.reshape(-1, shape[1]), shape).copy()


def _q(
    source: Source,
    file: Any,  # noqa: ANN401
    group: Any,  # noqa: ANN401
    axis: Float64[np.ndarray, "q"],
) -> tuple[Float64[np.ndarray, "q"], str | None, bool]:
    """Returns q, its unit as the file spells it, and whether it came from angles."""
    units = unit_of(group[_AXIS])
    label = text_of(group[_AXIS], "long_name").lower()
    is_angle = units.lower() in ("degrees", "degree", "deg", "rad", "radian", "radians")
    if q_unit_from_text(units) or not (is_angle or "theta" in label or label == "tth"):
        return axis, units or None, False
    wavelength = wavelength_of(file)
    if wavelength is None:
        raise FormatError(
            f"{source.name}: the radial axis is 2theta, but the file states no "
            "wavelength or energy, so that q cannot be computed. Integrate over q "
            "instead."
        )
    angle = axis if units.lower().startswith("rad") else np.radians(axis)
    return q_from_two_theta(angle, wavelength), None, True


def _remark_on_cakes(file: Any) -> tuple[Remark, ...]:  # noqa: ANN401
    cakes = [g.name for g in groups(file) if "azimuthal_axis" in g]
    if not cakes:
        return ()
    text = f"The cake in {', '.join(cakes)} is left aside; only the curves are read."
    return (Remark(text),)
