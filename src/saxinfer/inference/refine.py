r"""From proposals to the exact posterior: modes, importance sampling, walkers.

1. Proposals that lie apart move to the ridge of the posterior next to them, the best go
   on to its modes (:mod:`saxinfer.inference.climb`). Each place, with the expected
   curvature there, becomes a Student t component; together they cover a posterior that
   is long and bent.
2. Samples are drawn from the components and weighed with the exact posterior. Where
   they turn out to stand for the most of it, components are too few: new ones are
   added there, and the weights of all are refitted.
3. From these samples walkers start (:mod:`saxinfer.inference.ensemble`) and move until
   they have forgotten where: their places are the samples of the posterior.

What no curve sees and the level are drawn given all else. Weighing the network's own
samples instead leaves a handful of them where the data are precise.

References:
    Raftery & Bao, Biometrics 66, 1162 (2010): incremental mixture importance sampling.
"""

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
from saxinfer.inference.ensemble import Ensemble, walk
from saxinfer.inference.mixture import StudentMixture, kernels
from saxinfer.inference.pool import Pool
from saxinfer.inference.target import Target
from saxinfer.inference.weights import effective, tempered

__all__ = ["Effort", "refine"]

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
        scan: Structures of the prior that are tried beside the proposals.
        first: Proposals that climb to their modes.
        starts: Proposals that climb if the first find no good fit.
        draws: Curves of the structure a round of importance sampling.
        rounds: Largest number of rounds.
        roughly: Effective samples at which importance sampling stops early.
        walkers: Number of walkers, even.
        steps: Largest number of steps that they walk.
        enough: Effective samples at which they stop early.
    """

    scan: int = 1000
    first: int = 40
    starts: int = 80
    draws: int = 250
    rounds: int = 8
    roughly: float = 400.0
    walkers: int = 400
    steps: int = 60
    enough: float = 600.0


def refine(
    target: Target,
    proposals: Float[Tensor, "proposal dimension"],
    generator: Generator,
    effort: Effort | None = None,
) -> Ensemble:
    """Draws the exact posterior of one curve, starting from proposals.

    Args:
        target: The exact posterior.
        proposals: Latent vectors near its modes, as a network proposes them.
        generator: Source of randomness.
        effort: How much work to spend.

    Raises:
        ValueError: If no sample lies within the ranges that the user gave.
    """
    effort = effort or Effort()
    # Shapes are looked for first; how high a curve is follows from its shape.
    shape = target.by_shape
    pool = Pool(_first_mixture(shape, proposals, effort, generator), target.proposed)
    log_weight = _round(target, pool, effort, generator)
    for turn in range(effort.rounds - 1):
        if effective(log_weight) >= effort.roughly:
            break
        pool.reweigh(tempered(log_weight))
        anchors = pool.heaviest(log_weight, NEW)
        if shape is not target:
            anchors = shape.levelled(anchors)[0]
        anchors = with_mirrors(shape, anchors)
        fresh = approach(shape, anchors, steps=0, pull=PULLS[turn % len(PULLS)])
        pool.extend(laplace(fresh).marginal(target.proposed), SHARE)
        log_weight = _round(target, pool, effort, generator)
    weights = tempered(log_weight)
    pool.reweigh(weights)
    rows = torch.multinomial(
        weights, effort.walkers, replacement=True, generator=generator
    )
    return walk(
        target,
        pool.points[rows],
        pool.mixture,
        generator,
        steps=effort.steps,
        enough=effort.enough,
    )


def _scan(
    target: Target, proposals: Tensor, count: int, generator: Generator
) -> Tensor:
    """Structures from the prior, with the instruments of proposals.

    A size that shows in narrow fringes only is found by trying many.
    """
    wild = proposals[torch.arange(count) % len(proposals)].clone()
    moving = target.moving
    wild[:, moving] = torch.randn(
        count, len(moving), generator=generator, dtype=wild.dtype
    ).clamp(-4, 4)
    return wild


def _first_mixture(
    target: Target, proposals: Tensor, effort: Effort, generator: Generator
) -> StudentMixture:
    """Components at the modes, along the ridges, and around the network's belief."""
    tried = torch.cat([proposals, _scan(target, proposals, effort.scan, generator)])
    starts = distinct(target, *target.levelled(tried), effort.starts)
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
    return tops.joined(ridges, 0.5).joined(belief, 0.3)


def _round(target: Target, pool: Pool, effort: Effort, generator: Generator) -> Tensor:
    """Draws from the mixture; the log weights of all samples so far."""
    drawn = pool.mixture.sample(effort.draws, generator)
    room = drawn.new_zeros(len(drawn), target.dimension)
    room[:, target.proposed] = drawn
    points, values, _ = target.drawn_rest(room, generator)
    pool.add(points, values)
    log_weight = pool.log_weight()
    if not bool(log_weight.isfinite().any()):
        raise ValueError(
            "no sample lies within the ranges that were given. Widen them."
        )
    return log_weight
