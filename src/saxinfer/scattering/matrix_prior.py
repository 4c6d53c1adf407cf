r"""The prior of a two-phase matrix, in coordinates that a curve can tell apart.

A matrix of two phases has the densities s1 and s2 = u s1 and the share f of the first,
with s1, u and f independent and uniform (f within 1/2 ± ``REACH``). Its curve depends
on the clipping level through t², so on v = |f - 1/2| / ``REACH``, and on the densities
through the ratio rho = Delta / (1 - m) only. With w = 1 - u,

.. math:: x = \frac{1/s_1 - 1}{w} = \frac1\rho - 1 + f, \qquad
          s_1 = \frac{1}{1 + x w}, \quad s_2 = \frac{1 - w}{1 + x w},

and the uniform prior of s1 and w gives, by integration over w,

.. math:: P(\rho \le r \mid f) = k(x) = \frac{\ln(1 + x)}{x}, \qquad
          p(\rho \mid f) \propto h(x), \qquad
          P(w \mid \rho, f) = w^2 \frac{h(xw)}{h(x)}, \qquad
          h(x) = \frac{\ln(1 + x) - x / (1 + x)}{x^2} .

So (s1, u, f) and (v, rho, what is left) are the same prior in other coordinates, and
what is left, which of the phases is the larger one and how far the densities are from
the crystals', is drawn from the prior once a curve has been understood.

Derived here; tests compare it with draws from the prior.
"""

import torch
from jaxtyping import Float
from torch import Tensor

from saxinfer.parameter import LATENT_LIMIT

__all__ = ["REACH", "untangled"]

# The share of the first phase is uniform within 1/2 ± this.
REACH = 0.4

# Halvings of an interval, and Newton steps after them: to double precision.
HALVINGS, NEWTON = 8, 6

# Largest ln(1 / rho) that matters: beyond it lies less than the latent limit cuts off.
LARGEST = 25.0

# Below it, series replace quotients that would cancel.
SMALL = 1e-3


def untangled(
    ratio: Float[Tensor, " batch"],
    rest: Float[Tensor, " batch"],
    level: Float[Tensor, " batch"],
) -> tuple[
    Float[Tensor, " batch"],
    Float[Tensor, " batch"],
    Float[Tensor, " batch"],
]:
    """Latent numbers of s1, u and f from those of rho, what is left, and v.

    All six are independent standard normals under the prior.

    Args:
        ratio: Latent number of the contrast ratio rho, which a curve sees.
        rest: Latent number of what no curve sees.
        level: Latent number of the distance v of the shares from one half.
    """
    ratio, rest, level = (
        torch.special.ndtr(z.clamp(-LATENT_LIMIT, LATENT_LIMIT))
        for z in (ratio, rest, level)
    )
    far = REACH * level
    inverse = _inverse_ratio(ratio, far)
    larger, smaller = inverse - 0.5 + far, inverse - 0.5 - far
    # Which phase is the larger one, then how far the densities are from 1.
    weight, other = _density(larger), torch.where(smaller > 0, _density(smaller), 0.0)
    chance = weight / (weight + other)
    first = rest < chance
    x = torch.where(first, larger, smaller)
    within = torch.where(first, rest / chance, (rest - chance) / (1 - chance))
    w = _contrast(x, within)
    share = torch.where(first, 0.5 + far, 0.5 - far)
    low = torch.special.ndtr(rest.new_tensor(-LATENT_LIMIT))
    columns = (1 / (1 + x * w), 1 - w, 0.5 + (share - 0.5) / (2 * REACH))
    s1, u, f = (torch.special.ndtri(c.clamp(low, 1 - low)) for c in columns)
    return s1, u, f


def _cumulative(x: Tensor) -> Tensor:
    """k(x): probability of a smaller contrast ratio; 1 beyond the largest."""
    safe = x.clamp(min=SMALL)
    series = 1 - x / 2 + x.square() / 3 - x**3 / 4
    value = torch.where(x < SMALL, series, torch.log1p(safe) / safe)
    return torch.where(x > 0, value, 1.0)


def _density(x: Tensor) -> Tensor:
    """h(x): density of the contrast ratio, up to a factor that both shares have."""
    safe = x.clamp(min=SMALL)
    value = (torch.log1p(safe) - safe / (1 + safe)) / safe.square()
    series = 0.5 - 2 * x / 3 + 0.75 * x.square() - 0.8 * x**3
    return torch.where(x < SMALL, series, value)


def _inverse_ratio(share: Tensor, far: Tensor) -> Tensor:
    """1 / rho below which (in rho) lies a share of the prior, given |f - 1/2|."""

    def log_excess(inverse: Tensor) -> Tensor:
        total = _cumulative(inverse - 0.5 + far) + _cumulative(inverse - 0.5 - far)
        return (total / (2 * share)).log()

    # At the kink the share beyond one half reaches its largest ratio.
    kink = 0.5 + far
    above = log_excess(kink) > 0
    low = torch.where(above, kink, 0.5 - far).log()
    high = torch.where(above, LARGEST, kink.log())
    guess = 0.5 * (low + high)
    for step in range(HALVINGS + NEWTON):
        inverse = guess.exp()
        excess = log_excess(inverse)
        low, high = torch.where(excess > 0, guess, low), guess.where(excess <= 0, high)
        guess = 0.5 * (low + high)
        if step >= HALVINGS - 1:
            larger, smaller = inverse - 0.5 + far, inverse - 0.5 - far
            slope = _density(larger) + torch.where(smaller > 0, _density(smaller), 0.0)
            total = 2 * share * excess.exp()
            newton = inverse.log() + excess * total / (slope * inverse)
            guess = torch.minimum(torch.maximum(newton, low), high)
    return guess.exp()


def _contrast(x: Tensor, share: Tensor) -> Tensor:
    """W below which lies a share of the prior, given x: ln(1 + x w) by Newton steps."""
    wanted = share * x.square() * _density(x)
    log = (2 * wanted).sqrt() + wanted
    for _ in range(NEWTON):
        excess = log + torch.expm1(-log) - wanted
        log = log + excess / torch.expm1(-log)
    w = torch.expm1(log) / x
    return torch.where(x < SMALL / 10, share.sqrt(), w).clamp(0, 1)
