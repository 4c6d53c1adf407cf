r"""Dilute core-shell spheres: a core, a shell of another density, a solvent.

With contrasts c = core - solvent and s = shell - solvent the curve depends, up to
scale, on the angle atan2(s, c) alone, and the sign of both together does not matter:
the angle runs from -90° to 90°. At 0° the shell is matched to the solvent, at 45° the
sphere is homogeneous, at both ends the core is matched: a hollow sphere. The two ends
are the same structure.

References:
    Guinier & Fournet, Small-Angle Scattering of X-Rays (1955), section 2.1.
"""

import math

import torch
from jaxtyping import Float
from numpy.random import Generator
from torch import Tensor

from saxinfer.parameter import Parameter, ParameterSpace
from saxinfer.scattering.dispersion import Dispersion
from saxinfer.scattering.grid import Grid
from saxinfer.scattering.realisation import Realisation
from saxinfer.scattering.spheres import core_shell_intensity, mean_volume
from saxinfer.structures.base import Structure
from saxinfer.structures.phase import Phase

__all__ = ["CoreShellSphere"]

# A shell whose contrast is a tenth of the core's counts as matched: the ratio of the
# contrasts is reported up to here, either way.
MATCHED = 10.0

CONTRAST = "less solvent, in units of √(core² + shell²), the larger one positive"


class CoreShellSphere(Structure):
    """Core-shell spheres, far apart; the whole particle is spread in proportion."""

    name = "core_shell_sphere"
    title = "Dilute core-shell spheres with a log-normal spread of the whole particle"
    references = (
        "Guinier & Fournet, Small-Angle Scattering of X-Rays (1955), section 2.1",
    )
    space = ParameterSpace(
        (
            Parameter(
                "radius_mean",
                "nm",
                0.5,
                150,
                "Mean outer radius by number.",
                "log-uniform",
            ),
            Parameter(
                "radius_std",
                "nm",
                0.001,
                0.5,
                "Standard deviation of the outer radius.",
                "log-uniform",
                base="radius_mean",
            ),
            Parameter(
                "shell_thickness",
                "nm",
                0.01,
                0.95,
                "Shell thickness of a particle of mean radius.",
                "log-uniform",
                base="radius_mean",
            ),
            Parameter(
                "core_shell_angle",
                "rad",
                -math.pi / 2,
                math.pi / 2,
                "atan2(shell - solvent, core - solvent) of the densities.",
            ),
        )
    )
    derived = (
        Parameter(
            "inner_radius",
            "nm",
            0.02,
            149,
            "Mean core radius by number.",
            "log-uniform",
        ),
        Parameter(
            "core_shell_contrast",
            "1",
            -MATCHED,
            MATCHED,
            "(core - solvent) / (shell - solvent); 0 is a hollow sphere.",
        ),
    )
    special_cases = ("sphere",)
    phases = (
        Phase("core", "of the particle", CONTRAST, "mean radius by number"),
        Phase("shell", "of the particle", CONTRAST, "thickness"),
    )
    unit_contrast = "√(core² + shell²), each less solvent"

    def intensity(
        self, q: Float[Tensor, "*curves q"], theta: Float[Tensor, "batch parameter"]
    ) -> Float[Tensor, "batch q"]:
        """Scattered intensity a unit of volume fraction and contrast² [nm³]."""
        mean, std, thickness, angle = theta.unbind(-1)
        core_ratio = 1 - thickness / mean
        return core_shell_intensity(
            q, mean, std, core_ratio, torch.cos(angle), torch.sin(angle)
        )

    def realise(
        self, theta: Float[Tensor, " parameter"], grid: Grid, rng: Generator
    ) -> Realisation:
        """Draws a dilute dispersion in a cube."""
        return _dispersion(theta).draw(grid, rng)

    def refuse_unfit(self, theta: Float[Tensor, " parameter"], grid: Grid) -> None:
        """Refuses coarse pixels, and boxes less than four mean radii wide."""
        _dispersion(theta).refuse_unfit(grid)

    def suggested_grid(self, theta: Float[Tensor, " parameter"]) -> Grid:
        """Ten pixels a mean radius; the largest particle fits twice."""
        return _dispersion(theta).suggested_grid()

    def measured(self, drawn: Realisation) -> dict[str, float]:
        """Mean and spread of the radii that were drawn."""
        return {
            "radius_mean": float(drawn.radii.mean()),
            "radius_std": float(drawn.radii.std()),
        }

    def reach(self, theta: Float[Tensor, "batch parameter"]) -> Float[Tensor, " batch"]:
        """One and a half diameters [nm]: larger particles blur what they add."""
        return 3 * theta[:, 0]

    def smooth(
        self, theta: Float[Tensor, "batch parameter"]
    ) -> Float[Tensor, "batch coordinate"]:
        """Logarithm of the radius, relative spread, share of the shell, angle."""
        mean, std, thickness, angle = theta.unbind(-1)
        return torch.stack([mean.log(), std / mean, thickness / mean, angle], -1)

    def edges(
        self, theta: Float[Tensor, "batch parameter"]
    ) -> Float[Tensor, "batch distance"]:
        """Both mean diameters, their mean, and the shell's thickness."""
        outer, thickness = theta[:, 0], theta[:, 2]
        inner = outer - thickness
        return torch.stack([2 * outer, 2 * inner, outer + inner, thickness], -1)

    def mean_volume(
        self, theta: Float[Tensor, "batch parameter"]
    ) -> Float[Tensor, " batch"]:
        """4 pi / 3 times the third moment of the outer radius [nm³]."""
        return mean_volume(theta[:, 0], theta[:, 1])

    def derived_values(
        self, theta: Float[Tensor, "batch parameter"]
    ) -> Float[Tensor, "batch derived"]:
        """Inner radius [nm] and ratio of the contrasts [1]."""
        mean, _, thickness, angle = theta.unbind(-1)
        contrast = (torch.cos(angle) / torch.sin(angle)).clamp(-MATCHED, MATCHED)
        return torch.stack([mean - thickness, contrast], -1)

    def phase_values(
        self, theta: Float[Tensor, "batch parameter"]
    ) -> Float[Tensor, "batch phase 3"]:
        """Shares of a particle's volume, contrasts, and lengths [nm].

        A curve does not know the sign that both contrasts share.
        """
        mean, _, thickness, angle = theta.unbind(-1)
        share = (1 - thickness / mean) ** 3
        core, shell = torch.cos(angle), torch.sin(angle)
        # In -90° to 90° the core's is never negative.
        sign = torch.where(shell.abs() > core, shell.sign(), 1)
        inside = torch.stack([share, sign * core, mean - thickness], -1)
        around = torch.stack([1 - share, sign * shell, thickness], -1)
        return torch.stack([inside, around], 1)

    def lookalikes(
        self, theta: Float[Tensor, "batch parameter"]
    ) -> Float[Tensor, "likeness batch parameter"]:
        """The steps of the density in the other order, the larger one where it was.

        Where q R is large a surface is as good as flat, and the curve is that of the
        distance between two steps: which is the outer one it does not say. With the
        contrasts c and s of core and shell, the outer step is s and the inner c - s.
        """
        mean, std, thickness, angle = theta.unbind(-1)
        core, shell = angle.cos(), angle.sin()
        outwards = torch.where(shell.abs() > (core - shell).abs(), 1, -1)
        moved = mean + outwards * thickness
        # A radius of a few times the shell leaves nothing to turn round.
        moved = torch.where(moved > 0, moved, mean)
        turned = torch.atan2(core - shell, core)
        turned = torch.stack([moved, std * moved / mean, thickness, turned], -1)
        return turned[None]

    def mirrors(
        self, theta: Float[Tensor, "batch parameter"]
    ) -> Float[Tensor, "mirror batch parameter"]:
        """The hollow sphere's other end of the angle, 180° away on the circle."""
        mirrored = theta.clone()
        mirrored[:, 3] = -theta[:, 3]
        return mirrored[None]


def _dispersion(theta: Tensor) -> Dispersion:
    mean, std, thickness, angle = theta.tolist()
    contrasts = math.cos(angle), math.sin(angle)
    return Dispersion(mean, std, 1 - thickness / mean, *contrasts)
