r"""Scattering of polydisperse spheres and core-shell spheres.

The amplitude of a core-shell sphere of outer radius R, core radius R_c, with core and
shell contrasts c and s against the solvent is

.. math:: F = \frac{4\pi}{3} [ s R^3 b(qR) + (c - s) R_c^3 b(q R_c) ], \quad
          b(x) = 3 f(x) / x^3, \quad f(x) = \sin x - x \cos x .

Radii are log-normal by number, and the mean of F² is wanted. As f is odd, the products
in it, with x = q R and y = q R_c, are differences of two waves,

.. math:: 2 f(x) f(y) = w(x, y) - w(x, -y), \quad
          w(x, y) = xy \cos(x + y) - (x + y) \sin(x + y) - \cos(x + y) ,

and :class:`~saxinfer.scattering.log_normal.LogNormal` has the means of those: no sum
over radii is needed. For small x they cancel down to x^6. There the mean of F² is a
series in x², fitted to sums over a few radii: nothing oscillates yet. Both are right
where one gives way to the other, and the passage is smooth.

References:
    Rayleigh, Proc. R. Soc. A 84, 25 (1910). Guinier & Fournet, Small-Angle Scattering
    of X-Rays (1955), section 2.1.
"""

import math
from collections.abc import Callable
from functools import cache, partial

import torch
from jaxtyping import Float
from torch import Tensor

from saxinfer.scattering.log_normal import LogNormal

__all__ = [
    "ball",
    "core_shell_intensity",
    "log_normal_sigma",
    "mean_volume",
    "sphere_intensity",
]

# Where q times the median radius, weighted by R^6, lies between these, the series
# gives way. It is a polynomial in tau = t (1 + BEND) / (t + BEND), where t is the
# share of the upper one, squared.
LOWER, UPPER = 1.2, 1.5
BEND, DEGREE = 1.5, 9

# How far the sums over radii reach to either side, in units of sigma.
REACH = 6.0

# Narrower spreads are not told from this one.
NARROWEST = 1e-5

# Points of one chunk: small enough for a core's cache.
CHUNK = 32_000


def log_normal_sigma(
    mean: Float[Tensor, " batch"], std: Float[Tensor, " batch"]
) -> Float[Tensor, " batch"]:
    """Standard deviation of ln R for a mean and standard deviation of R by number."""
    return torch.log1p((std / mean).square()).sqrt()


def mean_volume(
    mean: Float[Tensor, " batch"], std: Float[Tensor, " batch"]
) -> Float[Tensor, " batch"]:
    """Mean volume of spheres, 4 pi / 3 <R>³ (1 + sd² / <R>²)³ [nm³]."""
    return (4 * math.pi / 3) * (mean + std.square() / mean).pow(3)


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
        std: Standard deviation of the radius [nm], up to half of the mean.
    """
    return _sorted(_spheres, q, mean, std)


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
        std: Its standard deviation [nm], up to half of the mean.
        core_ratio: Core radius over outer radius [1]; None for a homogeneous sphere.
        core: Contrast of the core against the solvent.
        shell: Contrast of the shell against the solvent.

    Returns:
        Intensity [nm³ times contrast²], one row a particle.
    """
    if core_ratio is None:
        return shell.square()[:, None] * sphere_intensity(q, mean, std)
    return _sorted(_core_shell_spheres, q, mean, std, core_ratio, core, shell)


def _sorted(
    curves: Callable[..., Tensor], q: Tensor, mean: Tensor, *more: Tensor
) -> Tensor:
    """The curves, worked out in double precision, those of like radii side by side.

    The precision is for thin shells, whose terms cancel; the order, for what is small
    in one row of a chunk to be small in all.
    """
    columns = [column.double() for column in (mean, *more)]
    if len(mean) * q.shape[-1] <= CHUNK:
        return curves(q.double(), *columns).to(q.dtype)
    order = torch.argsort(mean.detach())
    grid = (q if q.ndim == 1 else q[order]).double()
    found = curves(grid, *(column[order] for column in columns))
    return found[torch.argsort(order)].to(q.dtype)


def _radii(mean: Tensor, std: Tensor) -> LogNormal:
    return LogNormal(log_normal_sigma(mean, std).clamp(min=NARROWEST))


def _spheres(q: Tensor, mean: Tensor, std: Tensor) -> Tensor:
    """Curves of spheres, a row each."""
    radii = _radii(mean, std)
    one = torch.ones_like(radii.sigma)
    waves, second, sixth = radii.waves(one), radii.moment(2), radii.moment(6)
    deficits, weight = _deficits(one, radii)
    series = _series(one, deficits[:, 0], weight)

    def far(rows: slice, x: Tensor, t: Tensor) -> Tensor:
        wave = waves[rows](x[:, None])[:, 0]
        return _over_sixth(_twice_square(x, wave, second[rows]), x, sixth[rows])

    return _in_chunks(q, mean, radii, series, far)


def _core_shell_spheres(
    q: Tensor, mean: Tensor, std: Tensor, ratio: Tensor, core: Tensor, shell: Tensor
) -> Tensor:
    """Curves of core-shell spheres, a row each."""
    radii = _radii(mean, std)
    ratio, shell, inner = ratio[:, None], shell[:, None], (core - shell)[:, None]
    one, inner_volume = torch.ones_like(ratio), inner * ratio.pow(3)
    waves = radii.waves(torch.cat([one, one, ratio, -ratio], 1))
    second, sixth = radii.moment(2), radii.moment(6)
    deficits, weight = _deficits(torch.cat([one, ratio], 1), radii)
    alone = _series(one, deficits[:, 0], weight)
    shares = torch.cat([shell, inner_volume], 1)
    both = (shares[..., None, None] * deficits).sum(1)
    series = _series(shell + inner_volume, both, weight)

    def far(rows: slice, x: Tensor, t: Tensor) -> Tensor:
        y, t = ratio[rows] * x, ratio[rows].square() * t
        phases = torch.stack([x, y, x, x], 1)
        outer, core, total, apart = waves[rows](phases).unbind(1)
        outer = _twice_square(x, outer, second[rows])
        core = _over_sixth(_twice_square(y, core, second[rows]), y, sixth[rows])
        core = torch.lerp(_value(alone[rows], t), core, _share(t))
        mixed = (2 * shell[rows] * inner[rows]) * (total - apart)
        mixed = _over_sixth(mixed + shell[rows].square() * outer, x, sixth[rows])
        return mixed + inner_volume[rows].square() * core

    return _in_chunks(q, mean, radii, series, far)


def _twice_square(x: Tensor, wave: Tensor, second: Tensor) -> Tensor:
    """Mean of 2 f(x)²: of 1 + x² and the wave of equal phases."""
    return torch.addcmul(1 + wave, x, second * x)


def _over_sixth(value: Tensor, x: Tensor, sixth: Tensor) -> Tensor:
    """9 / 2 of the value over <x^6>, kept finite where the series holds."""
    x = x.clamp(min=0.1)
    cube = x * x * x
    return value * (4.5 / sixth) / (cube * cube)


def _in_chunks(
    q: Tensor,
    mean: Tensor,
    radii: LogNormal,
    series: Tensor,
    far: Callable[[slice, Tensor, Tensor], Tensor],
) -> Tensor:
    """<F²> / <V>, as many rows at a time as fit into the cache."""
    variance = radii.sigma.square()
    median, edge = mean[:, None] * torch.exp(-0.5 * variance), torch.exp(6 * variance)
    size, parts = max(1, CHUNK // q.shape[-1]), []
    for start in range(0, len(mean), size):
        rows = slice(start, start + size)
        x = median[rows] * (q if q.ndim == 1 else q[rows])
        t = (x * (edge[rows] / UPPER)).square()
        parts.append(_joined(x, t, series[rows], partial(far, rows)))
    volume = (4 * math.pi / 3) * mean.pow(3)[:, None] * torch.exp(12 * variance)
    return volume * torch.cat(parts)


def _joined(
    x: Tensor, t: Tensor, series: Tensor, far: Callable[[Tensor, Tensor], Tensor]
) -> Tensor:
    """The series where it holds, ``far`` of x and t elsewhere.

    On a grid that rises each is worked out only in the columns that need it.
    """
    start = _run((t < (LOWER / UPPER) ** 2).all(0))
    stop = x.shape[1] - _run((t >= 1).all(0).flip(0))
    near = _value(series, t[:, :stop])
    outside = far(x[:, start:], t[:, start:])
    share = _share(t[:, start:stop])
    middle: Tensor = torch.lerp(near[:, start:], outside[:, : stop - start], share)
    return torch.cat([near[:, :start], middle, outside[:, stop - start :]], 1)


def _run(flags: Tensor) -> int:
    """How many flags are set before the first that is not."""
    return int(flags.long().cumprod(0).sum())


def _share(t: Tensor) -> Tensor:
    """0 where only the series counts, 1 where it does not, smooth between."""
    lower = (LOWER / UPPER) ** 2
    share = ((t - lower) / (1 - lower)).clamp(0, 1)
    return share * share * (3 - 2 * share)


@cache
def _samples(device: torch.device) -> tuple[Tensor, Tensor, Tensor]:
    """Tau and x of the samples, and the matrix from them to powers of tau."""
    order = torch.arange(DEGREE + 1, dtype=torch.float64, device=device)
    tau = 0.5 + 0.5 * torch.cos(math.pi * (order + 0.5) / (DEGREE + 1))
    x = UPPER * (BEND * tau / (1 + BEND - tau)).sqrt()
    return tau, x, torch.linalg.inv(torch.vander(tau, increasing=True)).T


def _deficits(ratio: Tensor, radii: LogNormal) -> tuple[Tensor, Tensor]:
    """1 - b(ratio x) of every radius at the samples, and the weights of the radii.

    Shapes [batch, ratio, sample, radius] and [radius].
    """
    _, x, _ = _samples(ratio.device)
    nodes = 13 + math.ceil(18 * radii.widest)
    z = torch.linspace(-REACH, REACH, nodes, dtype=x.dtype, device=x.device)
    scale = ratio[..., None] * torch.exp(radii.sigma * z)[:, None]
    deficits = 1 - ball(x[:, None] * scale[:, :, None])
    return deficits, torch.softmax(-0.5 * z.square(), 0)


def _series(forward: Tensor, deficit: Tensor, weight: Tensor) -> Tensor:
    """Mean of (forward - deficit)² over the radii in powers of tau.

    The deficit is of the order of tau: a curve that starts at zero does so exactly.
    """
    tau, _, fit = _samples(forward.device)
    once = ((deficit @ weight) / tau) @ fit
    twice = ((deficit.square() @ weight) / tau.square()) @ fit
    zero = torch.zeros_like(forward)
    first = torch.cat([forward.square(), -2 * forward * once, zero], 1)
    return first + torch.cat([zero, zero, twice], 1)


def _value(series: Tensor, t: Tensor) -> Tensor:
    """The series at t."""
    tau = (1 + BEND) * t / (t + BEND)
    value = series[:, -1:]
    for n in range(series.shape[1] - 2, -1, -1):
        value = torch.addcmul(series[:, n : n + 1], value, tau)
    return value
