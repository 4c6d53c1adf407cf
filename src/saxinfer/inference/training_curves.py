"""Curves to learn from: simulated in the features that a network sees, with the truth.

Half of them are of the standard tier and half of the hard one, in turn, each on five
grids. Simulating takes a processor, whatever the network runs on: the closed forms make
their constants there.
"""

import math

import torch
from jaxtyping import Float
from torch import Generator, Tensor

from saxinfer.inference.npe import NUISANCE_TARGETS, seen
from saxinfer.instrument.nuisance import TRAINING
from saxinfer.instrument.tiers import NOISE, POINTS, Tier, draw_setting, measure
from saxinfer.preprocess.features import features
from saxinfer.structures.base import Structure

__all__ = ["GRIDS", "kind_of_step", "simulate"]

# Points a simulated curve is evaluated at. More points of a real curve are stood for
# by less noise: within a feature's bin that is the same information.
GRIDS = (12, 32, 64, 96, 160)


def kind_of_step(step: int) -> tuple[Tier, int]:
    """Tier and number of points of the curves of a step; ten steps have all kinds.

    Example:
        >>> [kind_of_step(step) for step in range(4)]
        [('standard', 32), ('hard', 12), ('standard', 32), ('hard', 32)]
    """
    points = GRIDS[(step // 2) % len(GRIDS)]
    return ("standard", max(points, 32)) if step % 2 == 0 else ("hard", points)


def simulate(
    structure: Structure, tier: Tier, batch: int, points: int, generator: Generator
) -> tuple[Float[Tensor, "batch latent"], Float[Tensor, "batch channel bin"]]:
    """Draws latent parameters with the features of a curve measured from each."""
    space = structure.space
    latent = torch.randn(
        batch, len(space), generator=generator, dtype=torch.float64
    ).clamp(-4.5, 4.5)
    theta = space.theta_from_latent(structure.latent(latent))
    setting = draw_setting(tier, batch, points, generator, TRAINING)
    fewest, most = POINTS[tier]
    span = math.log(most / max(points, fewest))
    share = torch.rand(batch, generator=generator, dtype=torch.float64)
    fewer = torch.exp(-0.5 * span * share)
    # A standard-tier curve has no power law: one of a thousandth at most stands for it.
    nuisance = setting.nuisance.clone()
    weak = 1e-4 * 10 ** torch.rand(batch, generator=generator, dtype=torch.float64)
    nuisance[:, 2] = torch.where(nuisance[:, 2] > 0, nuisance[:, 2], weak)
    nuisance[:, 5] = nuisance[:, 5].clamp(min=3.2e-4)
    reduced = nuisance.clone()
    reduced[:, 5] = nuisance[:, 5] * fewer
    setting = type(setting)(
        q=setting.q,
        noise=(setting.noise * fewer).clamp(min=NOISE[tier][0] / 30),
        growth=setting.growth,
        solid_angle=setting.solid_angle,
        ceiling=setting.ceiling,
        nuisance=reduced,
    )
    curve = structure.intensity(setting.q.float(), theta.float()).double()
    curves = measure(curve.clamp(min=1e-300), setting, generator)
    extra = TRAINING.latent_from_theta(nuisance)[:, -len(NUISANCE_TARGETS) :]
    target = torch.cat([latent[:, seen(structure)], extra.clamp(-4.5, 4.5)], -1).float()
    return target, features(curves.q, curves.intensity, curves.sigma)
