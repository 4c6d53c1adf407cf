r"""Independent samples of the exact posterior, weighed, where a mixture is close to it.

A mixture that stands still is drawn from afresh: no sample shaped it, so that its mean
weight is the evidence without bias, and the number of effective samples and the tail of
the weights tell how good it is. It is given up early where it is not good enough.

References:
    Vehtari, Simpson, Gelman, Yao & Gabry, J. Mach. Learn. Res. 25, 72 (2024).
"""

import math
from dataclasses import dataclass

import torch
from torch import Generator, Tensor

from saxinfer.inference.ensemble import Ensemble
from saxinfer.inference.mixture import StudentMixture
from saxinfer.inference.target import Target
from saxinfer.inference.weights import effective, smoothed

__all__ = ["Demand", "draw"]

# Draws of a batch; after the first one it is known whether more are worth it.
BATCH = 1000


@dataclass(frozen=True)
class Demand:
    """When samples are good enough.

    Attributes:
        enough: Effective samples.
        most: Largest number of draws; 0 for none.
        share: Least share of effective samples among the draws.
        shape: Largest shape of the tail of the weights.
    """

    enough: float = 1200.0
    most: int = 20_000
    share: float = 0.06
    shape: float = 0.7


def draw(
    target: Target, mixture: StudentMixture, generator: Generator, demand: Demand
) -> Ensemble | None:
    """Draws from a mixture until there are enough effective samples.

    Args:
        target: The posterior.
        mixture: Proposes the columns ``target.proposed``.
        generator: Source of randomness.
        demand: What is good enough.

    Returns:
        Weighted samples, or None where the mixture is too far from the posterior.
    """
    parts: list[tuple[Tensor, Tensor, Tensor]] = []
    count, found = 0, 0.0
    log_weight = torch.empty(0)
    while count < demand.most:
        drawn = mixture.sample(BATCH, generator)
        room = drawn.new_zeros(BATCH, target.dimension)
        room[:, target.proposed] = drawn
        points, values, amounts = target.drawn_rest(room, generator)
        parts.append((points, values - mixture.log_density(drawn), amounts))
        log_weight = torch.cat([part[1] for part in parts])
        count = len(log_weight)
        found = effective(log_weight)
        if not found >= demand.share * count:
            return None
        if found >= demand.enough:
            break
    if found < demand.enough:
        return None
    log_weight, shape = smoothed(log_weight)
    if shape > demand.shape:
        return None
    weights = torch.softmax(log_weight, 0)
    evidence = float(torch.logsumexp(log_weight, 0)) - math.log(count)
    return Ensemble(
        points=torch.cat([part[0] for part in parts]),
        amounts=torch.cat([part[2] for part in parts]),
        weights=weights,
        effective=effective(log_weight),
        drawn=count,
        log_evidence=evidence,
        log_evidence_sd=math.sqrt(max(1 / found - 1 / count, 0.0)),
    )
