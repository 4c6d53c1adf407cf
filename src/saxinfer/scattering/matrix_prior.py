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

# Newton steps for the ratio and for the contrast: to double precision.
STEPS, NEWTON = 12, 6

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
    weight, other = _share(torch.stack([larger, smaller]))[1]
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


def _share(x: Tensor) -> tuple[Tensor, Tensor]:
    """k(x), probability of a smaller ratio, and h(x) = -dk/dx; 1 and 0 for x < 0."""
    safe = x.clamp(min=SMALL)
    cumulative = torch.log1p(safe) / safe
    density = (cumulative - 1 / (1 + safe)) / safe
    t, near = x.clamp(0, SMALL), x < SMALL
    series = 1 - t * (1 / 2 - t * (1 / 3 - t / 4))
    slope = (1 / 2 - t * (2 / 3 - t * (3 / 4 - 4 / 5 * t))) * (x > 0)
    return torch.where(near, series, cumulative), torch.where(near, slope, density)


def _inverse_ratio(share: Tensor, far: Tensor) -> Tensor:
    """1 / rho below which (in rho) lies a share of the prior, given |f - 1/2|.

    Newton steps in ln(1 / rho), within a bracket that they shrink.
    """
    # The two phases that may be the first: the larger one, and the smaller one.
    offset = torch.stack([far - 0.5, -far - 0.5])
    wanted = 2 * share
    # At the kink the share beyond one half reaches its largest ratio.
    kink = 0.5 + far
    above = _share(kink + offset)[0].sum(0) > wanted
    low = torch.where(above, kink, 0.5 - far).log()
    high = kink.log().where(~above, kink.new_tensor(LARGEST))
    tail = -share.log()
    guess = torch.where(above, tail + tail.log1p(), 0.5 * (low + high))
    guess = torch.minimum(torch.maximum(guess, low), high)
    for _ in range(STEPS):
        inverse = guess.exp()
        cumulative, density = _share(inverse + offset)
        total = cumulative.sum(0)
        excess = (total / wanted).log()
        low = torch.where(excess > 0, guess, low)
        high = torch.where(excess > 0, high, guess)
        newton = guess + excess * total / (density.sum(0) * inverse)
        inside = (newton >= low) & (newton <= high)
        guess = torch.where(inside, newton, 0.5 * (low + high))
    return guess.exp()


def _contrast(x: Tensor, share: Tensor) -> Tensor:
    """W below which lies a share of the prior, given x: ln(1 + x w) by Newton steps."""
    wanted = share * x.square() * _share(x)[1]
    log = (2 * wanted).sqrt() + wanted
    for _ in range(NEWTON):
        excess = log + torch.expm1(-log) - wanted
        log = log + excess / torch.expm1(-log)
    w = torch.expm1(log) / x
    return torch.where(x < SMALL / 10, share.sqrt(), w).clamp(0, 1)
