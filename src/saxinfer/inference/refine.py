r"""From proposals to the exact posterior: local approximations, importance sampling.

1. Proposals that lie apart move to the ridge of the posterior next to them, the best go
   on to its modes (:mod:`saxinfer.inference.climb`). Each place, with the expected
   curvature there, becomes a Student t component; together they cover a posterior that
   is long and bent.
2. Samples are drawn from the components and weighed with the exact posterior. Where
   they turn out to stand for the most of it, components are too few: new ones are
   added there, and the weights of all are refitted. Every sample is weighed against
   all components, as often as each was drawn from.
3. What no curve sees and the level are drawn given all else. With each curve of the
   structure several sets of nuisances are tried: they cost next to nothing and take the
   instrument's dimensions out of the variance of the weights.

The mean weight is the evidence. Weighing the network's own samples instead leaves a
handful of them where the data are precise.

References:
    Raftery & Bao, Biometrics 66, 1162 (2010): incremental mixture importance sampling.
    Cornuet et al., Scand. J. Stat. 39, 798 (2012): adaptive multiple importance
    sampling.
"""

import math
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Generator, Tensor

from saxinfer.inference.climb import (
    approach,
    climb,
    content,
    distinct,
    laplace,
    reflected,
    with_mirrors,
)
from saxinfer.inference.mixture import kernels
from saxinfer.inference.pool import Pool
from saxinfer.inference.target import Target
from saxinfer.inference.weights import effective_curves, pareto_smoothed, tempered

__all__ = ["Effort", "Refined", "refine"]

# Climbers that go on to the very top.
SUMMITS = 8

# Samples of a round around which local approximations are added, and the share of the
# next round that is drawn from these.
NEW, SHARE = 12, 0.5

# How local these are, in turn: narrow ones for bent ridges, wide ones for what is
# hardly known.
PULLS = (12.0, 1.0, 0.0)

# Proposals around which the network's own belief is spread.
BROAD = 40


@dataclass(frozen=True)
class Effort:
    """How much work to spend.

    Attributes:
        first: Proposals that climb to their modes.
        starts: Proposals that climb if the first find no good fit.
        draws: Curves of the structure a round.
        copies: Sets of nuisances tried with each curve: they cost little.
        rounds: Largest number of rounds.
        enough: Effective samples at which to stop early.
    """

    first: int = 40
    starts: int = 80
    draws: int = 250
    copies: int = 3
    rounds: int = 28
    enough: float = 1000.0


@dataclass(frozen=True, eq=False)
class Refined:
    """Weighted samples of the exact posterior in latent coordinates.

    Attributes:
        latent: Points.
        amounts: Scale, background and power law of each [unit of the intensity].
        weights: Their weights; they sum to one.
        effective: Kish's effective sample size, counted in curves of the structure.
        drawn: Number of curves drawn.
        log_evidence: Log marginal likelihood.
        log_evidence_sd: Its Monte Carlo standard error.
    """

    latent: Float[Tensor, "sample dimension"]
    amounts: Float[Tensor, "sample amount"]
    weights: Float[Tensor, " sample"]
    effective: float
    drawn: int
    log_evidence: float
    log_evidence_sd: float


def refine(
    target: Target,
    proposals: Float[Tensor, "proposal dimension"],
    generator: Generator,
    effort: Effort | None = None,
) -> Refined:
    """Draws the exact posterior of one curve, starting from proposals.

    Args:
        target: The exact posterior.
        proposals: Latent vectors near its modes, as a network proposes them.
        generator: Source of randomness.
        effort: How much work to spend.
    """
    effort = effort or Effort()
    starts = distinct(target, *target.levelled(proposals), effort.starts)
    first = with_mirrors(target, starts[: effort.first])
    found = approach(target, first)
    summits = climb(target, found.highest(SUMMITS).points)
    if len(starts) > effort.first and not content(target, summits):
        more = approach(target, with_mirrors(target, starts[effort.first :]))
        found = found.joined(more)
        summits = climb(target, found.highest(SUMMITS).points)
    rest = target.proposed
    tops = laplace(reflected(target, summits)).marginal(rest)
    ridges = laplace(found).marginal(rest)
    belief = kernels(proposals[:, rest], BROAD)
    mixture = tops.joined(ridges, 0.5).joined(belief, 0.3)
    pool = Pool(mixture, effort.copies, rest)
    for turn in range(effort.rounds):
        drawn = pool.mixture.sample(
            effort.draws, generator, shared=len(target.moving), copies=effort.copies
        )
        room = drawn.new_zeros(*drawn.shape[:-1], target.dimension)
        room[..., rest] = drawn
        pool.add(*target.drawn_rest(room, generator))
        log_weight = pool.log_weight()
        if not bool(log_weight.isfinite().any()):
            raise ValueError(
                "no sample lies within the ranges that were given. Widen them."
            )
        if effective_curves(log_weight, effort.copies) >= effort.enough:
            break
        if turn + 1 < effort.rounds:
            pool.reweigh(tempered(log_weight, effort.copies))
            anchors = with_mirrors(target, pool.heaviest(log_weight, NEW))
            fresh = approach(target, anchors, steps=0, pull=PULLS[turn % len(PULLS)])
            pool.extend(laplace(fresh).marginal(rest), SHARE)
    return _result(pool.points, pool.amounts, pool.log_weight(), effort.copies)


def _result(
    points: Tensor, amounts: Tensor, log_weight: Tensor, copies: int
) -> Refined:
    """Smooths the largest weights and sums up."""
    weights = torch.softmax(pareto_smoothed(log_weight), 0)
    groups = torch.softmax(log_weight, 0).view(-1, copies).sum(-1)
    count = len(groups)
    spread = (groups * count - 1).square().mean() / count
    evidence = float(torch.logsumexp(log_weight, 0)) - math.log(len(points))
    return Refined(
        latent=points,
        amounts=amounts,
        weights=weights,
        effective=effective_curves(log_weight, copies),
        drawn=count,
        log_evidence=evidence,
        log_evidence_sd=float(spread.sqrt()),
    )
