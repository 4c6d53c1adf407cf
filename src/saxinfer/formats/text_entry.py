"""From a table of numbers with its heading to what the file says about a curve."""

import re
from dataclasses import dataclass, replace
from typing import Final

import numpy as np
from jaxtyping import Float64

from saxinfer.curve import Remark
from saxinfer.formats.entry import Convention, Entry
from saxinfer.formats.error import FormatError
from saxinfer.formats.headings import (
    Roles,
    column_names,
    foreign_quantity,
    intensity_unit_of,
    q_unit_text_of,
    roles_of,
)
from saxinfer.formats.text import Block

__all__ = ["entry_from_table"]

_ANGLE: Final = re.compile(r"(?:2|two)[-_ ]?th(?:eta)?|tth", re.I)


@dataclass(frozen=True)
class _Columns:
    """A table, what its columns are called, and which is which."""

    table: Block
    names: list[str] | None
    roles: Roles

    def column(self, index: int | None) -> Float64[np.ndarray, "q"] | None:
        """Returns one column, or None where there is none."""
        return None if index is None else self.table.rows[:, index].copy()


def entry_from_table(
    table: Block,
    file_name: str,
    name: str = "",
    convention: Convention | None = None,
    roles: Roles | None = None,
) -> Entry:
    """Returns what a table of numbers says about a curve.

    Args:
        table: The numbers and the lines above them.
        file_name: For messages.
        name: What the file calls the curve.
        convention: The format's rule on the unit of q, where it has one.
        roles: Which column is which, where the format fixes that.

    Returns:
        The entry, without any point left out.

    Raises:
        FormatError: If the columns are something else than I(q), or cannot be
            told apart.
    """
    count = table.rows.shape[1]
    names = column_names(table.heading, count)
    what = foreign_quantity(names)
    unit_text = q_unit_text_of(table.heading)
    angles = [line for line in table.heading if _ANGLE.match(line.lstrip("# \t"))]
    if angles and not what and unit_text is None:
        what = f"a curve over the angle ('{angles[-1].strip()[:40]}')"
    elif names and what and _ANGLE.match(names[0]):
        what = f"a curve over the angle '{names[0]}' without a wavelength"
    if what:
        raise FormatError(f"{file_name}: holds {what}, not a scattering curve I(q).")
    fixed = roles is not None
    roles = roles or roles_of(names, count)
    if roles is None:
        raise FormatError(f"{file_name}: {_too_many(table)}.")
    if _numbers_rows(table.rows[:, roles.q]):
        raise FormatError(
            f"{file_name}: the first column only numbers the rows (1, 2, 3 ...), so it "
            "is not q. Remove it, or name the columns in a line above."
        )
    remarks: list[Remark] = []
    if names is None and not fixed:
        roles, remarks = _without_repeats(table, roles)
    columns = _Columns(table, names, roles)
    sigma, more = _sigma(columns)
    return Entry(
        q=table.rows[:, roles.q].copy(),
        intensity=table.rows[:, roles.intensity].copy(),
        sigma=sigma,
        resolution=columns.column(roles.resolution),
        name=name,
        unit_text=unit_text,
        convention=convention,
        intensity_unit=intensity_unit_of(table.heading, names),
        dropped=table.lost,
        remarks=(*remarks, *more, *_remarks_on_columns(columns)),
    )


def _without_repeats(table: Block, roles: Roles) -> tuple[Roles, list[Remark]]:
    """Takes unnamed columns that nearly equal the intensity for what they are: fits."""
    intensity = table.rows[:, roles.intensity]

    def repeats(index: int | None) -> bool:
        if index is None:
            return False
        close = np.abs(table.rows[:, index] - intensity) < 0.3 * np.abs(intensity)
        return bool(close.mean() > 0.8)

    text = "Column {} nearly equals the intensity, as a fit does, and is not taken for "
    remarks = []
    if repeats(roles.sigma):
        remarks.append(Remark(text.format(3) + "its error.", "sigma"))
        roles = replace(roles, sigma=None)
    if repeats(roles.resolution):
        remarks.append(Remark(text.format(4) + "the width of q."))
        roles = replace(roles, resolution=None)
    return roles, remarks


def _sigma(
    columns: _Columns,
) -> tuple[Float64[np.ndarray, "q"] | None, tuple[Remark, ...]]:
    """Returns the error column, unless it counts something."""
    sigma = columns.column(columns.roles.sigma)
    if sigma is None or not _counts(sigma):
        return sigma, ()
    if _counts(columns.table.rows[:, columns.roles.intensity]):
        return sigma, ()
    text = (
        "The third column holds whole numbers, as a number of pixels does, and is not "
        "taken for error bars."
    )
    return None, (Remark(text, "sigma"),)


def _numbers_rows(values: Float64[np.ndarray, "q"]) -> bool:
    first = values[0]
    count = np.arange(len(values)) + first
    return len(values) >= 10 and first in (0, 1) and np.array_equal(values, count)


def _counts(values: Float64[np.ndarray, "q"]) -> bool:
    """Whether a column holds different whole numbers and nothing else."""
    finite = values[np.isfinite(values)]
    return len(np.unique(finite)) > 2 and np.array_equal(finite, np.round(finite))


def _too_many(table: Block) -> str:
    rows, count = table.rows.shape
    if count >= 20:
        return (
            f"is a matrix of {rows} x {count} numbers (a 2D map or a series), not one "
            "curve; reduce it to q, I and sigma first"
        )
    return (
        f"has {count} columns and no line that names them, so intensity and error "
        "cannot be told apart; keep q, I and sigma, or add a line of names"
    )


def _remarks_on_columns(columns: _Columns) -> list[Remark]:
    remarks = []
    name = columns.names[columns.roles.q] if columns.names else ""
    if re.match(r"s(?:exp)?$", name, re.I):
        text = f"The axis '{name}' is taken for q = 4π sin(θ)/λ, not for 2 sin(θ)/λ."
        remarks.append(Remark(text))
    lost = columns.table.lost
    if lost:
        text = f"{lost} rows with missing, additional or broken columns are left out."
        remarks.append(Remark(text))
    roles = columns.roles
    used = {roles.q, roles.intensity, roles.sigma, roles.resolution}
    unused = [i for i in range(columns.table.rows.shape[1]) if i not in used]
    unused = [i for i in unused if np.isfinite(columns.table.rows[:, i]).any()]
    if unused:
        names = columns.names or [
            str(i + 1) for i in range(columns.table.rows.shape[1])
        ]
        text = f"Columns that are not used: {', '.join(names[i] for i in unused)}."
        remarks.append(Remark(text))
    return remarks
