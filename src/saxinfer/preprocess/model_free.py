"""What a curve says without a model: Guinier radius, peak, Porod slope."""

from dataclasses import dataclass

__all__ = ["ModelFree"]


@dataclass(frozen=True)
class ModelFree:
    """Model-free quantities; None where the curve does not show one.

    Attributes:
        guinier_rg: Radius of gyration [nm] of the low-q Guinier region.
        i0: Forward intensity [unit of the intensity] of the same fit.
        peak_q: Position of the strongest interference peak [1/nm].
        peak_d: Its spacing, 2 pi / peak_q [nm].
        porod_slope: Exponent n of I ~ q^-n at high q, background subtracted [1].
    """

    guinier_rg: float | None = None
    i0: float | None = None
    peak_q: float | None = None
    peak_d: float | None = None
    porod_slope: float | None = None
