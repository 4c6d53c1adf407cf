r"""Sizes from fringes: where a curve oscillates, its Fourier transform says how large.

Where the density of a particle jumps at two places a distance r apart, its curve
carries fringes of the period 2 pi / r. Of a large, nearly monodisperse particle they
are so many that a climb reaches the right size only if it starts within one of them. So
the logarithm of the curve, less a smooth trend, is Fourier transformed, and of a great
many structures of the prior those are tried first whose distances stand out in it:
looked up, not worked out.

References:
    Glatter, J. Appl. Cryst. 10, 415 (1977): distances in a particle from its curve.
    Vonk, J. Appl. Cryst. 9, 433 (1976): shells, from the jumps of the density.
"""

import math
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Generator, Tensor

from saxinfer.inference.target import Target
from saxinfer.instrument.observation import Observation

__all__ = ["Spectrum", "fringed", "fringes_of", "has_edges"]

# Structures of the prior that are looked up, classes of size, structures that are
# evaluated in each, and those that are kept.
LOOKED_UP, SIZES, EVALUATED, KEPT = 200_000, 60, 40, 2

# Distances that count: those that stand out most.
COUNTED = 2

# Degree of the trend in ln q, and the relative error that is added to that of a point
# for the trend and for the transform.
TREND, BLURRED = 4, 0.15

# Distances a resolution element, and the largest deviation from the trend.
FINE, LARGEST = 4, 3.0

# Fewest points that a transform is made of.
FEWEST = 12

TINY = 1e-9


@dataclass(frozen=True, eq=False)
class Spectrum:
    """How much of a curve's fringes each distance stands for.

    Attributes:
        step: Between two distances [nm].
        power: Squared amplitude at each, over the median.
        least: Smallest distance that a trend could not be [nm].
    """

    step: float
    power: Float[Tensor, " distance"]
    least: float

    @classmethod
    def of(cls, data: Observation) -> "Spectrum":
        """Transforms a curve."""
        q, intensity = data.q, data.intensity.clamp(min=TINY * data.level)
        relative = data.sigma / intensity
        weight = 1 / (relative.square() + BLURRED**2)
        place = q.log() - q.log().mean()
        place = place / place.abs().max()
        powers = place[:, None] ** torch.arange(TREND + 1, dtype=q.dtype)
        normal = (weight[:, None] * powers).T @ powers
        normal = normal + TINY * torch.diag(normal.diagonal())
        trend = torch.linalg.solve(
            normal, (weight[:, None] * powers).T @ intensity.log()
        )
        rest = (intensity.log() - powers @ trend).clamp(-LARGEST, LARGEST)
        spacing = torch.gradient(q)[0]
        share = spacing * weight / (spacing * weight).sum()
        rest = share * (rest - share @ rest)
        resolution = 2 * math.pi / float(q[-1] - q[0])
        step = resolution / FINE
        farthest = math.pi / float(torch.diff(q).median())
        distance = torch.arange(0, farthest, step, dtype=q.dtype)
        phase = distance[:, None] * q
        power = (phase.cos() @ rest).square() + (phase.sin() @ rest).square()
        background = power[distance > resolution].median()
        return cls(step, power / background.clamp(min=1e-300), resolution)

    def score(
        self, distances: Float[Tensor, "structure distance"]
    ) -> Float[Tensor, " structure"]:
        """How much the distances of a structure stand out together."""
        index = (distances / self.step).round().long()
        known = (index < len(self.power)) & (distances > self.least)
        power = self.power[index.clamp(max=len(self.power) - 1)]
        found = torch.where(known, torch.log1p(power), 0.0)
        count = min(COUNTED, found.shape[1])
        total: Tensor = found.topk(count, 1).values.sum(1)
        return total


def has_edges(target: Target) -> bool:
    """Whether the structure has edges, whose fringes leave narrow solutions."""
    middle = torch.zeros(1, target.dimension, dtype=target.observation.q.dtype)
    return target.structure.edges(target.theta(middle)).shape[1] > 0


def fringes_of(target: Target, proposals: Float[Tensor, "proposal dimension"]) -> float:
    """How many fringes the edges of most proposals leave between first and last q."""
    distances = target.structure.edges(target.theta(proposals))
    if distances.shape[1] == 0:
        return 0.0
    q = target.observation.q
    return float(distances.amax(1).median() * (q[-1] - q[0])) / (2 * math.pi)


def fringed(
    target: Target,
    proposals: Float[Tensor, "proposal dimension"],
    generator: Generator,
) -> Float[Tensor, "start dimension"]:
    """Structures of the prior, of every size, whose fringes a curve shows.

    Args:
        target: The posterior.
        proposals: Latent vectors whose instruments are taken over.
        generator: Source of randomness.

    Returns:
        Latent vectors; none if the structure has no sharp edges, or the curve too few
        points.
    """
    nothing = proposals[:0]
    q, moving = target.observation.q, target.moving
    if not has_edges(target) or len(q) < FEWEST:
        return nothing
    tried = proposals[torch.arange(LOOKED_UP) % len(proposals)].clone()
    tried[:, moving] = torch.randn(
        LOOKED_UP, len(moving), generator=generator, dtype=tried.dtype
    ).clamp(-4, 4)
    distances = target.structure.edges(target.theta(tried))
    size = distances.amax(1).log()
    score = Spectrum.of(target.observation).score(distances)
    rows = _best(size, score, EVALUATED)
    levelled, density = target.levelled(tried[rows])
    kept = _best(size[rows], density, KEPT)
    return levelled[kept[density[kept].isfinite()]]


def _best(size: Tensor, score: Tensor, each: int) -> Tensor:
    """Rows of the highest score in each class of size."""
    reach = float(size.max() - size.min())
    place = (size - size.min()) / max(reach, TINY) * SIZES
    which = place.long().clamp(max=SIZES - 1)
    chosen = []
    for number in range(SIZES):
        rows = (which == number).nonzero()[:, 0]
        if len(rows):
            chosen.append(rows[score[rows].topk(min(each, len(rows))).indices])
    return torch.cat(chosen)
