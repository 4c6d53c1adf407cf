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
the crystals', is drawn from the prior once a curve has been understood. Where the scale
of a curve is known, its height, (1 - m)², tells the second of these:

.. math:: 1 - m = \frac{w}{\rho (1 + x w)}, \qquad
          p(\ln (1 - m) \mid \rho, f) = \frac{w^2}{(1 + x w) h(x)} .

Derived here; tests compare it with draws from the prior.
"""

import functools
import math
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from saxinfer.parameter import LATENT_LIMIT

__all__ = ["REACH", "Heights", "untangled"]

# The share of the first phase is uniform within 1/2 ± this.
REACH = 0.4

# Newton steps for the ratio and for the contrast, to double precision, and safe ones
# that start from nowhere.
STEPS, NEWTON, SAFE = 4, 6, 60

# Rows and columns of the table that the ratio's steps start from.
ROWS, COLUMNS = 201, 65

# Largest ln(1 / rho) that matters: beyond it lies less than the latent limit cuts off.
LARGEST = 25.0

# Least excess of 1 / rho over its smallest value.
LEAST = 1e-9

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
    rest = torch.special.ndtr(rest.clamp(-LATENT_LIMIT, LATENT_LIMIT))
    heights = Heights.of(ratio, level)
    # Which phase is the larger one, then how far the densities are from 1.
    chance = heights.chance[0]
    first = rest < chance
    larger, smaller = heights.x
    x = torch.where(first, larger, smaller)
    within = torch.where(first, rest / chance, (rest - chance) / (1 - chance))
    w = _contrast(x, within)
    share = torch.where(first, 0.5 + heights.far, 0.5 - heights.far)
    low = torch.special.ndtr(rest.new_tensor(-LATENT_LIMIT))
    columns = (1 / (1 + x * w), 1 - w, 0.5 + (share - 0.5) / (2 * REACH))
    s1, u, f = (torch.special.ndtri(c.clamp(low, 1 - low)) for c in columns)
    return s1, u, f


@dataclass(frozen=True, eq=False)
class Heights:
    """How high a curve may be, given what its shape tells: ln (1 - m)².

    There are two ways, the first phase being the larger or the smaller one: the rows.

    Attributes:
        inverse: 1 / rho [1].
        far: Distance of the shares from one half [1].
        chance: Prior probability of either way [1].
    """

    inverse: Float[Tensor, " batch"]
    far: Float[Tensor, " batch"]
    chance: Float[Tensor, "way batch"]

    @classmethod
    def of(
        cls, ratio: Float[Tensor, " batch"], level: Float[Tensor, " batch"]
    ) -> "Heights":
        """From the latent numbers of rho and of the distance of the shares."""
        limit = LATENT_LIMIT
        far = REACH * torch.special.ndtr(level.clamp(-limit, limit))
        inverse = _inverse_ratio(ratio.clamp(-limit, limit), far)
        weight = _share(inverse - 0.5 + torch.stack([far, -far]))[1]
        return cls(inverse, far, weight / weight.sum(0))

    @property
    def x(self) -> Float[Tensor, "way batch"]:
        """(1 / s1 - 1) / w [1]; negative where a way is impossible."""
        return self.inverse - 0.5 + torch.stack([self.far, -self.far])

    @property
    def highest(self) -> Float[Tensor, "way batch"]:
        """Largest ln height; -inf where a way is impossible."""
        top = 2 * (self.inverse / (1 + self.x.clamp(min=0))).log()
        return torch.where(self.chance > 0, top, -math.inf)

    def log_density(
        self, height: Float[Tensor, "way batch"]
    ) -> Float[Tensor, "way batch"]:
        """Of either way and its ln height; only below the ``highest``."""
        x = self.x.clamp(min=0)
        w = self._contrast(height)
        within = 2 * w.log() - torch.log1p(x * w) - _share(x)[1].log()
        possible = self.chance > 0
        found = self.chance.log() + within - math.log(2)
        return torch.where(possible, found, -math.inf)

    def latent(self, height: Float[Tensor, "way batch"]) -> Float[Tensor, "way batch"]:
        """Latent number of what no shape tells, for either way and ln height."""
        x = self.x.clamp(min=0)
        w = self._contrast(height)
        below = (w.square() * _share(x * w)[1] / _share(x)[1]).clamp(0, 1)
        start = torch.stack([torch.zeros_like(self.far), self.chance[0]])
        share = start + self.chance * below
        low = torch.special.ndtr(share.new_tensor(-LATENT_LIMIT))
        latent: Tensor = torch.special.ndtri(share.clamp(low, 1 - low))
        return latent

    def _contrast(self, height: Tensor) -> Tensor:
        """The w of ln heights, at most 1."""
        scaled = (0.5 * height).exp() / self.inverse
        left = 1 - self.x.clamp(min=0) * scaled
        return (scaled / left.clamp(min=1e-300)).clamp(max=1)


def _share(x: Tensor) -> tuple[Tensor, Tensor]:
    """k(x), probability of a smaller ratio, and h(x) = -dk/dx; 1 and 0 for x < 0."""
    safe = x.clamp(min=SMALL)
    cumulative = torch.log1p(safe) / safe
    density = (cumulative - 1 / (1 + safe)) / safe
    t, near = x.clamp(0, SMALL), x < SMALL
    series = 1 - t * (1 / 2 - t * (1 / 3 - t / 4))
    slope = (1 / 2 - t * (2 / 3 - t * (3 / 4 - 4 / 5 * t))) * (x > 0)
    return torch.where(near, series, cumulative), torch.where(near, slope, density)


def _inverse_ratio(latent: Tensor, far: Tensor) -> Tensor:
    """1 / rho for its latent number, given |f - 1/2|: Newton steps from a table."""
    table = _table(latent.dtype, latent.device)
    row = (latent + LATENT_LIMIT) * ((ROWS - 1) / (2 * LATENT_LIMIT))
    column = far * ((COLUMNS - 1) / REACH)
    i, j = row.long().clamp(0, ROWS - 2), column.long().clamp(0, COLUMNS - 2)
    place = i * COLUMNS + j
    left = torch.lerp(table[place], table[place + COLUMNS], row - i)
    right = torch.lerp(table[place + 1], table[place + COLUMNS + 1], row - i)
    guess = torch.lerp(left, right, column - j)
    offset = torch.stack([far - 0.5, -far - 0.5])
    wanted = 2 * torch.special.ndtr(latent)
    for _ in range(STEPS):
        guess = _newton(guess, offset, wanted)[0]
    return guess.exp()


def _newton(guess: Tensor, offset: Tensor, wanted: Tensor) -> tuple[Tensor, Tensor]:
    """A better ln(1 / rho), and ln of the share that the old one has over ``wanted``.

    Row 0 of ``offset`` is for the larger phase being the first, row 1 for the smaller.
    """
    # A step too far would end where neither share has a density.
    inverse = torch.maximum(guess.exp(), LEAST - offset[0])
    cumulative, density = _share(inverse + offset)
    total = cumulative.sum(0)
    excess = (total / wanted).log()
    return inverse.log() + excess * total / (density.sum(0) * inverse), excess


@functools.cache
def _table(dtype: torch.dtype, device: torch.device) -> Tensor:
    """ln(1 / rho) for a grid of latent numbers and of |f - 1/2|, flat."""
    latent = torch.linspace(-LATENT_LIMIT, LATENT_LIMIT, ROWS, dtype=torch.float64)
    share = torch.special.ndtr(latent)[:, None].expand(-1, COLUMNS).flatten()
    far = torch.linspace(0, REACH, COLUMNS, dtype=torch.float64).repeat(ROWS)
    offset, wanted = torch.stack([far - 0.5, -far - 0.5]), 2 * share
    low = (0.5 - far).log()
    high = torch.full_like(low, LARGEST)
    guess = 0.5 * (low + high)
    # Newton steps within a bracket that they shrink, else its middle.
    for _ in range(SAFE):
        better, excess = _newton(guess, offset, wanted)
        low = torch.where(excess > 0, guess, low)
        high = torch.where(excess > 0, high, guess)
        inside = (better >= low) & (better <= high)
        guess = torch.where(inside, better, 0.5 * (low + high))
    return guess.to(device, dtype)


def _contrast(x: Tensor, share: Tensor) -> Tensor:
    """W below which lies a share of the prior, given x: ln(1 + x w) by Newton steps."""
    wanted = share * x.square() * _share(x)[1]
    log = (2 * wanted).sqrt() + wanted
    for _ in range(NEWTON):
        excess = log + torch.expm1(-log) - wanted
        log = log + excess / torch.expm1(-log)
    w = torch.expm1(log) / x
    return torch.where(x < SMALL / 10, share.sqrt(), w).clamp(0, 1)
