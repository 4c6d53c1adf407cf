r"""Packed cellulose microfibrils of wood, as a model of sasmodels.

Cylinders on a hexagonal paracrystal of two axes, a Gaussian for what lies between
bundles, and a power law: the equatorial intensity at q in 1/Ang, lengths in Ang. The
mean is one over eleven radii and over all angles about the fibre axis; below
q_0 = 7.061e-5 a^2 - 0.007413 a + 0.2465 the lattice factor keeps its value at q_0.

References:
----------
Penttila, Rautkari, Osterberg & Schweins, J. Appl. Cryst. 52, 369 (2019).
Hashimoto, Kawamura, Harada & Tanaka, Macromolecules 27, 3063 (1994).
"""

import numpy as np
from numpy import inf
from scipy.special import j1

__all__ = ["Iq", "category", "description", "name", "parameters", "title"]

name = "saxinfer_wood"
title = "Packed cellulose microfibrils of wood"
description = "Cylinders on a hexagonal paracrystal, a Gaussian and a power law."
category = "shape-independent"

# name, units, default, limits, type, description
parameters = [
    ["spacing", "Ang", 32.5, [1, 60], "", "Distance of neighbouring fibril axes"],
    ["radius", "Ang", 10.5, [0.1, 60], "", "Mean radius of the fibrils"],
    ["radius_rel_std", "", 0.2, [0, 0.33], "", "Spread of the radius over its mean"],
    ["spacing_rel_std", "", 0.3, [0.05, 1], "", "Spread of the distance over it"],
    ["gauss_amplitude", "", 0.1, [0, inf], "", "Height of the Gaussian"],
    ["gauss_width", "1/Ang", 0.02, [1e-4, 1], "", "Its standard deviation"],
    ["power_amplitude", "", 3e-5, [0, inf], "", "Power law at q = 0.1/Ang"],
    ["power_exponent", "", 4, [2, 6], "", "Its exponent"],
]


def Iq(  # noqa: N802, PLR0913 (as sasmodels wants it)
    q: np.ndarray,
    spacing: float,
    radius: float,
    radius_rel_std: float,
    spacing_rel_std: float,
    gauss_amplitude: float,
    gauss_width: float,
    power_amplitude: float,
    power_exponent: float,
) -> np.ndarray:
    """Intensity, pi/4 for single fibrils at q = 0."""
    deviation = np.linspace(-3, 3, 11)
    weight = np.exp(-0.5 * deviation**2)
    weight[[0, -1]] /= 2
    weight /= weight.sum()
    size = 1 + radius_rel_std * deviation
    x = np.multiply.outer(q * radius, size)
    amplitude = np.sqrt(np.pi) * size**2 * np.where(x > 0, j1(x) / x, 0.5)
    mean, square = amplitude @ weight, amplitude**2 @ weight
    held = 7.061e-5 * spacing**2 - 0.007413 * spacing + 0.2465
    order = _lattice(np.maximum(q, held) * spacing, spacing_rel_std)
    bundle = square + mean**2 * (order - 1)
    between = gauss_amplitude * np.exp(-0.5 * (q / gauss_width) ** 2)
    walls = power_amplitude * (10 * q) ** -power_exponent
    return np.asarray(bundle + between + walls)


Iq.vectorized = True  # type: ignore[attr-defined]


def _lattice(u: np.ndarray, spread: float) -> np.ndarray:
    """Mean of Z_1 Z_2 over all angles; what follows a quarter turn mirrors it."""
    count = 400
    psi = np.pi / 3 + 0.5 * np.pi * np.arange(count + 1) / count
    weight = np.full(count + 1, 1 / count)
    weight[[0, -1]] /= 2
    phases = [u[:, None] * np.cos(psi - np.pi / 6), u[:, None] * np.sin(psi)]
    exponent = 0.5 * spread**2 * (phases[0] ** 2 + phases[1] ** 2)
    fading, lost = np.exp(-exponent), -np.expm1(-exponent)
    factor = np.ones_like(fading)
    for phase in phases:
        turned = 4 * fading * np.sin(0.5 * phase) ** 2
        factor *= lost * (1 + fading) / (lost**2 + turned)
    return np.asarray(factor @ weight)
