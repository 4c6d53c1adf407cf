"""The scattering curve: the one object that every stage hands to the next."""

from dataclasses import dataclass
from typing import Literal

import torch
from jaxtyping import Float
from torch import Tensor

__all__ = ["Curve", "Remark"]

RemarkKind = Literal["note", "axis", "slit", "sigma"]


@dataclass(frozen=True)
class Remark:
    """One plain sentence that a reader has to say about a file.

    Attributes:
        text: The sentence, as printed in every result.
        kind: ``note``: for information. ``axis``: the q axis cannot be trusted,
            so no result from this curve is in the domain of any model. ``slit``:
            the curve is slit-smeared. ``sigma``: the error bars are missing or
            cannot be used.
    """

    text: str
    kind: RemarkKind = "note"


@dataclass(frozen=True, eq=False)
class Curve:
    """A one-dimensional scattering curve.

    Attributes:
        q: Scattering vector magnitude [1/nm], float64, strictly increasing and
            positive.
        intensity: Differential cross-section per volume [``intensity_unit``].
            Negative values are allowed: a subtracted background leaves them.
        sigma: Standard error of ``intensity`` [``intensity_unit``], positive, or
            None where it was not measured. It is never guessed here.
        resolution: Gaussian standard deviation of q [1/nm] at each point (pinhole
            smearing), or None where the file does not state it.
        name: What the curve is called in figures and reports.
        file: Path or file name that the curve was read from; empty if simulated.
        entry: Index of the curve within its file.
        q_unit: Unit of q in the file ("1/nm", "1/Å", "1/m").
        intensity_unit: Unit as the file states it, "1/cm" or "a.u.", say.
        dropped: Number of points of the file that could not be used.
        remarks: What the reader had to say.

    Raises:
        ValueError: If q is not positive and strictly increasing, if the lengths
            differ, or if a value is not finite.

    Example:
        >>> Curve(q=torch.tensor([0.1, 0.2]), intensity=torch.tensor([5.0, 3.0]))
        Curve('', 2 points, q = 0.1 to 0.2 1/nm, no errors)
    """

    q: Float[Tensor, "q"]
    intensity: Float[Tensor, "q"]
    sigma: Float[Tensor, "q"] | None = None
    resolution: Float[Tensor, "q"] | None = None
    name: str = ""
    file: str = ""
    entry: int = 0
    q_unit: str = "1/nm"
    intensity_unit: str = "a.u."
    dropped: int = 0
    remarks: tuple[Remark, ...] = ()

    def __post_init__(self) -> None:
        if len(self.q) == 0:
            raise ValueError("a curve needs points, but q is empty.")
        if not bool(self.q.isfinite().all()):
            where = int((~self.q.isfinite()).nonzero()[0])
            raise ValueError(
                f"q must be finite, but point {where} is {self.q[where]}. Drop that "
                "point before building the curve."
            )
        steps = torch.diff(self.q, prepend=self.q.new_zeros(1))
        if not bool((steps > 0).all()):
            where = int((~(steps > 0)).nonzero()[0])
            raise ValueError(
                "q must be positive and strictly increasing, but point "
                f"{where} is {self.q[where]:.4g} 1/nm. Sort the curve and drop "
                "repeated points before building it."
            )
        for name in ("intensity", "sigma", "resolution"):
            values = getattr(self, name)
            if values is not None and values.shape != self.q.shape:
                raise ValueError(
                    f"{name} needs one value for each of the {len(self.q)} points of "
                    f"q, but has {len(values)}."
                )
            if values is not None and not bool(values.isfinite().all()):
                where = int((~values.isfinite()).nonzero()[0])
                raise ValueError(
                    f"{name} must be finite, but point {where} is "
                    f"{values[where]}. Drop that point before building the curve."
                )
        if self.sigma is not None and not bool((self.sigma > 0).all()):
            where = int((self.sigma <= 0).nonzero()[0])
            raise ValueError(
                f"sigma must be positive, but point {where} is "
                f"{self.sigma[where]:.4g}. Pass sigma=None where it was not measured."
            )

    def __len__(self) -> int:
        return len(self.q)

    def __repr__(self) -> str:
        errors = "no errors" if self.sigma is None else "with errors"
        return (
            f"Curve({self.name!r}, {len(self.q)} points, "
            f"q = {self.q[0]:.4g} to {self.q[-1]:.4g} 1/nm, {errors})"
        )
