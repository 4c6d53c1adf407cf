r"""Samples of a posterior, most of the work done on a sketch of it.

1. A mixture is adapted on the sketch, which learns from exact curves where the mixture
   puts its weight (:mod:`saxinfer.inference.sketch`).
2. Draws from the mixture that the sketch calls worth it are weighed exactly
   (:mod:`saxinfer.inference.screen`). Where single weights spoil all, the sketch was
   wrong there; it has now learnt better, and new ones are drawn.

One polynomial cannot follow curves at solutions that lie far apart: a sketch that is
wrong at places that are known to fit is not used at all.
"""

from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Generator, Tensor

from saxinfer.inference.climb import approach, laplace, with_mirrors
from saxinfer.inference.direct import Demand
from saxinfer.inference.effort import Effort, Sketches
from saxinfer.inference.ensemble import Ensemble
from saxinfer.inference.mixture import StudentMixture
from saxinfer.inference.pool import PULLS, SHARE, Pool
from saxinfer.inference.record import Recorded
from saxinfer.inference.screen import screened, share_of
from saxinfer.inference.search import Search
from saxinfer.inference.sketch import Sketch
from saxinfer.inference.weights import tempered

__all__ = ["Attempt", "sketched"]

# Times that a mixture is drawn from, each time screened better.
SCREENINGS = 2

# Share of the first mixture beside an adapted one: what adaptation has lost weighs much
# there, and shows.
BESIDE = 0.2

# Share of components that are added around draws that weigh too much.
MENDED = 0.15

# Places this close to the best [nats] are good ones; at so many of them a sketch must
# be right to so many nats, up to what it is off at the best.
NEAR, MOST, RIGHT = 8.0, 0.95, 3.0


@dataclass(frozen=True, eq=False)
class Attempt:
    """What came of a sketch.

    Attributes:
        ensemble: Samples; None where one sketch cannot be right at all modes, or no
            mixture covers the posterior.
        mixture: That which came closest.
        tried: Exact curves that were worked out.
    """

    ensemble: Ensemble | None
    mixture: StudentMixture
    tried: int


def sketched(
    target: Recorded,
    search: Search,
    mixture: StudentMixture,
    effort: Effort,
    generator: Generator,
) -> Attempt:
    """Samples that a sketch of the posterior has picked, weighed exactly.

    Args:
        target: The exact posterior.
        search: Where its modes are.
        mixture: Components there.
        effort: How much work to spend.
        generator: Source of randomness.

    Raises:
        ValueError: If no sample lies within the ranges that the user gave.
    """
    # Curves all over the mixture, for the sketch to start with.
    Pool(mixture, target.proposed).draw(target, effort.draws, generator)
    best = search.summits.points[search.summits.density.argmax()]
    sketch = Sketch(target, best)
    sampler = _Sampler(target, sketch, mixture, effort, generator, effort.draws)
    pool = Pool(mixture, target.proposed)
    share = sampler.adapt(pool, effort.sketches)
    if not sampler.agrees(search.found.joined(search.summits).points):
        return Attempt(None, sampler.closest(pool), sampler.tried)
    sampled = None
    if share >= effort.worth:
        sampled = sampler.pick(pool, effort.demand)
    return Attempt(sampled, sampler.closest(pool), sampler.tried)


@dataclass(eq=False)
class _Sampler:
    """What all ways share.

    Attributes:
        target: The exact posterior.
        sketch: Its sketch.
        first: The mixture that the search has found.
        effort: How much work to spend.
        generator: Source of randomness.
        tried: Exact curves so far, those of the search left out.
    """

    target: Recorded
    sketch: Sketch
    first: StudentMixture
    effort: Effort
    generator: Generator
    tried: int

    def adapt(self, pool: Pool, rounds: Sketches) -> float:
        """Adapts a mixture to the sketch, and the sketch to the exact posterior.

        Returns:
            Effective samples for each draw from the mixture.
        """
        target, sketch, share = self.target, self.sketch, 0.0
        for turn in range(1, rounds.most + 1):
            pool.draw(sketch, rounds.draws, self.generator)
            pool.revalue(sketch.log_density(pool.points))
            log_weight = pool.log_weight()
            weights = tempered(log_weight)
            pool.reweigh(weights)
            some = min(rounds.exact, int((weights > 0).sum()))
            rows = torch.multinomial(weights, some, generator=self.generator)
            target.curve(pool.points[rows])
            anchors = with_mirrors(target, pool.heaviest(log_weight, rounds.new))
            fresh = approach(target, anchors, steps=0, pull=PULLS[turn % len(PULLS)])
            self.tried += some + len(anchors)
            sketch.learn()
            if turn > 1:
                share = share_of(sketch, pool.mixture, self.generator)
                if share >= rounds.plenty or turn == rounds.most:
                    break
            local = laplace(fresh).marginal(target.proposed)
            pool.extend(local.joined(pool.bend(weights, self.generator)), SHARE)
        return share

    def agrees(self, places: Float[Tensor, "place dimension"]) -> bool:
        """Whether the sketch is right at most of the places that fit well."""
        _, values, _ = self.target.drawn_rest(places, self.generator)
        good = values > values.max() - NEAR
        gap = (self.sketch.log_density(places) - values)[good]
        right = (gap - gap[values[good].argmax()]).abs() <= RIGHT
        return float(right.double().mean()) >= MOST

    def pick(self, pool: Pool, demand: Demand) -> Ensemble | None:
        """Draws from a mixture, again with what was learnt where that may help.

        Returns:
            Samples, or None where the mixture is not good enough.
        """
        mixture = self.closest(pool)
        for _ in range(SCREENINGS):
            screening = screened(
                self.target, self.sketch, mixture, self.generator, demand
            )
            self.tried += screening.worked
            self.sketch.learn()
            if screening.ensemble is not None or screening.found < demand.least:
                break
            # What weighs too much lies where the mixture is too thin.
            anchors = with_mirrors(self.target, screening.heaviest)
            fresh = approach(self.target, anchors, steps=0)
            self.tried += len(anchors)
            mixture = mixture.joined(laplace(fresh).marginal(pool.proposed), MENDED)
        return screening.ensemble

    def closest(self, pool: Pool) -> StudentMixture:
        """The mixture as it is adapted now, and some of the first one beside it."""
        return pool.mixture.essential().joined(self.first, BESIDE)
