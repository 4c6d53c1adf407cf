r"""Lipid nanoparticles: spheres with a uniform shell and a core that fluctuates.

The density of the solvent is 1. The shell, ``shell_thickness`` thick on every particle,
has the density ``shell_ratio`` (1 + ``core_shift``), the core 1 + ``core_shift`` in the
mean, and fluctuates about that by 1 / (1 + e^-f) - 1/2 of a Gaussian field f with a
spectrum of two log-normal components. With contrasts c = core - 1 and s = shell - 1

.. math:: I(q) = \frac{1}{\langle V \rangle} \Big[ \langle F_\text{mean}^2 \rangle
          + 4\pi \int_0^\infty C_h(r) \langle V_\text{core}(r) \rangle
          \frac{\sin qr}{qr} r^2 dr \Big] ,

the mean particle (:mod:`saxinfer.scattering.shelled_spheres`) and its interior
(:mod:`saxinfer.scattering.particle_interior`). Radii are log-normal by number;
``radius_mean`` and ``radius_cv`` are those before particles that are thinner than their
shell are left out.

**Exact degeneracy.** The curve is the same if both contrasts change their sign: cores
and shells lighter than the solvent and such that are as much denser. The mirror of a
solution may lie outside of the prior. Nearly degenerate are larger particles of narrow
and smaller ones of broad distributions.

Component 1 of the spectrum is the stronger one. The spectrum ends at
:data:`~saxinfer.scattering.particle_interior.K_MAX`, which is a part of the model.

References:
    Core-shell particles with a mapped Gaussian field inside: arXiv:2606.05200 (2026).
    Guinier & Fournet, Small-Angle Scattering of X-Rays (1955).
"""

import functools
import math
from collections.abc import Callable

import torch
from jaxtyping import Float
from numpy.random import Generator
from torch import Tensor

from saxinfer.parameter import Parameter, ParameterSpace
from saxinfer.scattering.filled_particles import FilledParticles
from saxinfer.scattering.grid import Grid
from saxinfer.scattering.particle_interior import (
    DISTANCES,
    correlation,
    interior_spectrum,
    sigmoid_covariance,
    through_cores,
)
from saxinfer.scattering.realisation import Realisation
from saxinfer.scattering.shelled_spheres import ShelledSpheres
from saxinfer.structures.base import Structure
from saxinfer.structures.phase import Phase

__all__ = ["Lnp"]

# Wavenumbers among which the maximum of the spectrum is sought [1/nm].
LOWEST_PEAK, HIGHEST_PEAK, TRIED = 0.15, 1.6, 300


class Lnp(Structure):
    """Lipid nanoparticles, far apart.

    Args:
        smoothing: Length a over which densities are smoothed, which multiplies curves
            by exp(-(aq)²) [nm]; for comparison with curves that were simulated on
            grids. None in nature.
    """

    name = "lnp"
    title = "Lipid nanoparticles: core-shell spheres with a fluctuating interior"
    references = (
        "arXiv:2606.05200 (2026)",
        "Guinier & Fournet, Small-Angle Scattering of X-Rays (1955)",
    )
    space = ParameterSpace(
        (
            Parameter("radius_mean", "nm", 10, 50, "Mean outer radius by number."),
            Parameter(
                "radius_cv", "1", 0.1, 0.4, "Standard deviation of the radius over it."
            ),
            Parameter("shell_thickness", "nm", 4, 7, "Thickness of the shell."),
            Parameter(
                "core_shift", "1", -1, 1, "Core density less solvent, solvent = 1."
            ),
            Parameter(
                "shell_ratio", "1", 0.7, 1.3, "Density of the shell over the core's."
            ),
            Parameter("q_peak1", "1/nm", 0.5, 1.5, "Mean wavenumber of component 1."),
            Parameter(
                "q_width1",
                "1/nm",
                0.1,
                1,
                "Its standard deviation.",
                base="q_peak1",
            ),
            Parameter("q_peak2", "1/nm", 0.5, 1.5, "Mean wavenumber of component 2."),
            Parameter(
                "q_width2",
                "1/nm",
                0.1,
                1,
                "Its standard deviation.",
                base="q_peak2",
            ),
            Parameter("weight1", "1", 0.5, 1, "Share of component 1 in the spectrum."),
        )
    )
    derived = (
        Parameter(
            "interior_period",
            "nm",
            4.18,
            35.6,
            "Period at the maximum of the interior's spectrum.",
            "log-uniform",
        ),
        Parameter(
            "shell_contrast", "1", -1, 1.6, "Shell density less solvent, solvent = 1."
        ),
    )
    special_cases = ("core_shell_sphere",)
    phases = (
        Phase(
            "core", "of the particles", "less solvent, solvent = 1", "interior period"
        ),
        Phase("shell", "of the particles", "less solvent, solvent = 1", "thickness"),
    )
    unit_contrast = "that of the solvent itself"

    def __init__(self, smoothing: float = 0.0) -> None:
        if smoothing < 0:
            raise ValueError(f"smoothing must not be negative, got {smoothing} nm.")
        self.smoothing = smoothing

    def intensity(
        self, q: Float[Tensor, "*curves q"], theta: Float[Tensor, "batch parameter"]
    ) -> Float[Tensor, "batch q"]:
        """Intensity a unit of volume fraction and of the solvent's density² [nm³]."""
        exact = theta.double()
        rows = q.double().expand(len(theta), -1)
        # Neighbours in a batch often differ in a single parameter.
        square = functools.partial(_square, q=q.double())
        mean = _once(square, exact[:, :5]) if q.ndim == 1 else square(exact)
        covariance = _once(_covariance, exact[:, 5:])
        shared = _once(_shared, exact[:, :3])
        curve = mean + through_cores(rows, covariance, shared)
        curve = curve / ShelledSpheres(*exact[:, :3].unbind(-1)).volume[:, None]
        if self.smoothing:
            curve = curve * torch.exp(-(self.smoothing * rows).square())
        return curve.to(theta.dtype)

    def realise(
        self, theta: Float[Tensor, " parameter"], grid: Grid, rng: Generator
    ) -> Realisation:
        """Draws a dilute dispersion in a cube."""
        return _particles(theta).draw(grid, rng)

    def refuse_unfit(self, theta: Float[Tensor, " parameter"], grid: Grid) -> None:
        """Refuses pixels too coarse for the interior or the shell, and small boxes."""
        _particles(theta).refuse_unfit(grid)

    def suggested_grid(self, theta: Float[Tensor, " parameter"]) -> Grid:
        """A cube in which the largest particle fits."""
        return _particles(theta).suggested_grid()

    def measured(self, drawn: Realisation) -> dict[str, float]:
        """Mean of the radii that were drawn, and their relative spread."""
        mean = float(drawn.radii.mean())
        if len(drawn.radii) == 1:
            return {"radius_mean": mean}
        return {"radius_mean": mean, "radius_cv": float(drawn.radii.std() / mean)}

    def reach(self, theta: Float[Tensor, "batch parameter"]) -> Float[Tensor, " batch"]:
        """One and a half diameters [nm]: larger particles blur what they add."""
        return 3 * theta[:, 0]

    def smooth(
        self, theta: Float[Tensor, "batch parameter"]
    ) -> Float[Tensor, "batch coordinate"]:
        """Logarithms of lengths and wavenumbers, relative spreads, contrasts, share."""
        logs = theta[:, [0, 2, 5, 7]].log()
        widths = theta[:, [6, 8]] / theta[:, [5, 7]]
        contrasts = torch.stack([theta[:, 3], _shell(theta)], -1)
        return torch.cat([logs, widths, contrasts, theta[:, [1, 9]]], -1)

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
        """Of particles that are thicker than their shell [nm³]."""
        return ShelledSpheres(*theta[:, :3].double().unbind(-1)).volume.to(theta.dtype)

    def derived_values(
        self, theta: Float[Tensor, "batch parameter"]
    ) -> Float[Tensor, "batch derived"]:
        """Period of the interior [nm] and contrast of the shell [1]."""
        peak = _peak(*_components(theta.double())).to(theta.dtype)
        return torch.stack([2 * math.pi / peak, _shell(theta)], -1)

    def phase_values(
        self, theta: Float[Tensor, "batch parameter"]
    ) -> Float[Tensor, "batch phase 3"]:
        """Shares of the volume, contrasts, period and thickness [nm]."""
        exact = theta.double()
        particles = ShelledSpheres(*exact[:, :3].unbind(-1))
        inside = particles.core_overlap(exact.new_zeros(1))[:, 0]
        core = (inside / particles.volume).to(theta.dtype)
        period, shell = self.derived_values(theta).unbind(-1)
        within = torch.stack([core, theta[:, 3], period], -1)
        around = torch.stack([1 - core, shell, theta[:, 2]], -1)
        return torch.stack([within, around], 1)

    def mirrors(
        self, theta: Float[Tensor, "batch parameter"]
    ) -> Float[Tensor, "mirror batch parameter"]:
        """Both contrasts with the other sign."""
        other = theta.clone()
        other[:, 3] = -theta[:, 3]
        other[:, 4] = (1 - _shell(theta)) / (1 - theta[:, 3]).clamp(min=1e-9)
        return other[None]


def _particles(theta: Tensor) -> FilledParticles:
    row = theta.double()[None]
    (first, second), (low, high), (one, other) = (
        part[0].tolist() for part in _components(row)
    )
    mean, spread, thickness, core = row[0, :4].tolist()
    return FilledParticles(
        mean,
        spread,
        thickness,
        core,
        float(_shell(row)),
        (first, second),
        (low, high),
        (one, other),
    )


def _shell(theta: Tensor) -> Tensor:
    """Contrast of the shell."""
    return theta[:, 4] * (1 + theta[:, 3]) - 1


def _once(function: Callable[[Tensor], Tensor], columns: Tensor) -> Tensor:
    """A function of each row, worked out once where a row is as the one before."""
    if columns.requires_grad:
        return function(columns)
    other = (columns[1:] != columns[:-1]).any(1)
    first = torch.cat([other.new_ones(1), other])
    return function(columns[first])[first.cumsum(0) - 1]


def _square(theta: Tensor, q: Tensor) -> Tensor:
    """Squared amplitude of the mean particle; its first five parameters count."""
    mean, spread, thickness, core = theta[:, :4].unbind(-1)
    rows = q.expand(len(theta), -1)
    particles = ShelledSpheres(mean, spread, thickness)
    return particles.mean_square_amplitude(rows, core, _shell(theta))


def _shared(theta: Tensor) -> Tensor:
    """Volume that a core shares with itself; the first three parameters count."""
    return ShelledSpheres(*theta.unbind(-1)).core_overlap(DISTANCES.values)


def _covariance(interior: Tensor) -> Tensor:
    """Of the density inside, from the last five parameters."""
    return sigmoid_covariance(correlation(*_components(interior)))


def _components(theta: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Means, standard deviations and shares of the spectrum's components."""
    interior = theta[:, -5:]
    share = torch.stack([interior[:, 4], 1 - interior[:, 4]], -1)
    return interior[:, [0, 2]], interior[:, [1, 3]], share


def _peak(means: Tensor, stds: Tensor, shares: Tensor) -> Tensor:
    """Wavenumber at the maximum of the spectrum, by a parabola through three points."""
    grid = torch.linspace(
        math.log(LOWEST_PEAK), math.log(HIGHEST_PEAK), TRIED, dtype=means.dtype
    )
    height = interior_spectrum(grid.exp(), means, stds, shares).log()
    place = height.argmax(-1, keepdim=True).clamp(1, TRIED - 2)
    before, top, after = (height.gather(1, place + k)[:, 0] for k in (-1, 0, 1))
    shift = 0.5 * (before - after) / (before - 2 * top + after)
    return (grid[place[:, 0]] + shift * (grid[1] - grid[0])).exp()
