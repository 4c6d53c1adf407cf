r"""Walking on from importance samples that are too few.

Where the mixture missed the shape of a posterior, a few samples carry all the weight.
Walkers that start from the weighted samples and leave the exact posterior invariant
spread out from them. A step is differential evolution with a fixed archive: the
difference of two archived points, scaled, is added to a random choice of coordinates;
the proposal is symmetric, so the Metropolis rule is exact.

References:
    ter Braak & Vrugt, Stat. Comput. 18, 435 (2008): differential evolution with an
    archive.
"""

import math
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Generator, Tensor

from saxinfer.inference.target import Target

__all__ = ["Walk", "walk"]

WALKERS, STEPS, KEPT = 200, 72, 12

# Share of steps that jump by a whole difference, from one mode to another.
JUMPS = 0.15


@dataclass(frozen=True, eq=False)
class Walk:
    """Equally weighted samples, correlated along each walker.

    Attributes:
        latent: Points.
        amounts: Scale, background and power law of each [unit of the intensity].
        gained: Effective samples gained by walking, over those at the start.
    """

    latent: Float[Tensor, "sample dimension"]
    amounts: Float[Tensor, "sample amount"]
    gained: float


def walk(
    target: Target,
    points: Float[Tensor, "point dimension"],
    weights: Float[Tensor, " point"],
    generator: Generator,
) -> Walk:
    """Walks on from weighted samples of a posterior.

    Args:
        target: The exact posterior.
        points: Samples.
        weights: Their weights; they sum to one. Weights tempered so that many points
            count are best: the walk forgets them.
        generator: Source of randomness.
    """
    size = points.shape[1]
    archive = points[
        torch.multinomial(weights, 2000, replacement=True, generator=generator)
    ]
    rows = torch.multinomial(weights, WALKERS, replacement=True, generator=generator)
    here = points[rows]
    value, amount = (part[:, 0] for part in target.evaluate(here[:, None]))
    kept, amounts = [], []
    for step in range(STEPS):
        there = here + _difference(archive, size, generator)
        new_value, new_amount = (part[:, 0] for part in target.evaluate(there[:, None]))
        chance = torch.rand(WALKERS, generator=generator, dtype=points.dtype).log()
        taken = chance < new_value - value
        here = torch.where(taken[:, None], there, here)
        value = torch.where(taken, new_value, value)
        amount = torch.where(taken[:, None], new_amount, amount)
        if step >= STEPS - 4 * KEPT and step % 4 == 3:
            kept.append(here)
            amounts.append(amount)
    tracks = torch.stack(kept)
    return Walk(tracks.flatten(0, 1), torch.cat(amounts), _gained(tracks))


def _difference(archive: Tensor, size: int, generator: Generator) -> Tensor:
    """Scaled differences of two archived points, in some of the coordinates."""
    count, dtype = WALKERS, archive.dtype
    pair = torch.randint(0, len(archive), (2, count), generator=generator)
    gap = archive[pair[0]] - archive[pair[1]]
    share = torch.tensor([0.3, 0.6, 1.0], dtype=dtype)[
        torch.randint(0, 3, (count,), generator=generator)
    ]
    draw = torch.rand(count, size, generator=generator, dtype=dtype)
    chosen = draw < share[:, None]
    number = chosen.sum(-1).clamp(min=1)
    scale = (
        2.38
        / (2 * number).sqrt()
        * torch.rand(count, generator=generator, dtype=dtype).add(0.3)
    )
    jump = torch.rand(count, generator=generator, dtype=dtype) < JUMPS
    scale = torch.where(jump, 1.0, scale)
    chosen = chosen | jump[:, None]
    small = 1e-5 * torch.randn(count, size, generator=generator, dtype=dtype)
    return scale[:, None] * gap * chosen + small


def _gained(tracks: Float[Tensor, "step walker dimension"]) -> float:
    """Effective samples beyond one a walker, from how far walkers' means agree."""
    means = tracks.mean(0)
    variance = tracks.flatten(0, 1).var(0).clamp(min=1e-300)
    ratio = (variance / means.var(0).clamp(min=1e-300)).min()
    most = math.prod(tracks.shape[:2]) / 4
    return min(most, WALKERS * max(0.0, float(ratio) - 1))
