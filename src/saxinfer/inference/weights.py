r"""How many samples count, and the evidence that they give; weights in log form.

References:
    Kish, Survey Sampling (1965): effective sample size. Meng & Wong, Stat. Sin. 6, 831
    (1996): bridge sampling. Fruehwirth-Schnatter, Econom. J. 7, 143 (2004): its error.
"""

import math

import torch
from jaxtyping import Float
from torch import Tensor

from saxinfer.inference.base import Evidence

__all__ = ["bridge", "effective", "tempered", "worth_of"]

# Effective samples that components are fitted to, at least.
FITTED = 150.0

# Fixed-point steps of the bridge; each gains about a digit.
BRIDGE_STEPS = 50


def effective(log_weight: Float[Tensor, " sample"]) -> float:
    """Kish's effective number of samples."""
    return float(1 / torch.softmax(log_weight, 0).square().sum())


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
