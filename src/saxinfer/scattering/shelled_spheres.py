r"""Polydisperse spheres whose shell is equally thick on all of them.

Radii are log-normal by number and none is below the thickness d of the shell, so that
every particle has a core of radius R - d. With x = qR and y = q(R - d) the amplitude is

.. math:: F = \frac{4\pi}{q^3} [ s f(x) + (c - s) f(y) ], \quad
          f(x) = \sin x - x \cos x .

All of F² turns by 2x or not at all: its mean needs no more than

.. math:: M_n = \langle R^n \rangle, \quad S_n = \langle R^n e^{2iqR} \rangle, \quad
          n = 0, 1, 2 ,

which :class:`~saxinfer.scattering.log_normal.LogNormal` has for all radii; those below
d are a sum that is taken off. For small x the terms cancel down to x^6: there F² is
summed over radii as it is written.

For what fills the core, the mean volume that two cores have in common when one is
displaced by r against the other is wanted. It is of partial moments, in closed form:

.. math:: \langle R^n; R > a \rangle = e^{n \mu + n^2 \sigma^2 / 2}
          \Phi\Big( n \sigma - \frac{\ln a - \mu}{\sigma} \Big) .

References:
    Guinier & Fournet, Small-Angle Scattering of X-Rays (1955), sections 2.1 and 2.3.
"""

import math

import torch
from jaxtyping import Float
from torch import Tensor

from saxinfer.scattering.correlation import gauss_legendre
from saxinfer.scattering.log_normal import LogNormal
from saxinfer.scattering.spheres import ball, log_normal_sigma

__all__ = ["ShelledSpheres"]

# Radii of a sum: all, as far as they count for the volume squared, and those below the
# thickness of the shell; how far either reach in standard deviations of ln R.
RADII, BELOW, REACH = 48, 32, 5.5

# Up to this q times the median radius, F² is summed as it is written.
NEAR = 1.3

# Points of one chunk: small enough for a core's cache.
CHUNK = 20_000

# Phases between neighbouring radii [rad]: below the first fringes are followed, above
# the second they have cancelled.
FOLLOWED, CANCELLED = 1.5, 3.0


class ShelledSpheres:
    """Log-normal outer radii, each above the thickness of the shell.

    Args:
        mean: Mean outer radius by number, before any is left out [nm].
        spread: Standard deviation over the mean [1], likewise.
        thickness: Of the shell [nm]; particles without a core are left out.
    """

    def __init__(
        self,
        mean: Float[Tensor, " batch"],
        spread: Float[Tensor, " batch"],
        thickness: Float[Tensor, " batch"],
    ) -> None:
        self._mean, self._spread, self.thickness = mean, spread, thickness
        self.sigma = log_normal_sigma(mean, spread * mean)
        self.middle = mean.log() - 0.5 * self.sigma.square()
        """Mean of ln R."""
        self.first = (thickness.log() - self.middle) / self.sigma
        """Standard score of the smallest radius there is."""
        self.volume = self._partial(3)[:, 0] * (4 * math.pi / 3)
        """Mean volume of a particle [nm³]."""

    def _partial(self, order: int, score: Tensor | None = None) -> Tensor:
        """Mean of R^n over what is above a score, of all that there is, as a column."""
        score = self.first[:, None] if score is None else score
        shift = order * self.sigma[:, None]
        scale = (order * self.middle[:, None] + 0.5 * shift.square()).exp()
        above = torch.special.ndtr(shift - score)
        found: Tensor = scale * above / torch.special.ndtr(-self.first[:, None])
        return found

    def _radii(self, low: Tensor, high: Tensor, count: int) -> tuple[Tensor, Tensor]:
        """Gauss-Legendre radii between two scores, and their weights."""
        points, weights = gauss_legendre(count)
        half = 0.5 * (high - low)[:, None]
        z = low[:, None] + half * torch.from_numpy(1 + points)
        density = torch.exp(-0.5 * z.square()) * torch.from_numpy(weights)
        whole = math.sqrt(2 * math.pi) * torch.special.ndtr(-self.first[:, None])
        radius = (self.middle[:, None] + self.sigma[:, None] * z).exp()
        return radius, density * half / whole

    def mean_square_amplitude(
        self,
        q: Float[Tensor, "batch q"],
        core: Float[Tensor, " batch"],
        shell: Float[Tensor, " batch"],
    ) -> Float[Tensor, "batch q"]:
        """Mean of F² [nm^6 times contrast²].

        Args:
            q: Scattering vectors [1/nm], a grid for each row.
            core: Contrast of the core against the solvent.
            shell: Contrast of the shell against the solvent.
        """
        # Like radii side by side: what is near for one row of a chunk is so for all.
        order = torch.argsort(self.middle.detach())
        size = max(1, CHUNK // q.shape[1])
        parts = [
            self._of(rows)._curves(q[rows], core[rows], shell[rows])
            for rows in torch.split(order, size)
        ]
        return torch.cat(parts)[torch.argsort(order)]

    def _of(self, rows: Tensor) -> "ShelledSpheres":
        """Those of a few rows."""
        return ShelledSpheres(
            self._mean[rows], self._spread[rows], self.thickness[rows]
        )

    def _curves(self, q: Tensor, core: Tensor, shell: Tensor) -> Tensor:
        """The same, each q in the way that is right for it."""
        x = q * self.middle.exp()[:, None]
        near = int((x < NEAR).any(0).sum())
        alike = int((x < NEAR).all(0).sum())
        low = self._near(q[:, :near], core, shell)
        high = self._far(q[:, alike:], core, shell)
        mixed = x[:, alike:near] < NEAR
        middle = torch.where(mixed, low[:, alike:], high[:, : near - alike])
        return torch.cat([low[:, :alike], middle, high[:, near - alike :]], 1)

    def _near(self, q: Tensor, core: Tensor, shell: Tensor) -> Tensor:
        """The sum as it is written."""
        peak = 6 * self.sigma
        low = torch.maximum(self.first, peak - REACH)
        radius, weight = self._radii(low, peak + REACH, RADII)
        q, radius = q[..., None], radius[:, None]
        core_radius = radius - self.thickness[:, None, None]
        outer = shell[:, None, None] * radius.pow(3) * ball(q * radius)
        inner = (core - shell)[:, None, None] * core_radius.pow(3)
        square = (outer + inner * ball(q * core_radius)).square()
        return (16 * math.pi**2 / 9) * (square @ weight[..., None])[..., 0]

    def _far(self, q: Tensor, core: Tensor, shell: Tensor) -> Tensor:
        """Its mean over a fringe, and what waves add to it."""
        s, t, d = shell[:, None], (core - shell)[:, None], self.thickness[:, None]
        m1, m2 = self._partial(1), self._partial(2)
        delta, square = q * d, q.square()
        one, shift = torch.cos(delta), torch.sin(delta)
        mixed = (1 + square * (m2 - d * m1)) * one + delta * shift
        level = s.square() * (1 + square * m2) + 2 * s * t * mixed
        level = level + t.square() * (1 + square * (m2 - 2 * d * m1 + d.square()))
        s0, s1, s2 = self._waves(q)
        x1, x2 = q * s1, square * s2
        outer = x2 + 2j * x1 - s0
        both = x2 - delta * x1 + 1j * (2 * x1 - delta * s0) - s0
        y1 = x1 - delta * s0
        inner = x2 - delta * (x1 + y1) + 2j * y1 - s0
        back = torch.complex(one, -shift)
        wave = s.square() * outer + back * (
            2 * s * t * both + t.square() * back * inner
        )
        return (8 * math.pi**2) * (level + wave.real) / (square * square * square)

    def _waves(self, q: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Means of R^n exp(2iqR) for n = 0, 1, 2."""
        median = self.middle.exp()[:, None]
        there = torch.special.ndtr(-self.first)[:, None]
        every = LogNormal(self.sigma).turns(2 * q * median)
        s0, s1, s2 = (turn * (median**n / there) for n, turn in enumerate(every))
        few = (self.first > -REACH).nonzero()[:, 0]
        if len(few):
            below = self._below(q, few)
            s0, s1, s2 = (
                mean.index_add(0, few, part, alpha=-1)
                for mean, part in zip((s0, s1, s2), below, strict=True)
            )
        return s0, s1, s2

    def _below(self, q: Tensor, few: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """What radii below the thickness would add to those means, in a few rows."""
        low = torch.full_like(self.first, -REACH - 0.5)
        radius, weight = self._radii(low, self.first, BELOW)
        radius, weight = radius[few], weight[few]
        spacing = (math.pi / BELOW * self.sigma * (self.first - low)).detach()[few]
        powers = torch.stack([weight * radius**n for n in range(3)], -1)
        x = q[few, :, None] * radius[:, None]
        kept = _kept(x.detach() * spacing[:, None, None])
        cosine, sine = torch.cos(2 * x) * kept, torch.sin(2 * x) * kept
        s0, s1, s2 = torch.complex(cosine @ powers, sine @ powers).unbind(-1)
        return s0, s1, s2

    def core_overlap(self, r: Float[Tensor, " r"]) -> Float[Tensor, "batch r"]:
        """Mean volume that a core shares with itself, displaced by r [nm³].

        Args:
            r: Displacement [nm].
        """
        d = self.thickness[:, None]
        score = ((0.5 * r + d).log() - self.middle[:, None]) / self.sigma[:, None]
        m0, m1, m2, m3 = (self._partial(n, score) for n in range(4))
        square = m2 - 2 * d * m1 + d.square() * m0
        cube = m3 - 3 * d * m2 + 3 * d.square() * m1 - d.pow(3) * m0
        shared = 4 * cube / 3 - r * square + r.pow(3) * m0 / 12
        return math.pi * shared.clamp(min=0)


def _kept(phase: Tensor) -> Tensor:
    """1 where fringes are followed from radius to radius, 0 where they cancel."""
    share = ((phase - FOLLOWED) / (CANCELLED - FOLLOWED)).clamp(0, 1)
    return 1 - share * share * (3 - 2 * share)
