"""What can be measured from the map of a structure, in one go."""

from dataclasses import dataclass

from jaxtyping import Float
from numpy import ndarray

from saxinfer.scattering.aliasing import folded, trusted
from saxinfer.scattering.boundary import Boundary, boundaries, slope
from saxinfer.scattering.fourier import Rings
from saxinfer.scattering.grid import Grid
from saxinfer.scattering.realisation import Realisation
from saxinfer.scattering.two_point import TwoPoint, two_point

__all__ = ["Measured"]

# Share of Nyquist up to which spectra are taken: beyond, most of it was folded back.
REACH = 0.5


@dataclass(frozen=True, eq=False)
class Measured:
    """Boundaries, two-point functions and spectrum of a drawn structure.

    Attributes:
        boundaries: Between every two phases.
        two_point: Two-point probability of each phase.
        rings: Where the spectrum is averaged, up to half of Nyquist.
        spectrum: S(q) [density² nm², or nm³ of a cube].
        folded: What of it was folded back from beyond Nyquist, estimated.
        trusted: Wavenumber up to which that is less than a percent [1/nm].
    """

    boundaries: tuple[Boundary, ...]
    two_point: TwoPoint
    rings: Rings
    spectrum: Float[ndarray, " ring"]
    folded: Float[ndarray, " ring"]
    trusted: float

    @classmethod
    def of(cls, drawn: Realisation) -> "Measured":
        """Measures a map."""
        grid, rings = drawn.grid, Rings.even(drawn.grid, REACH)
        spectrum = drawn.spectrum(rings)
        finer = Grid(
            grid.pixels * drawn.subpixels, grid.pixel / drawn.subpixels, grid.dimension
        )
        extra = folded(slope(drawn.density, grid), finer, rings.q)
        return cls(
            boundaries=boundaries(drawn.phases, drawn.names, grid),
            two_point=two_point(drawn.phases, grid),
            rings=rings,
            spectrum=spectrum,
            folded=extra,
            trusted=trusted(spectrum, extra, rings.q),
        )
