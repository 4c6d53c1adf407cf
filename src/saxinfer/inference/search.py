"""Where the modes of a posterior are: places that lie apart, and climbs from them."""

from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Generator, Tensor

from saxinfer.inference.climb import (
    Summits,
    alike,
    apart,
    approach,
    climb,
    content,
    distinct,
    laplace,
    reflected,
)
from saxinfer.inference.effort import Effort
from saxinfer.inference.ends import followed
from saxinfer.inference.explore import hopped, spread
from saxinfer.inference.fringes import fringed, fringes_of, has_edges
from saxinfer.inference.mixture import StudentMixture, kernels
from saxinfer.inference.target import Target

__all__ = ["Search", "mixture_of", "searched"]

# Climbers that go on from the ridges.
SUMMITS = 32

# Times that places spread along ridges, and climb to modes that are met there.
SPREADINGS = 2

# Proposals that climb as they come: so many times the fourth power of the number of
# parameters, as far as ``effort.believed`` allows, and so many at least and for each
# fringe: where there are few, solutions do not lie side by side.
BELIEVED, LEAST, EACH_FRINGE = 3, 200, 60

# Modes whose look-alikes are climbed from.
TURNED = 16

# Hops from each mode where none fits a curve that may have fringes.
EAGER = 4000

# Proposals around which the network's own belief is spread.
BROAD = 40


@dataclass(frozen=True, eq=False)
class Search:
    """Where the modes are.

    Attributes:
        found: Places on the ridges of the posterior.
        summits: Its modes.
        others: Places from which nobody has climbed yet, or None.
    """

    found: Summits
    summits: Summits
    others: Tensor | None


def searched(
    shape: Target,
    proposals: Float[Tensor, "proposal dimension"],
    effort: Effort,
    generator: Generator,
) -> Search:
    """Climbs from ever more places until one fits the data.

    Args:
        shape: The posterior where only the shape is known.
        proposals: Latent vectors near its modes, as a network proposes them.
        effort: How much work to spend.
        generator: Source of randomness.

    Raises:
        ValueError: If no proposal lies within the ranges that the user gave.
    """
    starts = _starts(shape, proposals, effort.scan, effort.starts, generator)
    first, others = starts[: effort.first], starts[effort.first :]
    first = torch.cat(
        [
            first,
            _believed(shape, proposals, effort.believed),
            fringed(shape, proposals, generator),
        ]
    )
    found = approach(shape, first)
    summits = climb(shape, apart(found, SUMMITS).points)
    summits = hopped(shape, summits, generator)
    untried: Tensor | None = others if len(others) else None
    if untried is not None and not content(shape, summits):
        for wide in (False, True):
            if wide:
                others = _starts(
                    shape, proposals, effort.wide_scan, effort.starts, generator
                )
                others = torch.cat([others, fringed(shape, proposals, generator)])
            found = found.joined(approach(shape, others))
            summits = summits.joined(climb(shape, apart(found, SUMMITS).points))
            if content(shape, summits):
                break
        summits, untried = hopped(shape, summits, generator), None
        if has_edges(shape) and not content(shape, summits):
            summits = hopped(shape, summits, generator, EAGER)
    summits = alike(shape, summits, TURNED)
    found, summits = reflected(shape, found), reflected(shape, summits)
    for _ in range(SPREADINGS):
        found, ridged = spread(shape, found, summits, generator)
        if not ridged:
            break
        found = followed(shape, found, summits)
        every = summits.joined(found)
        summits = summits.joined(climb(shape, apart(every, SUMMITS).points))
    return Search(found, summits, untried)


def _believed(target: Target, proposals: Tensor, curves: int) -> Tensor:
    """Some proposals as they come, however well they fit before they climb.

    Of solutions side by side, each narrower than what a network can tell, all have
    their share of its belief, but few of the proposals that fit best.

    Args:
        target: The posterior.
        proposals: Latent vectors.
        curves: So many at most may be worked out in a step of their climb.
    """
    if not has_edges(target):
        return proposals[:0]
    size, wanted = len(target.moving), EACH_FRINGE * fringes_of(target, proposals)
    count = min(BELIEVED * size**4, curves // (size + 1), max(LEAST, round(wanted)))
    some = proposals[:count]
    return target.levelled(some)[0]


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
    target: Target, proposals: Tensor, scan: int, count: int, generator: Generator
) -> Tensor:
    """Good places that lie apart, among proposals and structures of the prior."""
    tried = torch.cat([proposals, _scan(target, proposals, scan, generator)])
    return distinct(target, *target.levelled(tried), count)


def mixture_of(
    target: Target, search: Search, proposals: Float[Tensor, "proposal dimension"]
) -> StudentMixture:
    """Components at the modes, along the ridges, and around the network's belief."""
    rest = target.proposed
    tops = laplace(search.summits).marginal(rest)
    ridges = laplace(search.found).marginal(rest)
    belief = kernels(proposals[:, rest], BROAD)
    return tops.joined(ridges, 0.5).joined(belief, 0.3)
