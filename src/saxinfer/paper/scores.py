r"""Scores of predictions, column by column, and which columns no curve can tell.

.. math:: R^2 = 1 - \frac{\sum (y - \hat y)^2}{\sum (y - \bar y)^2}

with the truth y and the prediction y-hat; its standard error is that of a bootstrap
over the curves. A prediction is out of range if it lies outside of the column's prior
range; of a posterior every sample is a prediction. The error of a coverage is the
binomial one at the nominal level.

No prediction from a curve has, on average over the prior, a smaller mean squared error
than the mean of the exact posterior, and that error is the mean posterior variance.

**What cannot be told.** Two rules were fixed before any score was known. A column is
called *not identifiable* for an input if docs/models.md proves that another value gives
the very same curve (``DEGENERATE``), and if the R² of the posterior mean, the best
that anyone can do in the mean square, is below ``TELLS``.

References:
    Efron, Ann. Stat. 7, 1 (1979): bootstrap.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Literal

import numpy as np
from jaxtyping import Float, Int
from numpy import ndarray

from saxinfer.paper.data import LabelledCurves, Scale

__all__ = [
    "DEGENERATE",
    "LEVEL",
    "TELLS",
    "Learner",
    "Predictions",
    "Score",
    "r_squared",
    "reason_not_identifiable",
    "scores_of",
]

Learner = Literal["baseline", "ours"]

Sample = Literal["fitted", "test"]

LEVEL: Final = 0.9
"""Nominal coverage of all intervals."""

TELLS: Final = 0.3
"""Smallest R² of a column that counts as identifiable although it is degenerate."""

RESAMPLINGS = 1000

_MIRROR = (
    "exchanging the two amorphous fractions at equal mean and difference of the "
    "densities gives the same curve: two solutions"
)
_RIDGE = (
    "without a scale only the ratio of the amorphous contrast to 1 - the mean density "
    "shows: both densities can be stretched together"
)

DEGENERATE: Final[Mapping[Scale, Mapping[str, str]]] = {
    "absolute": dict.fromkeys(
        ("sld_grf1", "sld_grf2", "phi_grf1", "phi_grf2"), _MIRROR
    ),
    "unknown": {
        **dict.fromkeys(("sld_grf1", "sld_grf2"), _RIDGE),
        **dict.fromkeys(("phi_grf1", "phi_grf2"), _MIRROR),
    },
}
"""Why other values give the very same curve, by input and column."""


@dataclass(frozen=True, eq=False)
class Predictions:
    """What one method says of some curves.

    Attributes:
        rows: Rows of the curves in the data set.
        value: Point predictions: of a posterior its mean.
        low: Lower ends of the 90 % intervals.
        high: Upper ends of the same.
        least: Smallest prediction; of a posterior its smallest sample.
        most: Largest prediction, likewise.
        sd: Standard deviations of the posteriors; None of what has none.
    """

    rows: Int[ndarray, " curve"]
    value: Float[ndarray, "curve column"]
    low: Float[ndarray, "curve column"]
    high: Float[ndarray, "curve column"]
    least: Float[ndarray, "curve column"]
    most: Float[ndarray, "curve column"]
    sd: Float[ndarray, "curve column"] | None = None

    def of(self, rows: Int[ndarray, " chosen"]) -> "Predictions":
        """The predictions for some of the rows, in their order.

        Raises:
            KeyError: If there is none for one of them.
        """
        places = {int(row): place for place, row in enumerate(self.rows)}
        chosen = np.array([places[int(row)] for row in rows], dtype=int)
        return Predictions(
            rows=self.rows[chosen],
            value=self.value[chosen],
            low=self.low[chosen],
            high=self.high[chosen],
            least=self.least[chosen],
            most=self.most[chosen],
            sd=None if self.sd is None else self.sd[chosen],
        )


@dataclass(frozen=True)
class Score:
    """How well one method predicts one column.

    Attributes:
        learner: ``baseline`` (boosted trees) or ``ours`` (posterior).
        scale: Input: ``absolute`` or ``unknown``.
        sample: ``fitted`` (curves that both have predictions for) or ``test`` (all
            that were held out).
        column: Name of the column.
        unit: Its unit.
        curves: Number of curves.
        r2: Coefficient of determination [1].
        r2_error: Its standard error [1].
        rmse: Root of the mean squared error [``unit``].
        outside: Share of curves with a prediction out of the prior's range [1].
        coverage: Share of truths in their 90 % intervals [1].
        coverage_error: Its binomial standard error [1].
        width: Median width of the intervals [``unit``].
        limit: RMSE that the exact posterior's mean has on average, the Bayes limit:
            root of the mean posterior variance [``unit``]; None of what has none.
    """

    learner: Learner
    scale: Scale
    sample: Sample
    column: str
    unit: str
    curves: int
    r2: float
    r2_error: float
    rmse: float
    outside: float
    coverage: float
    coverage_error: float
    width: float
    limit: float | None


def scores_of(
    curves: LabelledCurves,
    found: Predictions,
    *,
    learner: Learner,
    scale: Scale,
    sample: Sample,
) -> tuple[Score, ...]:
    """Scores of all columns, in order."""
    truth = curves.truth[found.rows]
    low, high = curves.bounds.T
    # Rounding at a bound is not a prediction out of range.
    slack = 1e-6 * (high - low)
    outside = (found.least < low - slack) | (found.most > high + slack)
    inside = (truth >= found.low) & (truth <= found.high)
    r2, error = r_squared(truth, found.value), _bootstrapped(truth, found.value)
    rmse = np.sqrt(np.square(truth - found.value).mean(0))
    width = np.median(found.high - found.low, 0)
    limit = None if found.sd is None else np.sqrt(np.square(found.sd).mean(0))
    return tuple(
        Score(
            learner=learner,
            scale=scale,
            sample=sample,
            column=column.name,
            unit=column.unit,
            curves=len(truth),
            r2=float(r2[i]),
            r2_error=float(error[i]),
            rmse=float(rmse[i]),
            outside=float(outside[:, i].mean()),
            coverage=float(inside[:, i].mean()),
            coverage_error=(LEVEL * (1 - LEVEL) / len(truth)) ** 0.5,
            width=float(width[i]),
            limit=None if limit is None else float(limit[i]),
        )
        for i, column in enumerate(curves.columns)
    )


def reason_not_identifiable(
    scores: Sequence[Score], column: str, scale: Scale
) -> str | None:
    """Why a column cannot be told from such an input; None if it can."""
    (ours,) = (
        score
        for score in scores
        if (score.learner, score.scale, score.column) == ("ours", scale, column)
    )
    return DEGENERATE[scale].get(column) if ours.r2 < TELLS else None


def r_squared(
    truth: Float[ndarray, "curve column"], value: Float[ndarray, "curve column"]
) -> Float[ndarray, " column"]:
    """Coefficient of determination of each column [1]."""
    misfit = np.square(truth - value).sum(0)
    spread = np.square(truth - truth.mean(0)).sum(0)
    return np.asarray(1 - misfit / spread)


def _bootstrapped(truth: ndarray, value: ndarray) -> ndarray:
    """Standard error of R² over curves drawn anew with replacement."""
    rng = np.random.default_rng(0)
    drawn = rng.integers(len(truth), size=(RESAMPLINGS, len(truth)))
    # A curve that was drawn every time has no spread to explain.
    drawn = drawn[np.ptp(drawn, axis=1) > 0]
    return np.asarray(
        np.std([r_squared(truth[rows], value[rows]) for rows in drawn], 0)
    )
