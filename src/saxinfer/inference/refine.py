r"""From proposals to the exact posterior: polish, then adaptive importance sampling.

1. The best and most distinct proposals climb to the modes near them
   (:mod:`saxinfer.inference.climb`); exact mirrors of the structure are added.
2. Each mode, with its expected curvature, becomes a Student t component. The level of
   the curve and what no curve sees are left out: they are drawn given all else.
3. Samples are drawn from the mixture, weighed with the exact posterior, and the mixture
   is fitted to them (on weights tempered until enough of them count). Every sample is
   weighed against the sum of all mixtures it could have come from, so that a step
   which goes wrong costs samples but not correctness. With each curve of the structure
   several sets of nuisances are tried: they cost next to nothing and take the
   instrument's dimensions out of the variance of the weights.

The mean weight is the evidence. Weighing the network's own samples instead leaves a
handful of them where the data are precise.

References:
    Cornuet et al., Scand. J. Stat. 39, 798 (2012): adaptive multiple importance
    sampling. Vehtari et al., J. Mach. Learn. Res. 25, 72 (2024): Pareto-smoothed
    weights. Kish, Survey Sampling (1965): effective sample size.
"""

import math
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Generator, Tensor

from saxinfer.inference.climb import (
    approach,
    climb,
    content,
    distinct,
    laplace,
    reflected,
    with_mirrors,
)
from saxinfer.inference.mixture import StudentMixture
from saxinfer.inference.target import Target

__all__ = ["Effort", "Refined", "refine"]

# Climbers that go on to the very top.
SUMMITS = 8

# Samples of a round around which local approximations are added, the steps that these
# take, and the share of the next round that is drawn from them.
NEW, FRESH_STEPS, SHARE = 12, 0, 0.5

# Effective samples that a mixture is fitted to, at least.
FITTED = 150.0


@dataclass(frozen=True)
class Effort:
    """How much work to spend.

    Attributes:
        first: Proposals that climb to their modes.
        starts: Proposals that climb if the first find no good fit.
        draws: Curves of the structure a round.
        copies: Sets of nuisances tried with each curve: they cost little.
        rounds: Largest number of rounds.
        enough: Effective samples at which to stop early.
    """

    first: int = 40
    starts: int = 80
    draws: int = 250
    copies: int = 3
    rounds: int = 28
    enough: float = 1000.0


@dataclass(frozen=True, eq=False)
class Refined:
    """Weighted samples of the exact posterior in latent coordinates.

    Attributes:
        latent: Points.
        amounts: Scale, background and power law of each [unit of the intensity].
        weights: Their weights; they sum to one.
        effective: Kish's effective sample size, counted in curves of the structure.
        drawn: Number of curves drawn.
        log_evidence: Log marginal likelihood.
        log_evidence_sd: Its Monte Carlo standard error.
    """

    latent: Float[Tensor, "sample dimension"]
    amounts: Float[Tensor, "sample amount"]
    weights: Float[Tensor, " sample"]
    effective: float
    drawn: int
    log_evidence: float
    log_evidence_sd: float


def refine(
    target: Target,
    proposals: Float[Tensor, "proposal dimension"],
    generator: Generator,
    effort: Effort | None = None,
) -> Refined:
    """Draws the exact posterior of one curve, starting from proposals.

    Args:
        target: The exact posterior.
        proposals: Latent vectors near its modes, as a network proposes them.
        generator: Source of randomness.
        effort: How much work to spend.
    """
    effort = effort or Effort()
    starts = distinct(target, *target.levelled(proposals), effort.starts)
    first = with_mirrors(target, starts[: effort.first])
    found = approach(target, first)
    summits = climb(target, found.highest(SUMMITS).points)
    if len(starts) > effort.first and not content(target, summits):
        more = approach(target, with_mirrors(target, starts[effort.first :]))
        found = found.joined(more)
        summits = climb(target, found.highest(SUMMITS).points)
    rest = target.proposed
    pool = _Pool(effort.copies, rest)
    pool.extend(laplace(reflected(target, summits)).marginal(rest), 0.5)
    pool.extend(laplace(found).marginal(rest), 0.5)
    for turn in range(effort.rounds):
        drawn = pool.mixture.sample(
            effort.draws, generator, shared=len(target.moving), copies=effort.copies
        )
        room = drawn.new_zeros(*drawn.shape[:-1], target.dimension)
        room[..., rest] = drawn
        pool.add(*target.drawn_rest(room, generator))
        log_weight = pool.log_weight()
        if not bool(log_weight.isfinite().any()):
            raise ValueError(
                "no sample lies within the ranges that were given. Widen them."
            )
        if _effective(log_weight, effort.copies) >= effort.enough:
            break
        if turn + 1 < effort.rounds:
            pool.reweigh(_tempered(log_weight, effort.copies))
            anchors = with_mirrors(target, pool.heaviest(log_weight, NEW))
            fresh = approach(target, anchors, steps=FRESH_STEPS)
            pool.extend(laplace(fresh).marginal(rest), SHARE)
    return _result(pool.points, pool.amounts, pool.log_weight(), effort.copies)


class _Pool:
    """All samples so far, and the components that they could have come from.

    The table holds the log density of every sample under every component; each pair is
    evaluated once, however often the components' weights change.
    """

    def __init__(self, copies: int, proposed: list[int]) -> None:
        self.copies, self.proposed = copies, proposed
        self.mixture: StudentMixture | None = None
        self.drawn = torch.zeros(0, dtype=torch.float64)
        self.points = torch.empty(0)
        self.values = torch.empty(0)
        self.amounts = torch.empty(0)
        self.table = torch.empty(0, 0)

    def extend(self, mixture: StudentMixture, share: float) -> None:
        """Adds components, which get a share of the weight."""
        if self.mixture is None:
            self.mixture = mixture
        else:
            self.mixture = self.mixture.joined(mixture, share)
        new = len(mixture.weights)
        self.drawn = torch.cat([self.drawn, self.drawn.new_zeros(new)])
        if len(self.points):
            columns = mixture.kernels(self.points[:, self.proposed])
            self.table = torch.cat([self.table, columns], 1)

    def add(self, points: Tensor, values: Tensor, amounts: Tensor) -> None:
        """Takes the samples of one round, drawn from the present mixture."""
        points = points.flatten(0, 1)
        values, amounts = values.flatten(), amounts.flatten(0, 1)
        rows = self.mixture.kernels(points[:, self.proposed])
        if len(self.points):
            points = torch.cat([self.points, points])
            values = torch.cat([self.values, values])
            amounts = torch.cat([self.amounts, amounts])
            rows = torch.cat([self.table, rows])
        self.drawn = self.drawn + self.mixture.weights * (len(rows) - len(self.points))
        self.points, self.values, self.amounts = points, values, amounts
        self.table = rows

    def log_weight(self) -> Tensor:
        """Log of posterior over the mean of all mixtures that were drawn from."""
        shares = (self.drawn / self.drawn.sum()).clamp(min=1e-300).log()
        return self.values - torch.logsumexp(self.table + shares, 1)

    def reweigh(self, weights: Tensor) -> None:
        """Refits the components' weights to weighted samples."""
        kept = weights > 1e-9 * weights.max()
        table, weights = self.table[kept], weights[kept]
        shares = self.mixture.weights
        for _ in range(4):
            member = torch.softmax(table + shares.clamp(min=1e-12).log(), 1)
            shares = weights @ member
        self.mixture = self.mixture.weighted(shares / shares.sum())

    def heaviest(self, log_weight: Tensor, count: int) -> Tensor:
        """Samples that stand for most of the posterior, one for each curve."""
        groups = log_weight.view(-1, self.copies)
        rows = groups.argmax(-1) + self.copies * torch.arange(len(groups))
        order = torch.argsort(log_weight[rows], descending=True)
        return self.points[rows[order[:count]]]


def _result(
    points: Tensor, amounts: Tensor, log_weight: Tensor, copies: int
) -> Refined:
    """Smooths the largest weights and sums up."""
    weights = torch.softmax(_pareto_smoothed(log_weight), 0)
    groups = torch.softmax(log_weight, 0).view(-1, copies).sum(-1)
    count = len(groups)
    spread = (groups * count - 1).square().mean() / count
    evidence = float(torch.logsumexp(log_weight, 0)) - math.log(len(points))
    return Refined(
        latent=points,
        amounts=amounts,
        weights=weights,
        effective=_effective(log_weight, copies),
        drawn=count,
        log_evidence=evidence,
        log_evidence_sd=float(spread.sqrt()),
    )


def _effective(log_weight: Tensor, copies: int) -> float:
    """Kish's effective number of curves: the copies of one count together."""
    groups = torch.softmax(log_weight, 0).view(-1, copies).sum(-1)
    return float(1 / groups.square().sum())


def _tempered(log_weight: Tensor, copies: int) -> Tensor:
    """Weights to the largest power that leaves enough of them to fit a mixture to."""
    wanted = min(FITTED, len(log_weight) / copies / 8)
    low, high = 0.0, 1.0
    power = high
    while high - low > 1e-4:
        scaled = torch.where(log_weight.isfinite(), power * log_weight, log_weight)
        if _effective(scaled, copies) >= wanted:
            low = power
        else:
            high = power
        if low == 1.0:
            break
        power = 0.5 * (low + high)
    scaled = torch.where(log_weight.isfinite(), low * log_weight, log_weight)
    return torch.softmax(scaled, 0)


def _pareto_smoothed(log_weight: Tensor) -> Tensor:
    """Replaces the largest weights by the quantiles of a Pareto tail fitted to them."""
    count = len(log_weight)
    tail = min(int(0.2 * count), int(3 * math.sqrt(count)))
    order = torch.argsort(log_weight)
    top = order[-tail:]
    cut = log_weight[order[-tail - 1]]
    if tail < 20 or not bool(cut.isfinite()):
        return log_weight
    highest = log_weight[top].max()
    excess = (log_weight[top] - highest).exp() - (cut - highest).exp()
    shape, scale = _pareto_fit(excess.clamp(min=1e-300))
    share = (torch.arange(tail, dtype=excess.dtype) + 0.5) / tail
    if abs(shape) < 1e-6:
        quantile = -scale * torch.log1p(-share)
    else:
        quantile = scale / shape * ((1 - share) ** (-shape) - 1)
    smooth = log_weight.clone()
    smooth[top] = (quantile + (cut - highest).exp()).log().clamp(max=0.0) + highest
    return smooth


def _pareto_fit(excess: Tensor) -> tuple[float, float]:
    """Shape and scale of a generalised Pareto tail (Zhang & Stephens 2009)."""
    x = excess.sort().values
    count = len(x)
    grid = 20 + int(math.sqrt(count))
    quarter = x[int(count / 4 + 0.5) - 1]
    index = torch.arange(1, grid + 1, dtype=x.dtype)
    theta = 1 / x[-1] + (1 - (grid / (index - 0.5)).sqrt()) / (3 * quarter)
    k = torch.log1p(-theta[:, None] * x).mean(-1)
    profile = count * ((-theta / k).log() - k - 1)
    mean_theta = float((torch.softmax(profile, 0) * theta).sum())
    shape = float(torch.log1p(-mean_theta * x).mean())
    scale = -shape / mean_theta
    shape = (shape * count + 5) / (count + 10)
    return shape, scale
