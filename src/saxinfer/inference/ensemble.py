r"""An ensemble of walkers that end as samples of the exact posterior.

Importance sampling finds the modes, but the weights of samples that shaped their own
proposal are too even: what is thinly covered is missed without a sign. A Markov chain
has no such memory. Each step moves one half of the walkers given the other half:

1. Most are offered an independent draw from a mixture. At first this is refitted to the
   walkers themselves, then it stands still.
2. The others take a step along the difference of two walkers of the other half, which
   knows the scales and correlations; a full difference leads from mode to mode.

Both leave the posterior as it is. But walkers that start too close together take long
to reach its flanks, where proposals are rare; those that start too far apart soon fall
back. So the mixture is fitted while they walk in the root of the posterior, which is
wider, and of these walkers some are picked, by the other root. Walkers count as
independent samples as far as they have forgotten where they started.

References:
    ter Braak & Vrugt, Stat. Comput. 18, 435 (2008): differential evolution.
    Tierney, Ann. Stat. 22, 1701 (1994): independent proposals, mixed with others.
    Gelman & Rubin, Stat. Sci. 7, 457 (1992): starts wider than the target.
"""

import math
from dataclasses import dataclass, replace
from typing import Protocol, runtime_checkable

import torch
from jaxtyping import Float
from torch import Generator, Tensor

from saxinfer.inference.mixture import StudentMixture, bent
from saxinfer.inference.weights import bridge, worth_of

__all__ = ["Density", "Ensemble", "Walkers", "stepped", "tried", "walk", "warmed"]

# Share of the walkers that are offered an independent draw.
INDEPENDENT = 0.7

# Largest factor on a difference, in units of the best one for a normal posterior, and
# share of the steps that take a difference as it is.
LARGEST_FACTOR, WHOLE = 1.2, 0.1

# Power of the posterior that walkers warm up in, and for how many steps a coordinate.
POWER, WARM = 0.5, 10 / 3

# Steps between refits of the mixture, to the walkers of the last few steps; its
# components, and their share beside the mixture that came in.
REFIT, RECENT, COMPONENTS, SHARE = 5, 4, 2, 0.7

# Steps in the posterior itself before samples are kept.
SETTLE = 5

# Steps between the samples that are kept, and the fewest before stopping early.
EVERY, FEWEST = 5, 10


@runtime_checkable
class Density(Protocol):
    """What walkers need of a posterior, exact or not."""

    @property
    def dimension(self) -> int:
        """Number of all latent parameters."""
        ...

    @property
    def proposed(self) -> list[int]:
        """Columns in which walkers move."""
        ...

    def drawn_rest(
        self, latent: Float[Tensor, "batch dimension"], generator: Generator
    ) -> tuple[
        Float[Tensor, "batch dimension"],
        Float[Tensor, " batch"],
        Float[Tensor, "batch amount"],
    ]:
        """The other columns, the log density, and the amounts that go with them."""
        ...


@dataclass(frozen=True, eq=False)
class Ensemble:
    """Samples of a posterior.

    Attributes:
        points: Latent vectors.
        amounts: Scale, background and power law of each [unit of the intensity].
        weights: Weight of each; they sum to one.
        effective: How many independent samples they are worth.
        drawn: Number of curves that were tried to get them.
        log_evidence: Log marginal likelihood.
        log_evidence_sd: Its Monte Carlo standard error.
    """

    points: Float[Tensor, "sample dimension"]
    amounts: Float[Tensor, "sample amount"]
    weights: Float[Tensor, " sample"]
    effective: float
    drawn: int
    log_evidence: float
    log_evidence_sd: float


@dataclass(frozen=True, eq=False)
class Walkers:
    """Where walkers stand.

    Attributes:
        points: Latent vectors.
        amounts: Scale, background and power law.
        values: Log posterior density, less that of the columns drawn otherwise.
        chance: Log density of the mixture.
    """

    points: Tensor
    amounts: Tensor
    values: Tensor
    chance: Tensor

    @classmethod
    def together(cls, parts: "list[Walkers]") -> "Walkers":
        """Walkers of several times side by side."""
        return cls(
            torch.cat([part.points for part in parts]),
            torch.cat([part.amounts for part in parts]),
            torch.cat([part.values for part in parts]),
            torch.cat([part.chance for part in parts]),
        )

    def rows(self, rows: Tensor) -> "Walkers":
        """Some of the walkers, or some several times."""
        return Walkers(
            self.points[rows], self.amounts[rows], self.values[rows], self.chance[rows]
        )

    def updated(self, rows: Tensor, moved: Tensor, new: "Walkers") -> "Walkers":
        """Takes ``new`` in those of the rows that moved."""
        rows = rows[moved]
        return Walkers(
            self.points.index_copy(0, rows, new.points[moved]),
            self.amounts.index_copy(0, rows, new.amounts[moved]),
            self.values.index_copy(0, rows, new.values[moved]),
            self.chance.index_copy(0, rows, new.chance[moved]),
        )


def walk(
    target: Density,
    starts: Float[Tensor, "walker dimension"],
    mixture: StudentMixture,
    generator: Generator,
    *,
    steps: int,
    enough: float,
) -> Ensemble:
    """Walks until enough walkers have forgotten where they started.

    Args:
        target: The posterior.
        starts: Latent vectors that are roughly distributed as the posterior; an even
            number of them.
        mixture: Proposes the columns ``target.proposed``.
        generator: Source of randomness.
        steps: Most steps after warming up.
        enough: Effective samples at which to stop.
    """
    rest = target.proposed
    warm = REFIT * math.ceil(WARM * len(rest) / REFIT)
    state = tried(target, starts[:, rest], mixture, generator)
    state, mixture, _ = warmed(target, state, mixture, generator, warm)
    for _ in range(SETTLE):
        state, _ = stepped(target, state, mixture, generator)
    kept, ratios = [state], []
    worth = 0.0
    for step in range(1, steps + 1):
        state, ratio = stepped(target, state, mixture, generator)
        ratios.append(ratio)
        if step % EVERY == 0:
            kept.append(state)
            worth = worth_of(torch.stack([k.points[:, rest] for k in kept]))
            if worth >= enough and step >= FEWEST:
                break
    inside = torch.cat([k.values - k.chance for k in kept])
    evidence = bridge(inside, torch.cat(ratios), max(worth, 1.0))
    return Ensemble(
        points=torch.cat([k.points for k in kept]),
        amounts=torch.cat([k.amounts for k in kept]),
        weights=torch.full_like(inside, 1 / len(inside)),
        effective=worth,
        drawn=len(starts) * (1 + warm + SETTLE + len(ratios)),
        log_evidence=evidence.log,
        log_evidence_sd=evidence.sd,
    )


def tried(
    target: Density, proposed: Tensor, mixture: StudentMixture, generator: Generator
) -> Walkers:
    """Draws what is not proposed, and evaluates."""
    room = proposed.new_zeros(len(proposed), target.dimension)
    room[:, target.proposed] = proposed
    points, values, amounts = target.drawn_rest(room, generator)
    return Walkers(points, amounts, values, mixture.log_density(proposed))


def warmed(
    target: Density,
    state: Walkers,
    first: StudentMixture,
    generator: Generator,
    steps: int,
) -> tuple[Walkers, StudentMixture, Tensor]:
    """Walks in a power of the posterior; picks walkers by what is missing of it.

    Returns:
        As many walkers, the mixture that is now fitted to the wider density, and the
        latent vectors of all places that the walkers were picked from.
    """
    rest, mixture = target.proposed, first
    past: list[Walkers] = []
    for step in range(1, steps + 1):
        state, _ = stepped(target, state, mixture, generator, POWER)
        past = [*past[-(steps // 2 - 1) :], state]
        if step % REFIT == 0:
            recent = Walkers.together(past[-RECENT:]).points[:, rest]
            mixture = first.joined(bent(recent, COMPONENTS, generator), SHARE)
            state = replace(state, chance=mixture.log_density(state.points[:, rest]))
    every = Walkers.together(past)
    weights = torch.softmax((1 - POWER) * every.values, 0)
    rows = torch.multinomial(
        weights, len(state.values), replacement=True, generator=generator
    )
    picked = every.rows(rows)
    chance = mixture.log_density(picked.points[:, rest])
    return replace(picked, chance=chance), mixture, every.points


def stepped(
    target: Density,
    state: Walkers,
    mixture: StudentMixture,
    generator: Generator,
    power: float = 1.0,
) -> tuple[Walkers, Tensor]:
    """Moves one half of the walkers after the other, in a power of the posterior.

    Returns:
        The walkers, and posterior over proposal density of the independent draws.
    """
    order = torch.randperm(len(state.values), generator=generator)
    ratios = []
    for rows, others in (order.chunk(2), order.chunk(2)[::-1]):
        new, fresh = _offered(target, state, rows, others, mixture, generator)
        gain = power * (new.values - state.values[rows])
        back = state.chance[rows] - new.chance
        # Differences are symmetric: there and back are as likely.
        gain[:fresh] = gain[:fresh] + back[:fresh]
        luck = torch.rand(len(rows), generator=generator, dtype=gain.dtype).log()
        state = state.updated(rows, luck < gain, new)
        ratios.append((new.values - new.chance)[:fresh])
    return state, torch.cat(ratios)


def _offered(
    target: Density,
    state: Walkers,
    rows: Tensor,
    others: Tensor,
    mixture: StudentMixture,
    generator: Generator,
) -> tuple[Walkers, int]:
    """Where the walkers of some rows may go; to the first so many, fresh draws."""
    here = state.points[:, target.proposed]
    count, size = len(rows), here.shape[1]
    fresh = round(INDEPENDENT * count)
    drawn = mixture.sample(fresh, generator)
    drawn = drawn[torch.randperm(fresh, generator=generator)]
    left = count - fresh
    one = torch.randint(len(others), (left,), generator=generator)
    more = torch.randint(1, len(others), (left,), generator=generator)
    two = (one + more) % len(others)
    share = torch.rand(2, left, generator=generator, dtype=here.dtype)
    factor = share[0] * LARGEST_FACTOR * 2.38 / math.sqrt(2 * size)
    factor = torch.where(share[1] < WHOLE, 1.0, factor)[:, None]
    stepped = here[rows[fresh:]] + factor * (here[others[one]] - here[others[two]])
    new = tried(target, torch.cat([drawn, stepped]), mixture, generator)
    return new, fresh
