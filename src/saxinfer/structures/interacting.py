r"""Spheres that are not dilute: a model of particles, and hard spheres between them.

.. math:: I(q) = I_\text{dilute}(q) + \frac{1}{\langle V \rangle} \int n(R) \,
          F^2(q, R) \, [S(2qR) - 1] \, dR

with the Percus-Yevick structure factor S of spheres of the particles' outer radius that
fill the share ``volume_fraction`` of space (:mod:`saxinfer.scattering.hard_spheres`).
Each particle is taken to lie among such of its own size.

Where particles fluctuate inside, as those of ``lnp`` do, F is the amplitude of the mean
particle. What fluctuates in one particle knows nothing of the others, so that order
between them does not change what it scatters: it stays in I_dilute.

**Where it stops being true.** That neighbours differ in size is left out: the broader
the radii and the denser the fluid, the rougher is the approximation, and
``volume_fraction`` an effective one. So it is where particles repel one another before
they touch, or attract.

**What a curve does not tell.** A small volume fraction lowers the start of the curve a
little, as smaller particles would.

References:
    Wertheim, Phys. Rev. Lett. 10, 321 (1963). Thiele, J. Chem. Phys. 39, 474 (1963).
    Pedersen, J. Appl. Cryst. 27, 595 (1994).
"""

from collections.abc import Callable, Mapping
from types import MappingProxyType

import torch
from jaxtyping import Float
from torch import Tensor

from saxinfer.parameter import Parameter, ParameterSpace
from saxinfer.scattering.hard_spheres import (
    LogNormalShells,
    compressibility,
    interference,
)
from saxinfer.scattering.spheres import log_normal_sigma
from saxinfer.structures.base import Structure

__all__ = ["SUFFIX", "Interacting", "combination"]

SUFFIX = "@hardsphere"

# Narrower spreads are not told from this one.
NARROWEST = 1e-5

# How order reaches further with the square of the volume fraction: equal spheres at 0.5
# are then interpolated to 2e-5.
ORDERED = 12.0


class Interacting(Structure):
    """A model of spheres, and hard spheres between them; a closed form only.

    Args:
        base: The model of one kind of particles, far apart.

    Raises:
        ValueError: If there is no such combination.
    """

    def __init__(self, base: Structure) -> None:
        if base.name not in _PARTICLES:
            known = ", ".join(f"{name}{SUFFIX}" for name in _PARTICLES)
            raise ValueError(
                f"'{base.name}' cannot be combined with '{SUFFIX}': it is not made of "
                f"spheres. What can be combined: {known}."
            )
        self._base = base
        title = base.title.removeprefix("Dilute ")
        self.name = f"{base.name}{SUFFIX}"
        self.title = f"{title[0].upper()}{title[1:]}, not dilute (hard spheres)"
        self.references = (
            *base.references,
            "Wertheim, Phys. Rev. Lett. 10, 321 (1963)",
            "Pedersen, J. Appl. Cryst. 27, 595 (1994)",
        )
        share = Parameter(
            "volume_fraction", "1", 0, 0.5, "Share of space that the particles fill."
        )
        self.space = ParameterSpace((*base.space.parameters, share))
        self.dependent, self.derived = base.dependent, base.derived
        self.phases = base.phases
        self.special_cases = (base.name, *base.special_cases)
        self.smooth_to, self.valid_to = base.smooth_to, base.valid_to
        self.unit_contrast = base.unit_contrast

    def intensity(
        self, q: Float[Tensor, "*curves q"], theta: Float[Tensor, "batch parameter"]
    ) -> Float[Tensor, "batch q"]:
        """Scattered intensity, in the unit of the dilute particles' [nm³]."""
        exact, rows = theta.double(), q.double().expand(len(theta), -1)
        alone, share = exact[:, :-1], exact[:, -1]
        dilute = self._base.intensity(q.double(), alone)
        particles = _PARTICLES[self._base.name](self._base, alone)
        ordered = dilute + interference(rows, particles, share)
        # What is lost to rounding where nearly all of the curve is taken off.
        least = compressibility(share)[:, None] * dilute
        return torch.maximum(ordered, least).to(theta.dtype)

    def reach(self, theta: Float[Tensor, "batch parameter"]) -> Float[Tensor, " batch"]:
        """That of a particle; up to four times as far as the fluid gets dense [nm]."""
        return self._base.reach(theta[:, :-1]) * (1 + ORDERED * theta[:, -1].square())

    def smooth(
        self, theta: Float[Tensor, "batch parameter"]
    ) -> Float[Tensor, "batch coordinate"]:
        """Those of the particles, and the volume fraction."""
        return torch.cat([self._base.smooth(theta[:, :-1]), theta[:, -1:]], -1)

    def edges(
        self, theta: Float[Tensor, "batch parameter"]
    ) -> Float[Tensor, "batch distance"]:
        """Those of the particles."""
        return self._base.edges(theta[:, :-1])

    def mean_volume(
        self, theta: Float[Tensor, "batch parameter"]
    ) -> Float[Tensor, " batch"] | None:
        """That of the particles [nm³]."""
        return self._base.mean_volume(theta[:, :-1])

    def dependent_values(
        self, theta: Float[Tensor, "batch parameter"]
    ) -> Float[Tensor, "batch dependent"]:
        """Those of the particles."""
        return self._base.dependent_values(theta[:, :-1])

    def derived_values(
        self, theta: Float[Tensor, "batch parameter"]
    ) -> Float[Tensor, "batch derived"]:
        """Those of the particles."""
        return self._base.derived_values(theta[:, :-1])

    def phase_values(
        self, theta: Float[Tensor, "batch parameter"]
    ) -> Float[Tensor, "batch phase 3"]:
        """Those of the particles."""
        return self._base.phase_values(theta[:, :-1])

    def lookalikes(
        self, theta: Float[Tensor, "batch parameter"]
    ) -> Float[Tensor, "likeness batch parameter"]:
        """Those of the particles, as close together."""
        alone = self._base.lookalikes(theta[:, :-1])
        return torch.cat([alone, theta[:, -1:].expand(*alone.shape[:2], 1)], -1)

    def mirrors(
        self, theta: Float[Tensor, "batch parameter"]
    ) -> Float[Tensor, "mirror batch parameter"]:
        """Those of the particles, at the same volume fraction."""
        alone = self._base.mirrors(theta[:, :-1])
        return torch.cat([alone, theta[:, -1:].expand(len(alone), -1, 1)], -1)


def combination(name: str, models: Mapping[str, Structure]) -> Interacting:
    """The combination of a name such as ``sphere@hardsphere``.

    Args:
        name: Particles, ``@``, and what acts between them.
        models: Models of particles, by name.

    Raises:
        ValueError: If there is no such combination; the sentence lists all.
    """
    particles, _, between = name.partition("@")
    if particles not in _PARTICLES or f"@{between}" != SUFFIX:
        known = ", ".join(f"{each}{SUFFIX}" for each in _PARTICLES)
        raise ValueError(
            f"Unknown combination '{name}'. What can be combined: {known}, and "
            f"sasmodels:NAME{SUFFIX} for those of sasmodels."
        )
    return Interacting(models[particles])


def _shells(mean: Tensor, std: Tensor, *rest: Tensor) -> LogNormalShells:
    sigma = log_normal_sigma(mean, std).clamp(min=NARROWEST)
    return LogNormalShells(mean.log() - 0.5 * sigma.square(), sigma, *rest)


def _spheres(_: Structure, theta: Tensor) -> LogNormalShells:
    mean, std = theta.unbind(-1)
    none, one = torch.zeros_like(mean), torch.ones_like(mean)
    return _shells(mean, std, none, none, one, one)


def _core_shell_spheres(_: Structure, theta: Tensor) -> LogNormalShells:
    """The whole particle is spread in proportion."""
    mean, std, thickness, angle = theta.unbind(-1)
    contrasts = torch.cos(angle), torch.sin(angle)
    ratio = 1 - thickness / mean
    return _shells(mean, std, ratio, torch.zeros_like(mean), *contrasts)


def _lipid_nanoparticles(base: Structure, theta: Tensor) -> LogNormalShells:
    """All shells are equally thick."""
    mean, spread, thickness, core = theta[:, :4].unbind(-1)
    shell = base.derived_values(theta)[:, 1]
    one = torch.ones_like(mean)
    return _shells(mean, spread * mean, one, thickness, core, shell)


# How the parameters of a model say what its mean particles are.
_PARTICLES: Mapping[str, Callable[[Structure, Tensor], LogNormalShells]] = (
    MappingProxyType(
        {
            "sphere": _spheres,
            "core_shell_sphere": _core_shell_spheres,
            "lnp": _lipid_nanoparticles,
        }
    )
)
