"""How high a curve is, given all that its shape tells.

Given its shape a curve is linear in its level, which the data tell by two steps of
Fisher scoring. Where the scale is known, the level says what no shape does: that number
is drawn from its prior times a normal that stands for the data, in ln height; several
values may give one height, and above a largest one there is none.
"""

import math
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Generator, Tensor

from saxinfer.instrument.observation import Observation
from saxinfer.scattering.matrix_prior import Heights

__all__ = ["DrawnHeight", "best_level", "draw_height"]

# Heights further above the largest one are as good as this many errors above it.
BEYOND = 30.0

# Error of a height that the data hardly know.
WIDEST = 2.0


@dataclass(frozen=True, eq=False)
class DrawnHeight:
    """One draw for each row.

    Attributes:
        latent: Latent number of what no shape tells.
        height: Logarithm of the height.
        chance: Log density with which the latent number was drawn.
    """

    latent: Float[Tensor, " batch"]
    height: Float[Tensor, " batch"]
    chance: Float[Tensor, " batch"]


def best_level(
    unit: Float[Tensor, "batch q"],
    data: Observation,
    factor: Float[Tensor, "batch one"],
    error: Float[Tensor, "batch one"],
    bounds: tuple[float, float],
) -> tuple[Float[Tensor, " batch"], Float[Tensor, " batch"]]:
    """What curves are to be raised by, and the inverse variance of its logarithm.

    Args:
        unit: Curves whose mean over ln q is one, like that of the data.
        data: The measured curve.
        factor: On its error bars.
        error: Relative error of the model.
        bounds: Of the level.
    """
    stated = (factor * data.sigma).square()
    error = error * data.members.rsqrt()
    variance = stated + (error * unit).square()
    level = (unit * data.intensity / variance).sum(-1, keepdim=True)
    level = level / (unit.square() / variance).sum(-1, keepdim=True)
    known = torch.zeros_like(level)
    for _ in range(2):
        level = level.clamp(*bounds)
        model = level * unit
        relative = (error * model).square()
        inverse = torch.reciprocal(stated + relative)
        gap = data.intensity - model
        share, scaled = relative * inverse, model * inverse
        gain = torch.addcmul(scaled, share * inverse, gap).mul_(gap)
        known = torch.addcmul(scaled * model, share, share, value=2)
        known = known.sum(-1, keepdim=True)
        step = (gain - share).sum(-1, keepdim=True) / known
        level = level * step.clamp(-0.5, 0.5).exp()
    return level[:, 0], known[:, 0]


def draw_height(
    heights: Heights,
    best: Float[Tensor, " batch"],
    error: Float[Tensor, " batch"],
    generator: Generator,
) -> DrawnHeight:
    """Draws ln heights and the latent numbers that give them.

    Args:
        heights: What the prior allows.
        best: The ln height that the data want.
        error: Its standard error.
        generator: Source of randomness.
    """
    highest, error = heights.highest, error.clamp(max=WIDEST)
    best = torch.minimum(best, highest.amax(0) + BEYOND * error)
    below = torch.special.log_ndtr((highest - best) / error)
    weight = heights.log_density(torch.minimum(best, highest)) + below
    weight = torch.log_softmax(torch.where(highest.isfinite(), weight, -math.inf), 0)
    chances = torch.rand(2, len(best), generator=generator, dtype=best.dtype)
    second = (chances[0] >= weight[0].exp()).long()[None]

    def chosen(of_ways: Tensor) -> Tensor:
        return of_ways.gather(0, second)[0]

    share = (chances[1].log() + chosen(below)).exp()
    step = torch.special.ndtri(share.clamp(min=1e-300))
    height = torch.minimum(best + error * step, chosen(highest))
    step = (height - best) / error
    normal = -0.5 * (step.square() + math.log(2 * math.pi)) - error.log()
    both = height.expand_as(highest)
    latent = chosen(heights.latent(both))
    # From ln height to the latent number: both have their prior.
    density = chosen(heights.log_density(both))
    own = -0.5 * (latent.square() + math.log(2 * math.pi))
    chance = chosen(weight) + normal - chosen(below) + own - density
    return DrawnHeight(latent, height, chance)
