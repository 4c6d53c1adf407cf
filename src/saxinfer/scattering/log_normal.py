r"""Log-normal averages of oscillations, without a sum over radii.

Let X = exp(sigma z) with z standard normal. Products of sines and cosines of X are
sums of :math:`\varphi_n(u) = \langle X^n e^{iuX} \rangle`. On the real axis the
integrand turns by u sigma a unit of z. On the parallel to it through the saddle point
w / sigma of the exponent, where :math:`w = i\kappa e^w` and
:math:`\kappa = u\sigma^2`, that is :math:`w = -W(-i\kappa)` with Lambert's W, nothing
turns any more:

.. math:: \varphi_n(u) = \exp\frac{w - w^2/2}{\sigma^2} \, e^{nw}
          \int \exp\Big(-\frac{t^2}{2} + w\,\frac{e^{\sigma t} - 1 - \sigma t}{\sigma^2}
          + n \sigma t\Big) \frac{dt}{\sqrt{2\pi}} .

W has branch points at kappa = ± i/e and grows as a logarithm. With
:math:`\ell = \ln(1 + c^2\kappa^2)` and :math:`\varrho = e^{-\ell/2}` what is left are
six real functions of l that hardly vary,

.. math:: \varphi_0 = \exp[-\ell P_0 / \sigma^2 + i \varrho u (1 + \sigma^2 P_1)],
          \quad \varphi_1 = \varrho (P_2 + i \varrho\kappa P_3) \varphi_0, \quad
          \varphi_2 = \varrho^2 (P_4 + i \varrho\kappa P_5) \varphi_0 .

They are polynomials in l, as far as kappa = sinh(7 sigma), where the oscillation has
died out to 1e-7; their coefficients are polynomials in that last l. The mean of a
wave is right to 1e-7 of 1 + x², and to 5e-9 for x < 3, for every
sigma; narrow spreads do better.

References:
    Asmussen, Jensen & Rojas-Nandayapa, Methodol. Comput. Appl. Probab. 18, 441 (2016).
    Corless et al., Adv. Comput. Math. 5, 329 (1996).
"""

import functools
import math
from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float
from scipy.special import lambertw
from torch import Tensor

__all__ = ["LARGEST_SIGMA", "LogNormal", "Waves"]

# A standard deviation of half the mean has 0.4724.
LARGEST_SIGMA = 0.48

# The c of l, and the growth of the last kappa with sigma.
SLIT, GROWTH = 5.5, 7.0

# Degrees in l, at most, and in the last l.
DEGREE, SIGMA_DEGREE = 24, 40


class LogNormal:
    """X = exp(sigma z) for a standard normal z, of another spread in each row.

    Args:
        sigma: Standard deviation of ln X, float64.

    Raises:
        ValueError: If a sigma is beyond ``LARGEST_SIGMA``.

    Example:
        >>> one = torch.ones(1, 1, dtype=torch.float64)
        >>> radii = LogNormal(0.1 * one[0])
        >>> radii.waves(one)(one[None])
        tensor([[[-1.8094]]], dtype=torch.float64)
    """

    def __init__(self, sigma: Float[Tensor, " batch"]) -> None:
        self.widest = float(sigma.detach().max())
        if self.widest > LARGEST_SIGMA:
            raise ValueError(
                f"the standard deviation of ln R must be at most {LARGEST_SIGMA}, got "
                f"{self.widest:.4g}. Keep that of R below half of the mean radius."
            )
        self.sigma = sigma[:, None]

    def moment(self, order: int) -> Float[Tensor, "batch 1"]:
        """Mean of X^order."""
        return torch.exp((0.5 * order**2) * self.sigma.square())

    def waves(self, ratio: Float[Tensor, "batch wave"]) -> "Waves":
        """Prepares the mean of a wave of x and y = ratio x, for every x.

        Args:
            ratio: y over x, -1 to 1.
        """
        last = _l(torch.sinh(GROWTH * self.sigma))
        slow = self._slow(last).unbind(2)
        variance, turns, ratio = self.sigma.square(), 1 + ratio, ratio[..., None]
        a, v = turns[..., None], variance[..., None]
        one = torch.zeros_like(slow[1])
        one[..., 0] = 1
        parts = (
            (-1 / v * slow[0]).expand(*turns.shape, -1),
            a * (one + v * slow[1]),
            ratio * slow[4] - (a.square() * v) * slow[3],
            a * slow[2],
            (a * v * ratio) * slow[5],
        )
        scale = SLIT * variance * turns
        return Waves(scale[..., None], 2 / last[..., None], torch.stack(parts, 2))

    def turns(self, u: Float[Tensor, "batch u"]) -> tuple[Tensor, Tensor, Tensor]:
        """Means of X^n exp(iuX) for n = 0, 1 and 2, complex.

        Args:
            u: Phase at the median [rad], 0 or more; right to 1e-7 of the largest term.
        """
        last = _l(torch.sinh(GROWTH * self.sigma))
        slow, variance = self._slow(last)[:, 0], self.sigma.square()
        kappa = u * variance
        square = (SLIT * kappa).square()
        path, short = torch.log1p(square), torch.rsqrt(1 + square)
        place = ((2 / last) * path).clamp(max=2) - 1
        p = (slow @ _powers(place, slow.shape[-1])).unbind(1)
        bent = short * kappa
        zeroth = torch.polar(
            torch.exp(-path * p[0] / variance), short * u * (1 + variance * p[1])
        )
        first = short * torch.complex(p[2], bent * p[3])
        second = short.square() * torch.complex(p[4], bent * p[5])
        return zeroth, first * zeroth, second * zeroth

    def _slow(self, last: Tensor) -> Tensor:
        """P_0 to P_5 in powers of 2 l / last - 1, [batch, 1, function, power]."""
        order, longest, table, powers = _table(last.device)
        basis = torch.cos(order * torch.acos((2 / longest) * last - 1))
        # The narrower the spread the shorter the way; what is dropped is below 1e-9.
        count = math.ceil(min(5 + 100 * self.widest, 13 + 25 * self.widest))
        slow = (basis @ table).view(-1, 1, 6, DEGREE + 1)[..., :count]
        slow = slow @ powers[:count, :count]
        # At equal phases P_4 is <X²>; of a thin shell nothing else may be left there.
        first = slow[..., 4, ::2].sum(-1) - slow[..., 4, 1::2].sum(-1)
        slow[..., 4, 0] += self.moment(2) - first
        return slow


@dataclass(frozen=True, eq=False)
class Waves:
    """Means of x y cos(x + y) - (x + y) sin(x + y) - cos(x + y), x and y times X.

    With x standing for rho x, and a = 1 + ratio, such a mean is

        exp(-l P_0 / sigma²) [(E x² - 1) cos p - x (a P_2 + B x²) sin p],
        p = a (1 + sigma² P_1) x, E = ratio P_4 - a² sigma² P_3, B = a sigma² ratio P_5.

    Attributes:
        scale: c kappa over x.
        stretch: 2 over the last l.
        weights: The factors -P_0 / sigma² to B in powers of l times ``stretch`` - 1.
    """

    scale: Float[Tensor, "batch wave 1"]
    stretch: Float[Tensor, "batch 1 1"]
    weights: Float[Tensor, "batch wave 5 power"]

    def __getitem__(self, rows: slice) -> "Waves":
        return Waves(self.scale[rows], self.stretch[rows], self.weights[rows])

    def __call__(
        self, x: Float[Tensor, "batch wave q"]
    ) -> Float[Tensor, "batch wave q"]:
        """The means.

        Args:
            x: Phase at the median [rad].
        """
        square = (x * self.scale).square()
        path = torch.log1p(square)
        x = x * torch.rsqrt(1 + square)
        square = x * x
        decay, phase, even, odd, bent = self._parts(path)
        phase = x * phase
        odd = torch.addcmul(odd, square, bent)
        wave = (square * even - 1) * torch.cos(phase)
        wave = torch.addcmul(wave, x * odd, torch.sin(phase), value=-1)
        return torch.exp(path * decay) * wave

    def _parts(self, path: Tensor) -> tuple[Tensor, ...]:
        place = (self.stretch * path).clamp(max=2) - 1
        powers = _powers(place.flatten(0, 1), self.weights.shape[-1])
        parts = self.weights.flatten(0, 1) @ powers
        return parts.view(*path.shape[:2], 5, -1).unbind(2)


def _l(kappa: Tensor) -> Tensor:
    return torch.log1p((SLIT * kappa).square())


def _powers(x: Tensor, count: int) -> Tensor:
    """1, x, x² and so on, along an axis of their own."""
    if not (torch.is_grad_enabled() and x.requires_grad):
        # Nothing is copied where no derivative asks what the parts were.
        powers = x.new_empty(len(x), count, *x.shape[1:])
        powers[:, 0], powers[:, 1] = 1, x
        for n in range(2, count):
            torch.mul(powers[:, n // 2], powers[:, n - n // 2], out=powers[:, n])
        return powers
    every = [torch.ones_like(x), x]
    for n in range(2, count):
        every.append(every[n // 2] * every[n - n // 2])
    return torch.stack(every, 1)


@functools.cache
def _table(device: torch.device) -> tuple[Tensor, float, Tensor, Tensor]:
    """Orders n, the longest l, the matrix from T_n(last l) to T_n(l), T_n in powers."""
    # A little beyond: at the very end the angle of T_n has no derivative.
    longest = math.log1p((SLIT * math.sinh(GROWTH * (LARGEST_SIGMA + 1e-3))) ** 2)
    points, fit = _chebyshev_fit(SIGMA_DEGREE)
    last = 0.5 * longest * (1 + points)
    sigma = np.arcsinh(np.sqrt(np.expm1(last)) / SLIT) / GROWTH
    points, fit_path = _chebyshev_fit(DEGREE)
    slow = _slow(0.5 * last[:, None] * (1 + points), sigma[:, None])
    table = np.einsum("ij,cjk,lk->icl", fit, slow, fit_path).reshape(len(last), -1)
    powers = np.eye(DEGREE + 1)
    for n in range(2, DEGREE + 1):
        powers[n] = 2 * np.roll(powers[n - 1], 1) - powers[n - 2]
    parts = np.arange(len(last), dtype=np.float64), table, powers
    order, matrix, basis = (torch.from_numpy(part).to(device) for part in parts)
    return order, longest, matrix, basis


def _chebyshev_fit(degree: int) -> tuple[np.ndarray, np.ndarray]:
    """Points on -1 .. 1, and the matrix from values there to coefficients of T_n."""
    points = np.cos(math.pi * (np.arange(degree + 1) + 0.5) / (degree + 1))
    return points, np.linalg.inv(np.polynomial.chebyshev.chebvander(points, degree))


def _slow(path: np.ndarray, sigma: np.ndarray) -> np.ndarray:
    """The functions P_0 to P_5, by a trapezoid sum through the saddle point."""
    kappa = np.sqrt(np.expm1(path)) / SLIT
    w = -lambertw(-1j * kappa)
    t = np.linspace(-9, 9, 145)
    turn = sigma[..., None] * t
    bend = (np.expm1(turn) - turn) / sigma[..., None] ** 2
    bell = np.exp(-0.5 * t * t + w[..., None] * bend)
    bell *= (t[1] - t[0]) / math.sqrt(2 * math.pi)
    zeroth, first, second = ((bell * np.exp(n * turn)).sum(-1) for n in range(3))
    rise = np.exp(0.5 * path)
    exponent = (w - 0.5 * w * w) / sigma**2 + np.log(zeroth)
    once = rise * np.exp(w) * first / zeroth
    twice = rise**2 * np.exp(2 * w) * second / zeroth
    return np.stack(
        [
            -exponent.real * sigma**2 / path,
            rise * exponent.imag / kappa - 1 / sigma**2,
            once.real,
            rise * once.imag / kappa,
            twice.real,
            rise * twice.imag / kappa,
        ]
    )
