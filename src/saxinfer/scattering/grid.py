"""A periodic box in two or three dimensions, sampled at the corners of its pixels."""

import math
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Int
from numpy import ndarray
from scipy import fft

__all__ = ["Grid"]

FEWEST_PIXELS = 8


@dataclass(frozen=True)
class Grid:
    """A periodic square or cube.

    Attributes:
        pixels: Number of pixels along an edge.
        pixel: Edge of a pixel [nm].
        dimension: 2 or 3.

    Example:
        >>> grid = Grid(pixels=512, pixel=0.25)
        >>> grid.edge, grid.shape
        (128.0, (512, 512))
    """

    pixels: int
    pixel: float
    dimension: int = 2

    def __post_init__(self) -> None:
        if self.dimension not in (2, 3):
            raise ValueError(f"dimension must be 2 or 3, got {self.dimension}.")
        if self.pixels < FEWEST_PIXELS or self.pixels % 2:
            raise ValueError(
                f"pixels must be an even number from {FEWEST_PIXELS} on, got "
                f"{self.pixels}."
            )
        if not self.pixel > 0:
            raise ValueError(f"pixel must be positive, got {self.pixel} nm.")

    @classmethod
    def covering(cls, edge: float, pixel: float, dimension: int = 2) -> "Grid":
        """The smallest box of at least this edge [nm] that is fast to transform.

        Example:
            >>> Grid.covering(100.0, 0.125).pixels
            800
        """
        half = math.ceil(max(edge / pixel, FEWEST_PIXELS) / 2 - 1e-9)
        pixels = 2 * int(fft.next_fast_len(half, real=True))
        return cls(pixels, pixel, dimension)

    @property
    def edge(self) -> float:
        """Edge of the box [nm]."""
        return self.pixels * self.pixel

    @property
    def shape(self) -> tuple[int, ...]:
        """Shape of a map."""
        return (self.pixels,) * self.dimension

    @property
    def volume(self) -> float:
        """Area [nm²] or volume [nm³] of the box."""
        return self.edge**self.dimension

    @property
    def step(self) -> float:
        """Distance of neighbouring wavevectors of the box [1/nm]."""
        return 2 * math.pi / self.edge

    @property
    def nyquist(self) -> float:
        """Largest wavenumber along an axis [1/nm]."""
        return math.pi / self.pixel

    def wavenumbers(
        self, kept: tuple[Int[ndarray, "..."], ...] | None = None
    ) -> Float[ndarray, "..."]:
        """|k| [1/nm] for each coefficient of the real Fourier transform of a map.

        Args:
            kept: Only those, from :meth:`within`.
        """
        whole = self.step * np.fft.fftfreq(self.pixels, 1 / self.pixels)
        half = self.step * np.arange(self.pixels // 2 + 1)
        *rows, columns = kept or self.within(2 * self.nyquist)
        square = np.square(half)[columns]
        for row in rows:
            square = square + np.square(whole)[row]
        return np.asarray(np.sqrt(square))

    def within(self, k: float) -> tuple[Int[ndarray, "..."], ...]:
        """Indices of the coefficients in the cube |k_x|, |k_y|, .. <= k [1/nm]."""
        whole = np.abs(np.fft.fftfreq(self.pixels, 1 / self.pixels))
        rows = np.flatnonzero(whole <= k / self.step + 1e-9)
        columns = np.flatnonzero(
            np.arange(self.pixels // 2 + 1) <= k / self.step + 1e-9
        )
        return np.ix_(*[rows] * (self.dimension - 1), columns)

    def multiplicity(self) -> Float[ndarray, " half"]:
        """How many wavevectors each coefficient stands for, along the last axis."""
        count = np.full(self.pixels // 2 + 1, 2.0)
        count[[0, -1]] = 1.0
        return count
