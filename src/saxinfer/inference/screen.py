r"""Independent samples of the exact posterior that a sketch has picked.

Of many draws from a mixture, those that a cheap sketch calls worth it get an exact
curve: one of the weight w in the sketch with the chance

.. math:: p = \min(1, \max(c w, p_0)),

and then counts 1 / p times. Whatever the sketch believes, the weighted samples are
those of the exact posterior, and their sum over the number of all draws is its evidence
without bias; what the sketch takes for impossible is tried at the rate p_0.

References:
    Christen & Fox, J. Comput. Graph. Stat. 14, 795 (2005): screening by cheap
    posteriors. Kahn & Harris, Natl. Bur. Stand. Appl. Math. Ser. 12, 27 (1951): samples
    that are stopped by chance, and weigh more if not.
"""

import math
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Generator, Tensor

from saxinfer.inference.direct import Demand
from saxinfer.inference.ensemble import Ensemble
from saxinfer.inference.mixture import StudentMixture
from saxinfer.inference.sketch import Sketch
from saxinfer.inference.target import Target
from saxinfer.inference.weights import effective, excess, smoothed

__all__ = ["Screening", "screened", "share_of"]

# Draws of a batch, and the most of all.
BATCH, MOST = 4000, 200_000

# Draws by which a mixture is assessed on the sketch.
ASSESSED = 1500

# Draws of the largest weights that are handed on.
HEAVIEST = 12

# Least chance of an exact curve.
LEAST = 0.02

# Share of the sketched posterior that has the weight from which on exact curves are
# certain, or less.
CERTAIN = 0.4


@dataclass(frozen=True, eq=False)
class Screening:
    """What became of many draws.

    Attributes:
        ensemble: Weighted samples, or None where they are not good enough.
        found: Effective samples, good enough or not.
        worked: Exact curves that were worked out.
        heaviest: Draws of the largest weights.
    """

    ensemble: Ensemble | None
    found: float
    worked: int
    heaviest: Float[Tensor, "draw dimension"]


def share_of(sketch: Sketch, mixture: StudentMixture, generator: Generator) -> float:
    """Effective samples for each draw from a mixture, as far as a sketch can tell."""
    _, log_weight = _sketched(sketch, mixture, generator, ASSESSED)
    return effective(log_weight) / ASSESSED


def screened(
    target: Target,
    sketch: Sketch,
    mixture: StudentMixture,
    generator: Generator,
    demand: Demand,
) -> Screening:
    """Draws from a mixture until there are enough effective samples.

    Args:
        target: The exact posterior.
        sketch: Says which draws are worth an exact curve.
        mixture: Proposes the columns ``target.proposed``.
        generator: Source of randomness.
        demand: What is good enough; its numbers are of exact curves.
    """
    nothing = mixture.means.new_empty(0, target.dimension)
    points, amounts, weights = [nothing], [], [nothing[:, 0]]
    drawn, worked, found, shape = 0, 0, 0.0, 0.0
    scale = None
    while worked < demand.most and drawn < MOST and found < demand.enough:
        room, sketched = _sketched(sketch, mixture, generator, BATCH)
        if scale is None:
            scale = _certain(sketched)
        chance = (sketched - scale).exp().nan_to_num(0.0).clamp(LEAST, 1.0)
        luck = torch.rand(BATCH, generator=generator, dtype=chance.dtype)
        rows = (luck < chance).nonzero()[:, 0]
        moved, values, amount = target.drawn_rest(room[rows], generator)
        proposed = mixture.log_density(room[rows][:, target.proposed])
        points.append(moved)
        amounts.append(amount)
        weights.append(values - proposed - chance[rows].log())
        drawn, worked = drawn + BATCH, worked + len(rows)
        log_weight, shape = smoothed(torch.cat(weights))
        found = effective(log_weight)
        if worked >= demand.patience and found < demand.share * worked:
            break
    every, raw = torch.cat(points), torch.cat(weights)
    heaviest = every[torch.argsort(raw, descending=True)[:HEAVIEST]]
    tailed = shape > demand.shape and excess(raw) > demand.spare
    if found < demand.enough or tailed:
        return Screening(None, found, worked, heaviest)
    ensemble = Ensemble(
        points=every,
        amounts=torch.cat(amounts),
        weights=torch.softmax(log_weight, 0),
        effective=found,
        drawn=worked,
        log_evidence=float(torch.logsumexp(log_weight, 0)) - math.log(drawn),
        log_evidence_sd=math.sqrt(max(1 / found - 1 / drawn, 0.0)),
    )
    return Screening(ensemble, found, worked, heaviest)


def _sketched(
    sketch: Sketch, mixture: StudentMixture, generator: Generator, count: int
) -> tuple[Tensor, Tensor]:
    """Draws, with their log weights in the sketch."""
    drawn = mixture.sample(count, generator)
    room = drawn.new_zeros(count, sketch.dimension)
    room[:, sketch.proposed] = drawn
    return room, sketch.log_density(room) - mixture.log_density(drawn)


def _certain(log_weight: Tensor) -> float:
    """The log weight below which lies the share ``CERTAIN`` of the posterior."""
    order = torch.argsort(log_weight)
    total = torch.cumsum(torch.softmax(log_weight[order], 0), 0)
    place = int((total < CERTAIN).sum())
    return float(log_weight[order[min(place, len(order) - 1)]])
