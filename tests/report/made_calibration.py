"""Calibrations that no curve was fitted for: samples of posteriors that are known."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np
from numpy import ndarray

from saxinfer.calibration import SAMPLES, VALUES
from saxinfer.judging import Calibration, JudgedCurve, prior_of
from saxinfer.judging.study import Study
from saxinfer.judging.subject import Subject

REASON = "The model misses the curve by {:.1f} % a point, more than 5 %: take care."


def made_study(model: str, curves: int) -> Study:
    return Study(Subject(model, "npe+refine", None, "0123456789ab"), curves=curves)


def made_calibration(
    model: str = "cellulose",
    curves: int = 200,
    width: Callable[[int], float] = lambda column: 1.0,
    *,
    verdicts: bool = True,
    joint: bool = True,
) -> Calibration:
    """Ranks as of posteriors that are so many times as wide as they should be.

    A twentieth of the fits is poor, and the last two curves are refused.
    """
    rng = np.random.default_rng(curves)
    columns = prior_of(model).columns
    factors = np.array([width(place) for place in range(len(columns))])
    normal = rng.standard_normal((curves, SAMPLES, len(columns)))
    truth = rng.standard_normal((curves, len(columns)))
    ranks = (factors * normal < truth[:, None]).sum(1)
    rows = range(curves)
    made = [_made(rng, row, ranks[row], truth[row], columns) for row in rows]
    made = [replace(c, joint=c.joint if joint else None) for c in made]
    if not verdicts:
        made = [replace(c, verdict="", reasons=()) for c in made]
    refused = [
        JudgedCurve(c.row, c.points, c.decades, c.noise, c.model_error, c.truth,
                    refused=f"{n} of {c.points} <points> lie between, 10 are needed.")
        for n, c in enumerate(made[-2:])
    ]  # fmt: skip
    return Calibration(columns, (*made[:-2], *refused))


def _made(
    rng: np.random.Generator,
    row: int,
    ranks: ndarray,
    truth: ndarray,
    columns: tuple[object, ...],
) -> JudgedCurve:
    poor = row % 20 == 3
    noise = float(0.003 * 33 ** rng.random())
    return JudgedCurve(
        row=row,
        points=int(50 * 40 ** rng.random()),
        decades=float(rng.uniform(0.9, 2.4)),
        noise=noise,
        model_error=float(0.05 * rng.random()),
        truth=tuple(truth.tolist()),
        mean=tuple((truth + rng.standard_normal(len(columns))).tolist()),
        sd=(1.0,) * len(columns),
        ranks=tuple(ranks.tolist()),
        joint=int(rng.integers(VALUES)),
        verdict="poor" if poor else "good",
        reasons=(REASON.format(5 + row / 100),) if poor else (),
        effective=600.0,
        seconds=2.5,
    )
