"""Disordered material of two phases, as a model of sasmodels.

A Gaussian random field with a log-normal spectrum, clipped at one level: pores below,
solid above. Per volume and contrast squared; q in 1/Ang, result in Ang^3. Pores and
solid exchanged scatter the same.

References:
    Roding et al., Front. Mater. 9, 956839 (2022). Berk, Phys. Rev. A 44, 5069
    (1991). Teubner, Europhys. Lett. 14, 403 (1991).
"""

import numpy as np
from scipy.special import ndtri

from saxinfer.report.sasview.random_material import spectrum

__all__ = ["Iq", "category", "description", "name", "parameters", "title"]

name = "saxinfer_two_phase"
title = "Disordered material of two phases"
description = (
    "A Gaussian random field with a log-normal spectrum, clipped at one level."
)
category = "shape-independent"

# name, units, default, limits, type, description
parameters = [
    ["k_mean", "1/Ang", 0.03, [1e-4, 1], "", "Mean wavenumber of the field"],
    ["k_std", "1/Ang", 0.015, [1e-5, 1], "", "Its deviation, 0.1 to 1 of the mean"],
    ["porosity", "", 0.3, [0.045, 0.955], "", "Volume fraction of one phase"],
]


def Iq(  # noqa: N802 (as sasmodels wants it)
    q: np.ndarray, k_mean: float, k_std: float, porosity: float
) -> np.ndarray:
    """Intensity a unit of volume and contrast squared."""
    return spectrum(q, k_mean, k_std, np.array([ndtri(porosity)]), np.array([1.0]))


Iq.vectorized = True  # type: ignore[attr-defined]
