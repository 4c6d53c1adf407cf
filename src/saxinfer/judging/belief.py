"""What a method says of one curve, as far as it is judged."""

import math
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from saxinfer.inference import Fit
from saxinfer.inference.trees.marginals import Marginals
from saxinfer.judging.draws import Prior

__all__ = ["Belief"]


@dataclass(frozen=True, eq=False)
class Belief:
    """Samples of a posterior, and what the method thinks of them itself.

    Attributes:
        samples: Columns as in the prior that curves are drawn from, in their units.
        weights: Of the samples; None where all are equal.
        joint: Whether rows are samples of all columns together.
        verdict: ``good``, or another word; empty where the method has none.
        reasons: For the verdict, one sentence each.
        effective: Number of independent samples they are worth; NaN if unknown.
    """

    samples: Float[Tensor, "sample column"]
    weights: Float[Tensor, " sample"] | None = None
    joint: bool = True
    verdict: str = ""
    reasons: tuple[str, ...] = ()
    effective: float = math.nan

    @classmethod
    def of(cls, fit: Fit, prior: Prior) -> "Belief":
        """What a fit says of the prior's columns."""
        posterior = fit.posterior
        return cls(
            samples=torch.stack([posterior.column(name) for name in prior.names], 1),
            weights=posterior.weights,
            joint=not isinstance(posterior, Marginals),
            verdict=fit.quality.verdict,
            reasons=fit.quality.reasons,
            effective=fit.quality.effective_samples,
        )
