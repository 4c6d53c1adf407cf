r"""What an estimator sees of a curve, whatever its grid: a fixed row of numbers.

Points fall into bins equal in ln q over all that any instrument reaches. A bin holds
the precision-weighted mean intensity I, its standard error s, and whether any point
fell into it. The network is given

- ln of the positive part of the intensity, (I + sqrt(I² + 4 s²)) / 2, less its mean
  over the occupied bins: an unknown scale does not matter;
- ln(s / that), the relative error;
- the occupation.

References:
    Scale-free inputs and whitening: Molodenskiy et al., Structure 30, 900 (2022).
"""

import math

import torch
from jaxtyping import Float
from torch import Tensor

from saxinfer.instrument.tiers import Q_MAX, Q_MIN

__all__ = ["BINS", "CHANNELS", "features"]

BINS = 160
CHANNELS = 3

# Relative errors beyond these teach nothing more.
FINEST, COARSEST = 1e-4, 30.0


def features(
    q: Float[Tensor, "batch q"],
    intensity: Float[Tensor, "batch q"],
    sigma: Float[Tensor, "batch q"],
) -> Float[Tensor, "batch channel bin"]:
    """Reduces curves to rows of numbers of order one.

    Args:
        q: Scattering vector [1/nm]; points beyond ``Q_MIN`` .. ``Q_MAX`` are left out.
        intensity: Intensity [any unit].
        sigma: Standard error [the same unit], positive.

    Returns:
        Channels (log intensity, log relative error, occupation), float32.
    """
    place = (q / Q_MIN).log() / math.log(Q_MAX / Q_MIN) * BINS
    inside = (place >= 0) & (place < BINS)
    cell = place.long().clamp(0, BINS - 1)
    level = intensity.abs().mean(-1, keepdim=True).clamp(min=1e-300)
    value, error = intensity / level, (sigma / level).clamp(min=1e-12)
    # A floor of a ten-thousandth keeps one lucky point from ruling its bin.
    precision = inside / (error.square() + (FINEST * value).square())

    def summed(what: Tensor) -> Tensor:
        bins = what.new_zeros(len(what), BINS)
        return bins.scatter_add(1, cell, what)

    total = summed(precision)
    occupied = summed(inside.to(value.dtype)) > 0
    safe = total.clamp(min=1e-300)
    mean, spread = summed(precision * value) / safe, safe.rsqrt()
    positive = 0.5 * (mean + (mean.square() + 4 * spread.square()).sqrt())
    log_value = positive.clamp(min=1e-30).log()
    log_error = (spread / positive.clamp(min=1e-30)).clamp(FINEST, COARSEST).log()
    count = occupied.sum(-1, keepdim=True).clamp(min=1)
    centre = (log_value * occupied).sum(-1, keepdim=True) / count
    channels = (
        (log_value - centre) / 3 * occupied,
        (log_error + 3) / 3 * occupied,
        occupied.to(value.dtype),
    )
    return torch.stack(channels, 1).float()
