"""Curves as the standard instruments would measure them, on the library's own q.

Of an instrument of :mod:`saxinfer.instrument.tiers` everything is drawn but its window
of q, which is the library's. The structure's part of a measured curve keeps its own
scale, so that curves with and without noise share one unit: background, power law and
errors are added to it.
"""

from dataclasses import dataclass, replace

import numpy as np
import torch
from jaxtyping import Float
from torch import Generator, Tensor

from saxinfer.instrument.nuisance import MEASURED_SIGMA, compose, log_q_weights
from saxinfer.instrument.tiers import Tier, draw_setting, measure
from saxinfer.library.draws import NOISE, seed_of
from saxinfer.parameter import Parameter

__all__ = ["NUISANCES", "Noisy", "generator_of", "noisy"]

# The level is left out: curves are not normalised.
NUISANCES = (
    *MEASURED_SIGMA.parameters[1:],
    Parameter("noise", "1", 0.001, 0.3, "Median relative standard error of a point."),
    Parameter(
        "noise_growth", "1", 0.15, 0.5, "Exponent of the counts in the relative error."
    ),
    Parameter(
        "noise_solid_angle", "1", 0, 1.5, "Exponent of q in the counts of a point."
    ),
)


@dataclass(frozen=True, eq=False)
class Noisy:
    """Measured-like curves.

    Attributes:
        intensity: In the unit of the structure's curve.
        sigma: Standard errors that a file would state, same unit.
        nuisance: What was drawn, columns as in ``NUISANCES``.
    """

    intensity: Float[Tensor, "curve q"]
    sigma: Float[Tensor, "curve q"]
    nuisance: Float[Tensor, "curve nuisance"]


def generator_of(seed: int, block: int) -> Generator:
    """The source of noise of a block of curves."""
    (state,) = seed_of(seed, block, NOISE).generate_state(1, np.uint64)
    return Generator().manual_seed(int(state))


def noisy(
    tier: Tier,
    q: Float[Tensor, " q"],
    intensity: Float[Tensor, "curve q"],
    generator: Generator,
) -> Noisy:
    """Lets an instrument each measure the curves.

    Args:
        tier: Which standard instruments.
        q: Scattering vector [1/nm].
        intensity: Curves of the structures.
        generator: Source of instruments and noise.
    """
    count, points = intensity.shape
    drawn = draw_setting(tier, count, points, generator)
    setting = replace(drawn, q=q.repeat(len(intensity), 1))
    found = measure(intensity, setting, generator)
    weights = log_q_weights(setting.q)
    scale = compose(intensity, setting.q, weights, setting.nuisance).scale[:, None]
    growth, angle = setting.growth[:, None], setting.solid_angle[:, None]
    nuisance = [setting.nuisance[:, 1:], setting.noise[:, None], growth, angle]
    return Noisy(found.intensity / scale, found.sigma / scale, torch.cat(nuisance, -1))
