r"""Three-phase materials: pores, solid, and a phase at the interface between them.

A Gaussian random field with a log-normal spectrum (mean ``k_mean``, standard deviation
``k_std``) is clipped at two levels: pores below t1, the solid above t2, the interface
phase in the band between, of the same thickness everywhere in units of the field. So
pores and solid never touch. Density is 0 in the pores, 1 in the solid, and
``sld_interface`` between; with Delta_1 = sld_interface, Delta_2 = 1 - sld_interface,

.. math:: C(r) = \sum_{ij} \Delta_i \Delta_j \Lambda(t_i, t_j; g(r)), \qquad
          I(q) = 4\pi \int_0^\infty C(r) \frac{\sin qr}{qr} r^2 dr .

An interface phase lighter than the pores or denser than the solid is allowed: wet
pores, a film of metal, a contrast-matched solid.

**Exact degeneracies.** (t1, t2, Delta_1, Delta_2) and (-t2, -t1, Delta_2, Delta_1)
scatter the same curve, its absolute scale included: pores and solid exchanged, with
1 - ``sld_interface``. The mirror is always inside of the prior, so that every curve
has two solutions. At ``sld_interface`` = 0 or 1 the model is ``two_phase``, and the
fractions of the two phases of equal density are unknown.

References:
    Röding, Tomaszewski, Yu, Borg & Rönnols, Front. Mater. 9, 956839 (2022).
    Berk, Phys. Rev. A 44, 5069 (1991): fields clipped at two levels.
"""

import torch
from jaxtyping import Float
from numpy.random import Generator
from torch import Tensor

from saxinfer.parameter import Parameter, ParameterSpace
from saxinfer.scattering.boundary import boundaries
from saxinfer.scattering.clipped_log_normal import clipped_spectrum, surface
from saxinfer.scattering.grid import Grid
from saxinfer.scattering.material import Material
from saxinfer.scattering.realisation import Realisation
from saxinfer.structures.base import Structure
from saxinfer.structures.phase import Phase

__all__ = ["ThreePhase"]


class ThreePhase(Structure):
    """A random material of pores, solid, and an interface phase between them."""

    name = "three_phase"
    title = "Disordered material with a phase at its interface (random field, 2 levels)"
    references = (
        "Röding et al., Front. Mater. 9, 956839 (2022)",
        "Berk, Phys. Rev. A 44, 5069 (1991)",
        "Teubner, Europhys. Lett. 14, 403 (1991)",
    )
    space = ParameterSpace(
        (
            Parameter(
                "k_mean",
                "1/nm",
                0.02,
                3,
                "Mean wavenumber of the field's spectrum.",
                "log-uniform",
            ),
            Parameter(
                "k_std",
                "1/nm",
                0.1,
                1,
                "Standard deviation of the wavenumber.",
                base="k_mean",
            ),
            Parameter(
                "phi_interface",
                "1",
                0.05,
                0.5,
                "Volume fraction of the interface phase.",
            ),
            Parameter(
                "porosity",
                "1",
                0.1,
                0.9,
                "Volume fraction of the pores.",
                base="1 - phi_interface",
            ),
            Parameter(
                "sld_interface",
                "1",
                -1,
                2,
                "Density of the interface phase, pore = 0, solid = 1.",
            ),
        )
    )
    dependent = (
        Parameter("phi_solid", "1", 0.05, 0.855, "Volume fraction of the solid."),
    )
    derived = (
        Parameter(
            "pore_surface",
            "1/nm",
            0.0019,
            6.3,
            "Area between pores and interface phase a volume.",
            "log-uniform",
        ),
        Parameter(
            "solid_surface",
            "1/nm",
            0.0019,
            6.3,
            "Area between interface phase and solid a volume.",
            "log-uniform",
        ),
        Parameter(
            "specific_surface",
            "1/nm",
            0.004,
            12.5,
            "Area of both interfaces a volume.",
            "log-uniform",
        ),
        Parameter(
            "pore_chord", "nm", 0.12, 800, "Mean chord length of pores.", "log-uniform"
        ),
        Parameter(
            "interface_chord",
            "nm",
            0.015,
            400,
            "Mean chord length of the interface phase.",
            "log-uniform",
        ),
        Parameter(
            "solid_chord",
            "nm",
            0.12,
            800,
            "Mean chord length of the solid.",
            "log-uniform",
        ),
    )
    special_cases = ("two_phase",)
    phases = tuple(
        Phase(name, "of the volume", "density, pore = 0, solid = 1", "mean chord")
        for name in ("pores", "interface phase", "solid")
    )
    unit_contrast = "solid less pore"

    def intensity(
        self, q: Float[Tensor, "*curves q"], theta: Float[Tensor, "batch parameter"]
    ) -> Float[Tensor, "batch q"]:
        """Scattered intensity a unit of volume and (solid - pore)² [nm³]."""
        exact = theta.double()
        rows = q.double().expand(len(theta), -1)
        steps = torch.stack([exact[:, 4], 1 - exact[:, 4]], -1)
        section = clipped_spectrum(rows, exact[:, 0], exact[:, 1], levels(exact), steps)
        return section.to(theta.dtype)

    def realise(
        self, theta: Float[Tensor, " parameter"], grid: Grid, rng: Generator
    ) -> Realisation:
        """Draws a cube; its phases are pore, interface and solid."""
        densities = (0.0, float(theta[4]), 1.0)
        return _material(theta).draw(
            grid, ("pore", "interface", "solid"), densities, rng
        )

    def refuse_unfit(self, theta: Float[Tensor, " parameter"], grid: Grid) -> None:
        """Refuses coarse pixels, and boxes the faces of which would be correlated."""
        _material(theta).refuse_unfit(grid)

    def suggested_grid(self, theta: Float[Tensor, " parameter"]) -> Grid:
        """A cube that holds the field; finer pixels if it is small."""
        return _material(theta).suggested_grid()

    def measured(self, drawn: Realisation) -> dict[str, float]:
        """Fractions, surfaces a volume, and chord lengths of a map.

        Where pixels skip a thin interface phase, pore and solid meet; such faces are
        both, the inner and the outer one.
        """
        pore, interface, solid = drawn.fractions
        edges = boundaries(drawn.phases, drawn.names, drawn.grid)
        inner, skipped, outer = (edge.density for edge in edges)
        inner, outer = inner + skipped, outer + skipped
        return {
            "phi_interface": interface,
            "porosity": pore,
            "phi_solid": solid,
            "pore_surface": inner,
            "solid_surface": outer,
            "specific_surface": inner + outer,
            "pore_chord": 4 * pore / inner,
            "interface_chord": 4 * interface / (inner + outer),
            "solid_chord": 4 * solid / outer,
        }

    def reach(self, theta: Float[Tensor, "batch parameter"]) -> Float[Tensor, " batch"]:
        """Distance over which the field's waves stay in step [nm]."""
        return 1.5 / theta[:, 1]

    def dependent_values(
        self, theta: Float[Tensor, "batch parameter"]
    ) -> Float[Tensor, "batch dependent"]:
        """Volume fraction of the solid [1]."""
        return 1 - theta[:, 2:3] - theta[:, 3:4]

    def derived_values(
        self, theta: Float[Tensor, "batch parameter"]
    ) -> Float[Tensor, "batch derived"]:
        """Surface of the pores, of the solid, of both [1/nm]; chord lengths [nm]."""
        k_mean, k_std, interface, pore, _ = theta.double().unbind(-1)
        inner, outer = surface(k_mean, k_std, levels(theta.double())).unbind(-1)
        both, solid = inner + outer, 1 - interface - pore
        chords = [4 * pore / inner, 4 * interface / both, 4 * solid / outer]
        return torch.stack([inner, outer, both, *chords], -1).to(theta.dtype)

    def phase_values(
        self, theta: Float[Tensor, "batch parameter"]
    ) -> Float[Tensor, "batch phase 3"]:
        """Volume fractions, densities and mean chords [nm]."""
        interface, porosity, density = theta[:, 2:].unbind(-1)
        fractions = torch.stack([porosity, interface, 1 - porosity - interface], -1)
        contrasts = torch.stack(
            [torch.zeros_like(density), density, torch.ones_like(density)], -1
        )
        chords = self.derived_values(theta)[:, 3:6]
        return torch.stack([fractions, contrasts, chords], -1)

    def mirrors(
        self, theta: Float[Tensor, "batch parameter"]
    ) -> Float[Tensor, "mirror batch parameter"]:
        """Pores and solid exchanged, the interface phase's density with them."""
        other = theta.clone()
        other[:, 3] = 1 - theta[:, 2] - theta[:, 3]
        other[:, 4] = 1 - theta[:, 4]
        return other[None]


def levels(theta: Float[Tensor, "batch parameter"]) -> Float[Tensor, "batch 2"]:
    """Levels t1 and t2 between pores, interface phase and solid."""
    interface, pore = theta[:, 2], theta[:, 3]
    solid = 1 - interface - pore
    return torch.stack([torch.special.ndtri(pore), -torch.special.ndtri(solid)], -1)


def _material(theta: Tensor) -> Material:
    first, second = levels(theta.double()[None])[0].tolist()
    return Material(float(theta[0]), float(theta[1]), (first, second))
