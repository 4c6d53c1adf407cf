"""Shapes that no model of the package has, to break curves with."""

import numpy as np
import torch
from numpy.polynomial.legendre import leggauss
from scipy.special import j1, spherical_jn
from torch import Generator, Tensor

__all__ = ["SHAPES", "background", "foreign", "step"]


def step(q: Tensor, truth: Tensor, generator: Generator) -> Tensor:
    """A step up or down, somewhere between the outer eighths of the points."""
    share = 0.125 + 0.75 * float(torch.rand(1, generator=generator))
    if float(torch.rand(1, generator=generator)) < 0.5:
        beyond = q > q[0] * (q[-1] / q[0]) ** share
    else:
        beyond = torch.arange(len(q)) > share * len(q)
    sign = 1 if float(torch.rand(1, generator=generator)) < 0.5 else -1
    return sign * truth * beyond


def background(q: Tensor, truth: Tensor, generator: Generator) -> Tensor:
    """A power of q from -3 to -0.5 or 0.5 to 3, or a hump."""
    kind, size, place = torch.rand(3, generator=generator, dtype=torch.float64).tolist()
    x = (q / q[0]).log()
    if kind < 1 / 3:
        centre, width = place * float(x[-1]), 0.15 + 0.35 * size
        return torch.exp(-0.5 * ((x - centre) / width).square())
    power = (0.5 + 2.5 * size) * (1 if kind < 2 / 3 else -1)
    return torch.exp(power * x)


def foreign(q: Tensor, truth: Tensor, generator: Generator) -> Tensor:
    """Randomly oriented cylinders, or ellipsoids of revolution."""
    kind, size, ratio = torch.rand(3, generator=generator, dtype=torch.float64).tolist()
    radius, length = 2 * 15**size, 2 * 15**size * 10 ** (2 * ratio - 1)
    nodes, weights = leggauss(200)
    cosine, weights = 0.5 * (nodes + 1), 0.5 * weights
    column, sine = q.numpy()[:, None], np.sqrt(1 - cosine**2)
    if kind < 0.5:
        across, along = column * radius * sine, column * length * cosine / 2
        amplitude = 2 * j1(across) / across * np.sinc(along / np.pi)
    else:
        x = column * np.sqrt((radius * sine) ** 2 + (length * cosine) ** 2)
        amplitude = 3 * spherical_jn(1, x) / x
    return torch.from_numpy((amplitude**2) @ weights)


SHAPES = {"step": step, "background": background, "foreign": foreign}
