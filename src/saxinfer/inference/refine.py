r"""From proposals to the exact posterior.

1. Proposals that lie apart move to the ridge of the posterior next to them, the best go
   on to its modes, and from there beyond valleys and along ridges
   (:mod:`saxinfer.inference.search`, :mod:`saxinfer.inference.explore`,
   :mod:`saxinfer.inference.ends`). Each place,
   with the expected curvature there, becomes a Student t component; together they cover
   a posterior that is long and bent.
2. Samples are drawn from the components and weighed with the exact posterior. Where
   they turn out to stand for the most of it, components are too few: new ones are
   added there, and the weights of all are refitted. Curves are emulated for that
   (:mod:`saxinfer.inference.sketched`), exact ones decide.
3. A posterior that is a thin bent sheet no such mixture covers. There, loose parameters
   are drawn, and the tight ones follow (:mod:`saxinfer.inference.sheet`).

Where neither is good enough, all curves are exact ones: independent draws from the
mixture, which stands still at last, are weighed (:mod:`saxinfer.inference.direct`).
Where too few of them count, the mixture is adapted once more. Where no mixture covers
the posterior, walkers start from the samples so far
(:mod:`saxinfer.inference.ensemble`).

What no curve sees and the level are drawn given all else. Weighing the network's own
samples instead leaves a handful of them where the data are precise.

References:
    Raftery & Bao, Biometrics 66, 1162 (2010): incremental mixture importance sampling.
"""

import math
from dataclasses import replace

import torch
from jaxtyping import Float
from torch import Generator, Tensor

from saxinfer.inference.climb import approach, laplace, with_mirrors
from saxinfer.inference.direct import Demand, draw, mixed
from saxinfer.inference.effort import Effort, Rounds
from saxinfer.inference.ensemble import Ensemble, walk
from saxinfer.inference.mixture import StudentMixture
from saxinfer.inference.pool import PULLS, SHARE, Pool
from saxinfer.inference.record import Recorded
from saxinfer.inference.search import mixture_of, searched
from saxinfer.inference.sheet import on_the_sheet
from saxinfer.inference.sketched import sketched
from saxinfer.inference.target import Target
from saxinfer.inference.weights import effective, tempered

__all__ = ["Effort", "refine"]

# Share of the weight of components that walkers do without.
FEW = 0.03

# Draws that are taken as they come, however few of them count.
ANY = Demand(enough=1.0, most=1000, share=0.0, shape=math.inf)


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
    shape = Recorded.of(target.by_shape)
    search = searched(shape, proposals, effort, generator)
    mixture = mixture_of(shape, search, proposals)
    if effort.skimming:
        return _skimmed(target, mixture, effort, generator)
    tried = 0
    if not target.absolute:
        attempt = sketched(shape, search, mixture, effort, generator)
        if attempt.ensemble is not None:
            return replace(attempt.ensemble, drawn=attempt.tried)
        mixture, tried = attempt.mixture, attempt.tried
    pool = Pool(mixture, target.proposed)
    once = replace(effort, attempts=0)
    sampled = _drawn(target, pool, None, once, generator)
    if sampled is not None:
        return replace(sampled, drawn=tried + sampled.drawn + len(pool.points))
    sheet = on_the_sheet(target, search, mixture, proposals, effort, generator)
    if not sheet.good:
        sampled = _drawn(target, pool, search.others, effort, generator)
    tried += len(pool.points)
    both = [found for found in (sampled, sheet.ensemble) if found is not None]
    if not both:
        both = [_walked(target, pool, effort, generator)]
    # Samples that miss a part of the posterior miss its evidence as well.
    best = max(both, key=lambda found: found.log_evidence)
    return replace(best, drawn=tried + best.drawn)


def _skimmed(
    target: Target, mixture: StudentMixture, effort: Effort, generator: Generator
) -> Ensemble:
    """Weighed draws from a mixture that was hardly adapted."""
    pool = Pool(mixture, target.proposed)
    _adapt(target, pool, effort.rounds, effort.draws, generator)
    sampled = draw(mixed(target, pool.mixture), generator, ANY).ensemble
    assert sampled is not None
    return replace(sampled, drawn=sampled.drawn + len(pool.points))


def _walked(
    target: Target, pool: Pool, effort: Effort, generator: Generator
) -> Ensemble:
    """Where walkers settle that start from samples; their mixture helps them along."""
    weights = tempered(pool.log_weight())
    rows = torch.multinomial(
        weights, effort.walkers, replacement=True, generator=generator
    )
    return walk(
        target,
        pool.points[rows],
        pool.mixture.essential(FEW),
        generator,
        steps=effort.steps,
        enough=effort.enough,
    )


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
        draws = draw(mixed(target, pool.mixture.essential()), generator, demand)
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
    return draw(mixed(target, pool.mixture.essential()), generator, demand).ensemble


def _adapt(
    target: Target, pool: Pool, rounds: Rounds, draws: int, generator: Generator
) -> None:
    """Adds components where samples weigh most, and refits the weights of all.

    Raises:
        ValueError: If no sample lies within the ranges that the user gave.
    """
    shape = target.by_shape
    log_weight = pool.draw(target, draws, generator)
    for turn in range(rounds.most - 1):
        if effective(log_weight) >= rounds.roughly:
            break
        weights = tempered(log_weight)
        pool.reweigh(weights)
        anchors = pool.heaviest(log_weight, rounds.new)
        if shape is not target:
            anchors = shape.levelled(anchors)[0]
        anchors = with_mirrors(shape, anchors)
        fresh = approach(shape, anchors, steps=0, pull=PULLS[turn % len(PULLS)])
        local = laplace(fresh).marginal(target.proposed)
        pool.extend(local.joined(pool.bend(weights, generator)), SHARE)
        log_weight = pool.draw(target, draws, generator)
    pool.reweigh(tempered(log_weight))
