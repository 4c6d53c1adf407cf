"""What a file says about one curve, before anything is converted or left out."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float64

from saxinfer.curve import Remark
from saxinfer.formats.units import QUnit

__all__ = ["Convention", "Entry"]


@dataclass(frozen=True)
class Convention:
    """A format that fixes the unit of q by its own rules.

    Attributes:
        unit: The unit of q in every file of the format.
        writer: Whose convention it is, as the remark prints it.
    """

    unit: QUnit
    writer: str


@dataclass(frozen=True)
class Entry:
    """One curve as its file gives it.

    Attributes:
        q: Scattering vector, in the unit of the file.
        intensity: Scattered intensity [``intensity_unit``].
        sigma: Third column or its like [``intensity_unit``], not yet judged.
        resolution: Gaussian standard deviation of q, in the unit of ``q``.
        masked: True where the file itself says that a point is not to be used.
        masked_because: What those points are, as the remark prints it.
        name: What the file calls the curve.
        unit_text: The unit of q as the file states it, or None.
        convention: The format's own rule on the unit of q, or None.
        intensity_unit: The unit of the intensity as the file states it.
        from_angle: True if ``q`` was computed from scattering angles, so that no
            unit has to be known.
        dropped: Rows of the file that are missing here already.
        remarks: What the reader had to say.
    """

    q: Float64[np.ndarray, "q"]
    intensity: Float64[np.ndarray, "q"]
    sigma: Float64[np.ndarray, "q"] | None = None
    resolution: Float64[np.ndarray, "q"] | None = None
    masked: Bool[np.ndarray, "q"] | None = None
    masked_because: str = "masked in the file"
    name: str = ""
    unit_text: str | None = None
    convention: Convention | None = None
    intensity_unit: str = "a.u."
    from_angle: bool = False
    dropped: int = 0
    remarks: tuple[Remark, ...] = ()
