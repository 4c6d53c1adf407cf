"""From what a file says to a curve: the unit of q, and which points can be used.

Nothing is left out in silence: every point that is dropped is counted in
``Curve.dropped`` and every reason stands in a remark.
"""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import numpy as np
import torch
from jaxtyping import Bool, Float64

from saxinfer.curve import Curve, Remark, RemarkKind
from saxinfer.formats.entry import Entry
from saxinfer.formats.error import FormatError
from saxinfer.formats.units import PER_NM, QUnit, q_unit_from_text

__all__ = ["FEWEST_POINTS", "curve_from_entry"]

FEWEST_POINTS: Final = 10

# Below this, a column cannot be a standard error: it would take 10^12 counts a point.
_SMALLEST_RELATIVE_ERROR: Final = 1e-6

# Backscattering (q = 4π/λ) of the shortest wavelength in use, 0.04 nm.
_LARGEST_Q: Final = 314.0  # [1/nm]


@dataclass
class _Table:
    """The columns of a curve while points are being left out."""

    entry: Entry
    q: Float64[np.ndarray, "q"]
    intensity: Float64[np.ndarray, "q"]
    sigma: Float64[np.ndarray, "q"] | None
    resolution: Float64[np.ndarray, "q"] | None
    remarks: list[Remark] = field(default_factory=list)
    reasons: list[str] = field(default_factory=list)
    dropped: int = 0

    def keep(self, good: Bool[np.ndarray, "q"], because: str) -> None:
        """Leaves out the points that are not good, and says so."""
        count = int((~good).sum())
        if not count:
            return
        self.dropped += count
        self.reasons.append(f"{count} {because}")
        for name in ("q", "intensity", "sigma", "resolution"):
            values = getattr(self, name)
            if values is not None:
                setattr(self, name, values[good])

    def say(self, text: str, kind: RemarkKind = "note") -> None:
        """Adds a remark."""
        self.remarks.append(Remark(text, kind))


def curve_from_entry(
    entry: Entry, file: Path, index: int = 0, asked: QUnit | None = None
) -> Curve:
    """Builds the curve of one entry: q in 1/nm, only points that can be used.

    Args:
        entry: What the file says.
        file: Where it was read, for the curve and for messages.
        index: Which curve of the file it is.
        asked: The unit of q that the caller names, or None.

    Returns:
        The curve, with every doubt about it among its remarks.

    Raises:
        FormatError: If the unit of q is not known, or if fewer than
            ``FEWEST_POINTS`` points can be used.
    """
    unit, unit_remarks = _unit_of_q(entry, file, asked)
    table = _Table(
        entry,
        entry.q * unit.in_per_nm,
        entry.intensity,
        entry.sigma,
        None if entry.resolution is None else entry.resolution * unit.in_per_nm,
    )
    _drop_unusable(table)
    _refuse_a_map(table, file)
    _judge_sigma(table)
    _judge_resolution(table)
    _put_in_order(table)
    if len(table.q) < FEWEST_POINTS:
        raise FormatError(
            f"{file.name}: at least {FEWEST_POINTS} usable points are needed, but "
            f"{len(table.q)} of {len(entry.q)} can be used"
            f"{' (' + ', '.join(table.reasons) + ')' if table.reasons else ''}."
        )
    if table.reasons:
        table.say(f"Points left out: {', '.join(table.reasons)}.")
    if table.q[-1] > _LARGEST_Q:
        table.say(
            f"q reaches {table.q[-1]:.4g} 1/nm, beyond what any X-ray or neutron "
            f"instrument measures; check the unit (taken as {unit.name}).",
            "axis",
        )
    return Curve(
        q=torch.from_numpy(table.q.copy()),
        intensity=torch.from_numpy(table.intensity.copy()),
        sigma=None if table.sigma is None else torch.from_numpy(table.sigma.copy()),
        resolution=(
            None
            if table.resolution is None
            else torch.from_numpy(table.resolution.copy())
        ),
        name=entry.name or file.stem,
        file=str(file),
        entry=index,
        q_unit=unit.name,
        intensity_unit=entry.intensity_unit,
        dropped=table.dropped + entry.dropped,
        remarks=(*unit_remarks, *entry.remarks, *table.remarks),
    )


def _unit_of_q(
    entry: Entry, file: Path, asked: QUnit | None
) -> tuple[QUnit, tuple[Remark, ...]]:
    """Settles the unit of q: the caller's, else the file's, else the format's."""
    if entry.from_angle:
        ignored = Remark(
            f"The unit {asked.name} given for q was not needed: the axis of the file "
            "is an angle."
            if asked
            else "The axis of the file is the scattering angle; q was computed from "
            "it and the wavelength in the file."
        )
        return PER_NM, (ignored,)
    stated = q_unit_from_text(entry.unit_text) if entry.unit_text else None
    convention = entry.convention
    if asked:
        known = stated or (convention.unit if convention else None)
        if known is None:
            text = f"The file does not state the unit of q; {asked.name} was given."
        elif known != asked:
            text = (
                f"The unit {asked.name} given for q overrides {known.name}, which the "
                f"{'file' if stated else 'format'} states."
            )
        else:
            return asked, ()
        return asked, (Remark(text),)
    if stated:
        return stated, ()
    if convention:
        text = (
            f"q is in {convention.unit.name} by the convention of {convention.writer}."
        )
        return convention.unit, (Remark(text),)
    unknown = f" ('{entry.unit_text}' is none)" if entry.unit_text else ""
    raise FormatError(
        f"{file.name}: the unit of q must be known, but the file does not state it"
        f"{unknown}. Pass --q-unit 1/nm or --q-unit 1/A (q_unit= in Python)."
    )


def _drop_unusable(table: _Table) -> None:
    """Leaves out masked points, points that are no numbers, and q <= 0."""
    entry = table.entry
    numbers = np.isfinite(entry.q) & np.isfinite(entry.intensity)
    masked = np.zeros_like(numbers) if entry.masked is None else entry.masked
    table.keep(~masked, entry.masked_because)
    table.keep(numbers[~masked], "that are no numbers")
    table.keep(table.q > 0, "at q <= 0")


def _refuse_a_map(table: _Table, file: Path) -> None:
    """Refuses a list whose first column repeats: a map I(qx, qy) written by rows."""
    q = table.entry.q
    falls = int((np.diff(q) < 0).sum())
    if (q < 0).mean() > 0.2 and 10 < falls < len(q) - 1:
        raise FormatError(
            f"{file.name}: a curve has one point at each q, but the first column runs "
            f"through positive and negative values {falls} times, as a 2D map "
            "I(qx, qy) does. Reduce it to a curve first."
        )
    distinct = len(np.unique(table.q))
    if len(table.q) >= 50 and distinct < len(table.q) / 2:
        raise FormatError(
            f"{file.name}: a curve has one point at each q, but {len(table.q)} rows "
            f"hold only {distinct} different values in the first column, as a 2D map "
            "I(qx, qy) does. Reduce it to a curve first."
        )


def _judge_sigma(table: _Table) -> None:
    """Keeps the error bars only if they can be ones, and the points that have one."""
    if table.sigma is None:
        _drop_empty_ends(table)
        table.say("The file has no error bars.", "sigma")
        return
    good = np.isfinite(table.sigma) & (table.sigma > 0)
    typical = float(np.median(table.sigma[good])) if good.any() else 0.0
    # Empty bins are written as 0 ± 0, or as 0 ± a tiny number.
    empty = (table.intensity == 0) & ~(good & (table.sigma > 1e-6 * typical))
    table.keep(~empty, "in empty bins (0 ± 0)")
    assert table.sigma is not None
    good = np.isfinite(table.sigma) & (table.sigma > 0)
    if not good.any():
        table.say(
            "The error column holds no positive number "
            f"({_range(table.sigma)}), so the curve has no error bars.",
            "sigma",
        )
        table.sigma = None
    elif good.mean() < 0.5:
        table.say(
            f"Only {int(good.sum())} of {len(good)} points have a positive error bar, "
            "so the error column is not used.",
            "sigma",
        )
        table.sigma = None
    else:
        table.keep(good, "without a positive error bar")
        _refuse_impossible_sigma(table)


def _refuse_impossible_sigma(table: _Table) -> None:
    assert table.sigma is not None
    size = np.abs(table.intensity)
    if not (size > 0).any():
        return
    relative = float(np.median(table.sigma[size > 0] / size[size > 0]))
    if relative < _SMALLEST_RELATIVE_ERROR:
        table.say(
            f"The error column is {relative:.1e} of the intensity, too small for error "
            "bars, and is not used as such.",
            "sigma",
        )
        table.sigma = None


def _drop_empty_ends(table: _Table) -> None:
    """Leaves out zeros at both ends of a curve without errors: the beam stop."""
    filled = np.flatnonzero(table.intensity != 0)
    inside = np.zeros(len(table.q), dtype=bool)
    if len(filled):
        inside[filled[0] : filled[-1] + 1] = True
    table.keep(inside, "of zero at the ends of the curve")


def _range(values: Float64[np.ndarray, "q"]) -> str:
    finite = values[np.isfinite(values)]
    if not len(finite):
        return "nothing finite"
    if finite.min() == finite.max():
        return f"all {finite[0]:g}"
    return f"{finite.min():.3g} to {finite.max():.3g}"


def _judge_resolution(table: _Table) -> None:
    """Keeps the widths of q only if they can be ones."""
    width = table.resolution
    if width is None or not len(width):
        table.resolution = None
        return
    if not np.isfinite(width).all() or (width < 0).any():
        table.say("The resolution column has unusable values and is not used.")
    elif not (width > 0).any():
        table.say("The resolution column is all zero and is not used.")
    elif float(np.median(width / table.q)) > 0.5:
        table.say(
            "The fourth column is comparable with q itself, so it is "
            "not the resolution of q and is not used."
        )
    else:
        return
    table.resolution = None


def _put_in_order(table: _Table) -> None:
    """Sorts by q and averages points that share one q."""
    steps = np.diff(table.q)
    if (steps < 0).any():
        table.say(
            "q was written in descending order; the curve is turned round."
            if (steps < 0).all()
            else "q was not in ascending order; the points are sorted."
        )
        order = np.argsort(table.q, kind="stable")
        for name in ("q", "intensity", "sigma", "resolution"):
            values = getattr(table, name)
            if values is not None:
                setattr(table, name, values[order])
    if (np.diff(table.q) == 0).any():
        _average_repeats(table)


def _average_repeats(table: _Table) -> None:
    q, place, count = np.unique(table.q, return_inverse=True, return_counts=True)

    def mean(values: Float64[np.ndarray, "q"]) -> Float64[np.ndarray, "p"]:
        return np.asarray(np.bincount(place, values) / count)

    table.say(
        f"{len(table.q) - len(q)} points repeat the q of another; each such group is "
        "replaced by its mean."
    )
    table.intensity = mean(table.intensity)
    if table.sigma is not None:
        table.sigma = np.sqrt(mean(table.sigma**2) / count)
    if table.resolution is not None:
        table.resolution = mean(table.resolution)
    table.q = q
