"""What the lines above the columns say: names of columns, units, what is not I(q)."""

import re
import unicodedata
from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise
from typing import Final

from saxinfer.formats.units import q_unit_from_text

__all__ = [
    "Roles",
    "column_names",
    "foreign_quantity",
    "intensity_unit_of",
    "q_unit_text_of",
    "roles_of",
]

_UNIT: Final = (
    r"(?:1\s*/\s*|/\s*|per\s+|inv(?:erse)?[\s_.]*)[A-Za-zÅåö]+"
    r"|[A-Za-zÅåö]+_?[A-Za-z]*\s*(?:\^|\*\*)?\s*[{(]?\s*-\s*1[})]?"
)
_Q_UNIT: Final = re.compile(
    r"(?:(?<![A-Za-z|])(?:mod_?)?q(?:\(?[A-Za-z]{0,5}\)?)"
    r"|scattering[ _]vector|momentum[ _]transfer)"
    rf"(?:\s+(?:is\s+)?in\b)?\s*[\[(<{{,:=/_ ]*\s*(?P<unit>{_UNIT})",
    re.IGNORECASE,
)
# q*Aangstroem: the axis is made free of units by multiplying with a length.
_Q_TIMES: Final = re.compile(r"(?<![A-Za-z])q\s*\*\s*(?P<length>[A-Za-zÅå]+)", re.I)
_INTENSITY_UNIT: Final = re.compile(
    r"(?<![A-Za-z])(?:intensity|dsigma/domega|I\s*(?:\(\s*q\s*\))?)\s*"
    r"(?:units\s+are\s*:)?\s*"
    r"(?:[\[(]\s*(?P<bracket>[^\])]*(?:[/^-]\d|\d/|a\.u\.|arb|counts)[^\])]*)[\])]"
    r"|(?P<bare>(?:1/|/)?(?:cm|sr|m|mm)(?:\^?-1)(?:\s*sr\^?-1)?))",
    re.IGNORECASE,
)
_INTENSITY_TIMES: Final = re.compile(r"[A-Za-z]\w*((?:\*(?:cm|m|mm|sr))+)$")

_Q: Final = re.compile(
    r"(?:mod_?)?q(?![a-z]{3})(?!\s*(?:\^|\*\*)?\s*[24²⁴])(?!_?[xyz]\b)"
    r"|<x>|x$|s(?:exp)?$|scattering.vec",
    re.I,
)
_INTENSITY: Final = re.compile(
    r"i(?![a-z]{3})|int|<y>|y$|counts|dsigma|iexp|signal|data", re.I
)
_SIGMA: Final = re.compile(
    r"err|sig|idev|std|deviation|<dy>|^d[iy]\b|unc|u_c|delta",
    re.I,
)
_RESOLUTION: Final = re.compile(
    r"^d_?q|sig(?:ma)?_?q|qdev|<dx>|q_?err|resol|^dx$", re.I
)
_NOT_Q: Final = re.compile(
    r"(?:r|t|radius|d|diameter|size|bin|energy|wavelength|lambda|time|temperature|spin.*|"
    r"depth|pixel|channel|index|angle|2?theta|two_?theta|tth|2th.*|2-?theta.*|"
    r"sizesdist.*|xmean|log.*|ln.*|q\s*(?:\^|\*\*)?\s*[24²⁴]|.*diameter.*|.*radius.*|.*theta.*)$",
    re.I,
)
_NOT_I: Final = (
    (re.compile(r"\|?F\s*\(\s*q\s*\)\|?|form.?factor", re.I), "form-factor amplitudes"),
    (re.compile(r"P\s*\(\s*r\s*\)", re.I), "a distance distribution P(r)"),
    (re.compile(r".*distribution.*|xwidth", re.I), "a size distribution"),
    (re.compile(r"S\s*\(\s*q\s*\)", re.I), "a structure factor S(q)"),
    (re.compile(r"q_?y", re.I), "a 2D map over qx and qy"),
    (
        re.compile(r"(?:log|ln)(?:10)?\b|.*\bq\s*(?:\^|\*\*)\s*[24]", re.I),
        "a transformed plot (a power or logarithm)",
    ),
)


@dataclass(frozen=True)
class Roles:
    """Which column is which; None where there is none.

    Attributes:
        q: Index of the scattering vector.
        intensity: Index of the intensity.
        sigma: Index of the error of the intensity.
        resolution: Index of the standard deviation of q.
    """

    q: int
    intensity: int
    sigma: int | None
    resolution: int | None


def _plain(line: str) -> str:
    text = unicodedata.normalize("NFKC", line).replace("\N{MINUS SIGN}", "-")
    return text.strip().lstrip("#%;!*/ \t").strip()


def _split(line: str, count: int) -> list[str] | None:
    for separator in (r"\s\|\s|\|\s*$", "\t", ",", ";", r"\s{2,}", r"\s+"):
        cells = [c.strip().strip('"') for c in re.split(separator, line)]
        if len(cells) == count and not cells[0] and all(cells[1:]):
            return cells  # the row numbers of a spreadsheet have no name
        cells = [c for c in cells if c]
        if len(cells) > count and "|" in separator:
            # "The 6 columns are | Q | I | ...", "q | I | fit | Chi^2= 1.2"
            cells = [c for c in cells if "=" not in c and "columns" not in c]
        if len(cells) == count:
            return cells
    return None


def column_names(heading: tuple[str, ...], count: int) -> list[str] | None:
    """Returns the names of the columns, or None if no line above names them.

    Args:
        heading: The lines above the columns, nearest last.
        count: How many columns there are.

    Example:
        >>> column_names(("# sample 3", "#  Q   I(Q)   Error"), 3)
        ['Q', 'I(Q)', 'Error']
    """
    for line in reversed(heading[-8:]):
        cells = _split(_plain(line), count)
        if cells is None:
            continue
        if all(q_unit_from_text(c) or re.fullmatch(r"[\[(].*[\])]", c) for c in cells):
            continue  # a line of units below the line of names
        if any(_Q.match(c) or _is_not_q(c) for c in cells[:3]):
            return cells
    return None


def roles_of(names: list[str] | None, count: int) -> Roles | None:
    """Decides which column is which, by name where there are names.

    Without names the columns are q, I, sigma and the width of q, in this order;
    five or more columns without names cannot be told apart, and give None.
    """
    if names is None:
        if count > 4:
            return None
        return Roles(0, 1, 2 if count > 2 else None, 3 if count > 3 else None)
    q = next((i for i, name in enumerate(names) if _Q.match(name)), 0)
    sigma = _first(names, lambda i, name: i != q and _is_sigma(name))
    width = _first(names, lambda i, name: i != q and bool(_RESOLUTION.search(name)))
    taken = {q, sigma, width}
    intensity = _first(
        names, lambda i, name: i not in taken and bool(_INTENSITY.match(name))
    )
    if intensity is None:
        intensity = _first(names, lambda i, _: i not in taken and i > q)
    return None if intensity is None else Roles(q, intensity, sigma, width)


def _first(names: list[str], fits: Callable[[int, str], bool]) -> int | None:
    return next((i for i, name in enumerate(names) if fits(i, name)), None)


def _is_not_q(name: str) -> bool:
    """Whether a name, without the unit in brackets behind it, is of something else."""
    return bool(_NOT_Q.match(re.sub(r"\s*[\[(].*$", "", name)))


def _is_sigma(name: str) -> bool:
    return bool(_SIGMA.search(name)) and not _RESOLUTION.search(name)


def foreign_quantity(names: list[str] | None) -> str | None:
    """Returns what the columns are if their names say that they are not I(q)."""
    if not names:
        return None
    for name in names[1:3]:
        for pattern, what in _NOT_I:
            if pattern.fullmatch(name) or pattern.match(name):
                return what
    if not any(_Q.match(name) for name in names) and _is_not_q(names[0]):
        for name in names:
            for pattern, what in _NOT_I:
                if pattern.match(name):
                    return what
        return f"a table over '{names[0]}', not over q"
    return None


def q_unit_text_of(heading: tuple[str, ...]) -> str | None:
    """Returns the unit of q as the lines above the columns spell it, or None.

    Example:
        >>> q_unit_text_of(("# q[1/A] I[a.u.]",))
        '1/A'
        >>> q_unit_text_of(("# 255 nm spheres",)) is None
        True
    """
    for line in reversed(heading):
        plain = _plain(line)
        texts = [found["unit"] for found in _Q_UNIT.finditer(plain)]
        texts += [f"1/{found['length']}" for found in _Q_TIMES.finditer(plain)]
        stated = {unit: text for text in texts if (unit := q_unit_from_text(text))}
        if len(stated) > 1:
            return None  # one line states two units: which of them is meant is open
        if stated:
            return next(iter(stated.values()))
    return _unit_below_its_name(heading)


def _unit_below_its_name(heading: tuple[str, ...]) -> str | None:
    """Returns the first cell of a line of units that stands below a line of names."""
    for names, units in pairwise(heading):
        cells = _plain(units).split()
        if _Q.match(_plain(names)) and cells and all(map(q_unit_from_text, cells)):
            return cells[0]
    return None


def intensity_unit_of(heading: tuple[str, ...], names: list[str] | None) -> str:
    """Returns the unit of the intensity as the file spells it, or "a.u."."""
    for line in reversed(heading):
        found = _INTENSITY_UNIT.search(_plain(line))
        if found:
            return (found["bracket"] or found["bare"]).strip()
    if names:
        times = _INTENSITY_TIMES.search(names[1])
        if times:
            return "1/(" + " ".join(times[1].strip("*").split("*")) + ")"
    return "a.u."
