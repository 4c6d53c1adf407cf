"""One curve judged: what is kept of it."""

import json
import math
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor

from saxinfer.calibration import joint_rank, ranks_of, thinned
from saxinfer.curve import Curve
from saxinfer.judging.belief import Belief
from saxinfer.judging.draws import RANKING, Draw, Prior, seed_of
from saxinfer.judging.error import CalibrationError

__all__ = ["JudgedCurve", "PosteriorOf", "judged"]

PosteriorOf = Callable[[Curve], Tensor | Belief]
"""From a curve to equally weighted samples, or a belief.

A ``ValueError`` means that it refuses the curve, which is counted and named.
"""


@dataclass(frozen=True)
class JudgedCurve:
    """The truth of one curve, its rank in the posterior, and how the fit went.

    Attributes:
        row: Number of the curve.
        points: Number of its points.
        decades: Decades of q that it covers [1].
        noise: Median relative standard error of a point [1]; None if none is stated.
        model_error: True relative error of the model [1].
        truth: Of every column, in its unit.
        mean: Posterior means.
        sd: Posterior standard deviations.
        ranks: Of the truth in each marginal.
        joint: Rank of its distance from a random point of the cube; None where the
            method does not say how columns go together.
        verdict: Of the method.
        reasons: For it.
        effective: Independent samples; None if unknown.
        seconds: Wall time.
        refused: Why there is no posterior; all from ``mean`` on is empty then.
    """

    row: int
    points: int
    decades: float
    noise: float | None
    model_error: float
    truth: tuple[float, ...]
    mean: tuple[float, ...] = ()
    sd: tuple[float, ...] = ()
    ranks: tuple[int, ...] = ()
    joint: int | None = None
    verdict: str = ""
    reasons: tuple[str, ...] = ()
    effective: float | None = None
    seconds: float = 0.0
    refused: str = ""

    def as_json(self) -> str:
        """As it is stored."""
        return json.dumps(asdict(self), allow_nan=False)

    @classmethod
    def from_json(cls, text: str) -> "JudgedCurve":
        """Inverse of :meth:`as_json`."""
        fields: dict[str, Any] = json.loads(text)
        for name in ("truth", "mean", "sd", "ranks", "reasons"):
            fields[name] = tuple(fields[name])
        return cls(**fields)


def judged(
    posterior_of: PosteriorOf, draw: Draw, prior: Prior, seed: int = 0
) -> JudgedCurve:
    """Lets a method see a curve, and ranks the truth in what it says.

    Args:
        posterior_of: The method.
        draw: The curve and its truth.
        prior: What it was drawn from.
        seed: Chooses samples and points in the cube, with the curve's row.

    Raises:
        CalibrationError: If the method does not give samples of the prior's columns.
    """
    start = time.perf_counter()
    try:
        told = posterior_of(draw.curve)
    except ValueError as error:
        reason = " ".join(str(error).split()) or "no reason was given"
        return JudgedCurve(**_known(draw), refused=reason)
    seconds = time.perf_counter() - start
    belief = told if isinstance(told, Belief) else Belief(torch.as_tensor(told))
    _check(belief, draw, prior)
    return JudgedCurve(
        **_known(draw), **_ranked(belief, draw, prior, seed), seconds=seconds
    )


def _known(draw: Draw) -> dict[str, Any]:
    return {
        "row": draw.row,
        "points": len(draw.curve),
        "decades": draw.decades,
        "noise": None if math.isnan(draw.noise) else draw.noise,
        "model_error": draw.model_error,
        "truth": tuple(draw.truth.tolist()),
    }


def _ranked(belief: Belief, draw: Draw, prior: Prior, seed: int) -> dict[str, Any]:
    rng = np.random.default_rng(seed_of(seed, draw.row, RANKING))
    samples = belief.samples.double()
    weights = belief.weights
    if weights is None:
        weights = samples.new_full((len(samples),), 1 / len(samples))
    # No product of a vector and a matrix: its last bit may depend on where they lie.
    share = weights.to(samples)[:, None]
    mean = (share * samples).sum(0)
    variance = (share * (samples - mean).square()).sum(0)
    kept = _thinned(samples, weights, rng)
    truth = draw.truth.double()
    ranks = ranks_of(kept.numpy(), truth.numpy(), rng)
    joint = None
    if belief.joint:
        cube = prior.in_cube(torch.cat([kept, truth[None]])).double().numpy()
        joint = joint_rank(cube[:-1], cube[-1], rng)
    return {
        "mean": tuple(mean.tolist()),
        "sd": tuple(variance.clamp(min=0).sqrt().tolist()),
        "ranks": tuple(ranks.tolist()),
        "joint": joint,
        "verdict": belief.verdict,
        "reasons": belief.reasons,
        "effective": belief.effective if math.isfinite(belief.effective) else None,
    }


def _thinned(samples: Tensor, weights: Tensor, rng: np.random.Generator) -> Tensor:
    try:
        return torch.from_numpy(thinned(samples.numpy(), weights.numpy(), rng))
    except ValueError as error:
        raise CalibrationError(str(error)) from None


def _check(belief: Belief, draw: Draw, prior: Prior) -> None:
    """Raises a CalibrationError if samples are not what was agreed."""
    shape, columns = tuple(belief.samples.shape), len(prior.columns)
    if len(shape) != 2 or shape[1] != columns or len(draw.truth) != columns:
        raise CalibrationError(
            f"samples of {columns} columns ({', '.join(prior.names)}) are needed, got "
            f"an array of shape {shape} for curve {draw.row}."
        )
    if not bool(belief.samples.isfinite().all()):
        raise CalibrationError(
            f"samples need to be finite, but some for curve {draw.row} are not."
        )
