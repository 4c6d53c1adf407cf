"""The standard instruments: what curves estimators are trained and judged on.

*Standard tier*: q_min 0.02 to 0.2 and q_max 1.5 to 6 nm⁻¹ (log-uniform), 50 to 2,000
points, linear or log spaced, median relative noise 0.3 to 10 % growing to high q as
counting does, background 0 to 30 % of the intensity at q_max, model error 0 to 5 %,
error bars right, no power law. *Hard tier*: any window of 0.3 decades or more between
0.003 and 12 nm⁻¹, 10 to 10,000 points, noise 0.1 to 30 %, and every nuisance drawn from
the prior that inference uses: mis-stated error bars, model error up to 100 %, power
law, a signal that may drown in the background.
"""

import math
from dataclasses import dataclass
from typing import Literal

import torch
from jaxtyping import Float
from torch import Generator, Tensor

from saxinfer.instrument.nuisance import MEASURED_SIGMA, compose, log_q_weights
from saxinfer.parameter import ParameterSpace

__all__ = [
    "Q_MAX",
    "Q_MIN",
    "Measurement",
    "Setting",
    "Tier",
    "draw_setting",
    "measure",
]

Tier = Literal["standard", "hard"]

# No instrument of either tier reaches beyond [1/nm].
Q_MIN, Q_MAX = 0.003, 12.0

# Ranges: points; smallest and largest q [1/nm]; median relative noise; its ceiling.
POINTS = {"standard": (50, 2000), "hard": (10, 10_000)}
NOISE = {"standard": (0.003, 0.1), "hard": (0.001, 0.3)}
CEILING = {"standard": 0.6, "hard": 3.0}


@dataclass(frozen=True, eq=False)
class Setting:
    """One instrument a row: where and how well it measures, and what it adds.

    Attributes:
        q: Scattering vector [1/nm].
        noise: Median relative standard error of a point [1].
        growth: Exponent of the counts in the relative error, 0.5 for pure counting.
        solid_angle: Exponent of q in the counts of a point.
        nuisance: Columns as in ``MEASURED_SIGMA``; the level is one.
    """

    q: Float[Tensor, "batch q"]
    noise: Float[Tensor, " batch"]
    growth: Float[Tensor, " batch"]
    solid_angle: Float[Tensor, " batch"]
    ceiling: float
    nuisance: Float[Tensor, "batch nuisance"]


@dataclass(frozen=True, eq=False)
class Measurement:
    """Measured-like curves: intensity and the standard errors a file would state."""

    q: Float[Tensor, "batch q"]
    intensity: Float[Tensor, "batch q"]
    sigma: Float[Tensor, "batch q"]
    truth: Float[Tensor, "batch q"]


def draw_setting(
    tier: Tier,
    batch: int,
    points: int,
    generator: Generator,
    priors: ParameterSpace = MEASURED_SIGMA,
) -> Setting:
    """Draws instruments of a tier; all rows have the same number of points.

    Args:
        tier: Which standard instruments.
        batch: Number of instruments.
        points: Number of points of each.
        generator: Source of randomness.
        priors: Of the nuisances, for the hard tier.
    """

    def uniform(low: float, high: float) -> Tensor:
        share = torch.rand(batch, generator=generator, dtype=torch.float64)
        return low + (high - low) * share

    def log_uniform(low: float, high: float) -> Tensor:
        return uniform(math.log(low), math.log(high)).exp()

    if tier == "standard":
        low, high = log_uniform(0.02, 0.2), log_uniform(1.5, 6)
    else:
        low = log_uniform(Q_MIN, Q_MAX / 10**0.3)
        widest = (Q_MAX / low).log10()
        high = low * 10 ** (0.3 + (widest - 0.3) * uniform(0, 1))
    unit = torch.linspace(0, 1, points, dtype=torch.float64)
    linear = low[:, None] + (high - low)[:, None] * unit
    logarithmic = low[:, None] * (high / low)[:, None] ** unit
    q = torch.where(uniform(0, 1)[:, None] < 0.5, linear, logarithmic)
    nuisance = priors.sample(batch, generator)
    nuisance[:, 0] = 1.0
    if tier == "standard":
        nuisance[:, 1] = uniform(0.7, 1.0)
        nuisance[:, 2] = 0.0
        nuisance[:, 4] = 1.0
        nuisance[:, 5] = uniform(0, 0.05)
    return Setting(
        q=q,
        noise=log_uniform(*NOISE[tier]),
        growth=uniform(0.15, 0.5),
        solid_angle=uniform(0, 1.5),
        ceiling=CEILING[tier],
        nuisance=nuisance,
    )


def measure(
    structure: Float[Tensor, "batch q"], setting: Setting, generator: Generator
) -> Measurement:
    """Lets instruments measure the curves of structures.

    Args:
        structure: Curve of the structure at ``setting.q`` [arbitrary].
        setting: Instruments, one a row.
        generator: Source of the noise.

    Returns:
        Curves with mean one over ln q before noise, and their stated errors.
    """
    q = setting.q.to(structure.dtype)
    nuisance = setting.nuisance.to(structure.dtype)
    truth = compose(structure, q, log_q_weights(q), nuisance).total
    counts = truth.clamp(min=1e-30) * q ** setting.solid_angle[:, None]
    counts = counts / counts.median(-1, keepdim=True).values
    relative = setting.noise[:, None] * counts ** -setting.growth[:, None]
    floor = (0.2 * setting.noise)[:, None]
    relative = relative.clamp(max=setting.ceiling).maximum(floor).to(truth.dtype)
    sigma = relative * truth.abs()
    factor, error = nuisance[:, 4:5], nuisance[:, 5:6]

    def normal() -> Tensor:
        return torch.randn(truth.shape, generator=generator, dtype=torch.float64)

    intensity = truth + sigma * normal() + error * truth * normal()
    return Measurement(
        q=setting.q,
        intensity=intensity.double(),
        sigma=(sigma / factor).double(),
        truth=truth.double(),
    )
