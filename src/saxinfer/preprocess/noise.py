r"""Estimating error bars where a file has none.

A smooth curve is locally a parabola in its index. The residual of a point against the
parabola through its neighbours, over the known factor by which noise enters it, has
the noise's standard deviation; a running median makes that robust. A systematic wiggle
faster than five points counts as noise: the fitted factor on the errors and the model
error sort that out.

References:
    Savitzky & Golay, Anal. Chem. 36, 1627 (1964): local polynomials.
"""

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

__all__ = ["estimated_sigma"]

# Extrapolating a parabola from two neighbours on each side.
STENCIL = np.array([-1.0, 4.0, -6.0, 4.0, -1.0]) / 6
WINDOW = 21

# Errors below this share of the intensity are rounding, not noise.
SMALLEST = 1e-3


def estimated_sigma(intensity: Float[Tensor, " q"]) -> Float[Tensor, " q"]:
    """Standard error of each point from its scatter about its neighbours.

    Args:
        intensity: Intensity in order of q [any unit], ten points or more.

    Returns:
        Standard error [the same unit], at least a thousandth of the intensity.
    """
    values = intensity.numpy()
    residual = np.convolve(values, STENCIL, mode="valid") / np.sqrt((STENCIL**2).sum())
    residual = np.pad(np.abs(residual), 2, mode="edge")
    half = WINDOW // 2
    padded = np.pad(residual, half, mode="reflect" if len(residual) > half else "edge")
    windows = np.lib.stride_tricks.sliding_window_view(padded, WINDOW)
    sigma = np.median(windows, axis=-1) / 0.6745
    scale = np.abs(values)
    floor = np.maximum(SMALLEST * scale, 1e-9 * scale.max())
    return torch.from_numpy(np.maximum(sigma, floor))
