"""Disordered material with a phase at its interface, as a model of sasmodels.

A Gaussian random field with a log-normal spectrum, clipped at two levels: pores of
density 0 below, solid of density 1 above, the interface phase between. Per volume and
(solid less pore) squared; q in 1/Ang, result in Ang^3.

References:
    Roding et al., Front. Mater. 9, 956839 (2022). Berk, Phys. Rev. A 44, 5069
    (1991).
"""

import numpy as np
from scipy.special import ndtri

from saxinfer.report.sasview.random_material import spectrum

__all__ = ["Iq", "category", "description", "name", "parameters", "title"]

name = "saxinfer_three_phase"
title = "Disordered material with a phase at its interface"
description = (
    "A Gaussian random field with a log-normal spectrum, clipped at two levels."
)
category = "shape-independent"

# name, units, default, limits, type, description
parameters = [
    ["k_mean", "1/Ang", 0.03, [1e-4, 1], "", "Mean wavenumber of the field"],
    ["k_std", "1/Ang", 0.015, [1e-5, 1], "", "Its deviation, 0.1 to 1 of the mean"],
    [
        "phi_interface",
        "",
        0.2,
        [0.01, 0.9],
        "",
        "Volume fraction of the interface phase",
    ],
    ["porosity", "", 0.4, [0.045, 0.955], "", "Volume fraction of the pores"],
    ["sld_interface", "", 0.5, [-10, 10], "", "Density of the interface phase"],
]


def Iq(  # noqa: N802 (as sasmodels wants it)
    q: np.ndarray,
    k_mean: float,
    k_std: float,
    phi_interface: float,
    porosity: float,
    sld_interface: float,
) -> np.ndarray:
    """Intensity a unit of volume and (solid less pore) squared."""
    if phi_interface + porosity >= 1:
        return np.full_like(q, np.nan)
    levels = np.array([ndtri(porosity), ndtri(porosity + phi_interface)])
    steps = np.array([sld_interface, 1 - sld_interface])
    return spectrum(q, k_mean, k_std, levels, steps)


Iq.vectorized = True  # type: ignore[attr-defined]
