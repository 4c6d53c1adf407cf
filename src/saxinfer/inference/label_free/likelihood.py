r"""How likely curves are, many at a time, each with its own q.

The error term is that of :mod:`saxinfer.instrument.observation`, with a floor s that
softens it while a network learns,

.. math:: \ln L = -\tfrac12 \sum_i n_i \left[ \frac{(D_i - \ell I_i)^2}{v_i}
          + \ln 2\pi v_i \right], \qquad
          v_i = (a\sigma_i)^2 + \ell^2 I_i^2 (f^2 / m_i + s^2) ,

where a step may leave out points: one drawn from each of the intervals that a curve is
cut into stands for the n_i points of its interval, so that the expectation of ln L over
the draws is ln L of the whole curve. The level is integrated out by Laplace's formula:
ln l is known to a per cent, and its posterior given all else is normal.

References:
    Tierney & Kadane, J. Am. Stat. Assoc. 81, 82 (1986): Laplace's formula.
"""

import math
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from saxinfer.instrument.nuisance import TRAINING, Ends, compose, log_q_weights
from saxinfer.structures.base import Structure

__all__ = ["Fitting", "Points", "curve_of", "fitting"]

# Steps towards the best level, and a curve's smallest value.
STEPS, SMALLEST = 4, 1e-280

# Relative error of an integral over a curve that is not told from none.
FINEST = 0.01

LOW, HIGH = TRAINING.bounds("level")


@dataclass(frozen=True, eq=False)
class Points:
    """Curves of the same number of points.

    Attributes:
        q: Scattering vector [1/nm].
        intensity: Intensity over its mean over ln q [1].
        sigma: Standard error likewise [1].
        members: Number of measured points that a point is the mean of.
        spread: Standard deviation of q within a point, resolution included [1/nm].
        number: How many points each stands for.
    """

    q: Float[Tensor, "curve point"]
    intensity: Float[Tensor, "curve point"]
    sigma: Float[Tensor, "curve point"]
    members: Float[Tensor, "curve point"]
    spread: Float[Tensor, "curve point"]
    number: Float[Tensor, "curve point"]

    def repeated(self, times: int) -> "Points":
        """Each curve so many times in a row."""
        return Points(
            **{k: v.repeat_interleave(times, 0) for k, v in vars(self).items()}
        )

    @property
    def saturated(self) -> Float[Tensor, " curve"]:
        """Log likelihood of a curve that errs by its stated errors, no more [nat]."""
        each = 1 + (2 * math.pi * self.sigma.square()).log()
        return -0.5 * (self.number * each).sum(-1)


@dataclass(frozen=True, eq=False)
class Fitting:
    """How curves of structures fit measured ones.

    Attributes:
        likelihood: Log likelihood with the level integrated out [nat].
        invariant: Log density of the integral of q² I over the window, up to a
            constant [nat]; the term is zero at best.
        porod: The same of the mean of q⁴ I at the upper end of q [nat].
    """

    likelihood: Float[Tensor, " curve"]
    invariant: Float[Tensor, " curve"]
    porod: Float[Tensor, " curve"]


def curve_of(
    structure: Structure, theta: Float[Tensor, "curve parameter"], points: Points
) -> Float[Tensor, "curve point"]:
    """Curves of a structure at the points.

    A spread in q is a mean of two places, one spread to either side, which is exact to
    the third order of the spread.
    """
    if not bool((points.spread > 0).any()):
        return structure.intensity(points.q, theta).clamp(min=SMALLEST)
    aside = torch.minimum(points.spread, 0.8 * points.q)
    both = torch.cat([points.q - aside, points.q + aside], -1)
    low, high = structure.intensity(both, theta).chunk(2, -1)
    return (0.5 * (low + high)).clamp(min=SMALLEST)


def fitting(
    curve: Float[Tensor, "curve point"],
    points: Points,
    nuisance: Float[Tensor, "curve nuisance"],
    floor: float = 0.0,
) -> Fitting:
    """Compares curves of structures with measured ones.

    Args:
        curve: Of the structures [arbitrary], positive.
        points: The measured curves.
        nuisance: Of the instruments, columns as in ``TRAINING``; levels are ignored.
        floor: Relative error by which the likelihood is softened [1].
    """
    level = torch.ones_like(nuisance[:, :1])
    unit = compose(
        curve,
        points.q,
        log_q_weights(points.q),
        torch.cat([level, nuisance[:, 1:]], 1),
    ).total
    stated = (nuisance[:, 4:5] * points.sigma).square()
    relative = nuisance[:, 5:6].square() / points.members + floor**2
    with torch.no_grad():
        level = _level(unit, points, stated, relative)
    total = level * unit
    variance = stated + relative * total.square()
    gap = points.intensity - total
    square = gap.square() / variance + (2 * math.pi * variance).log()
    share = relative * total.square() / variance
    known = points.number * (total.square() / variance + 2 * share.square())
    # A level that the data do not know is no wider than its prior.
    width = (2 * math.pi / known.sum(-1)).sqrt().clamp(max=math.log(HIGH / LOW))
    prior = math.log(math.log(HIGH / LOW))
    return Fitting(
        likelihood=-0.5 * (points.number * square).sum(-1) + width.log() - prior,
        invariant=_alike(total, points, 2, slice(None)),
        porod=_alike(total, points, 4, slice(-Ends.of(total.shape[1]).count, None)),
    )


def _level(unit: Tensor, points: Points, stated: Tensor, relative: Tensor) -> Tensor:
    """The most likely level: least squares, then steps of Fisher scoring."""
    weight = points.number / (stated + relative * unit.square())
    level = (weight * unit * points.intensity).sum(-1, keepdim=True)
    level = (level / (weight * unit.square()).sum(-1, keepdim=True)).clamp(LOW, HIGH)
    for _ in range(STEPS):
        total = level * unit
        scatter = relative * total.square()
        variance = stated + scatter
        gap, share = points.intensity - total, scatter / variance
        slope = total * gap / variance + share * (gap.square() / variance - 1)
        known = total.square() / variance + 2 * share.square()
        step = (points.number * slope).sum(-1, keepdim=True)
        step = step / (points.number * known).sum(-1, keepdim=True)
        level = (level * step.clamp(-0.5, 0.5).exp()).clamp(LOW, HIGH)
    return level


def _alike(total: Tensor, points: Points, power: int, where: slice) -> Tensor:
    """Log density of ln of the integral of q^power I, from its error in the data."""
    weight = log_q_weights(points.q) * points.q ** (power + 1)
    weight = weight[:, where]
    sums = [(weight * part[:, where]).sum(-1) for part in (points.intensity, total)]
    error = (weight * points.sigma[:, where]).square().sum(-1).sqrt()
    measured, modelled = (part.clamp(min=SMALLEST) for part in sums)
    sd = (error / measured).square() + FINEST**2
    found = -0.5 * (measured / modelled).log().square() / sd
    # An integral that noise has made negative says nothing.
    return torch.where(sums[0] > error, found, torch.zeros_like(found))
