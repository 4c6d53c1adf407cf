r"""What a curve says without a model: Guinier radius, peak, Porod slope.

Guinier: at low q any dilute particle scatters

.. math:: I(q) = I_0 \exp(-q^2 R_g^2 / 3), \quad q R_g < 1.3.

The region is looked for from the low-q end: a weighted straight line through
:math:`\ln I` against :math:`q^2` is extended for as long as :math:`q R_g < 1.3`, the
first points are left out one after the other, and the first line without significant
curvature is taken. A power law has no such region: its apparent :math:`q R_g` is
constant, and its curvature shows.

Peak: the curve is averaged in windows of 1 to 16 % of q; a local maximum counts if it
stands out of its valleys in one of the widths, by more standard errors than the best of
so many windows does by chance (1 % of flat curves). Maxima of a form factor are not
interference: they are kept apart by their height (below a tenth of what scatters at
lower q) unless they are as sharp as a Bragg reflection. A rise from nothing is the
shadow of the beam stop.

Porod: :math:`I(q) = A q^{-n} + B` by least squares at high q, linear in A and B >= 0.

References:
    Guinier, Ann. Phys. 12, 161 (1939), for the law.
    Petoukhov, Konarev, Kikhney and Svergun, J. Appl. Cryst. 40, s223 (2007), for the
    automatic choice of the region.
    Porod, Kolloid-Z. 124, 83 (1951), for the slope.
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

from saxinfer.curve import Curve

__all__ = ["ModelFree", "model_free"]

Array = np.ndarray

GUINIER_LIMIT = 1.3
# The region has to begin well inside: a line through q Rg = 1 to 1.3 is no proof.
GUINIER_START = 0.6
GUINIER_POINTS = 5
# Largest relative standard error of Rg that is still worth a number.
GUINIER_PRECISION = 0.1
# A curvature of so many standard errors says that the region is not straight.
CURVATURE = 3.0
# A line that misses its points by so many errors and by so large a share is none.
GUINIER_CHI2 = 2.0
GUINIER_MISFIT = 0.03

PEAK_WIDTHS = (0.01, 0.02, 0.04, 0.08, 0.16)
# Standard errors over the valleys: 3.3 + 0.3 ln(windows) is passed by noise on a flat
# curve in 1 % of cases (200 curves each of 100 to 2000 points).
PEAK_SIGNIFICANCE = (3.3, 0.3)
# Relative height over the valleys below which a hump is taken for a detector's seam.
PEAK_RISE = 0.03
# The first side maximum of a thin shell reaches 5 % of the forward intensity.
PEAK_SHARE = 0.1
# A fluid of strongly repelling particles still scatters so much ahead of its peak,
# and a lattice reflection is narrower.
SHADOW = 0.02
SHADOW_WIDTH = 0.2
# Full width over position of a reflection; over the distance to its neighbours.
BRAGG_WIDTH = 0.08
BRAGG_SPACING = 0.3
BRAGG_RISE = 0.15

POROD_SPAN = 3.0
POROD_POINTS = 12
POROD_EXPONENTS = np.linspace(0.5, 6.0, 111)
POROD_PRECISION = 0.5


@dataclass(frozen=True)
class ModelFree:
    """Model-free quantities; None where the curve does not show one.

    Attributes:
        guinier_rg: Radius of gyration [nm] of the low-q Guinier region.
        i0: Forward intensity [unit of the intensity] of the same fit.
        peak_q: Position of the strongest interference peak [1/nm].
        peak_d: Its spacing, 2 pi / peak_q [nm].
        porod_slope: Exponent n of I ~ q^-n at high q, background subtracted [1].
    """

    guinier_rg: float | None = None
    i0: float | None = None
    peak_q: float | None = None
    peak_d: float | None = None
    porod_slope: float | None = None


def model_free(curve: Curve) -> ModelFree:
    """Reads off a curve what needs no model; what it does not show is None.

    Example:
        >>> q = torch.linspace(0.05, 2, 200, dtype=torch.float64)
        >>> globular = torch.exp(-((3.0 * q) ** 2) / 3)
        >>> round(model_free(Curve(q, globular, 0.01 * globular)).guinier_rg, 2)
        3.0
    """
    q = curve.q.double().numpy()
    intensity = curve.intensity.double().numpy()
    sigma = _errors(curve)
    guinier = _guinier(q, intensity, sigma)
    peak = _peak(q, intensity, sigma)
    if peak is not None and guinier is not None and peak * guinier[0] < GUINIER_LIMIT:
        guinier = None  # A line through the foot of a peak.
    rg, i0 = guinier if guinier is not None else (None, None)
    return ModelFree(
        guinier_rg=rg,
        i0=i0,
        peak_q=peak,
        peak_d=None if peak is None else 2 * math.pi / peak,
        porod_slope=_porod_slope(q, intensity, sigma),
    )


def _errors(curve: Curve) -> Float[Array, " q"]:
    """The file's errors, or the scatter of neighbouring points where there are none."""
    if curve.sigma is not None:
        return np.asarray(curve.sigma.double())
    intensity = curve.intensity.double().numpy()
    if len(intensity) < 5:
        return np.asarray(np.abs(intensity) * 0.1 + np.finfo(float).tiny)
    # A second difference of independent errors has the variance 6 sigma^2.
    jumps = np.abs(np.diff(intensity, 2)) / math.sqrt(6) / 0.6745
    jumps = np.pad(jumps, 1, mode="edge")
    reach = min(5, len(jumps) // 2)
    windows = np.lib.stride_tricks.sliding_window_view(
        np.pad(jumps, reach, mode="edge"), 2 * reach + 1
    )
    floor = 1e-3 * np.abs(intensity) + np.finfo(float).tiny
    return np.asarray(np.median(windows, -1) + floor)


def _guinier(
    q: Float[Array, " q"], intensity: Float[Array, " q"], sigma: Float[Array, " q"]
) -> tuple[float, float] | None:
    """Rg [nm] and I0 of the first straight region from low q, or None."""
    for start in range(min(len(q) - GUINIER_POINTS + 1, 3 + len(q) // 8)):
        line = _guinier_from(q[start:], intensity[start:], sigma[start:])
        if line is not None:
            return line
    return None


def _guinier_from(
    q: Float[Array, " q"], intensity: Float[Array, " q"], sigma: Float[Array, " q"]
) -> tuple[float, float] | None:
    """Longest line from the first point that ends at q Rg = 1.3, if it is one."""
    usable = np.flatnonzero(intensity <= 2 * sigma)
    reach = int(usable[0]) if len(usable) else len(q)
    if reach < GUINIER_POINTS:
        return None
    x, y = q[:reach] ** 2, np.log(intensity[:reach])
    weight = (intensity[:reach] / sigma[:reach]) ** 2
    slopes = _running_slopes(x, y, weight)
    extent = q[:reach] * np.sqrt(np.clip(-3 * slopes, 0, None))
    inside = (extent < GUINIER_LIMIT) & (slopes < 0)
    inside[: GUINIER_POINTS - 1] = False
    if not inside.any():
        return None
    end = int(np.flatnonzero(inside)[-1]) + 1
    if extent[end - 1] < 0.8 * GUINIER_LIMIT:
        return None
    return _straight(x[:end], y[:end], weight[:end])


def _running_slopes(
    x: Float[Array, " q"], y: Float[Array, " q"], weight: Float[Array, " q"]
) -> Float[Array, " q"]:
    """Slope of the weighted line through the first 1, 2, ... points."""
    shift = x - x[0], y - y[0]
    s, sx, sy, sxx, sxy = (
        np.cumsum(weight * term)
        for term in (1.0, shift[0], shift[1], shift[0] ** 2, shift[0] * shift[1])
    )
    spread = s * sxx - sx**2
    spread[spread <= 0] = np.inf
    return np.asarray((s * sxy - sx * sy) / spread)


def _straight(
    x: Float[Array, " q"], y: Float[Array, " q"], weight: Float[Array, " q"]
) -> tuple[float, float] | None:
    """Rg and I0 of a line without curvature that begins low enough, or None."""
    line, covariance, chi2 = _polynomial(x, y, weight, degree=1)
    curved, curved_covariance, _ = _polynomial(x, y, weight, degree=2)
    scatter = max(1.0, chi2)
    if line[1] >= 0:
        return None
    rg = math.sqrt(-3 * line[1])
    precision = 0.5 * math.sqrt(scatter * covariance[1, 1]) / -line[1]
    bend = abs(curved[2]) / math.sqrt(scatter * curved_covariance[2, 2])
    # What a straight line leaves out of a dilute body is known to be small: a bend
    # that changes the slope by less than a third over the region is let pass.
    bend_share = abs(curved[2]) * (x[-1] - x[0]) / -line[1]
    straight = bend < CURVATURE or bend_share < 1 / 3
    misfit = math.sqrt(chi2 * len(x) / weight.sum())
    straight &= chi2 < GUINIER_CHI2 or misfit < GUINIER_MISFIT
    low_enough = math.sqrt(x[0]) * rg < GUINIER_START
    if not (straight and low_enough and precision < GUINIER_PRECISION):
        return None
    return rg, math.exp(line[0])


def _polynomial(
    x: Float[Array, " q"],
    y: Float[Array, " q"],
    weight: Float[Array, " q"],
    degree: int,
) -> tuple[Array, Array, float]:
    """Weighted polynomial: coefficients, their covariance, reduced chi square."""
    design = np.vander(x, degree + 1, increasing=True)
    scale = np.abs(design).max(0)
    root = np.sqrt(weight)
    scaled = (design / scale) * root[:, None]
    solution, *_ = np.linalg.lstsq(scaled, y * root, rcond=None)
    covariance = np.linalg.pinv(scaled.T @ scaled) / np.outer(scale, scale)
    residual = (scaled @ solution - y * root) ** 2
    freedom = max(1, len(x) - degree - 1)
    return solution / scale, covariance, float(residual.sum() / freedom)


@dataclass(frozen=True)
class _Bump:
    """A local maximum of an averaged curve.

    Attributes:
        q: Where [1/nm].
        width: Full width at half height [1/nm].
        rise: Height over the higher valley [unit of the intensity].
        share: The same over the height of the maximum [1].
        is_sure: Whether it stands out of the noise.
        is_high: Whether it is not small against what scatters at lower q.
    """

    q: float
    width: float
    rise: float
    share: float
    is_sure: bool
    is_high: bool


def _peak(
    q: Float[Array, " q"], intensity: Float[Array, " q"], sigma: Float[Array, " q"]
) -> float | None:
    """Position [1/nm] of the most significant interference peak, or None."""
    wanted: list[_Bump] = []
    for width in PEAK_WIDTHS:
        bumps = list(_bumps(*_averaged(q, intensity, sigma, width)))
        sure = [bump for bump in bumps if bump.is_sure]
        if not sure:
            continue
        highest = max(sure, key=lambda bump: bump.rise)
        if highest.is_high or _is_reflection(highest, bumps):
            wanted.append(highest)
    if not wanted:
        return None
    best = max(wanted, key=lambda bump: bump.rise)
    return _summit(q, intensity, sigma, best)


def _averaged(
    q: Float[Array, " q"],
    intensity: Float[Array, " q"],
    sigma: Float[Array, " q"],
    width: float,
) -> tuple[Array, Array, Array]:
    """Weighted means and their errors in windows of ``width`` in ln q."""
    label = np.floor(np.log(q / q[0]) / width).astype(int)
    _, label = np.unique(label, return_inverse=True)
    weight = 1 / sigma**2
    total = np.bincount(label, weight)
    mean_q = np.bincount(label, weight * q) / total
    mean = np.bincount(label, weight * intensity) / total
    return mean_q, mean, 1 / np.sqrt(total)


def _bumps(
    q: Float[Array, " q"], mean: Float[Array, " q"], error: Float[Array, " q"]
) -> Iterator[_Bump]:
    """Local maxima that may stand out of both valleys."""
    first, per_window = PEAK_SIGNIFICANCE
    threshold = first + per_window * math.log(max(len(q), 1))
    for i in range(2, len(q) - 2):
        if not (mean[i] > 0 and mean[i] > mean[i - 1] and mean[i] >= mean[i + 1]):
            continue
        sides = i - _valley(mean[i::-1]), i + _valley(mean[i:])
        valley = float(max(mean[j] for j in sides))
        errors = min(
            (mean[i] - mean[j]) / math.hypot(error[i], error[j]) for j in sides
        )
        if errors < 0.5 * threshold:
            continue
        above = mean > 0.5 * (mean[i] + valley)
        start, end = i - int(np.argmin(above[i::-1])), i + int(np.argmin(above[i:]))
        width, share = float(q[end] - q[start]), 1 - valley / float(mean[i])
        if mean[sides[0]] < SHADOW * mean[i] and width > SHADOW_WIDTH * q[i]:
            continue
        yield _Bump(
            q=float(q[i]),
            width=width,
            rise=float(mean[i]) - valley,
            share=share,
            is_sure=bool(errors >= threshold and share >= PEAK_RISE),
            is_high=bool(mean[i] >= PEAK_SHARE * mean[:i].max()),
        )


def _valley(ahead: Float[Array, " q"]) -> int:
    """Steps to the lowest point before the curve rises above its start again."""
    higher = np.flatnonzero(ahead > ahead[0])
    end = int(higher[0]) if len(higher) else len(ahead)
    return int(np.argmin(ahead[:end]))


def _is_reflection(bump: _Bump, bumps: list[_Bump]) -> bool:
    """Whether a maximum is as narrow as only a lattice makes it."""
    gaps = (abs(other.q - bump.q) for other in bumps)
    gap = min((gap for gap in gaps if gap > 0), default=math.inf)
    narrow = bump.width < min(BRAGG_WIDTH * bump.q, BRAGG_SPACING * gap)
    return narrow and bump.share > BRAGG_RISE


def _summit(
    q: Float[Array, " q"],
    intensity: Float[Array, " q"],
    sigma: Float[Array, " q"],
    bump: _Bump,
) -> float:
    """Maximum of a parabola through the upper half of the peak [1/nm]."""
    near = np.abs(q - bump.q) < max(0.5 * bump.width, 0.01 * bump.q)
    if near.sum() < 5:
        return bump.q
    x = q[near] - bump.q
    c, _, _ = _polynomial(x, intensity[near], 1 / sigma[near] ** 2, degree=2)
    if c[2] >= 0:
        return bump.q
    summit = -c[1] / (2 * c[2])
    return bump.q + float(np.clip(summit, x[0], x[-1]))


def _porod_slope(
    q: Float[Array, " q"], intensity: Float[Array, " q"], sigma: Float[Array, " q"]
) -> float | None:
    """Exponent of the power law above a flat background at high q, or None."""
    high = q >= q[-1] / POROD_SPAN
    if high.sum() < POROD_POINTS:
        return None
    x, y, root = q[high] / q[-1], intensity[high], 1 / sigma[high]
    chi2 = np.array([_power_law_misfit(x, y, root, n) for n in POROD_EXPONENTS])
    best = int(np.argmin(chi2))
    scatter = max(1.0, chi2[best] / (high.sum() - 3))
    allowed = POROD_EXPONENTS[chi2 <= chi2[best] + scatter]
    on_edge = allowed[0] == POROD_EXPONENTS[0] or allowed[-1] == POROD_EXPONENTS[-1]
    if on_edge or np.ptp(allowed) > 2 * POROD_PRECISION:
        return None
    return float(POROD_EXPONENTS[best])


def _power_law_misfit(
    x: Float[Array, " q"], y: Float[Array, " q"], root: Float[Array, " q"], n: float
) -> float:
    """Chi square of the best A x^-n + B with A and B not negative."""
    design = np.stack([x**-n, np.ones_like(x)], -1) * root[:, None]
    both, *_ = np.linalg.lstsq(design, y * root, rcond=None)
    if both[1] < 0:
        power = design[:, 0]
        both = np.array([max(0.0, power @ (y * root) / (power @ power)), 0.0])
    return float(((design @ both - y * root) ** 2).sum())
