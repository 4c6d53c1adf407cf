r"""Volume fraction, number density or contrast, from the scale of an absolute curve.

The curve s(q) of a model is nm³ a unit of volume and of contrast². With the factor from
1/nm to 1/cm, a volume fraction phi of particles, and the difference of scattering
length densities that is one unit of the contrast (``Structure.unit_contrast``),

.. math:: I [\text{cm}^{-1}] = 10^7 \, \varphi \, \Delta\rho^2 [\text{nm}^{-4}] \,
          s [\text{nm}^3] + \dots, \qquad
          \varphi = \frac{\text{scale}}{10^7 \Delta\rho^2}, \qquad
          N = \frac{\varphi}{\langle V \rangle}, \qquad
          \Delta\rho = \sqrt{\text{scale} / 10^7} .

The first two hold for a dispersion of particles whose contrast is known, the last for a
material that fills the volume. Each sample is transformed by itself, so that what the
scale and the size have to do with one another is in the interval of N. Nothing of it
enters the likelihood, or the prior, which follows from that of the scale.

Where the number of electrons a volume is known, the density is that times the classical
electron radius (X-rays far from an absorption edge).
"""

import re
import unicodedata
from dataclasses import replace
from typing import Final

import torch
from torch import Tensor

from saxinfer.inference.summary import PRIOR_CURVES
from saxinfer.posterior import Posterior, Quantity
from saxinfer.structures.base import Structure

__all__ = [
    "ELECTRON_RADIUS",
    "LARGEST_CONTRAST",
    "PER_NM2",
    "check_contrast",
    "check_unit",
    "per_cm",
    "read_scale",
]

PER_NM2: Final = 1e-4
"""10^10/cm2 in 1/nm²."""

ELECTRON_RADIUS: Final = 2.8179403e-6
"""Classical electron radius [nm]: from electrons a nm³ to 1/nm²."""

LARGEST_CONTRAST: Final = 0.025
"""No contrast is larger [1/nm²]: iridium, as dense as matter gets, has 0.0153."""

# From 1/nm to 1/cm, and from 1/nm³ to 1/cm³.
PER_CM, PER_CM3 = 1e7, 1e21

_LENGTHS: Final = {
    "m": 1e2,
    "cm": 1.0,
    "mm": 0.1,
    "um": 1e-4,
    "μm": 1e-4,
    "nm": 1e-7,
    "å": 1e-8,
    "a": 1e-8,
    "angstrom": 1e-8,
}
_RECIPROCAL: Final = re.compile(
    r"1?/([a-zåμ]+)|([a-zåμ]+)-1|(?P<length>[a-zåμ]+)2/(?P=length)3"
)
# A steradian is one: 1/(cm sr), 1/cm/sr, cm-1 sr-1.
_STERADIAN: Final = re.compile(r"(?<=[a-zåμ])sr|/?sr(-1)?")


def per_cm(unit: str) -> float | None:
    """Factor from a unit of the intensity to 1/cm; None where it is not absolute.

    Example:
        >>> [per_cm(unit) for unit in ("1/cm", "cm^-1 sr^-1", "1/m", "a.u.")]
        [1.0, 1.0, 0.01, None]
    """
    plain = unicodedata.normalize("NFKC", unit).lower().replace("\N{MINUS SIGN}", "-")
    plain = re.sub(r"[\s_^*·\[\](){}]", "", plain)
    found = _RECIPROCAL.fullmatch(_STERADIAN.sub("", plain))
    length = _LENGTHS.get(next(filter(None, found.groups()))) if found else None
    return None if length is None else 1 / length


def check_contrast(structure: Structure, contrast: float | None) -> None:
    """Refuses a contrast of a model whose curves are in no unit of it.

    Raises:
        ValueError: If it is one, and a contrast is given.
    """
    if contrast is not None and not structure.unit_contrast:
        raise ValueError(
            f"A contrast is given, but the scale of '{structure.name}' is no volume "
            "fraction times contrast². Leave the contrast out."
        )


def check_unit(unit: str, contrast: float | None) -> None:
    """Refuses a contrast for a curve in arbitrary units.

    Raises:
        ValueError: If the intensity is in such a unit, and a contrast is given.
    """
    if contrast is not None and per_cm(unit) is None:
        raise ValueError(
            f"a contrast is given, but the intensity is in '{unit}', which is not an "
            "absolute unit such as 1/cm: no volume fraction follows. If it is in 1/cm, "
            "let the file say so (# q [1/nm]  I [1/cm]  sigma); else calibrate it, or "
            "leave the contrast out."
        )


def read_scale(
    posterior: Posterior, structure: Structure, unit: str, contrast: float | None
) -> tuple[Posterior, tuple[str, ...]]:
    """Adds what an absolute scale says, if it says anything.

    Args:
        posterior: Of a fit in which the scale is free.
        structure: The model.
        unit: Of the intensity.
        contrast: What one unit of the model's contrast is [1/nm²]; None if unknown.

    Returns:
        The posterior with ``volume_fraction`` [1] and ``number_density`` [1/cm3] of
        particles, or ``contrast`` [10^10/cm2] of a material; and a plain sentence on
        what cannot be.
    """
    factor, names = per_cm(unit), [quantity.name for quantity in posterior]
    known = structure.unit_contrast and "scale" in names
    if factor is None or not known:
        return posterior, ()
    wanted = [names.index(name) for name in (*structure.space.names, "scale")]
    columns = _columns(posterior.samples[:, wanted], structure, factor, contrast)
    if not columns:
        return posterior, ()
    # In the prior the scale belongs to the parameters of the first draws only.
    drawn = posterior.prior[:PRIOR_CURVES, wanted]
    rows = torch.arange(len(posterior.prior)) % len(drawn)
    prior = {
        name: values[rows]
        for name, values in _columns(drawn, structure, factor, contrast).items()
    }
    found = _extended(posterior, structure, columns, prior)
    return found, _doubts(found, found.quantities[len(names)].name, contrast)


def _extended(
    posterior: Posterior,
    structure: Structure,
    columns: dict[str, Tensor],
    prior: dict[str, Tensor],
) -> Posterior:
    """The posterior with more derived quantities."""
    taken = [quantity.name for quantity in posterior]
    quantities = list(posterior.quantities)
    for name, values in columns.items():
        both = torch.cat([values, prior[name]])
        unit, meaning = _described(name, structure)
        # A model may know a volume fraction without its scale.
        free = name if name not in taken else f"{name}_by_scale"
        ends = float(both.min()), float(both.max())
        quantities.append(Quantity(free, unit, meaning, "derived", *ends, True))
    return replace(
        posterior,
        quantities=tuple(quantities),
        samples=torch.column_stack([posterior.samples, *columns.values()]),
        prior=torch.column_stack([posterior.prior, *prior.values()]),
    )


def _columns(
    rows: Tensor, structure: Structure, factor: float, contrast: float | None
) -> dict[str, Tensor]:
    """What follows from parameters and, in the last column, a scale."""
    square = factor * rows[:, -1] / PER_CM
    volume = structure.mean_volume(rows[:, :-1])
    if volume is None:
        return {"contrast": square.sqrt() / PER_NM2}
    if contrast is None:
        return {}
    fraction = square / contrast**2
    return {"volume_fraction": fraction, "number_density": PER_CM3 * fraction / volume}


def _described(name: str, structure: Structure) -> tuple[str, str]:
    """Unit and meaning of a quantity."""
    return {
        "volume_fraction": ("1", "Share of the volume that the particles fill."),
        "number_density": ("1/cm3", "Number of particles a volume."),
        "contrast": (
            "10^10/cm2",
            f"Difference of scattering length densities, {structure.unit_contrast}.",
        ),
    }[name]


def _doubts(posterior: Posterior, name: str, given: float | None) -> tuple[str, ...]:
    """A sentence if the volume is more than full, or a contrast not what was given."""
    low, median, high = (posterior.quantile(name, part) for part in (0.05, 0.5, 0.95))
    if name != "contrast":
        full = (
            f"The volume fraction would be {median:.3g}: the contrast or the absolute"
        )
        return (f"{full} scale is wrong.",) if median > 1 else ()
    stated = None if given is None else abs(given) / PER_NM2
    if stated is None or low <= stated <= high:
        return ()
    return (
        f"The absolute scale says a contrast of {low:.3g} to {high:.3g} 10^10/cm2, but "
        f"{stated:.3g} was given: one of these, or the model, is wrong.",
    )
