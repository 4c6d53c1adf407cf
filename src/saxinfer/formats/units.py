"""Units of the scattering vector: how files spell them, and who fixes them.

The unit of q comes from one of three places, in this order: the caller, the file,
the convention of the file's format. Where none of the three says it, nothing is
guessed: a curve in 1/Å taken for 1/nm would give every length ten times too small.
"""

import math
import re
import unicodedata
from dataclasses import dataclass
from typing import Final

import numpy as np
from jaxtyping import Float64

__all__ = [
    "PER_ANGSTROM",
    "PER_METRE",
    "PER_NM",
    "QUnit",
    "q_from_two_theta",
    "q_unit_from_text",
]


@dataclass(frozen=True)
class QUnit:
    """A unit of the scattering vector.

    Attributes:
        name: How results print it: "1/nm", "1/Å" or "1/m".
        in_per_nm: The unit, expressed in 1/nm.
    """

    name: str
    in_per_nm: float


PER_NM: Final = QUnit("1/nm", 1.0)
PER_ANGSTROM: Final = QUnit("1/Å", 10.0)
PER_METRE: Final = QUnit("1/m", 1e-9)

_LENGTHS: Final = {
    "nm": PER_NM,
    "nanometer": PER_NM,
    "nanometers": PER_NM,
    "nanometre": PER_NM,
    "nanometres": PER_NM,
    "a": PER_ANGSTROM,
    "å": PER_ANGSTROM,
    "ang": PER_ANGSTROM,
    "angs": PER_ANGSTROM,
    "angst": PER_ANGSTROM,
    "angstr": PER_ANGSTROM,
    "angstrom": PER_ANGSTROM,
    "angstroms": PER_ANGSTROM,
    "angström": PER_ANGSTROM,
    "ångström": PER_ANGSTROM,
    "ångstrom": PER_ANGSTROM,
    "angstroem": PER_ANGSTROM,
    "aangstroem": PER_ANGSTROM,
    "aangstrom": PER_ANGSTROM,
    "m": PER_METRE,
    "meter": PER_METRE,
    "metre": PER_METRE,
    "meters": PER_METRE,
    "metres": PER_METRE,
}
_RECIPROCAL: Final = (
    re.compile(r"(?:1/|/|per|inverse|inv|reciprocal)([a-zåö]+)"),
    re.compile(r"([a-zåö]+)(?:\*\*|\^)?-1"),
    re.compile(r"1/\(?([a-zåö]+)\)?"),
)


def q_unit_from_text(text: str) -> QUnit | None:
    """Returns the unit that a text spells, or None where it spells none.

    Args:
        text: The unit alone, in any of the spellings found in files.

    Example:
        >>> [q_unit_from_text(t).name for t in ("A^-1", "nm⁻¹", "n_m^-1", "1/m")]
        ['1/Å', '1/nm', '1/nm', '1/m']
        >>> q_unit_from_text("degrees") is None
        True
    """
    # NFKC turns the superscripts of Å⁻¹ into plain digits and the ångström sign
    # U+212B into the letter Å.
    plain = unicodedata.normalize("NFKC", text).lower().replace("\N{MINUS SIGN}", "-")
    plain = plain.replace("\u2013", "-").replace("\N{RING ABOVE}", "")
    plain = re.sub(r"[\s_\[\]{}().\"']", "", plain)
    for pattern in _RECIPROCAL:
        found = pattern.fullmatch(plain)
        if found and found[1] in _LENGTHS:
            return _LENGTHS[found[1]]
    return None


def q_from_two_theta(
    two_theta: Float64[np.ndarray, "q"], wavelength: float
) -> Float64[np.ndarray, "q"]:
    """Returns the scattering vector at each scattering angle.

    q = 4π/λ · sin(2θ/2)

    Args:
        two_theta: Scattering angle 2θ [rad].
        wavelength: λ [nm], positive.

    Returns:
        q [1/nm], shape (q,).

    Example:
        >>> q_from_two_theta(np.array([0.02]), 0.1).round(6)
        array([1.256616])
    """
    return np.asarray(4 * math.pi / wavelength * np.sin(two_theta / 2))
