r"""One curve, no network, no training set: the same bound from random starts.

For one curve the belief q is a normal distribution with mean m and precision P. The
natural gradient of the bound, the likelihood raised to a power b that rises to one, is

.. math:: P \leftarrow (1 - \rho) P + \rho\, \mathrm E_q [1 + b F(z)], \qquad
          m \leftarrow m + \eta\, P^{-1}\, \mathrm E_q[b\, \nabla \ln L(z) - z] ,

with Fisher's information F in the place of the curvature, which keeps P positive. Both
expectations are over pairs of samples, m + e and m - e. Each start ends in a normal and
its bound; those that ended in one place are one. Their mixture, each weighed by its
bound, has the heavier tails of a t distribution.

The bound seeks modes. So a few wake phases follow: samples of the mixture are weighed
by the exact posterior, and a mixture is fitted to them, the best in the other
divergence, that of the posterior from q. At last it stands still, and fresh samples are
weighed. The number of effective samples says how good that was. It does not show a
solution where no start led.

References:
    Opper & Archambeau, Neural Comput. 21, 786 (2009): the normal of the best bound.
    Khan & Lin, AISTATS 2017, and Khan & Rue, J. Mach. Learn. Res. 24, 281 (2023): its
    natural gradient. Bornschein & Bengio, ICLR 2015: wake phases. Cappe, Douc, Guillin,
    Marin & Robert, Stat. Comput. 18, 447 (2008): mixtures fitted to weighed samples.
    Kish, Survey Sampling (1965): effective sample size.
"""

import math
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Generator, Tensor

from saxinfer.inference.climb import EDGE, Summits, distinct, laplace, with_mirrors
from saxinfer.inference.ensemble import Ensemble
from saxinfer.inference.expansion import expansion
from saxinfer.inference.label_free.gradient import refuse_without_gradient
from saxinfer.inference.mixture import StudentMixture, fitted
from saxinfer.inference.target import Target
from saxinfer.inference.weights import effective, smoothed, tempered

__all__ = ["Alone", "Labour", "fit_alone"]

# Shares of the new precision and of the step to the mean.
RHO, ETA = 0.3, 0.6

# Weights with a heavier tail than this are worth no more than the largest allows.
HEAVIEST = 0.7


@dataclass(frozen=True)
class Labour:
    """How much work a single curve is worth.

    Attributes:
        tried: Structures of the prior of which the starts are taken.
        starts: Number of normals.
        steps: Steps of each.
        cold: Power of the likelihood at first.
        warming: Share of the steps in which it rises to one.
        pairs: Pairs of samples of each step.
        judged: Samples that the bound of each is worked out with.
        awake: Times that a mixture is fitted to weighed samples.
        fitted: Components of each, and their share beside the normals.
        draws: Samples of a batch from the mixture.
        most: Most samples.
        enough: Effective samples at which to stop.
    """

    tried: int = 2000
    starts: int = 24
    steps: int = 40
    cold: float = 0.003
    warming: float = 0.6
    pairs: int = 1
    judged: int = 32
    awake: int = 14
    fitted: tuple[int, float] = (4, 0.9)
    draws: int = 1500
    most: int = 12_000
    enough: float = 1200.0


@dataclass(frozen=True, eq=False)
class Alone:
    """What was found of one curve.

    Attributes:
        sampled: Weighted samples of the exact posterior.
        bound: Best evidence lower bound of a single normal [nat].
        solutions: Number of normals that ended apart.
        starts: Number that started.
        tail: Shape of the tail of the importance weights.
    """

    sampled: Ensemble
    bound: float
    solutions: int
    starts: int
    tail: float

    def settings(self) -> dict[str, str | float | int]:
        """The same in words."""
        return {
            "starts": self.starts,
            "normals that ended apart": self.solutions,
            "best bound of the log evidence [nat]": self.bound,
            "shape of the tail of the weights": self.tail,
        }


@dataclass(frozen=True, eq=False)
class _Normals:
    """One normal a start."""

    means: Float[Tensor, "start dimension"]
    precisions: Float[Tensor, "start dimension dimension"]

    def steps(self, base: Float[Tensor, "start sample dimension"]) -> Tensor:
        """Deviations from the mean, from standard normal numbers."""
        factor = torch.linalg.cholesky(self.precisions)
        upper = factor.mT[:, None].expand(-1, base.shape[1], -1, -1)
        found: Tensor = torch.linalg.solve_triangular(
            upper, base[..., None], upper=True
        )
        return found[..., 0]

    @property
    def log_det(self) -> Float[Tensor, " start"]:
        """Of the square root of the precision."""
        factor = torch.linalg.cholesky(self.precisions)
        found: Tensor = factor.diagonal(dim1=-2, dim2=-1).log().sum(-1)
        return found


def fit_alone(
    target: Target, generator: Generator, labour: Labour | None = None
) -> Alone:
    """Fits one curve by the bound alone.

    Args:
        target: The exact posterior.
        generator: Source of randomness.
        labour: How much work to spend.

    Raises:
        ValueError: If the structure has no gradients, or if nothing that was tried lies
            within the ranges that the user gave.
    """
    refuse_without_gradient(target.structure)
    labour = labour or Labour()
    shape = target.by_shape
    tried = torch.randn(
        labour.tried, shape.dimension, generator=generator, dtype=torch.float64
    ).clamp(-4, 4)
    starts = distinct(shape, *shape.levelled(tried), labour.starts)
    normals, looked = _descended(shape, starts, generator, labour)
    bounds = _bounds(shape, normals, generator, labour.judged)
    alive = bounds.isfinite()
    if not bool(alive.any()):
        raise ValueError(
            "no start led to a curve like the measured one within the ranges that were "
            "given. Widen them."
        )
    normals = _Normals(normals.means[alive], normals.precisions[alive])
    normal = _together(shape, normals, bounds[alive])
    mixture = _awakened(target, normal, generator, labour)
    sampled, tail = _weighed(target, mixture, generator, labour)
    spent = labour.tried + looked + labour.judged * len(starts)
    spent += labour.awake * labour.draws
    return Alone(
        sampled=Ensemble(**{**vars(sampled), "drawn": sampled.drawn + spent}),
        bound=float(bounds[alive].max()),
        solutions=len(normal.weights),
        starts=len(starts),
        tail=tail,
    )


def _descended(
    target: Target, starts: Tensor, generator: Generator, labour: Labour
) -> tuple[_Normals, int]:
    """Normals after all steps, and how many points were looked at."""
    count, size = starts.shape
    one = torch.eye(size, dtype=starts.dtype)
    curvature = expansion(target, starts)[2].nan_to_num(0.0)
    normals = _Normals(starts, one + labour.cold * (curvature - one).clamp(-1e12, 1e12))
    for step in range(labour.steps):
        share = min(1.0, step / max(1.0, labour.warming * labour.steps))
        power = labour.cold ** (1 - share)
        base = torch.randn(
            count, labour.pairs, size, generator=generator, dtype=starts.dtype
        )
        aside = normals.steps(base)
        points = normals.means[:, None] + torch.cat([aside, -aside], 1)
        points = points.clamp(-EDGE, EDGE)
        gradient, curvature = _expected(target, points, power)
        precision = (1 - RHO) * normals.precisions + RHO * curvature
        move = ETA * torch.linalg.solve(precision, gradient)
        # One latent unit is a standard deviation of the prior: far enough at a time.
        move = move / move.abs().amax(-1, keepdim=True).clamp(min=1.0)
        normals = _Normals((normals.means + move).clamp(-EDGE, EDGE), precision)
    return normals, count * (1 + 2 * labour.pairs * labour.steps)


def _expected(target: Target, points: Tensor, power: float) -> tuple[Tensor, Tensor]:
    """Gradient and expected curvature, averaged over samples that have one."""
    count, samples, size = points.shape
    density, gradient, curvature = expansion(target, points.flatten(0, 1))
    usable = density.isfinite() & gradient.isfinite().all(-1)
    usable = usable & curvature.flatten(1).isfinite().all(-1)
    kept = usable.to(points.dtype).view(count, samples)
    kept = kept / kept.sum(-1, keepdim=True).clamp(min=1)
    gradient = torch.where(usable[:, None], gradient, 0.0).view(count, samples, size)
    one = torch.eye(size, dtype=points.dtype)
    curvature = torch.where(usable[:, None, None], curvature, one)
    fisher = (curvature - one).view(count, samples, size, size)
    slope = power * (gradient + points) - points
    mean_slope = (kept[..., None] * slope).sum(1)
    return mean_slope, one + power * (kept[..., None, None] * fisher).sum(1)


def _bounds(
    target: Target, normals: _Normals, generator: Generator, samples: int
) -> Float[Tensor, " start"]:
    """Evidence lower bound of each normal [nat]; -inf where it leaves the ranges."""
    count, size = normals.means.shape
    base = torch.randn(count, samples, size, generator=generator).double()
    points = normals.means[:, None] + normals.steps(base)
    density = target.log_density(points.flatten(0, 1)).view(count, samples)
    entropy = 0.5 * size * (1 + math.log(2 * math.pi)) - normals.log_det
    # A window cuts normals: what lies outside of it is not counted, but for its share.
    inside = density.isfinite()
    share = inside.sum(-1)
    mean = torch.where(inside, density, 0.0).sum(-1) / share.clamp(min=1)
    found = mean + entropy + (share.clamp(min=1) / samples).log()
    return torch.where(share > 0, found, -math.inf)


def _together(target: Target, normals: _Normals, bounds: Tensor) -> StudentMixture:
    """The mixture of those that ended apart, each weighed by its bound."""
    images = with_mirrors(target, normals.means)[len(normals.means) :]
    points, precisions, bound = normals.means, normals.precisions, bounds
    if len(images):
        mirrored = _Normals(images, expansion(target, images)[2])
        points = torch.cat([points, mirrored.means])
        precisions = torch.cat([precisions, mirrored.precisions])
        # A mirror scatters almost the same curve.
        bound = torch.cat([bound, bound.max().expand(len(images))])
    every = _Normals(points, precisions)
    density = bound + every.log_det
    found = laplace(Summits(points, density, torch.zeros_like(points), precisions))
    return found.marginal(target.proposed)


def _awakened(
    target: Target, normal: StudentMixture, generator: Generator, labour: Labour
) -> StudentMixture:
    """A mixture fitted to weighed samples of itself, some times over."""
    mixture = normal
    components, share = labour.fitted
    for _ in range(labour.awake):
        drawn, _, _, log_weight = _drawn(target, mixture, generator, labour.draws)
        if not bool(log_weight.isfinite().any()):
            break
        rows = torch.multinomial(
            tempered(log_weight), labour.draws, replacement=True, generator=generator
        )
        found = fitted(drawn[rows], components, generator)
        mixture = normal.joined(found, share)
    return mixture


def _drawn(
    target: Target, mixture: StudentMixture, generator: Generator, count: int
) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Proposed columns, latent vectors, amounts and log weights."""
    drawn = mixture.sample(count, generator)
    room = drawn.new_zeros(count, target.dimension)
    room[:, target.proposed] = drawn
    points, values, amounts = target.drawn_rest(room, generator)
    return drawn, points, amounts, values - mixture.log_density(drawn)


def _weighed(
    target: Target, mixture: StudentMixture, generator: Generator, labour: Labour
) -> tuple[Ensemble, float]:
    """Samples of the mixture, weighed by the exact posterior."""
    parts: list[tuple[Tensor, ...]] = []
    log_weight, tail, count, found = torch.empty(0), math.inf, 0, 0.0
    while count < labour.most and found < labour.enough:
        parts.append(_drawn(target, mixture, generator, labour.draws)[1:])
        raw = torch.cat([part[2] for part in parts])
        log_weight, tail = smoothed(raw)
        count, found = len(raw), _worth(raw, tail)
    return Ensemble(
        points=torch.cat([part[0] for part in parts]),
        amounts=torch.cat([part[1] for part in parts]),
        weights=torch.softmax(log_weight, 0),
        effective=found,
        drawn=count,
        log_evidence=float(torch.logsumexp(log_weight, 0)) - math.log(count),
        log_evidence_sd=math.sqrt(max(1 / found - 1 / count, 0.0)),
    ), tail


def _worth(log_weight: Tensor, tail: float) -> float:
    """Effective samples; where the tail is too heavy, what the largest weight says."""
    if tail <= HEAVIEST:
        return effective(log_weight)
    return float(1 / torch.softmax(log_weight, 0).max())
