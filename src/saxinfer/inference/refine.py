r"""From proposals to the exact posterior: modes, importance sampling, walkers.

1. Proposals that lie apart move to the ridge of the posterior next to them, the best go
   on to its modes (:mod:`saxinfer.inference.climb`). Each place, with the expected
   curvature there, becomes a Student t component; together they cover a posterior that
   is long and bent.
2. Samples are drawn from the components and weighed with the exact posterior. Where
   they turn out to stand for the most of it, components are too few: new ones are
   added there, and the weights of all are refitted.
3. Independent draws from the mixture, which stands still now, are weighed
   (:mod:`saxinfer.inference.direct`). Where too few of them count, more places are
   looked for, the mixture is adapted once more, and more draws are made of it.
4. Where that does not help, walkers start from the samples so far
   (:mod:`saxinfer.inference.ensemble`) and move until they have forgotten where: their
   places are the samples of the posterior.

What no curve sees and the level are drawn given all else. Weighing the network's own
samples instead leaves a handful of them where the data are precise.

References:
    Raftery & Bao, Biometrics 66, 1162 (2010): incremental mixture importance sampling.
"""

from dataclasses import dataclass, field, replace
from functools import partial

import torch
from jaxtyping import Float
from torch import Generator, Tensor

from saxinfer.inference.climb import (
    Summits,
    approach,
    climb,
    content,
    distinct,
    laplace,
    reflected,
    with_mirrors,
)
from saxinfer.inference.direct import Demand, draw
from saxinfer.inference.ensemble import Ensemble, walk
from saxinfer.inference.mixture import StudentMixture, kernels
from saxinfer.inference.pool import Pool
from saxinfer.inference.target import Target
from saxinfer.inference.weights import effective, tempered

__all__ = ["Effort", "refine"]

# Climbers that go on to the very top.
SUMMITS = 8

# Share of the next round that is drawn from components that were added.
SHARE = 0.5

# How local these are, in turn: narrow ones for bent ridges, wide ones for what is
# hardly known.
PULLS = (12.0, 1.0, 0.0)

# Proposals around which the network's own belief is spread.
BROAD = 40


@dataclass(frozen=True)
class Rounds:
    """How long a mixture is adapted.

    Attributes:
        most: Largest number of rounds.
        new: Samples of a round around which components are added.
        roughly: Effective samples of all rounds at which to stop early.
    """

    most: int
    new: int
    roughly: float


@dataclass(frozen=True)
class Effort:
    """How much work to spend.

    Attributes:
        scan: Structures of the prior that are tried beside the proposals.
        first: Proposals that climb to their modes.
        starts: Proposals that climb if the first find no good fit, or a posterior that
            is hard to cover.
        draws: Curves of the structure a round of importance sampling.
        rounds: Of adapting a mixture.
        more_rounds: The same where a posterior is hard to cover.
        demand: When independent samples are good enough.
        attempts: Times that a mixture is adapted once more where they are not.
        walkers: Number of walkers, even, where they are not.
        steps: Largest number of steps that they walk.
        enough: Effective samples at which they stop early.
    """

    scan: int = 1000
    first: int = 60
    starts: int = 220
    draws: int = 400
    rounds: Rounds = field(default_factory=partial(Rounds, 8, 12, 400.0))
    more_rounds: Rounds = field(default_factory=partial(Rounds, 20, 24, 1600.0))
    demand: Demand = field(default_factory=Demand)
    attempts: int = 2
    walkers: int = 400
    steps: int = 60
    enough: float = 1000.0


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
    starts = _starts(shape, proposals, effort, generator)
    first, others = starts[: effort.first], starts[effort.first :]
    found = approach(shape, with_mirrors(shape, first))
    summits = climb(shape, found.highest(SUMMITS).points)
    looked = len(others) == 0
    if not looked and not content(shape, summits):
        found = found.joined(approach(shape, with_mirrors(shape, others)))
        summits = climb(shape, found.highest(SUMMITS).points)
        looked = True
    pool = Pool(_mixture(shape, found, summits, proposals), target.proposed)
    sampled = _drawn(target, pool, others if not looked else None, effort, generator)
    if sampled is not None:
        return replace(sampled, drawn=sampled.drawn + len(pool.points))
    weights = tempered(pool.log_weight())
    rows = torch.multinomial(
        weights, effort.walkers, replacement=True, generator=generator
    )
    sampled = walk(
        target,
        pool.points[rows],
        pool.mixture.essential(),
        generator,
        steps=effort.steps,
        enough=effort.enough,
    )
    return replace(sampled, drawn=sampled.drawn + len(pool.points))


def _drawn(
    target: Target,
    pool: Pool,
    others: Tensor | None,
    effort: Effort,
    generator: Generator,
) -> Ensemble | None:
    """Independent draws from a mixture that is adapted until they are good enough.

    Args:
        target: The exact posterior.
        pool: The mixture to adapt.
        others: More places from which modes may be reached.
        effort: How much work to spend.
        generator: Source of randomness.

    Returns:
        Weighted samples, or None where no mixture comes close enough.
    """
    _adapt(target, pool, effort.rounds, effort.draws, generator)
    demand = effort.demand
    for _ in range(effort.attempts):
        draws = draw(target, pool.mixture.essential(), generator, demand)
        if draws.ensemble is not None:
            return draws.ensemble
        pool.add(draws.points, draws.values)
        # A posterior that is hard to cover is long and bent, or has many modes.
        if others is not None:
            shape = target.by_shape
            more = approach(shape, with_mirrors(shape, others))
            pool.extend(laplace(more).marginal(target.proposed), SHARE)
            others = None
        _adapt(target, pool, effort.more_rounds, effort.draws, generator)
        demand = effort.demand.relaxed()
    return draw(target, pool.mixture.essential(), generator, demand).ensemble


def _adapt(
    target: Target, pool: Pool, rounds: Rounds, draws: int, generator: Generator
) -> None:
    """Adds components where samples weigh most, and refits the weights of all.

    Raises:
        ValueError: If no sample lies within the ranges that the user gave.
    """
    shape = target.by_shape
    log_weight = _round(target, pool, draws, generator)
    for turn in range(rounds.most - 1):
        if effective(log_weight) >= rounds.roughly:
            break
        pool.reweigh(tempered(log_weight))
        anchors = pool.heaviest(log_weight, rounds.new)
        if shape is not target:
            anchors = shape.levelled(anchors)[0]
        anchors = with_mirrors(shape, anchors)
        fresh = approach(shape, anchors, steps=0, pull=PULLS[turn % len(PULLS)])
        pool.extend(laplace(fresh).marginal(target.proposed), SHARE)
        log_weight = _round(target, pool, draws, generator)
    pool.reweigh(tempered(log_weight))


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


def _starts(
    target: Target, proposals: Tensor, effort: Effort, generator: Generator
) -> Tensor:
    """Good places that lie apart, among proposals and structures of the prior."""
    tried = torch.cat([proposals, _scan(target, proposals, effort.scan, generator)])
    return distinct(target, *target.levelled(tried), effort.starts)


def _mixture(
    target: Target, found: Summits, summits: Summits, proposals: Tensor
) -> StudentMixture:
    """Components at the modes, along the ridges, and around the network's belief."""
    rest = target.proposed
    tops = laplace(reflected(target, summits)).marginal(rest)
    ridges = laplace(found).marginal(rest)
    belief = kernels(proposals[:, rest], BROAD)
    return tops.joined(ridges, 0.5).joined(belief, 0.3)


def _round(target: Target, pool: Pool, draws: int, generator: Generator) -> Tensor:
    """Draws from the mixture; the log weights of all samples so far."""
    drawn = pool.mixture.sample(draws, generator)
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
