"""What the log posterior density does around points: gradient, expected curvature."""

import math
from collections.abc import Sequence

import torch
from jaxtyping import Float
from torch import Tensor

from saxinfer.inference.target import Target

__all__ = ["expansion"]

# Step of the finite differences in latent units.
DIFFERENCE = 1e-4


def expansion(
    target: Target,
    latent: Float[Tensor, "batch dimension"],
    columns: Sequence[int] | None = None,
) -> tuple[
    Float[Tensor, " batch"],
    Float[Tensor, "batch column"],
    Float[Tensor, "batch column column"],
]:
    """Log density, its gradient, and its expected curvature (Fisher plus prior).

    For a Gaussian of mean t and standard deviation s the expected curvature is
    sum of (dt / s)² + 2 (d ln s)². Derivatives are finite differences: only those
    in the structure's parameters need its curve again.

    Args:
        target: The posterior.
        latent: Vectors.
        columns: Those that the derivatives are by; all if None.
    """
    batch, size = latent.shape
    by = list(range(size)) if columns is None else list(columns)
    moving = [column for column in target.moving if column in by]
    shifts = DIFFERENCE * torch.eye(size, dtype=latent.dtype)[by]
    moved = latent[:, None, :] + shifts
    places = [by.index(column) for column in moving]
    inner = torch.cat([latent[:, None], moved[:, places]], 1)
    alike = len(moving) + 1
    curves = target.curve(inner.flatten(0, 1), alike).view(batch, alike, -1)
    every = curves[:, :1].repeat(1, len(by) + 1, 1)
    every[:, [1 + place for place in places]] = curves[:, 1:]
    every = every.flatten(0, 1)
    points = torch.cat([latent[:, None], moved], 1).flatten(0, 1)
    nuisance = target.nuisance(points)
    total = target.intensity(every, nuisance).total
    data = target.observation
    variance = data.variance(total, nuisance[:, 4:5], nuisance[:, 5:6])
    total = total.view(batch, len(by) + 1, -1)
    log_s = (0.5 * variance.log()).view(batch, len(by) + 1, -1)
    slope = (total[:, 1:] - total[:, :1]) / DIFFERENCE
    spread = (log_s[:, 1:] - log_s[:, :1]) / DIFFERENCE
    inverse = torch.exp(-log_s[:, :1])
    residual = (data.intensity - total[:, :1]) * inverse
    scaled = slope * inverse
    value = -0.5 * residual[:, 0].square() - log_s[:, 0]
    density = value.sum(-1) - 0.5 * latent.square().sum(-1)
    density = density - 0.5 * math.log(2 * math.pi) * (size + len(data.q))
    density = target.allowed(latent, density)
    gradient = (scaled * residual + spread * (residual.square() - 1)).sum(-1)
    curvature = scaled @ scaled.mT + 2 * spread @ spread.mT
    curvature = curvature + torch.eye(len(by), dtype=latent.dtype)
    return density, gradient - latent[:, by], curvature
