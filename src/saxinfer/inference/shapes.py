"""Shapes that a wrong model or a broken measurement leaves in a curve.

All are given on the points of a curve, for :mod:`saxinfer.inference.misfit` to look
for.
"""

import numpy as np
import torch
from jaxtyping import Float
from scipy.interpolate import BSpline
from torch import Tensor

__all__ = ["POWERS", "backgrounds", "splines", "steps"]

# Steps that are tried, and the fewest points on either side of one.
STEPS, BESIDE = 64, 4

# Powers of q that a background may have, and humps in ln q: how many, how wide.
POWERS = (-4.0, -2.0, -1.0, -0.5, 0.5, 1.0, 2.0, 4.0)
HUMPS, HUMP_WIDTH = 8, 1.0

# Splines of a smooth departure, and the fewest points for each.
SPLINES, POINTS_EACH = 24, 4


def steps(q: Float[Tensor, " q"]) -> Float[Tensor, "step q"]:
    """Indicators of all points beyond some q."""
    count = len(q)
    first, last = BESIDE, count - BESIDE
    tried = min(STEPS, last - first + 1)
    starts = torch.linspace(first, last, tried, dtype=torch.float64).round().long()
    return (torch.arange(count) >= starts[:, None]).to(q.dtype)


def backgrounds(q: Float[Tensor, " q"]) -> Float[Tensor, "shape q"]:
    """Powers of q, largest value one, and humps in ln q."""
    power = torch.tensor(POWERS, dtype=q.dtype)[:, None]
    powers = torch.exp(power * (q / q[0]).log())
    x = (q / q[0]).log() / (q[-1] / q[0]).log()
    centre = torch.linspace(0, 1, HUMPS, dtype=q.dtype)[:, None]
    humps = torch.exp(-0.5 * ((x - centre) * HUMPS / HUMP_WIDTH).square())
    every = torch.cat([powers, humps])
    return every / every.amax(1, keepdim=True)


def splines(q: Float[Tensor, " q"]) -> Float[Tensor, "spline q"]:
    """Cubic B-splines, even in a coordinate between index and ln q."""
    count = len(q)
    x = (q / q[0]).log() / (q[-1] / q[0]).log()
    place = 0.5 * x + 0.5 * torch.linspace(0, 1, count, dtype=q.dtype)
    number = min(SPLINES, max(4, count // POINTS_EACH))
    inner = np.linspace(0, 1, number - 2)
    knots = np.concatenate([[0.0] * 3, inner, [1.0] * 3])
    matrix = BSpline.design_matrix(place.numpy().clip(0, 1), knots, 3).toarray()
    return torch.from_numpy(np.ascontiguousarray(matrix.T)).to(q.dtype)
