"""Samples of a posterior that is a thin sheet, its tight parameters pinned.

The mixture of the loose parameters begins as what the network believes of them, which
is wide enough and has no need to be precise, beside the places that the search has
found. Bent components are fitted to what is drawn, until draws are good enough
(:mod:`saxinfer.inference.pinned`).
"""

from dataclasses import dataclass, replace

import torch
from jaxtyping import Float
from torch import Generator, Tensor

from saxinfer.inference.climb import Summits, approach, laplace
from saxinfer.inference.direct import draw
from saxinfer.inference.effort import Effort, Rounds
from saxinfer.inference.ensemble import Ensemble
from saxinfer.inference.mixture import StudentMixture, bent, kernels
from saxinfer.inference.pinned import Guarded, Pinned
from saxinfer.inference.pool import SHARE, Pool
from saxinfer.inference.search import Search
from saxinfer.inference.target import Target
from saxinfer.inference.weights import effective, tempered

__all__ = ["Sheet", "on_the_sheet"]

# Proposals that are led to the sheet.
REACHED = 200

# Kernels and bent components of the network's belief, and the share that the first
# mixture keeps beside one that was adapted.
BROAD, COMPONENTS, BESIDE = 40, 4, 0.3

# Effective samples of the first draws that there is no hope with less than, and their
# share with which no other way to pin is tried.
HOPELESS, PLENTY = 3.0, 0.12

# Draws of a round that become known places of the sheet.
GROWN = 48

# Times that it is begun again with what was drawn, where draws are not good enough.
AGAIN = 2


@dataclass(frozen=True, eq=False)
class Sheet:
    """What came of it.

    Attributes:
        ensemble: Samples; None where there are too few to make do with.
        good: Whether they are good enough.
    """

    ensemble: Ensemble | None
    good: bool


def on_the_sheet(
    target: Target,
    search: Search,
    mixture: StudentMixture,
    proposals: Float[Tensor, "proposal dimension"],
    effort: Effort,
    generator: Generator,
) -> Sheet:
    """Independent weighed draws, where some columns are tight.

    Args:
        target: The exact posterior.
        search: Where its modes are.
        mixture: Components there, in all columns.
        proposals: Latent vectors that the network proposes.
        effort: How much work to spend.
        generator: Source of randomness.

    Returns:
        Samples; none where no column is tight or too few draws count.
    """
    shape = target.by_shape
    some, _ = shape.levelled(proposals[:: max(1, len(proposals) // REACHED)])
    places = search.summits.joined(search.found).joined(approach(shape, some))
    spent, rough = 0, list[Ensemble]()
    more = (effort.more_loose, effort.demand.relaxed())
    for rounds, demand in ((effort.loose, effort.demand), *(more,) * AGAIN):
        tried = _tried(target, places, proposals, rounds, generator)
        best = max(tried, key=lambda begun: begun.worth, default=None)
        if best is None or best.found < HOPELESS:
            break
        pool, before = best.pool, len(best.pool.points)
        pinned = _adapt(best.pinned, pool, rounds, generator)
        beside = pool.mixture.essential().joined(best.first, BESIDE)
        draws = draw(Guarded(pinned, beside, mixture), generator, demand)
        spent += before * sum(begun.pinned.cost for begun in tried)
        spent += pinned.cost * (len(pool.points) - before + len(draws.points))
        if draws.ensemble is not None:
            return Sheet(replace(draws.ensemble, drawn=spent), good=True)
        if draws.rough is not None:
            rough.append(draws.rough)
        # What was drawn has shown more of the sheet: another way to pin may be better.
        places = pinned.places
    if not rough:
        return Sheet(None, good=False)
    # Samples that miss a part of the sheet miss its evidence as well.
    kept = max(rough, key=lambda found: found.log_evidence)
    return Sheet(replace(kept, drawn=spent), good=False)


@dataclass(frozen=True, eq=False)
class _Begun:
    """One way to pin, tried on a few draws.

    Attributes:
        pinned: The posterior of the loose columns.
        first: What the network believes of them, and what is known of the sheet.
        pool: The draws.
        found: Effective ones among them.
    """

    pinned: Pinned
    first: StudentMixture
    pool: Pool
    found: float

    @property
    def worth(self) -> float:
        """Effective samples for the work on each."""
        return self.found / self.pinned.cost


def _tried(
    target: Target,
    places: Summits,
    proposals: Tensor,
    rounds: Rounds,
    generator: Generator,
) -> list[_Begun]:
    """Ways to pin, until one is good enough; none where there are no rounds."""
    tried: list[_Begun] = []
    for pinned in Pinned.candidates(target, places) if rounds.most else ():
        tried.append(_begun(pinned, proposals, rounds.new, generator))
        if tried[-1].found >= PLENTY * rounds.new:
            break
    return tried


def _begun(
    pinned: Pinned, proposals: Tensor, count: int, generator: Generator
) -> _Begun:
    """Draws a few from what is believed and found."""
    loose = pinned.proposed
    some = proposals[:, loose]
    belief = bent(some, COMPONENTS, generator).joined(kernels(some, BROAD))
    known = laplace(pinned.places).marginal(loose)
    # Ends of ridges count as much as their middle: the draws tell what they hold.
    even = known.weighted(torch.full_like(known.weights, 1 / len(known.weights)))
    first = belief.joined(even)
    pool = Pool(first, loose)
    try:
        found = effective(pool.draw(pinned, count, generator))
    except ValueError:
        # None lies within the ranges that the user gave: another way may find some.
        found = 0.0
    return _Begun(pinned, first, pool, found)


def _adapt(pinned: Pinned, pool: Pool, rounds: Rounds, generator: Generator) -> Pinned:
    """Fits bent components to what is drawn.

    Returns:
        The posterior, with the places that draws have found.
    """
    log_weight = pool.log_weight()
    for _ in range(rounds.most):
        pinned = pinned.grown(pool.heaviest(log_weight, GROWN))
        weights = tempered(log_weight)
        pool.reweigh(weights)
        pool.extend(pool.bend(weights, generator), SHARE)
        log_weight = pool.draw(pinned, rounds.new, generator)
        if effective(log_weight) >= rounds.roughly:
            break
    pool.reweigh(tempered(log_weight))
    return pinned
