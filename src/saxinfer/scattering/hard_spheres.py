r"""Spheres that keep one another at a distance: the Percus-Yevick fluid.

Hard spheres of radius R that fill the share phi of space have, with x = 2qR and

.. math:: \alpha = \frac{(1 + 2\phi)^2}{(1 - \phi)^4}, \quad
          \beta = -6 \phi \frac{(1 + \phi/2)^2}{(1 - \phi)^4}, \quad
          \gamma = \frac{\phi \alpha}{2},

the structure factor

.. math:: S = \frac{1}{1 + C}, \quad C(x) = 24 \phi \int_0^1
          (\alpha + \beta u + \gamma u^3) \, \frac{\sin xu}{xu} \, u^2 du, \quad
          S(0) = \frac{(1 - \phi)^4}{(1 + 2\phi)^2} .

The integral is a closed form, and a series where its terms cancel. S is right to
1e-10, also as phi goes to zero; nowhere is it below S(0).

If radii differ, each particle is taken to lie among such of its own size (local
monodisperse approximation). What the others add to the curve of dilute ones is

.. math:: \Delta I(q) = \frac{1}{\langle V \rangle} \int n(R) \, F^2(q, R) \,
          [S(2qR) - 1] \, dR ,

a trapezoid sum over log-normal radii. Its variable v has x/2 = qR = c ln(1 + e^v):
steps are even in ln R for small particles and in R for large ones, so that all fringes
are followed. How many there are depends on the width of the distribution, on how fast
F² and S turn, and on the pole of S next to the real axis, which closes in on it as the
fluid gets dense. At every q of the prior of ``sphere@hardsphere`` and its like, curves
are right to 1e-3 and a millionth of I(0), most to 1e-5. From qR = 60 + 6 / sigma on,
400 at most, S - 1 is left out: it is below 0.5 % there.

References:
    Wertheim, Phys. Rev. Lett. 10, 321 (1963). Thiele, J. Chem. Phys. 39, 474 (1963).
    Ashcroft & Lekner, Phys. Rev. 145, 83 (1966). Local monodisperse approximation:
    Pedersen, J. Appl. Cryst. 27, 595 (1994).
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor
from torch.utils.checkpoint import checkpoint

__all__ = ["LogNormalShells", "compressibility", "interference", "structure_factor"]

# Below this x the closed form of C gives way to a series of so many terms.
SERIES, TERMS = 0.5, 6

# The c of v, in units of qR.
BENT = 16.0

# How far the sum reaches to either side, in sigma.
REACH = 4.8

# Largest steps in sigma; the second where radii are cut off.
WIDEST, STARTING = 1.2, 0.25

# Where they are cut off less than the first [sigma] from the middle, the largest step
# in qR there.
SHARP, CUT = 3.0, 0.25

# Largest step in qR that follows fringes; as they fade it may grow by 1 in the second.
FRINGE, FARTHER = 1.2, 80.0

# The pole of S lies near this qR, and c ln(d / phi) above the axis; what it may leave
# behind, as a logarithm.
POLE, HEIGHT, CLOSED, LEFT = 3.4, 0.74, 0.725, 7.0

# S is 1 beyond this qR and the second over sigma, but at most the third; from the
# fourth of it on, S - 1 is faded out. No sum begins beyond the fifth.
LAST, NARROW, FARTHEST, FADES, BEYOND = 60.0, 6.0, 400.0, 0.7, 2000.0

# Sums have so many terms, or more by powers of the second.
FEWEST, GROWTH = 10, 1.12

# First weights of a sum that starts where the integrand does not vanish (Gregory).
START = (95 / 288, 317 / 240, 23 / 30, 793 / 720, 157 / 160)

# Smaller amplitudes are not told from their limit.
SMALL = 1e-4

# Terms of one chunk.
CHUNK = 150_000


@dataclass(frozen=True, eq=False)
class LogNormalShells:
    """Core-shell spheres with log-normal outer radii, a row each, in float64.

    Attributes:
        middle: Mean of ln R, R in nm.
        sigma: Standard deviation of ln R, above 0.
        core_ratio: What part of the outer radius ...
        thickness: ... less what length [nm] is the core radius. Where the latter is
            not zero, particles without a core are left out. Both are 0 for
            homogeneous spheres.
        core: Contrast of the core against the solvent.
        shell: Contrast of the shell.
    """

    middle: Float[Tensor, " batch"]
    sigma: Float[Tensor, " batch"]
    core_ratio: Float[Tensor, " batch"]
    thickness: Float[Tensor, " batch"]
    core: Float[Tensor, " batch"]
    shell: Float[Tensor, " batch"]

    @property
    def first(self) -> Float[Tensor, " batch"]:
        """Standard score of the smallest outer radius; far below where all count."""
        smallest = self.thickness / self.core_ratio.clamp(min=1e-6)
        score = (smallest.clamp(min=1e-30).log() - self.middle) / self.sigma
        return score.clamp(min=-40)

    @property
    def volume(self) -> Float[Tensor, " batch"]:
        """Mean volume [nm³]."""
        cube = (3 * self.middle + 4.5 * self.sigma.square()).exp()
        above = torch.special.ndtr(3 * self.sigma - self.first)
        share: Tensor = above / torch.special.ndtr(-self.first)
        return (4 * math.pi / 3) * cube * share


def compressibility(
    volume_fraction: Float[Tensor, "*shape"],
) -> Float[Tensor, "*shape"]:
    """S(0), the smallest value of S.

    Example:
        >>> compressibility(torch.tensor(0.5))
        tensor(0.0156)
    """
    return (1 - volume_fraction).pow(4) / (1 + 2 * volume_fraction).square()


def structure_factor(
    x: Float[Tensor, "*shape"], volume_fraction: Float[Tensor, "*fluid"]
) -> Float[Tensor, "*shape"]:
    """Structure factor S of equal hard spheres.

    Args:
        x: Scattering vector times diameter, not negative; float64 for what is said of
            the accuracy.
        volume_fraction: Share phi of space that the spheres fill, 0 to below 1; of any
            shape that goes with that of ``x``.

    Example:
        >>> x = torch.tensor([0.0, 7.0], dtype=torch.float64)
        >>> structure_factor(x, torch.tensor(0.5, dtype=torch.float64))
        tensor([0.0156, 3.2400], dtype=torch.float64)
    """
    x = x.clamp(min=1e-9)
    return 1 / (1 + _direct(x, torch.sin(x), torch.cos(x), _fluid(volume_fraction)))


def interference(
    q: Float[Tensor, "batch q"],
    particles: LogNormalShells,
    volume_fraction: Float[Tensor, " batch"],
) -> Float[Tensor, "batch q"]:
    """What their order adds to the curve of dilute particles [nm³ times contrast²].

    Args:
        q: Scattering vectors [1/nm], a grid for each row, float64.
        particles: Rows as in ``q``.
        volume_fraction: Share phi of space that the particles fill, 0 to 0.5.
    """
    columns = torch.stack(
        [
            particles.middle,
            particles.sigma,
            particles.core_ratio,
            particles.thickness,
            particles.core,
            particles.shell,
            particles.first,
            volume_fraction,
        ],
        -1,
    )
    ends = _ends(q, columns)
    terms = _terms(*(part.detach() for part in (q, *ends, columns)))
    scattering, low, high, count = (part.reshape(-1) for part in (q, *ends, terms))
    # Those of like number and phase side by side.
    order = torch.argsort(count + 1e-4 * low.detach().clamp(-99, 99))
    parts = []
    for few in _chunks(order, count):
        nodes = int(count[few[0]])
        rows = columns[few // q.shape[1]]
        given = scattering[few], rows, (low[few], high[few]), nodes
        # What a derivative needs is worked out anew: it would fill the memory.
        again = torch.is_grad_enabled() and (rows.requires_grad or q.requires_grad)
        parts.append(_anew(*given) if again else _sums(*given))
    sums = torch.cat(parts)[torch.argsort(order)].view_as(q)
    return sums / particles.volume[:, None]


def _anew(*given: object) -> Tensor:
    """The sums, without keeping their terms for a derivative."""
    sums: Tensor = checkpoint(
        _sums, *given, use_reentrant=False, preserve_rng_state=False
    )
    return sums


def _chunks(order: Tensor, count: Tensor) -> Iterator[Tensor]:
    """Points of as many terms, a limited number at a time."""
    alike = torch.unique_consecutive(count[order], return_counts=True)
    sizes = alike[1].tolist()
    for nodes, group in zip(alike[0].tolist(), torch.split(order, sizes), strict=True):
        yield from torch.split(group, max(1, CHUNK // nodes))


def _fluid(phi: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """24 phi times alpha, beta and gamma."""
    outer = 24 * phi / (1 - phi).pow(4)
    alpha = outer * (1 + 2 * phi).square()
    beta = -6 * phi * outer * (1 + 0.5 * phi).square()
    return alpha, beta, 0.5 * phi * alpha


def _direct(
    x: Tensor, sine: Tensor, cosine: Tensor, fluid: tuple[Tensor, Tensor, Tensor]
) -> Tensor:
    """C at x > 0, given sine and cosine of it."""
    alpha, beta, gamma = fluid
    square = x * x
    # Kept finite where the series holds.
    safe = square.clamp(min=0.25 * SERIES**2)
    odd = x * ((alpha + 2 * beta + 4 * gamma) * square - 24 * gamma)
    bent = (2 * beta + 12 * gamma) - (alpha + beta + gamma) * square
    even = bent * square - 24 * gamma
    level = 24 * gamma - 2 * beta * square
    closed = (odd * sine + even * cosine + level) / (safe * safe * safe)
    near = x.detach() < SERIES
    if not bool(near.any()):
        return closed
    value = torch.zeros_like(closed)
    for n in reversed(range(TERMS)):
        term = alpha / (2 * n + 3) + beta / (2 * n + 4) + gamma / (2 * n + 6)
        factor = (-1) ** n / math.factorial(2 * n + 1)
        value = value * square + factor * term
    return torch.where(near, value, closed)


def _ends(q: Tensor, columns: Tensor) -> tuple[Tensor, Tensor]:
    """From which to which ln qR to sum.

    They move with the particles, so that a derivative is that of the sum.
    """
    middle, sigma, first = columns[:, 0, None], columns[:, 1, None], columns[:, 6, None]
    phase = q.log() + middle
    # Small particles count by R^6 up to where fringes begin.
    peak = (math.log(2) - phase).clamp(min=torch.zeros_like(sigma))
    peak = torch.minimum(peak, 6 * sigma.square())
    low = torch.maximum(peak - REACH * sigma, first * sigma) + phase
    high = peak + (REACH + sigma) * sigma + phase
    # Beyond the last there is nothing; a sum needs some room.
    low = low.clamp(max=math.log(BEYOND))
    high = torch.minimum(high, _last(sigma).log())
    return low, torch.maximum(high, low + sigma)


def _cut(q: Tensor, low: Tensor, columns: Tensor) -> Tensor:
    """Whether a sum begins at the smallest radius there is."""
    middle, sigma, first = columns[:, 0, None], columns[:, 1, None], columns[:, 6, None]
    return low <= q.log() + middle + sigma * first + 1e-9


def _terms(q: Tensor, low: Tensor, high: Tensor, columns: Tensor) -> Tensor:
    """In how many terms to sum."""
    sigma, first, phi = columns[:, 1, None], columns[:, 6, None], columns[:, 7, None]
    first_x, last_x = low.exp(), high.exp()
    begin, end = _bend(first_x), _bend(last_x)
    # Steps of ln R at the lower end, where a cut is followed more finely, of fringes at
    # the upper one, and at the pole.
    cut, fringe = _cut(q, low, columns), FRINGE + last_x / FARTHER
    widest = torch.where(cut, STARTING, WIDEST)
    steps = begin / (first_x * sigma * widest) + end / fringe
    sharp = cut & (first > -SHARP)
    steps = steps + torch.where(sharp, begin / (CUT + first_x / FARTHER), 0)
    above = HEIGHT * (CLOSED / phi.clamp(min=1e-3)).log()
    pole = LEFT / (2 * math.pi * above) - 1 / fringe
    near = _bend(first_x.clamp(min=POLE)) * pole.clamp(min=0)
    steps = steps + torch.where(last_x > 2, near, 0)
    length = (last_x - first_x) / BENT + (end / begin).log()
    power = ((length * steps + 1).clamp(min=FEWEST) / FEWEST).log() / math.log(GROWTH)
    return (FEWEST * GROWTH ** power.ceil()).round().long()


def _last(sigma: Tensor) -> Tensor:
    """The qR beyond which S is 1."""
    return (LAST + NARROW / sigma).clamp(max=FARTHEST)


def _bend(x: Tensor) -> Tensor:
    """The derivative of x = qR by v."""
    return -BENT * torch.expm1(-x / BENT)


def _variable(x: Tensor) -> Tensor:
    """The v of x = qR."""
    return x / BENT + (-torch.expm1(-x / BENT)).log()


def _sums(
    q: Tensor, columns: Tensor, ends: tuple[Tensor, Tensor], count: int
) -> Tensor:
    """The mean of F² (S - 1) at some points, by as many terms each."""
    middle, sigma, ratio, thickness, core, shell, first, phi = (
        column[:, None] for column in columns.unbind(-1)
    )
    q, low, high = q[:, None], ends[0][:, None], ends[1][:, None]
    x, weight = _nodes(_variable(low.exp()), _variable(high.exp()), count)
    cut = _cut(q, low, columns).detach()
    if bool(cut.any()):
        weight = torch.where(cut, _starting(weight), weight)
    score = (x.log() - q.log() - middle) / sigma
    weight = weight * torch.exp(-0.5 * score.square())
    if float(high.detach().max()) > math.log(FADES * LAST):
        weight = weight * _kept(x / _last(sigma))
    small = float(low.detach().min()) < math.log(SMALL)
    sine, cosine = torch.sin(x), torch.cos(x)
    amplitude = shell * _ball(x, sine, cosine, small)
    if bool((ratio > 0).any()):
        y = (ratio * x - q * thickness).clamp(min=1e-12)
        inner = _ball(y, torch.sin(y), torch.cos(y), small)
        amplitude = torch.addcmul(amplitude, core - shell, inner)
    direct = _direct(2 * x, 2 * sine * cosine, 1 - 2 * sine * sine, _fluid(phi))
    ordered = (weight * amplitude * amplitude * direct / (1 + direct)).sum(-1)
    there = math.sqrt(2 * math.pi) * sigma * torch.special.ndtr(-first)
    found: Tensor = (-16 * math.pi**2) * ordered / (there * q.pow(6))[:, 0]
    return found


def _nodes(begin: Tensor, end: Tensor, count: int) -> tuple[Tensor, Tensor]:
    """Phases qR at even steps of v, and the steps of ln R there."""
    step = (end - begin) / (count - 1)
    places = torch.arange(count, dtype=step.dtype, device=step.device)
    rise = torch.exp(torch.addcmul(begin, step, places))
    x = BENT * torch.log1p(rise)
    return x, (BENT * step) * rise / ((1 + rise) * x)


def _starting(weight: Tensor) -> Tensor:
    """Weights of a sum that starts with its first term."""
    factors = weight.new_ones(weight.shape[1])
    factors[: len(START)] = weight.new_tensor(START)
    return weight * factors


def _kept(x: Tensor) -> Tensor:
    """1 where S counts, 0 from the last qR on, smooth between; x is in units of it."""
    share = ((x - FADES) / (1 - FADES)).clamp(0, 1)
    return 1 - share * share * (3 - 2 * share)


def _ball(x: Tensor, sine: Tensor, cosine: Tensor, small: bool) -> Tensor:
    """The amplitude f = sin x - x cos x of a ball."""
    found = torch.addcmul(sine, x, cosine, value=-1)
    return torch.where(x < 1e-3, x * x * x / 3, found) if small else found
