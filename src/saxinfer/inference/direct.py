r"""Independent samples of the exact posterior, weighed, where a mixture is close to it.

A mixture that stands still is drawn from afresh: no sample shaped it, so that its mean
weight is the evidence without bias, and the number of effective samples and the tail of
the weights tell how good it is. It is given up early where it is not good enough.

References:
    Vehtari, Simpson, Gelman, Yao & Gabry, J. Mach. Learn. Res. 25, 72 (2024).
"""

import math
from collections.abc import Callable
from dataclasses import dataclass, replace

import torch
from jaxtyping import Float
from torch import Generator, Tensor

from saxinfer.inference.ensemble import Density, Ensemble
from saxinfer.inference.mixture import StudentMixture
from saxinfer.inference.weights import effective, excess, smoothed

__all__ = ["Batch", "Demand", "Draws", "Source", "draw", "mixed"]

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
        spare: Share of the weight by which the largest may exceed the rest, whatever
            the shape of their tail.
        least: Effective samples to make do with where no more can be had.
    """

    enough: float = 1200.0
    most: int = 20_000
    share: float = 0.06
    patience: int = 2000
    shape: float = 0.7
    spare: float = 0.02
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
        rough: The same, also where they are not good enough; None where they are too
            few to make do with.
    """

    points: Float[Tensor, "draw dimension"]
    values: Float[Tensor, " draw"]
    ensemble: Ensemble | None
    rough: Ensemble | None


@dataclass(frozen=True, eq=False)
class Batch:
    """Some draws, and the density that they were drawn from.

    Attributes:
        points: Latent vectors.
        values: Their log posterior density, less that of the columns drawn otherwise.
        amounts: Scale, background and power law of each [unit of the intensity].
        chance: Log density of the proposal.
    """

    points: Float[Tensor, "draw dimension"]
    values: Float[Tensor, " draw"]
    amounts: Float[Tensor, "draw amount"]
    chance: Float[Tensor, " draw"]


# Draws so many from a proposal that stands still.
Source = Callable[[int, Generator], Batch]


def mixed(target: Density, mixture: StudentMixture) -> Source:
    """Draws from a mixture.

    Args:
        target: The posterior.
        mixture: Proposes the columns ``target.proposed``.
    """

    def source(count: int, generator: Generator) -> Batch:
        drawn = mixture.sample(count, generator)
        room = drawn.new_zeros(count, target.dimension)
        room[:, target.proposed] = drawn
        points, values, amounts = target.drawn_rest(room, generator)
        return Batch(points, values, amounts, mixture.log_density(drawn))

    return source


def draw(source: Source, generator: Generator, demand: Demand) -> Draws:
    """Draws until there are enough effective samples.

    Args:
        source: The proposal.
        generator: Source of randomness.
        demand: What is good enough.

    Returns:
        All draws, and the ensemble if they are good enough.
    """
    parts: list[Batch] = []
    raw, log_weight, shape = torch.empty(0), torch.empty(0), math.inf
    count, found = 0, 0.0
    while count < demand.most and found < demand.enough:
        parts.append(source(BATCH, generator))
        raw = torch.cat([part.values - part.chance for part in parts])
        log_weight, shape = smoothed(raw)
        count, found = len(log_weight), effective(log_weight)
        if count >= demand.patience and found < demand.share * count:
            break
    if not parts:
        nothing = torch.empty(0, dtype=torch.float64)
        return Draws(nothing[:, None], nothing, None, None)
    points = torch.cat([part.points for part in parts])
    values = torch.cat([part.values for part in parts])
    if found < min(demand.enough, demand.least):
        return Draws(points, values, None, None)
    tailed = shape > demand.shape and excess(raw) > demand.spare
    ensemble = Ensemble(
        points=points,
        amounts=torch.cat([part.amounts for part in parts]),
        weights=torch.softmax(log_weight, 0),
        effective=found,
        drawn=count,
        log_evidence=float(torch.logsumexp(log_weight, 0)) - math.log(count),
        log_evidence_sd=math.sqrt(max(1 / found - 1 / count, 0.0)),
    )
    good = found >= demand.enough and not tailed
    return Draws(points, values, ensemble if good else None, ensemble)
