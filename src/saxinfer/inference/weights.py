"""Importance weights of samples in log form: how many count, and how to tame them.

References:
    Kish, Survey Sampling (1965): effective sample size. Vehtari et al., J. Mach. Learn.
    Res. 25, 72 (2024): Pareto-smoothed weights. Zhang & Stephens, Technometrics 51, 316
    (2009): fit of a generalised Pareto tail.
"""

import math

import torch
from jaxtyping import Float
from torch import Tensor

__all__ = ["effective_curves", "pareto_smoothed", "tempered"]

# Effective samples that components are fitted to, at least.
FITTED = 150.0


def effective_curves(log_weight: Float[Tensor, " sample"], copies: int) -> float:
    """Kish's effective number of curves: the copies of one count together."""
    groups = torch.softmax(log_weight, 0).view(-1, copies).sum(-1)
    return float(1 / groups.square().sum())


def tempered(
    log_weight: Float[Tensor, " sample"], copies: int
) -> Float[Tensor, " sample"]:
    """Weights to the largest power that leaves enough of them to fit a mixture to."""
    wanted = min(FITTED, len(log_weight) / copies / 8)
    low, high = 0.0, 1.0
    power = high
    while high - low > 1e-4:
        scaled = torch.where(log_weight.isfinite(), power * log_weight, log_weight)
        if effective_curves(scaled, copies) >= wanted:
            low = power
        else:
            high = power
        if low == 1.0:
            break
        power = 0.5 * (low + high)
    scaled = torch.where(log_weight.isfinite(), low * log_weight, log_weight)
    return torch.softmax(scaled, 0)


def pareto_smoothed(log_weight: Float[Tensor, " sample"]) -> Float[Tensor, " sample"]:
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
