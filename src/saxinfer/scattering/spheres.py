r"""Scattering of polydisperse spheres and core-shell spheres.

The amplitude of a core-shell sphere of outer radius R, core radius R_c, with core and
shell contrasts c and s against the solvent is

.. math:: F = \frac{4\pi}{3} [ s R^3 b(qR) + (c - s) R_c^3 b(q R_c) ], \quad
          b(x) = 3 (\sin x - x \cos x) / x^3 .

Radii are log-normal by number. With R = exp(m + sigma z) the mean of F² over z is a
trapezoid sum over equal steps h in z, which converges exponentially: for a phase that
turns by y a unit of z the error is exp(-(2 pi / h - y)² / 2), while the oscillation
itself has died out as exp(-y² / 2). Nodes at which a phase turns by several radians a
step therefore carry no oscillation in the exact mean either; there F² is replaced by
its mean over the phase, through a smooth window that many oscillations pass. That
keeps a few dozen nodes right for every q R.

References:
    Rayleigh, Proc. R. Soc. A 84, 25 (1910). Guinier & Fournet, Small-Angle Scattering
    of X-Rays (1955), section 2.1.
"""

import math
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

__all__ = ["ball", "core_shell_intensity", "log_normal_sigma", "sphere_intensity"]

# The R^6 weight moves the integrand's centre up by 6 sigma, in units of its width.
REACH = 4.7

# Phase turned between neighbouring nodes [rad]: kept below the first, dropped above
# the second.
KEEP, DROP = 2.0, 5.2

# Elements of one chunk: small enough for a core's cache.
CHUNK = 60_000


def log_normal_sigma(
    mean: Float[Tensor, " batch"], std: Float[Tensor, " batch"]
) -> Float[Tensor, " batch"]:
    """Standard deviation of ln R for a mean and standard deviation of R by number."""
    return torch.log1p((std / mean).square()).sqrt()


def ball(x: Tensor) -> Tensor:
    """3 (sin x - x cos x) / x³, the amplitude of a unit ball, 1 at x = 0.

    Right to 1e-7 in double precision and to 5e-4 in single; below the clamp the
    difference from 1 is smaller than what cancellation leaves of the closed form.
    """
    x = x.clamp(min=1e-3 if x.dtype == torch.float64 else 0.06)
    return 3 * (torch.sin(x) - x * torch.cos(x)) / (x * x * x)


def sphere_intensity(
    q: Float[Tensor, "*curves q"],
    mean: Float[Tensor, " batch"],
    std: Float[Tensor, " batch"],
) -> Float[Tensor, "batch q"]:
    """Mean of V² b² over a log-normal radius, divided by the mean volume [nm³].

    Multiplied by volume fraction and contrast squared this is the absolute intensity
    of a dilute dispersion.

    Args:
        q: Scattering vector [1/nm], shared or one grid a row.
        mean: Arithmetic mean radius by number [nm].
        std: Standard deviation of the radius [nm].
    """
    one = torch.ones_like(mean)
    return core_shell_intensity(q, mean, std, None, one, one)


def core_shell_intensity(
    q: Float[Tensor, "*curves q"],
    mean: Float[Tensor, " batch"],
    std: Float[Tensor, " batch"],
    core_ratio: Float[Tensor, " batch"] | None,
    core: Float[Tensor, " batch"],
    shell: Float[Tensor, " batch"],
) -> Float[Tensor, "batch q"]:
    """Mean of F² over a log-normal outer radius, divided by the mean volume.

    The whole particle is spread in proportion: the core keeps its share of the radius.

    Args:
        q: Scattering vector [1/nm], shared or one grid a row.
        mean: Arithmetic mean of the outer radius by number [nm].
        std: Its standard deviation [nm].
        core_ratio: Core radius over outer radius [1]; None for a homogeneous sphere.
        core: Contrast of the core against the solvent.
        shell: Contrast of the shell against the solvent.

    Returns:
        Intensity [nm³ times contrast²], one row a particle.
    """
    every = _Particles(mean, log_normal_sigma(mean, std), core_ratio, core, shell)
    # Rows of like spread share a chunk, because the spread sets the number of nodes.
    order = torch.argsort(every.sigma)
    every = every.rows(order)
    q = q.expand(len(mean), -1) if q.ndim == 1 else q[order]
    parts, start = [], 0
    while start < len(mean):
        count = max(
            1, CHUNK // (q.shape[1] * _nodes(float(every.sigma[start].detach())))
        )
        rows = slice(start, start + count)
        parts.append(_mean_square(q[rows], every.rows(rows)))
        start += count
    return torch.cat(parts)[torch.argsort(order)]


@dataclass(frozen=True, eq=False)
class _Particles:
    """One kind of particle a row."""

    mean: Tensor
    sigma: Tensor
    core_ratio: Tensor | None
    core: Tensor
    shell: Tensor

    def rows(self, index: Tensor | slice) -> "_Particles":
        ratio = None if self.core_ratio is None else self.core_ratio[index]
        mean, sigma = self.mean[index], self.sigma[index]
        return _Particles(mean, sigma, ratio, self.core[index], self.shell[index])


def _nodes(sigma: float) -> int:
    """Number of nodes over which the spread is summed."""
    return math.ceil((2 * REACH + 6 * sigma) * (2.2 + 12 * sigma)) + 1


def _mean_square(q: Tensor, particles: _Particles) -> Tensor:
    """The mean over radii for as many rows as fit into the cache."""
    mean, sigma = particles.mean, particles.sigma
    nodes = _nodes(float(sigma.detach().max()))
    width = sigma[:, None]
    unit = torch.linspace(0, 1, nodes, dtype=q.dtype, device=q.device)
    z = -REACH + (2 * REACH + 6 * width) * unit
    step = (2 * REACH + 6 * width) / (nodes - 1)
    scale = torch.exp(width * z - 0.5 * width.square())
    cube = scale * scale * scale
    weight = torch.exp(-0.5 * z.square()) * step / math.sqrt(2 * math.pi) * cube * cube
    x = q[:, :, None] * (mean[:, None] * scale)[:, None, :]
    square = _amplitude_square(x, (width * step)[:, :, None], particles)
    total = torch.einsum("bqn,bn->bq", square, weight)
    volume = mean * mean * mean * torch.exp(-3 * sigma.square())
    return total * (4 * math.pi / 3) * volume[:, None]


def _amplitude_square(x: Tensor, turn: Tensor, particles: _Particles) -> Tensor:
    """(F / V)² with the phases that turn too fast replaced by their mean."""
    core_ratio = particles.core_ratio
    outer = particles.shell[:, None, None]
    amplitude = outer * ball(x)
    if core_ratio is not None:
        ratio = core_ratio[:, None, None]
        inner = particles.core[:, None, None] - outer
        y = ratio * x
        amplitude = amplitude + (inner * ratio * ratio * ratio) * ball(y)
    square = amplitude * amplitude
    phase = (2 * turn) * x
    if float(phase.detach().max()) < KEEP:
        return square
    slow = 0.5 * outer * outer * (1 + x * x)
    if core_ratio is not None:
        apart = x - y
        beat = (1 + x * y) * torch.cos(apart) + apart * torch.sin(apart)
        slow = slow + (0.5 * inner * inner) * (1 + y * y)
        slow = slow + (outer * inner) * beat * _window(turn * apart)
    power = x.clamp(min=1.0).square()
    mean_square = 9 * slow / (power * power * power)
    mixed: Tensor = torch.lerp(mean_square, square, _window(phase))
    return mixed


def _window(phase: Tensor) -> Tensor:
    """1 below ``KEEP``, 0 above ``DROP``, smooth between."""
    share = ((phase - KEEP) / (DROP - KEEP)).clamp(0, 1)
    return 1 - share * share * (3 - 2 * share)
