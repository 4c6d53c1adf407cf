r"""An ensemble of walkers that end as samples of the exact posterior.

Importance sampling finds the modes, but the weights of samples that shaped their own
proposal are too even: what is thinly covered is missed without a sign. A Markov chain
has no such memory. Each step moves one half of the walkers given the other half:

1. Most are offered an independent draw from a mixture. At first this is refitted to the
   walkers themselves, then it stands still.
2. The others take a step along the difference of two walkers of the other half, which
   knows the scales and correlations; a full difference leads from mode to mode.

Both leave the posterior as it is. Walkers count as independent samples as far as they
have forgotten where they started.

References:
    ter Braak & Vrugt, Stat. Comput. 18, 435 (2008): differential evolution.
    Tierney, Ann. Stat. 22, 1701 (1994): independent proposals, mixed with others.
"""

import math
from dataclasses import dataclass, replace

import torch
from jaxtyping import Float
from torch import Generator, Tensor

from saxinfer.inference.mixture import StudentMixture, fitted
from saxinfer.inference.target import Target
from saxinfer.inference.weights import bridge, worth_of

__all__ = ["Ensemble", "walk"]

# Share of the walkers that are offered an independent draw.
INDEPENDENT = 0.7

# Largest factor on a difference, in units of the best one for a normal posterior, and
# share of the steps that take a difference as it is.
LARGEST_FACTOR, WHOLE = 1.2, 0.1

# Steps after which the mixture is refitted, to the walkers of the last few steps; its
# components, and their share beside the mixture that came in.
REFITS, RECENT, COMPONENTS, SHARE = (5, 10, 15, 20), 4, 4, 0.7

# Steps between the samples that are kept, and the fewest after the last refit.
EVERY, FEWEST = 5, 10


@dataclass(frozen=True, eq=False)
class Ensemble:
    """Equally weighted samples of a posterior.

    Attributes:
        points: Latent vectors, several of each walker.
        amounts: Scale, background and power law of each [unit of the intensity].
        effective: How many independent samples they are worth.
        drawn: Number of curves that the walkers tried.
        log_evidence: Log marginal likelihood.
        log_evidence_sd: Its Monte Carlo standard error.
    """

    points: Float[Tensor, "sample dimension"]
    amounts: Float[Tensor, "sample amount"]
    effective: float
    drawn: int
    log_evidence: float
    log_evidence_sd: float


@dataclass(frozen=True, eq=False)
class _Walkers:
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

    def updated(self, rows: Tensor, moved: Tensor, new: "_Walkers") -> "_Walkers":
        """Takes ``new`` in those of the rows that moved."""
        rows = rows[moved]
        return _Walkers(
            self.points.index_copy(0, rows, new.points[moved]),
            self.amounts.index_copy(0, rows, new.amounts[moved]),
            self.values.index_copy(0, rows, new.values[moved]),
            self.chance.index_copy(0, rows, new.chance[moved]),
        )


def walk(
    target: Target,
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
        steps: Most steps after the last refit of the mixture.
        enough: Effective samples at which to stop.
    """
    rest, first = target.proposed, mixture
    state = _tried(target, starts[:, rest], mixture, generator)
    recent: list[Tensor] = []
    for step in range(1, REFITS[-1] + 1):
        state, _ = _stepped(target, state, mixture, generator)
        recent = [*recent[1 - RECENT :], state.points[:, rest]]
        if step in REFITS:
            own = fitted(torch.cat(recent), COMPONENTS, generator)
            mixture = first.joined(own, SHARE)
            state = replace(state, chance=mixture.log_density(state.points[:, rest]))
    kept, ratios = [state], []
    worth = 0.0
    for step in range(1, steps + 1):
        state, ratio = _stepped(target, state, mixture, generator)
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
        effective=worth,
        drawn=len(starts) * (1 + REFITS[-1] + len(ratios)),
        log_evidence=evidence.log,
        log_evidence_sd=evidence.sd,
    )


def _tried(
    target: Target, proposed: Tensor, mixture: StudentMixture, generator: Generator
) -> _Walkers:
    """Draws what is not proposed, and evaluates."""
    room = proposed.new_zeros(len(proposed), target.dimension)
    room[:, target.proposed] = proposed
    points, values, amounts = target.drawn_rest(room, generator)
    return _Walkers(points, amounts, values, mixture.log_density(proposed))


def _stepped(
    target: Target, state: _Walkers, mixture: StudentMixture, generator: Generator
) -> tuple[_Walkers, Tensor]:
    """Moves one half of the walkers after the other.

    Returns:
        The walkers, and posterior over proposal density of the independent draws.
    """
    order = torch.randperm(len(state.values), generator=generator)
    ratios = []
    for rows, others in (order.chunk(2), order.chunk(2)[::-1]):
        state, ratio = _half(target, state, rows, others, mixture, generator)
        ratios.append(ratio)
    return state, torch.cat(ratios)


def _half(
    target: Target,
    state: _Walkers,
    rows: Tensor,
    others: Tensor,
    mixture: StudentMixture,
    generator: Generator,
) -> tuple[_Walkers, Tensor]:
    """Moves the walkers of some rows; the first of these are offered fresh draws."""
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
    new = _tried(target, torch.cat([drawn, stepped]), mixture, generator)
    gain = new.values - state.values[rows]
    back = state.chance[rows] - new.chance
    # Differences are symmetric: there and back are as likely.
    gain = gain + torch.where(torch.arange(count) < fresh, back, 0.0)
    luck = torch.rand(count, generator=generator, dtype=here.dtype).log()
    ratio = (new.values - new.chance)[:fresh]
    return state.updated(rows, luck < gain, new), ratio
