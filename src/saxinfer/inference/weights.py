r"""How many samples count, and the evidence that they give; weights in log form.

References:
    Kish, Survey Sampling (1965): effective sample size. Meng & Wong, Stat. Sin. 6, 831
    (1996): bridge sampling. Fruehwirth-Schnatter, Econom. J. 7, 143 (2004): its error.
    Vehtari, Simpson, Gelman, Yao & Gabry, J. Mach. Learn. Res. 25, 72 (2024): the tail
    of weights. Zhang & Stephens, Technometrics 51, 316 (2009): its shape.
"""

import math

import torch
from jaxtyping import Float
from torch import Tensor

from saxinfer.inference.base import Evidence

__all__ = ["bridge", "effective", "excess", "smoothed", "tempered", "worth_of"]

# Effective samples that components are fitted to, at least.
FITTED = 150.0

# Fixed-point steps of the bridge; each gains about a digit.
BRIDGE_STEPS = 50


def effective(log_weight: Float[Tensor, " sample"]) -> float:
    """Kish's effective number of samples."""
    return float(1 / torch.softmax(log_weight, 0).square().sum())


def excess(log_weight: Float[Tensor, " sample"]) -> float:
    """Share of all weight by which the largest ones exceed the rest.

    The largest are those of :func:`smoothed`. Where it is small, it does not matter
    what their tail is like.
    """
    weights = torch.softmax(log_weight, 0).sort(descending=True).values
    tail = min(_tail(len(weights)), len(weights) - 1)
    return float((weights[:tail] - weights[tail]).sum())


def _tail(count: int) -> int:
    """Three roots of the number of weights, a fifth of them at most."""
    return min(count // 5, math.ceil(3 * math.sqrt(count)))


def smoothed(
    log_weight: Float[Tensor, " sample"],
) -> tuple[Float[Tensor, " sample"], float]:
    """Pareto-smoothed log weights, and the shape of their tail.

    The largest weights, three roots of their number and a fifth of them at most, are
    replaced by the quantiles of the generalised Pareto distribution that they follow.
    With a shape above 0.7 no number of draws that one would wait for is enough.

    Raises:
        ValueError: If there are fewer than 25 weights.
    """
    count = len(log_weight)
    tail = _tail(count)
    if tail < 5:
        raise ValueError(f"a tail needs 25 weights at least, got {count}.")
    order = torch.argsort(log_weight)[-tail - 1 :]
    top = log_weight[order]
    if not bool(top.isfinite().all()):
        return log_weight, math.inf
    cut = float((top[0] - top[-1]).exp())
    x = (top[1:] - top[-1]).exp() - cut
    if float(x[-1]) < 1e-9:
        return log_weight, -math.inf
    shape, scale = _generalised_pareto(x)
    place = (torch.arange(1, tail + 1, dtype=x.dtype) - 0.5) / tail
    quantile = scale * torch.expm1(-shape * torch.log1p(-place)) / shape
    result = log_weight.clone()
    result[order[1:]] = (cut + quantile).clamp(max=1.0).log() + top[-1]
    return result, shape


def _generalised_pareto(x: Tensor) -> tuple[float, float]:
    """Shape and scale of sorted positive numbers; half of a shape is worth ten."""
    count = len(x)
    grid = 30 + math.isqrt(count)
    place = (torch.arange(1, grid + 1, dtype=x.dtype) - 0.5) / grid
    quarter = x[(count + 2) // 4 - 1].clamp(min=1e-300)
    theta = 1 / x[-1] + (1 - place.rsqrt()) / (3 * quarter)
    shape = torch.log1p(-theta[:, None] * x).mean(1)
    profile = count * ((-theta / shape).log() - shape - 1)
    best = (torch.softmax(profile, 0) * theta).sum()
    found = float(torch.log1p(-best * x).mean())
    scale = -found / float(best)
    return (count * found + 10 * 0.5) / (count + 10), scale


def tempered(log_weight: Float[Tensor, " sample"]) -> Float[Tensor, " sample"]:
    """Weights to the largest power that leaves enough of them to fit a mixture to."""
    wanted = min(FITTED, len(log_weight) / 8)
    low, high = 0.0, 1.0
    power = high
    while high - low > 1e-4:
        scaled = torch.where(log_weight.isfinite(), power * log_weight, log_weight)
        if effective(scaled) >= wanted:
            low = power
        else:
            high = power
        if low == 1.0:
            break
        power = 0.5 * (low + high)
    scaled = torch.where(log_weight.isfinite(), low * log_weight, log_weight)
    return torch.softmax(scaled, 0)


def bridge(
    inside: Float[Tensor, " posterior"],
    outside: Float[Tensor, " proposal"],
    independent: float,
) -> Evidence:
    r"""Evidence from samples of a posterior and of a proposal: bridge sampling.

    With l = posterior over proposal density, unnormalised, and shares s of the two
    numbers of samples, the evidence r solves

    .. math:: r = \frac{\langle l / (s_1 l + s_2 r) \rangle_\text{proposal}}
                       {\langle 1 / (s_1 l + s_2 r) \rangle_\text{posterior}}.

    A proposal that misses flanks of the posterior spoils the mean weight; here the
    posterior's own samples stand for them.

    Args:
        inside: ln l of posterior samples.
        outside: ln l of proposal samples; -inf where the posterior has no density.
        independent: How many independent samples the posterior's are worth.
    """
    first = independent / (independent + len(outside))
    second = 1 - first
    centre = float(inside.median())
    own, other = (inside - centre).exp(), (outside - centre).exp()
    ratio = 1.0
    for _ in range(BRIDGE_STEPS):
        above = (other / (first * other + second * ratio)).mean()
        below = (1 / (first * own + second * ratio)).mean()
        ratio = float(above / below)
    above = other / (first * other + second * ratio)
    below = 1 / (first * own + second * ratio)
    variance = float((above.var() / above.mean().square()) / len(outside))
    variance += float((below.var() / below.mean().square()) / independent)
    return Evidence(math.log(ratio) + centre, math.sqrt(variance))


def worth_of(trace: Float[Tensor, "time walker dimension"]) -> float:
    """How many independent samples a trace is worth, in its worst column.

    Walkers are independent but for their start: a column's variance over that of the
    walkers' means is what each is worth, and the square of the correlation between the
    first and the last time is what they remember.
    """
    flat = trace.flatten(0, 1)
    variance = flat.var(0).clamp(min=1e-300)
    each = variance / trace.mean(0).var(0).clamp(min=1e-300)
    gaps = trace - trace.mean(1, keepdim=True)
    start, end = gaps[0], gaps[-1]
    product = (start * end).mean(0)
    memory = product / (start.square().mean(0) * end.square().mean(0)).sqrt()
    count = trace.shape[1] * each.clamp(max=len(trace))
    return float((count * (1 - memory.clamp(0, 1).square())).nan_to_num(0.0).min())
