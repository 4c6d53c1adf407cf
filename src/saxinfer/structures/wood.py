r"""Wood: bundles of packed cellulose microfibrils, seen across the fibre axis.

.. math:: I(q) = I_\mathrm{bundle}(q) + B e^{-q^2 / 2 s^2} + C \, (q / q_1)^{-\alpha},
          \quad q_1 = 1 \text{ nm}^{-1} ,

the equatorial intensity of cylinders on a hexagonal paracrystal
(:mod:`saxinfer.scattering.fibril_bundle`), what lies between the bundles, and the power
law of pores and cell walls. B and C are in units of I_bundle, which itself is in
arbitrary ones. Fibrils do not overlap in the mean: their radius is half of their
distance at most.

**What a curve does not tell.** With a large ``spacing_rel_std`` the peak of the packing
lies far below 2 pi / (0.866 spacing): both must be inferred together. Where B is large
and s close to the width of the bundle's own scattering, the two trade off.

References:
    Penttilä, Rautkari, Österberg & Schweins, J. Appl. Cryst. 52, 369 (2019); Cellulose
    27, 71 (2020). Hashimoto et al., Macromolecules 27, 3063 (1994).
"""

import math

import torch
from jaxtyping import Float
from torch import Tensor

from saxinfer.parameter import Parameter, ParameterSpace
from saxinfer.scattering.fibril_bundle import (
    bundle_intensity,
    bundle_sides,
    held_below,
)
from saxinfer.structures.base import Structure
from saxinfer.structures.phase import Phase

__all__ = ["Wood"]

# Distances over which a curve turns, in spacings: between neighbours, and over the
# squared relative spread of the spacing, where order is lost. Both were found by trial:
# draws of the prior are held against every point (tests/instrument/test_sampling.py).
NEIGHBOURS, ORDERED = 2.0, 0.12


class Wood(Structure):
    """Packed microfibrils of a wood cell wall; a closed form only."""

    name = "wood"
    title = "Packed microfibrils of wood, equatorial (cylinders on a paracrystal)"
    references = (
        "Penttilä et al., J. Appl. Cryst. 52, 369 (2019)",
        "Hashimoto et al., Macromolecules 27, 3063 (1994)",
    )
    space = ParameterSpace(
        (
            Parameter("spacing", "nm", 1.5, 5, "Distance of neighbouring fibril axes."),
            Parameter(
                "radius",
                "nm",
                0.15,
                0.5,
                "Mean radius of the fibrils.",
                base="spacing",
            ),
            Parameter(
                "radius_rel_std",
                "1",
                0.1,
                0.3,
                "Standard deviation of the radius over its mean.",
            ),
            Parameter(
                "spacing_rel_std",
                "1",
                0.1,
                0.5,
                "Standard deviation of the distance over its mean.",
            ),
            Parameter(
                "gauss_amplitude",
                "1",
                1e-3,
                10,
                "Height B of the Gaussian between bundles.",
                "log-uniform",
            ),
            Parameter(
                "gauss_width",
                "1/nm",
                0.05,
                1,
                "Standard deviation s of the Gaussian.",
                "log-uniform",
            ),
            Parameter(
                "power_amplitude",
                "1",
                1e-7,
                1e-2,
                "Power law C at 1/nm.",
                "log-uniform",
            ),
            Parameter("power_exponent", "1", 3, 5, "Exponent of the power law."),
        )
    )
    derived = (
        Parameter("fibril_diameter", "nm", 0.45, 5, "Mean diameter of the fibrils."),
        Parameter(
            "packing_fraction",
            "1",
            0.08,
            0.99,
            "Share of a bundle's cross-section that is fibril, hexagonally packed.",
        ),
    )
    phases = (
        Phase("microfibrils", "of a bundle's cross-section", length="mean diameter"),
    )

    def intensity(
        self, q: Float[Tensor, "*curves q"], theta: Float[Tensor, "batch parameter"]
    ) -> Float[Tensor, "batch q"]:
        """Equatorial intensity [1], pi/4 for single fibrils at q = 0."""
        rows = q.double().expand(len(theta), -1)
        bundle = bundle_intensity(rows, *_bundle(theta))
        return (bundle + _rest(rows, theta)).to(theta.dtype)

    def kink(self, theta: Float[Tensor, "batch parameter"]) -> Float[Tensor, " batch"]:
        """Below, the lattice factor keeps its value [1/nm]."""
        return held_below(theta[:, 0])

    def sides(
        self, q: Float[Tensor, "*curves q"], theta: Float[Tensor, "batch parameter"]
    ) -> tuple[Float[Tensor, "batch q"], Float[Tensor, "batch q"]]:
        """That with the lattice factor at the kink, and that with the one at each q."""
        rows = q.double().expand(len(theta), -1)
        below, above = bundle_sides(rows, *_bundle(theta))
        rest = _rest(rows, theta)
        return (below + rest).to(theta.dtype), (above + rest).to(theta.dtype)

    def reach(self, theta: Float[Tensor, "batch parameter"]) -> Float[Tensor, " batch"]:
        """Two spacings, or as far as the axes keep their order [nm]."""
        spacing, spread = theta[:, 0], theta[:, 3]
        return spacing * (ORDERED / spread.square()).clamp(min=NEIGHBOURS)

    def smooth(
        self, theta: Float[Tensor, "batch parameter"]
    ) -> Float[Tensor, "batch coordinate"]:
        """Logarithms of lengths and heights, spreads and the exponent."""
        logs = theta[:, [0, 1, 4, 5, 6]].log()
        return torch.cat([logs, theta[:, [2, 3, 7]]], -1)

    def derived_values(
        self, theta: Float[Tensor, "batch parameter"]
    ) -> Float[Tensor, "batch derived"]:
        """Diameter [nm] and packing fraction 2 pi R² (1 + spread²) / (sqrt 3 a²)."""
        spacing, radius, spread = theta[:, :3].unbind(-1)
        square = (radius / spacing).square() * (1 + spread.square())
        return torch.stack([2 * radius, (2 * torch.pi / 3**0.5) * square], -1)

    def phase_values(
        self, theta: Float[Tensor, "batch parameter"]
    ) -> Float[Tensor, "batch phase 3"]:
        """Share of the fibrils in a bundle, and their diameter [nm]."""
        diameter, share = self.derived_values(theta).unbind(-1)
        unknown = torch.full_like(share, math.nan)
        return torch.stack([share, unknown, diameter], -1)[:, None]


def _bundle(theta: Tensor) -> list[Tensor]:
    """Radius, its spread, spacing, and its spread, as bundles take them."""
    spacing, radius, radius_spread, spacing_spread = theta.double()[:, :4].unbind(-1)
    return [radius, radius_spread, spacing, spacing_spread]


def _rest(q: Tensor, theta: Tensor) -> Tensor:
    """The Gaussian between bundles and the power law."""
    height, width, power, exponent = theta.double()[:, 4:, None].unbind(1)
    between = height * torch.exp(-0.5 * (q / width).square())
    walls = power * torch.exp(-exponent * q.log())
    return between + walls
