r"""Walkers on a sketch of a posterior, and what the exact one makes of them.

Where a posterior is a long bent sheet, no mixture covers it and walkers need thousands
of steps: too many for exact curves. On a sketch they cost little. Cycles of walking
alternate with learning: some of the places that walkers reach are worked out exactly,
so that the sketch is right where they are, and what it only imagined disappears. At
last the sketch stands still while walkers gather samples; these are weighed by exact
over sketched density, so that they are samples of the exact posterior.

References:
    ter Braak & Vrugt, Stat. Comput. 18, 435 (2008): the walkers' steps.
    Conrad, Marzouk, Pillai & Smith, J. Am. Stat. Assoc. 111, 1591 (2016): chains on
    local approximations that are refined where the chain goes.
"""

import math
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Generator, Tensor

from saxinfer.inference.ensemble import Ensemble, Walkers, stepped, tried, warmed
from saxinfer.inference.mixture import StudentMixture, fitted
from saxinfer.inference.record import Recorded
from saxinfer.inference.sketch import Sketch
from saxinfer.inference.weights import bridge, effective, smoothed, worth_of

__all__ = ["CYCLES", "LEARNT", "Settled", "gathered", "resettled", "settle"]

# Cycles of walking and learning: number, steps in the root of the posterior and then in
# itself, places that are worked out after each.
CYCLES, WARM, STEPS, LEARNT = 3, 40, 20, 800

# Steps between the samples that are kept.
EVERY = 3

# Components that are fitted to the walkers: few, so that they are wide; their share is
# what the mixture that came in leaves.
COMPONENTS, SHARE = 2, 0.4

# Places that components are fitted to.
FITTED = 3000

# Steps before samples are kept, most steps of gathering, and of how many samples the
# exact density is worked out.
SETTLE, GATHER, WEIGHED = 40, 120, 2500


@dataclass(frozen=True, eq=False)
class Settled:
    """Walkers that are where the posterior is.

    Attributes:
        state: Where they stand.
        mixture: Fitted to where they have been, and what is kept beside.
        first: Some of the mixture that they started with.
    """

    state: Walkers
    mixture: StudentMixture
    first: StudentMixture


def settle(
    target: Recorded,
    sketch: Sketch,
    starts: Float[Tensor, "walker dimension"],
    mixture: StudentMixture,
    generator: Generator,
) -> Settled:
    """Walks on a sketch that learns, until both agree with the exact posterior.

    Args:
        target: The exact posterior.
        sketch: Its sketch; learns.
        starts: Latent vectors, an even number, roughly distributed as the posterior.
        mixture: Proposes the columns ``target.proposed``.
        generator: Source of randomness.
    """
    first = mixture
    state = tried(sketch, starts[:, target.proposed], first, generator)
    settled = Settled(state, first, first)
    for _ in range(CYCLES):
        settled = _cycle(target, sketch, settled, generator)
    return settled


def _cycle(
    target: Recorded, sketch: Sketch, settled: Settled, generator: Generator
) -> Settled:
    """Warms up, walks, learns where the walkers have been, and refits their mixture."""
    rest = target.proposed
    state, mixture, wide = warmed(
        sketch, settled.state, settled.mixture, generator, WARM
    )
    kept: list[Walkers] = []
    for step in range(1, STEPS + 1):
        state, _ = stepped(sketch, state, mixture, generator)
        if step % EVERY == 0:
            kept.append(state)
    points = torch.cat([walkers.points for walkers in kept[len(kept) // 3 :]])
    points = points[torch.randperm(len(points), generator=generator)[:FITTED]]
    wide = wide[torch.randperm(len(wide), generator=generator)[: LEARNT // 2]]
    target.curve(torch.cat([points[: LEARNT // 2], wide]))
    sketch.learn()
    mixture = fitted(points[:, rest], COMPONENTS, generator)
    mixture = mixture.joined(settled.first, SHARE)
    state = tried(sketch, state.points[:, rest], mixture, generator)
    return Settled(state, mixture, settled.first)


def resettled(
    target: Recorded,
    sketch: Sketch,
    settled: Settled,
    ensemble: Ensemble,
    generator: Generator,
) -> Settled:
    """Walks on from weighted samples, with all that they taught."""
    sketch.learn()
    rows = torch.multinomial(
        ensemble.weights,
        len(settled.state.values),
        replacement=True,
        generator=generator,
    )
    places = ensemble.points[rows][:, target.proposed]
    state = tried(sketch, places, settled.mixture, generator)
    again = Settled(state, settled.mixture, settled.first)
    return _cycle(target, sketch, again, generator)


def gathered(
    target: Recorded,
    sketch: Sketch,
    settled: Settled,
    generator: Generator,
    enough: float,
) -> Ensemble:
    """Samples of the walkers, weighed by exact over sketched density.

    Args:
        target: The exact posterior.
        sketch: Its sketch, which stands still.
        settled: The walkers.
        generator: Source of randomness.
        enough: Effective samples at which to stop.
    """
    rest, mixture = target.proposed, settled.mixture
    state, kept, ratios = settled.state, list[Walkers](), list[Tensor]()
    for _ in range(SETTLE):
        state, _ = stepped(sketch, state, mixture, generator)
    worth = 0.0
    for step in range(1, GATHER + 1):
        state, ratio = stepped(sketch, state, mixture, generator)
        ratios.append(ratio)
        if step % EVERY == 0:
            kept.append(state)
        if step % EVERY == 0 and len(kept) > 1:
            worth = worth_of(torch.stack([k.points[:, rest] for k in kept]))
            if worth >= enough:
                break
    inside = torch.cat([k.values - k.chance for k in kept])
    evidence = bridge(inside, torch.cat(ratios), max(worth, 1.0))
    every = Walkers.together(kept)
    rows = torch.randperm(len(inside), generator=generator)[:WEIGHED]
    points, values, amounts = target.drawn_rest(every.points[rows], generator)
    log_weight, _ = smoothed(values - every.values[rows])
    count = len(rows)
    kish = effective(log_weight)
    shift = float(torch.logsumexp(log_weight, 0)) - math.log(count)
    variance = max(1 / kish - 1 / count, 0.0) + evidence.sd**2
    return Ensemble(
        points=points,
        amounts=amounts,
        weights=torch.softmax(log_weight, 0),
        effective=worth * kish / count,
        drawn=count,
        log_evidence=evidence.log + shift,
        log_evidence_sd=math.sqrt(variance),
    )
