r"""Two-phase materials: pores and solid, a Gaussian random field clipped at one level.

The field has a log-normal spectrum P(k) of mean ``k_mean`` and standard deviation
``k_std``. Pores are where it is below the level t with Phi(t) = porosity; the solid has
density 1. With the covariance C_T of the clipped field,

.. math:: I(q) = 4\pi \int_0^\infty C_T(r) \frac{\sin qr}{qr} r^2 dr , \qquad
          S_V = \frac2\pi \frac{K}{\sqrt3} e^{-t^2/2}, \qquad
          K = k_\mathrm{mean} \Big( 1 + \frac{k_\mathrm{std}^2}
          {k_\mathrm{mean}^2} \Big)^{5/2} .

**Exact degeneracy.** Pores and solid exchanged scatter the same curve, its absolute
scale included (Babinet): no curve tells which phase is which. So the porosity is that
of the rarer phase, half at most, and a curve has one solution instead of two.

References:
    Röding, Tomaszewski, Yu, Borg & Rönnols, Front. Mater. 9, 956839 (2022). Debye,
    Anderson & Brumberger, J. Appl. Phys. 28, 679 (1957): surface and covariance. Mering
    & Tchoubar, J. Appl. Cryst. 1, 153 (1968): chord lengths.
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

__all__ = ["TwoPhase"]


class TwoPhase(Structure):
    """A random bicontinuous or pored material of two phases."""

    name = "two_phase"
    title = "Disordered material of two phases (Gaussian random field, one level)"
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
                "porosity", "1", 0.05, 0.5, "Volume fraction of the rarer phase."
            ),
        )
    )
    derived = (
        Parameter(
            "specific_surface",
            "1/nm",
            0.0019,
            6.3,
            "Area between the phases a volume.",
            "log-uniform",
        ),
        Parameter(
            "pore_chord",
            "nm",
            0.12,
            270,
            "Mean chord length of the rarer phase.",
            "log-uniform",
        ),
        Parameter(
            "solid_chord",
            "nm",
            0.3,
            2000,
            "Mean chord length of the other phase.",
            "log-uniform",
        ),
    )
    phases = (
        Phase("rarer phase", "of the volume", "by definition", "mean chord"),
        Phase("other phase", "of the volume", "by definition", "mean chord"),
    )
    unit_contrast = "one phase less the other"

    def intensity(
        self, q: Float[Tensor, "*curves q"], theta: Float[Tensor, "batch parameter"]
    ) -> Float[Tensor, "batch q"]:
        """Scattered intensity a unit of volume and contrast² [nm³]."""
        k_mean, k_std, porosity = theta.double().unbind(-1)
        level = torch.special.ndtri(porosity)[:, None]
        rows = q.double().expand(len(theta), -1)
        step = torch.ones_like(level)
        return clipped_spectrum(rows, k_mean, k_std, level, step).to(theta.dtype)

    def realise(
        self, theta: Float[Tensor, " parameter"], grid: Grid, rng: Generator
    ) -> Realisation:
        """Draws a cube; its phases are pore and solid."""
        return _material(theta).draw(grid, ("pore", "solid"), (0.0, 1.0), rng)

    def refuse_unfit(self, theta: Float[Tensor, " parameter"], grid: Grid) -> None:
        """Refuses coarse pixels, and boxes the faces of which would be correlated."""
        _material(theta).refuse_unfit(grid)

    def suggested_grid(self, theta: Float[Tensor, " parameter"]) -> Grid:
        """A cube that holds the field; finer pixels if it is small."""
        return _material(theta).suggested_grid()

    def measured(self, drawn: Realisation) -> dict[str, float]:
        """Fraction of the pores, surface a volume, and chord lengths of a map."""
        pore, solid = drawn.fractions
        (edge,) = boundaries(drawn.phases, drawn.names, drawn.grid)
        return {
            "porosity": pore,
            "specific_surface": edge.density,
            "pore_chord": 4 * pore / edge.density,
            "solid_chord": 4 * solid / edge.density,
        }

    def reach(self, theta: Float[Tensor, "batch parameter"]) -> Float[Tensor, " batch"]:
        """Distance over which the field's waves stay in step [nm]."""
        return 1.5 / theta[:, 1]

    def derived_values(
        self, theta: Float[Tensor, "batch parameter"]
    ) -> Float[Tensor, "batch derived"]:
        """Specific surface [1/nm] and the chord lengths 4 phi / S_V [nm]."""
        k_mean, k_std, porosity = theta.double().unbind(-1)
        level = torch.special.ndtri(porosity)[:, None]
        area = surface(k_mean, k_std, level)[:, 0]
        columns = [area, 4 * porosity / area, 4 * (1 - porosity) / area]
        return torch.stack(columns, -1).to(theta.dtype)

    def phase_values(
        self, theta: Float[Tensor, "batch parameter"]
    ) -> Float[Tensor, "batch phase 3"]:
        """Volume fractions, contrasts and mean chords [nm]."""
        _, rarer, other = self.derived_values(theta).unbind(-1)
        porosity = theta[:, 2]
        one = torch.ones_like(porosity)
        pores = torch.stack([porosity, one, rarer], -1)
        solid = torch.stack([1 - porosity, 0 * one, other], -1)
        return torch.stack([pores, solid], 1)


def _material(theta: Tensor) -> Material:
    k_mean, k_std, porosity = theta.double()
    level = float(torch.special.ndtri(porosity))
    return Material(float(k_mean), float(k_std), (level,))
