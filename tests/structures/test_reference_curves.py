"""Spheres and shells are held against curves that other programs have computed."""

import math
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor

import saxinfer as sx
from saxinfer.scattering.spheres import core_shell_intensity

Measured = Callable[[str], Path]

# (10^10 cm^-2)² nm³ in 1/cm, and (10^-6 Å^-2)² nm³ likewise.
PER_CM = 1e-8 * 1e7


def test_sasmodels_log_normal_spheres_are_met(measured: Measured) -> None:
    # Median radius 13 nm, sd of its logarithm 0.2, contrast 3e-6 Å^-2, volume fraction
    # 0.01, background 0.001 / cm; summed over 160 radii to 8 sigma.
    q, exact = np.loadtxt(measured("sm_sphere_lognormal.dat"), unpack=True)[:2]
    mean = 13 * math.exp(0.02)
    theta = torch.tensor([[mean, mean * math.sqrt(math.expm1(0.04))]]).double()
    found = sx.get_structure("sphere").intensity(torch.from_numpy(10 * q), theta)[0]
    ours = 0.01 * 3**2 * PER_CM * found + 0.001
    assert float((ours / torch.from_numpy(exact) - 1).abs().max()) < 1e-3


@pytest.mark.parametrize(
    ("name", "shell_thickness", "core", "shell"),
    [
        ("CS_300A_30A_10_50_20.h5", 3.0, -10.0, 30.0),
        ("CS_300A_10A_50_20_0.h5", 1.0, 50.0, 20.0),
    ],
)
def test_irena_core_shell_spheres_are_met(
    measured: Measured, name: str, shell_thickness: float, core: float, shell: float
) -> None:
    # Cores of 30 nm with a normal spread of 0.05 nm, all in a shell of one thickness.
    curve = sx.load(measured(name))[0]
    step = torch.linspace(-4, 4, 41, dtype=torch.float64)
    weight = torch.softmax(-0.5 * step.square(), 0)
    ours = averaged(curve.q, 30 + 0.05 * step, weight, shell_thickness, (core, shell))
    one = torch.ones_like(weight[:1])
    alone = averaged(curve.q, 30 * one, one, shell_thickness, (core, shell))
    # Irena sums over six radii, and says not with which weights: where the spread
    # moves the curve, in its minima, there is nothing to be held against.
    certain = (alone / ours - 1).abs() < 0.005
    ratio = ours[certain] / curve.intensity[certain]
    assert len(ratio) > 0.4 * len(curve)
    # Its volume fraction is that of the distribution before tails were cut off.
    scale = ratio.median()
    assert 0.95 < float(0.05 * PER_CM * scale) < 1
    assert float((ratio / scale - 1).abs().max()) < 0.005


def averaged(
    q: Tensor,
    cores: Tensor,
    weight: Tensor,
    thickness: float,
    contrasts: tuple[float, float],
) -> Tensor:
    """Mean of F² over particles of some core radii, a unit of volume."""
    outer = cores + thickness
    one = torch.ones_like(outer)
    each = core_shell_intensity(
        q,
        outer,
        1e-5 * outer,
        cores / outer,
        contrasts[0] * one,
        contrasts[1] * one,
    )
    share: Tensor = weight * outer**3 / (weight * outer**3).sum()
    return share @ each
