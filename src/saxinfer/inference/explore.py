r"""Looking around from what is known to fit: along ridges, and beyond valleys.

Precise data leave ridges that are thousands of times as long as they are wide, and
bent. Who climbs from places of the prior meets them at some point, and components
around that point say nothing of the rest. So places on ridges are spread: from each,
steps of a few standard deviations of the local normal, long along the ridge and short
across, and back to it. Where fringes repeat, solutions lie side by side that differ in
one or two parameters: these are drawn anew, or moved a little, the others kept.

References:
    Allgower & Georg, Numerical Continuation Methods (Springer, 1990): predictors along
    a curve of solutions, and correctors back to it.
    Wales & Doye, J. Phys. Chem. A 101, 5111 (1997): hopping between basins.
"""

import torch
from jaxtyping import Float
from torch import Generator, Tensor

from saxinfer.inference.climb import (
    Summits,
    apart,
    approach,
    climb,
    distinct,
)
from saxinfer.inference.target import Target

__all__ = ["EDGE", "NEAR", "hopped", "on_ridges", "spread"]

# Places this much worse than the best [nats] are on a ridge.
NEAR = 12.0

# Rounds of spreading, places that set out in each, steps back to the ridge, and the
# shortest and longest step along it in units of the local standard deviations.
ROUNDS, PLACES, STEPS, SHORTEST, LONGEST = 3, 40, 4, 1.0, 3.0

# Where fewer steps than that share come back to a ridge, it is thin and bent: the next
# ones are so much shorter.
BACK, SHORTER = 0.25, 1 / 3

# Places that fit better than a normal around any mode foresees by so much [nats] are on
# a ridge.
UNFORESEEN = 2.0

# Rounds of hopping, modes that hops start from, hops from each, parameters that change
# at most, and places that climb.
HOPS, MODES, EACH, CHANGED, PICKED = 2, 4, 400, 3, 24

# Least scale of a parameter that moves a little, as a power of ten of its prior's.
LEAST = -3.0

# Gain that is worth another round [nats].
GAIN = 0.5

# Climbers that go on to the very top, and latent distance where places stop.
SUMMITS, EDGE = 8, 4.4


def spread(
    target: Target, found: Summits, summits: Summits, generator: Generator
) -> tuple[Summits, bool]:
    """Places all along the ridges that some places are known of.

    Where normals around the modes foresee how well places fit that were reached, there
    are no ridges, and it ends early.

    Args:
        target: The posterior.
        found: Places on ridges.
        summits: Modes.
        generator: Source of randomness.

    Returns:
        The places ``found`` and those that were reached from there, and whether there
        are ridges.
    """
    good = on_ridges(summits.joined(found))
    dtype, reach = good.points.dtype, 1.0
    for _ in range(ROUNDS):
        start = good.rows(_farthest(good.points[:, target.moving], PLACES))
        start = start.rows(torch.arange(PLACES) % len(start.density))
        size = start.points.shape
        direction = torch.randn(size, generator=generator, dtype=dtype)
        direction = direction / direction.square().mean(1, keepdim=True).sqrt()
        length = torch.rand(len(direction), 1, generator=generator, dtype=dtype)
        length = reach * (SHORTEST + (LONGEST - SHORTEST) * length)
        factor = torch.linalg.cholesky(start.curvature)
        step = torch.linalg.solve_triangular(
            factor.mT, (length * direction)[..., None], upper=True
        )
        places = (start.points + step[..., 0]).clamp(-EDGE, EDGE)
        new = approach(target, places, steps=STEPS)
        found = found.joined(new)
        density = target.log_density(new.points)
        back = density > summits.density.max() - NEAR
        if float(back.double().mean()) < BACK:
            reach *= SHORTER
        elif _foreseen(target, new.points[back], density[back], summits):
            return found, False
        good = on_ridges(good.joined(new))
    return found, True


def hopped(
    target: Target, summits: Summits, generator: Generator, each: int = EACH
) -> Summits:
    """Modes that differ in a few parameters from those known, if any fits better.

    Args:
        target: The posterior.
        summits: Modes.
        generator: Source of randomness.
        each: Hops from each mode.

    Returns:
        The modes, and those that were reached from there.
    """
    for _ in range(HOPS):
        best = float(summits.density.max())
        modes = apart(summits, MODES).points
        tried = torch.cat([modes, _varied(target, modes, generator, each)])
        starts = distinct(target, *target.levelled(tried), PICKED)
        new = approach(target, starts)
        summits = summits.joined(climb(target, new.highest(SUMMITS).points))
        if float(summits.density.max()) < best + GAIN:
            break
    return summits


def on_ridges(places: Summits) -> Summits:
    """Those that are on a ridge."""
    return places.rows((places.density > places.density.max() - NEAR).nonzero()[:, 0])


def _foreseen(
    target: Target,
    points: Float[Tensor, "place dimension"],
    density: Float[Tensor, " place"],
    summits: Summits,
) -> bool:
    """Whether no place fits better than a normal around some mode would have it.

    The normal is in what moves the curve; the rest follows, as it did on the way.
    """
    modes, moving = apart(summits, MODES), target.moving
    inverse = torch.cholesky_inverse(torch.linalg.cholesky(modes.curvature))
    held = torch.linalg.inv(inverse[:, moving][:, :, moving])
    gap = (points[:, None] - modes.points)[..., moving]
    square = torch.einsum("ijk,jkl,ijl->ij", gap, held, gap)
    foreseen = (modes.density - 0.5 * square).amax(1)
    return bool((density - foreseen).le(UNFORESEEN).all())


def _farthest(places: Float[Tensor, "place coordinate"], count: int) -> Tensor:
    """Rows that lie apart, as far as each coordinate reaches."""
    reach = (places.amax(0) - places.amin(0)).clamp(min=1e-3)
    scaled = places / reach
    chosen = [0]
    gap = (scaled - scaled[0]).square().sum(-1)
    while len(chosen) < min(count, len(scaled)):
        index = int(gap.argmax())
        chosen.append(index)
        gap = torch.minimum(gap, (scaled - scaled[index]).square().sum(-1))
    return torch.tensor(chosen)


def _varied(target: Target, modes: Tensor, generator: Generator, each: int) -> Tensor:
    """Each mode many times, with up to three parameters drawn anew or moved."""
    moving = target.moving
    tried = modes.repeat_interleave(each, 0)
    here = tried[:, moving]
    count, width = here.shape
    number = torch.randint(1, CHANGED + 1, (count, 1), generator=generator)
    order = torch.rand(count, width, generator=generator).argsort(1).argsort(1)
    anew = torch.randn(count, width, generator=generator, dtype=here.dtype)
    luck = torch.rand(2, count, 1, generator=generator, dtype=here.dtype)
    moved = torch.where(luck[0] < 0.5, anew, here + anew * 10 ** (LEAST * luck[1]))
    tried[:, moving] = torch.where(order < number, moved, here).clamp(-EDGE, EDGE)
    return tried
