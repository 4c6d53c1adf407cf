"""Many judged curves, and all that is to be told of them."""

import re
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Final, Literal

import numpy as np
from numpy import ndarray

from saxinfer.calibration import Accuracy, Assessment, Bin, Proportion, binned
from saxinfer.inference.verdict import LARGEST_ERROR
from saxinfer.judging.draws import Column
from saxinfer.judging.judged import JudgedCurve

__all__ = ["CONDITIONS", "FEWEST", "Calibration", "Condition", "without_numbers"]

Condition = Literal["noise", "decades"]

CONDITIONS: Final[dict[Condition, tuple[float, ...]]] = {
    "noise": (0.01, 0.03, 0.1),
    "decades": (1.0, 1.5, 2.0),
}
"""What coverage is split by, and between which edges [1]."""

FEWEST: Final = 20
"""Tests of fewer curves tell nothing."""


@dataclass(frozen=True, eq=False)
class Calibration:
    """Curves that a method was judged by.

    Attributes:
        columns: Quantities.
        curves: In order, refused ones included.
    """

    columns: tuple[Column, ...]
    curves: tuple[JudgedCurve, ...]

    @cached_property
    def fitted(self) -> tuple[JudgedCurve, ...]:
        """Curves that were not refused."""
        return tuple(curve for curve in self.curves if not curve.refused)

    @cached_property
    def good(self) -> tuple[JudgedCurve, ...]:
        """Fits that the method calls good.

        It does so without the truth, so that their ranks are to be uniform as well.
        """
        return tuple(curve for curve in self.fitted if curve.verdict == "good")

    @cached_property
    def has_verdicts(self) -> bool:
        """Whether the method says which of its fits are good."""
        return any(curve.verdict for curve in self.fitted)

    @cached_property
    def assessment(self) -> Assessment:
        """Tests over all fits.

        Raises:
            ValueError: If there is none.
        """
        return _assessed(self.fitted)

    @cached_property
    def assessment_of_good(self) -> Assessment | None:
        """Tests over good fits; None if they are too few, or all."""
        if not FEWEST <= len(self.good) < len(self.fitted):
            return None
        return _assessed(self.good)

    def accuracy(self) -> tuple[Accuracy, ...]:
        """Of the posterior means of all fits, column by column."""
        parts = (_table(self.fitted, name) for name in ("truth", "mean", "sd"))
        truth, mean, sd = (part.T for part in parts)
        return tuple(Accuracy.of(*rows) for rows in zip(truth, mean, sd, strict=True))

    def bins(self, condition: Condition) -> tuple[Bin, ...]:
        """Coverage of all fits, split by noise or by window of q."""
        values = _table(self.fitted, condition)
        return binned(self.assessment.ranks, values, CONDITIONS[condition])

    @cached_property
    def describable(self) -> tuple[JudgedCurve, ...]:
        """Fits of curves that the model describes well enough for a good verdict."""
        return tuple(c for c in self.fitted if c.model_error <= LARGEST_ERROR)

    def false_alarms(self, verdict: str) -> Proportion | None:
        """How many of the describable curves have a verdict; None without curves.

        Args:
            verdict: One of them; empty for any but good.
        """

        def alarming(curve: JudgedCurve) -> bool:
            return curve.verdict == verdict if verdict else curve.verdict != "good"

        return _share(self.describable, alarming)

    def reasons(self) -> tuple[tuple[str, Proportion], ...]:
        """Each reason, and how many of the describable curves it is said of.

        Reasons that differ only in their numbers are one. What is said of a good fit
        is a remark, no alarm, and left out.
        """
        counts: Counter[str] = Counter()
        for curve in self.describable:
            if curve.verdict != "good":
                counts.update({without_numbers(reason) for reason in curve.reasons})
        total = len(self.describable)
        return tuple((k, Proportion(n, total)) for k, n in counts.most_common())

    def refusals(self) -> tuple[tuple[str, tuple[int, ...]], ...]:
        """Each reason for which curves were refused, and which curves."""
        rows: dict[str, list[int]] = {}
        for curve in self.curves:
            if curve.refused:
                rows.setdefault(without_numbers(curve.refused), []).append(curve.row)
        return tuple((reason, tuple(found)) for reason, found in rows.items())


def without_numbers(sentence: str) -> str:
    """A sentence with its numbers left out, so that it can be counted.

    Example:
        >>> without_numbers("The model misses sld_grf1 by 7.5 %: p = 1e-05.")
        'The model misses sld_grf1 by … %: p = ….'
    """
    return re.sub(r"(?<![\w.])-?\d[\d,]*(\.\d+)?(e[-+]?\d+)?(?![\w])", "…", sentence)


def _assessed(curves: tuple[JudgedCurve, ...]) -> Assessment:
    if not curves:
        raise ValueError("no curve was fitted, so that there is nothing to judge.")
    known = all(curve.joint is not None for curve in curves)
    joint = np.array([curve.joint for curve in curves]) if known else None
    return Assessment(np.array([curve.ranks for curve in curves]), joint)


def _table(curves: tuple[JudgedCurve, ...], name: str) -> ndarray:
    """One attribute of all curves; NaN for None."""
    return np.array([getattr(curve, name) for curve in curves], dtype=float)


def _share(
    curves: tuple[JudgedCurve, ...], is_so: Callable[[JudgedCurve], bool]
) -> Proportion | None:
    return Proportion(sum(map(is_so, curves)), len(curves)) if curves else None
