r"""Walkers on a sketch of a posterior: they find out where a mixture should be.

Where a posterior is a long bent sheet, components around its modes cover little of it.
Walkers spread over it, and on a sketch they cost little. Cycles of walking alternate
with learning: some of the places that walkers reach are worked out exactly, so that the
sketch is right where they are, and what it only imagined disappears.

References:
    ter Braak & Vrugt, Stat. Comput. 18, 435 (2008): the walkers' steps.
    Conrad, Marzouk, Pillai & Smith, J. Am. Stat. Assoc. 111, 1591 (2016): chains on
    local approximations that are refined where the chain goes.
"""

from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Generator, Tensor

from saxinfer.inference.ensemble import Walkers, stepped, tried, warmed
from saxinfer.inference.mixture import StudentMixture, fitted
from saxinfer.inference.record import Recorded
from saxinfer.inference.sketch import Sketch

__all__ = ["CYCLES", "LEARNT", "Settled", "settle"]

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


@dataclass(frozen=True, eq=False)
class Settled:
    """Walkers that are where the posterior is.

    Attributes:
        state: Where they stand.
        mixture: Fitted to where they have been, and what is kept beside.
        first: The mixture that they started with.
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
    state = tried(sketch, starts[:, target.proposed], mixture, generator)
    settled = Settled(state, mixture, mixture)
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
