"""All tests of one set of ranks: marginal ranks, coverage curves, the joint posterior.

Each family of tests (ranks of all columns; coverage of all columns; the joint one) is
failed by a perfect method once in a hundred times.
"""

from dataclasses import dataclass
from functools import cached_property
from typing import Final

import numpy as np
from jaxtyping import Float, Int
from numpy import ndarray

from saxinfer.calibration.coverage import LEVELS, covered, eccentricity
from saxinfer.calibration.proportion import Proportion
from saxinfer.calibration.ranks import VALUES
from saxinfer.calibration.uniformity import (
    UniformRanks,
    distribution,
    holm,
    uniform_ranks,
)

__all__ = ["SURE", "Assessment", "Check"]

SURE: Final = 0.99
"""Probability with which a perfect method passes a family of tests."""


Band = tuple[Float[ndarray, " value"], Float[ndarray, " value"]]


@dataclass(frozen=True)
class Check:
    """What the tests say of one column, or of the joint posterior.

    Attributes:
        distance: Kolmogorov-Smirnov distance of the ranks from uniform ones.
        p_value: Of that distance.
        adjusted: The same, the number of columns accounted for (Holm).
        gap: Largest distance of the coverage curve from the diagonal.
        within: Whether that curve stays in the band of a perfect method.
    """

    distance: float
    p_value: float
    adjusted: float
    gap: float
    within: bool


@dataclass(frozen=True, eq=False)
class Assessment:
    """Ranks of many curves, and what follows from them.

    Attributes:
        ranks: Of the truth in each marginal.
        joint: Of its distance from a random point; None where samples do not say how
            columns go together.

    Raises:
        ValueError: If there is no curve, or no such rank.
    """

    ranks: Int[ndarray, "curve column"]
    joint: Int[ndarray, " curve"] | None = None

    def __post_init__(self) -> None:
        if not len(self.ranks):
            raise ValueError("a calibration needs ranks of at least one curve.")
        parts = [self.ranks] if self.joint is None else [self.ranks, self.joint]
        for part in parts:
            if part.min() < 0 or part.max() >= VALUES:
                raise ValueError(
                    f"ranks need to be 0 to {VALUES - 1}, got {part.min()} to "
                    f"{part.max()}."
                )

    @property
    def count(self) -> int:
        """Number of curves."""
        return len(self.ranks)

    @property
    def columns(self) -> int:
        """Number of columns."""
        return int(self.ranks.shape[1])

    @cached_property
    def rank_distribution(self) -> Float[ndarray, "column value"]:
        """Share of ranks that are at most k, of each column."""
        return distribution(self.ranks.T, VALUES)

    @cached_property
    def coverage(self) -> Float[ndarray, "column level"]:
        """Share of central intervals that hold the truth, at ``levels``."""
        return distribution(eccentricity(self.ranks).T, LEVELS)

    @property
    def levels(self) -> Float[ndarray, " level"]:
        """Levels of the central intervals, 0.02 to 1."""
        return self._centred.expected

    @cached_property
    def joint_coverage(self) -> Float[ndarray, " value"] | None:
        """Expected coverage of balls about random points, at ``joint_levels``."""
        return None if self.joint is None else distribution(self.joint, VALUES)

    @property
    def joint_levels(self) -> Float[ndarray, " value"]:
        """Levels of those balls, 0.01 to 1."""
        return self._uniform.expected

    @cached_property
    def checks(self) -> tuple[Check, ...]:
        """The tests of each column."""
        distances = [self._uniform.distance(row) for row in self.rank_distribution]
        p_values = [self._uniform.p_value(distance) for distance in distances]
        gaps = [self._centred.distance(row) for row in self.coverage]
        within = [_stays(row, self.coverage_band) for row in self.coverage]
        parts = (distances, p_values, holm(p_values), gaps, within)
        return tuple(Check(*each) for each in zip(*parts, strict=True))

    @cached_property
    def joint_check(self) -> Check | None:
        """The test of the joint posterior."""
        if self.joint_coverage is None:
            return None
        distance = self._uniform.distance(self.joint_coverage)
        p_value = self._uniform.p_value(distance)
        within = _stays(self.joint_coverage, self.joint_band)
        return Check(distance, p_value, p_value, distance, within)

    @cached_property
    def coverage_limit(self) -> float:
        """What the largest gap of all columns of a perfect method stays below."""
        return self._centred.limit(SURE, self.columns)

    @cached_property
    def rank_band(self) -> Band:
        """Where a perfect method's ``rank_distribution`` stays, all columns."""
        return self._uniform.band(SURE, self.columns)

    @cached_property
    def coverage_band(self) -> Band:
        """Where a perfect method's ``coverage`` stays, all columns and levels."""
        return self._centred.band(SURE, self.columns)

    @cached_property
    def joint_band(self) -> Band:
        """Where a perfect method's ``joint_coverage`` stays."""
        return self._uniform.band(SURE)

    def inside(self) -> tuple[Proportion, ...]:
        """How many of the 90 % intervals hold the truth, of each column."""
        counts = covered(self.ranks).sum(0).tolist()
        return tuple(Proportion(count, self.count) for count in counts)

    def chosen(self, rows: ndarray) -> "Assessment":
        """The same of some of the curves; they must be chosen without the truth."""
        joint = None if self.joint is None else self.joint[rows]
        return Assessment(np.asarray(self.ranks[rows]), joint)

    @property
    def _uniform(self) -> UniformRanks:
        return uniform_ranks(self.count, VALUES)

    @property
    def _centred(self) -> UniformRanks:
        return uniform_ranks(self.count, LEVELS)


def _stays(found: ndarray, band: Band) -> bool:
    """Whether a curve is in a band everywhere."""
    low, high = band
    return bool(((found >= low - 1e-9) & (found <= high + 1e-9)).all())
