"""How large a misfit is once all is taken away that the model can follow.

A misfit d over errors has the size of the root of d'd; what is left of it, of d'Pd,
where P takes away a set of directions that its size follows for free, up to a unit
normal prior in each. Directions at the truth are right for what is small. A misfit of
some standard deviations may lead to other values of the parameters, which follow more
of it: that is measured around these.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

from saxinfer.structures.base import Structure

__all__ = ["Misfit", "beyond", "left_around", "power_laws"]

# Directions that nothing holds back are longer than any misfit by this factor; and the
# step of a difference.
FREE, STEP = 1e4, 1e-4


@dataclass(frozen=True)
class Misfit:
    """Size of a misfit in standard deviations.

    Attributes:
        whole: Of all of it.
        left: Of what no direction follows.
    """

    whole: float
    left: float


def beyond(directions: Tensor, error: Tensor) -> Callable[[Tensor], Misfit]:
    """From a misfit to its size.

    Args:
        directions: Change of the curve for a unit of each, a row each.
        error: Standard deviation of each point.
    """
    scaled = directions / error
    one = torch.eye(len(scaled), dtype=scaled.dtype)
    inverse = torch.linalg.inv(scaled @ scaled.T + one)

    def size(misfit: Tensor) -> Misfit:
        row = misfit / error
        along = scaled @ row
        total = float(row.square().sum())
        left = total - float(along @ inverse @ along)
        return Misfit(math.sqrt(total), math.sqrt(max(left, 0.0)))

    return size


def power_laws(q: Tensor, height: Tensor) -> Tensor:
    """Power laws of exponents 3 and 4, which nothing holds back."""
    start = q[0] / q
    return FREE * torch.stack([start**3, start**4]) * height


def left_around(
    structure: Structure, theta: Tensor, q: Tensor, mean: Tensor, error: Tensor
) -> float:
    """What is left of a curve's misfit around the best of some parameters.

    Scale, flat background, power laws and small changes of the parameters follow it.

    Args:
        structure: The model.
        theta: Parameters, a row each; draws of a fit's posterior.
        q: Scattering vector [1/nm].
        mean: The curve without noise, at q.
        error: Standard deviation of each of its points.

    Returns:
        The least of all rows [standard deviations].
    """
    space = structure.space
    middle = space.latent_from_theta(theta).clamp(-4.5, 4.5)
    count, width = middle.shape
    shifts = STEP * torch.eye(width, dtype=middle.dtype)
    points = torch.cat([middle[:, None], middle[:, None] + shifts], 1)
    curves = structure.intensity(q, space.theta_from_latent(points.flatten(0, 1)))
    found = []
    for curve, *moved in curves.view(count, width + 1, -1):
        scale = float((curve * mean / error**2).sum() / (curve / error).square().sum())
        slopes = scale * (torch.stack(moved) - curve) / STEP
        height = mean.abs().max()
        free = FREE * height * torch.stack([curve / curve.max(), torch.ones_like(q)])
        laws = power_laws(q, height)
        size = beyond(torch.cat([slopes, free, laws]), error)
        found.append(size(mean - scale * curve).left)
    return min(found)
