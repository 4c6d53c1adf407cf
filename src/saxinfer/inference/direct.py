r"""Independent samples of the exact posterior, weighed, where a mixture is close to it.

A mixture that stands still is drawn from afresh: no sample shaped it, so that its mean
weight is the evidence without bias, and the number of effective samples and the tail of
the weights tell how good it is. It is given up early where it is not good enough.

References:
    Vehtari, Simpson, Gelman, Yao & Gabry, J. Mach. Learn. Res. 25, 72 (2024).
"""

import math
from dataclasses import dataclass, replace

import torch
from jaxtyping import Float
from torch import Generator, Tensor

from saxinfer.inference.ensemble import Ensemble
from saxinfer.inference.mixture import StudentMixture
from saxinfer.inference.target import Target
from saxinfer.inference.weights import effective, smoothed

__all__ = ["Demand", "Draws", "draw"]

# Draws of a batch.
BATCH = 1000


@dataclass(frozen=True)
class Demand:
    """When samples are good enough.

    Attributes:
        enough: Effective samples.
        most: Largest number of draws; 0 for none.
        share: Least share of effective samples among the draws.
        patience: Draws after which the share counts.
        shape: Largest shape of the tail of the weights.
        least: Effective samples to make do with where no more can be had.
    """

    enough: float = 1200.0
    most: int = 20_000
    share: float = 0.06
    patience: int = 2000
    shape: float = 0.7
    least: float = 400.0

    def relaxed(self) -> "Demand":
        """Half the share, from twice the draws."""
        return replace(
            self,
            most=2 * self.most,
            share=self.share / 2,
            patience=2 * self.patience,
        )


@dataclass(frozen=True, eq=False)
class Draws:
    """What was drawn, and what became of it.

    Attributes:
        points: Latent vectors.
        values: Their log posterior density, less that of the columns drawn otherwise.
        ensemble: Weighted samples, or None where the mixture is too far from the
            posterior.
    """

    points: Float[Tensor, "draw dimension"]
    values: Float[Tensor, " draw"]
    ensemble: Ensemble | None


def draw(
    target: Target, mixture: StudentMixture, generator: Generator, demand: Demand
) -> Draws:
    """Draws from a mixture until there are enough effective samples.

    Args:
        target: The posterior.
        mixture: Proposes the columns ``target.proposed``.
        generator: Source of randomness.
        demand: What is good enough.

    Returns:
        All draws, and the ensemble if they are good enough.
    """
    parts: list[_Batch] = []
    log_weight, shape = torch.empty(0), math.inf
    count, found = 0, 0.0
    while count < demand.most and found < demand.enough:
        parts.append(_batch(target, mixture, generator, BATCH))
        log_weight, shape = smoothed(torch.cat([p.values - p.chance for p in parts]))
        count, found = len(log_weight), effective(log_weight)
        if count >= demand.patience and found < demand.share * count:
            break
    none = torch.empty(0, target.dimension, dtype=mixture.means.dtype)
    points = torch.cat([none, *(part.points for part in parts)])
    values = torch.cat([none[:, 0], *(part.values for part in parts)])
    if found < demand.enough or shape > demand.shape:
        return Draws(points, values, None)
    ensemble = Ensemble(
        points=points,
        amounts=torch.cat([part.amounts for part in parts]),
        weights=torch.softmax(log_weight, 0),
        effective=found,
        drawn=count,
        log_evidence=float(torch.logsumexp(log_weight, 0)) - math.log(count),
        log_evidence_sd=math.sqrt(max(1 / found - 1 / count, 0.0)),
    )
    return Draws(points, values, ensemble)


@dataclass(frozen=True, eq=False)
class _Batch:
    """Some draws, with their log density in the mixture."""

    points: Tensor
    values: Tensor
    amounts: Tensor
    chance: Tensor


def _batch(
    target: Target, mixture: StudentMixture, generator: Generator, count: int
) -> _Batch:
    drawn = mixture.sample(count, generator)
    room = drawn.new_zeros(count, target.dimension)
    room[:, target.proposed] = drawn
    points, values, amounts = target.drawn_rest(room, generator)
    return _Batch(points, values, amounts, mixture.log_density(drawn))
