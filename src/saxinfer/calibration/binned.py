"""Coverage where it may differ: by noise level, say, or by the window of q.

A method may be too wide for some curves and too narrow for others, and right on
average. What curves are sorted by must be known without the truth.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from jaxtyping import Float, Int
from numpy import ndarray

from saxinfer.calibration.coverage import LEVEL, covered
from saxinfer.calibration.proportion import Proportion
from saxinfer.calibration.uniformity import holm

__all__ = ["Bin", "adjusted", "binned"]


@dataclass(frozen=True)
class Bin:
    """The curves within two edges.

    Attributes:
        low: Lower edge, included; -inf where there is none.
        high: Upper edge, not included; inf where there is none.
        inside: Of each column, how many 90 % intervals hold the truth.
    """

    low: float
    high: float
    inside: tuple[Proportion, ...]

    @property
    def count(self) -> int:
        """Number of curves."""
        return self.inside[0].of


def binned(
    ranks: Int[ndarray, "curve column"],
    values: Float[ndarray, " curve"],
    edges: Sequence[float],
) -> tuple[Bin, ...]:
    """Coverage of the 90 % intervals in every bin that has a curve.

    Args:
        ranks: Of the truths.
        values: What the curves are sorted by; NaN is in no bin.
        edges: Between the bins, rising.
    """
    ends = (-np.inf, *edges, np.inf)
    found = []
    for low, high in pairwise(ends):
        chosen = ranks[(values >= low) & (values < high)]
        if len(chosen):
            counts = covered(chosen).sum(0).tolist()
            inside = tuple(Proportion(count, len(chosen)) for count in counts)
            found.append(Bin(low, high, inside))
    return tuple(found)


def adjusted(bins: Sequence[Bin]) -> tuple[tuple[float, ...], ...]:
    """p-values that coverage is right, of each bin and column, Holm over all."""
    raw = [[part.p_value(LEVEL) for part in each.inside] for each in bins]
    flat = holm([p for row in raw for p in row])
    width = len(raw[0]) if raw else 1
    return tuple(flat[i : i + width] for i in range(0, len(flat), width))
