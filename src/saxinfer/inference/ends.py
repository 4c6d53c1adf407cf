r"""Along ridges to their ends.

Places that spread at random come to the end of a long, bent ridge by chance only, and
no draw tells what no component covers: a tenth of the belief may be lost there, with
weights that look well. So from the first and the last known place along each parameter
it goes on outwards, the others following as the local normal has it, and back to the
ridge after each step: a longer one after one that succeeds, a shorter one after one
that fails.

References:
    Allgower & Georg, Numerical Continuation Methods (Springer, 1990): predictors along
    a curve of solutions, correctors back to it, and the length of their steps.
"""

import torch
from torch import Tensor

from saxinfer.inference.climb import Summits, approach
from saxinfer.inference.explore import EDGE, NEAR, on_ridges
from saxinfer.inference.target import Target

__all__ = ["followed"]

# Most steps; the first, the shortest and the longest [standard deviations of the local
# normal].
STEPS, FIRST, SHORTEST, LONGEST = 12, 2.0, 0.2, 6.0

# What a step that succeeds and one that fails do to the length of the next.
LONGER, SHORTER = 1.5, 1 / 3

# Share of a step that has to be left when it is back on the ridge, and the least way in
# latent units.
FORWARD, LEAST = 0.1, 1e-3


def followed(target: Target, found: Summits, summits: Summits) -> Summits:
    """Adds places on the way from the outermost ones to the ends of their ridges.

    Args:
        target: The posterior.
        found: Places on ridges.
        summits: Modes.

    Returns:
        The places ``found`` and those that were reached.
    """
    every = summits.joined(found)
    floor = every.density.max() - NEAR
    here, column, side = _outermost(target, on_ridges(every))
    length = torch.full_like(side, FIRST)
    going = torch.arange(len(length))
    for _ in range(STEPS):
        now, far = here.rows(going), length[going]
        way = _way(now, column[going]) * (side[going] * far)[:, None]
        new = approach(target, (now.points + way).clamp(-EDGE, EDGE))
        wished, gone = (
            step.gather(1, column[going, None])[:, 0] * side[going]
            for step in (way, new.points - now.points)
        )
        well = (new.density > floor) & (gone > FORWARD * wished) & (gone > LEAST)
        new = new.rows(well.nonzero()[:, 0])
        found = found.joined(new)
        here = here.replaced(going[well], new)
        length[going] = (far * torch.where(well, LONGER, SHORTER)).clamp(max=LONGEST)
        going = going[length[going] >= SHORTEST]
        if len(going) == 0:
            break
    return found


def _outermost(target: Target, ridge: Summits) -> tuple[Summits, Tensor, Tensor]:
    """The first and the last place along each parameter, its column, and the side."""
    moving = torch.tensor(target.moving)
    reach = ridge.points[:, moving]
    rows = torch.cat([reach.argmin(0), reach.argmax(0)])
    side = torch.ones(len(rows), dtype=reach.dtype)
    side[: len(moving)] = -1
    return ridge.rows(rows), moving.repeat(2), side


def _way(places: Summits, column: Tensor) -> Tensor:
    """One standard deviation of a parameter, and how the others follow it."""
    covariance = torch.cholesky_inverse(torch.linalg.cholesky(places.curvature))
    each = torch.arange(len(column))
    variance = covariance[each, column, column]
    return covariance[each, column] / variance.sqrt()[:, None]
