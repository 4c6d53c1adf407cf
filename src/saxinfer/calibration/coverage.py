"""Central intervals: how often they hold the truth, at every level.

The central interval from the m-th to the m-th last of L samples holds the truth if its
rank is m .. L - m: for the exact posterior with probability 1 - 2m / (L + 1), exactly.
How far a truth is from the median, counted in pairs of samples, is thus a rank again,
and the coverage curve is its distribution.
"""

from typing import Final

import numpy as np
from jaxtyping import Bool, Int
from numpy import ndarray

from saxinfer.calibration.ranks import VALUES

__all__ = ["LEVEL", "LEVELS", "covered", "eccentricity"]

LEVELS: Final = VALUES // 2
"""Number of central intervals, the widest of all samples included."""

LEVEL: Final = 0.9
"""Level of the intervals that results are printed with."""


def eccentricity(ranks: Int[ndarray, "*rest"]) -> Int[ndarray, "*rest"]:
    """Number of central intervals that do not hold the truth, 0 to ``LEVELS`` - 1.

    Example:
        >>> eccentricity(np.array([0, 49, 50, 99])).tolist()
        [49, 0, 0, 49]
    """
    return np.asarray(LEVELS - 1 - np.minimum(ranks, VALUES - 1 - ranks))


def covered(
    ranks: Int[ndarray, "*rest"], level: float = LEVEL
) -> Bool[ndarray, "*rest"]:
    """Whether the central interval of a level holds the truth.

    Raises:
        ValueError: If no interval has that level.
    """
    place = level * LEVELS
    if abs(place - round(place)) > 1e-9 or not 0 < place < LEVELS:
        raise ValueError(
            f"a level needs to be a multiple of {1 / LEVELS:g} below one, "
            f"got {level:g}."
        )
    return np.asarray(eccentricity(ranks) < round(place))
