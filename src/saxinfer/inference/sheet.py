"""Samples of a posterior that is a thin sheet, its tight parameters pinned.

The mixture of the loose parameters begins as what the network believes of them, which
is wide enough and has no need to be precise, beside the places that the search has
found. Bent components are fitted to what is drawn, until draws are good enough
(:mod:`saxinfer.inference.pinned`).
"""

from dataclasses import dataclass, replace

from jaxtyping import Float
from torch import Generator, Tensor

from saxinfer.inference.climb import laplace
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

# Kernels and bent components of the network's belief, and its share beside a mixture
# that was adapted.
BROAD, COMPONENTS, BESIDE = 40, 4, 0.2

# Effective samples of the first draws that there is no hope with less than, and their
# share with which no other way to pin is tried.
HOPELESS, PLENTY = 3.0, 0.12

# Draws of a round that become known places of the sheet.
GROWN = 48


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
    places = search.summits.joined(search.found)
    tried: list[_Begun] = []
    for pinned in Pinned.candidates(target, places):
        tried.append(_begun(pinned, proposals, effort.loose.new, generator))
        if tried[-1].found >= PLENTY * effort.loose.new:
            break
    if not tried:
        return Sheet(None, good=False)
    best = max(tried, key=lambda begun: begun.worth)
    if best.found < HOPELESS:
        return Sheet(None, good=False)
    pinned, belief, pool = best.pinned, best.belief, best.pool
    spent = sum(begun.pinned.cost for begun in tried) * effort.loose.new
    demand, rough = effort.demand, None
    for rounds in (effort.loose, effort.more_loose):
        before = len(pool.points)
        pinned = _adapt(pinned, pool, rounds, generator)
        beside = pool.mixture.essential().joined(belief, BESIDE)
        draws = draw(Guarded(pinned, beside, mixture), generator, demand)
        spent += pinned.cost * (len(pool.points) - before + len(draws.points))
        if draws.ensemble is not None:
            return Sheet(replace(draws.ensemble, drawn=spent), good=True)
        rough, demand = draws.rough, effort.demand.relaxed()
    return Sheet(rough and replace(rough, drawn=spent), good=False)


@dataclass(frozen=True, eq=False)
class _Begun:
    """One way to pin, tried on a few draws.

    Attributes:
        pinned: The posterior of the loose columns.
        belief: What the network believes of them.
        pool: The draws.
        found: Effective ones among them.
    """

    pinned: Pinned
    belief: StudentMixture
    pool: Pool
    found: float

    @property
    def worth(self) -> float:
        """Effective samples for the work on each."""
        return self.found / self.pinned.cost


def _begun(
    pinned: Pinned, proposals: Tensor, count: int, generator: Generator
) -> _Begun:
    """Draws a few from what is believed and found."""
    loose = pinned.proposed
    some = proposals[:, loose]
    belief = bent(some, COMPONENTS, generator).joined(kernels(some, BROAD))
    pool = Pool(belief.joined(laplace(pinned.places).marginal(loose)), loose)
    found = effective(pool.draw(pinned, count, generator))
    return _Begun(pinned, belief, pool, found)


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
