r"""Quantiles made honest by curves that were held out: split-conformal calibration.

Let q_s(x) be any guess at the quantile of y at share s, made without n calibration
curves. If these and a new curve are exchangeable, the rank of the new one among all
n + 1 is uniform, so that with the k-th smallest of the n misses e = y - q_s(x),

.. math:: Q_s(x) = q_s(x) + e_{(k)}, \quad k = \lceil (n + 1) s \rceil
          \quad\Rightarrow\quad P(y \le Q_s(x)) \ge s

for s of one half or more, whatever the guess; below one half likewise from the other
side, P(y < Q_s) <= s. Where k exceeds n there are too few curves to tell, and Q is
infinite. An interval between two such ends holds y with at least the nominal
probability, and each end alone is right as well (theorem 2 of the first reference).

The probability is over calibration curves and new curve together: it holds on average
over the distribution that both came from, not for one curve, nor in one corner.
Clipping to bounds that y cannot leave, or moving an end outwards, loses nothing.

References:
    Romano, Patterson & Candès, Adv. Neural Inf. Process. Syst. 32 (2019): conformalized
    quantile regression. Vovk, Gammerman & Shafer, Algorithmic Learning in a Random
    World (2005): split conformal prediction and its p-values. Fritsch & Carlson,
    SIAM J. Numer. Anal. 17, 238 (1980): monotone cubics.
"""

import math

import numpy as np
from jaxtyping import Float, Int
from numpy import ndarray
from scipy.interpolate import PchipInterpolator
from scipy.special import ndtri

__all__ = [
    "conformal_p",
    "corrections",
    "honest_quantiles",
    "interpolated",
    "split",
]


def split(
    count: int, held_out: float, seed: int
) -> tuple[Int[ndarray, " training"], Int[ndarray, " calibration"]]:
    """Parts rows at random into those to learn from and those to calibrate with.

    Example:
        >>> training, calibration = split(10, 0.2, seed=42)
        >>> len(training), len(calibration)
        (8, 2)
    """
    order = np.random.default_rng(seed).permutation(count)
    kept = count - max(1, round(held_out * count))
    return np.sort(order[:kept]), np.sort(order[kept:])


def corrections(
    guess: Float[ndarray, "curve column level"],
    truth: Float[ndarray, "curve column"],
    levels: tuple[float, ...],
) -> Float[ndarray, "column level"]:
    """What to add to guessed quantiles, from calibration curves.

    Args:
        guess: Quantiles guessed for the calibration curves, at each level.
        truth: Their true values.
        levels: Shares of the quantiles [1], between 0 and 1.

    Returns:
        Corrections in the unit of each column; infinite where there are too few
        curves for a level.
    """
    missed = np.sort(truth[:, :, None] - guess, axis=0)
    ends = [_end(missed[:, :, i], level) for i, level in enumerate(levels)]
    return np.stack(ends, -1)


def _end(
    missed: Float[ndarray, "curve column"], level: float
) -> Float[ndarray, " column"]:
    """The miss of the right rank, at one level; ``missed`` is sorted."""
    count = len(missed)
    # 0.95 (n + 1) may come out above the whole number that it is.
    rank = math.ceil(max(level, 1 - level) * (count + 1) - 1e-9)
    if rank > count:
        return np.full(missed.shape[1], math.inf if level >= 0.5 else -math.inf)
    edge: ndarray = missed[rank - 1] if level >= 0.5 else missed[count - rank]
    return edge


def honest_quantiles(
    guess: Float[ndarray, "curve column level"],
    correction: Float[ndarray, "column level"],
    bounds: Float[ndarray, "column 2"],
) -> Float[ndarray, "curve column level"]:
    """Corrected quantiles, in order, and within bounds.

    Where neighbouring levels cross, the outer one gives way outwards from the median,
    and so keeps its coverage.

    Args:
        guess: Guessed quantiles, at an odd number of levels with the median in the
            middle.
        correction: What :func:`corrections` returned.
        bounds: Lower and upper bound of each column.
    """
    corrected = guess + correction
    middle = corrected.shape[2] // 2
    below = np.minimum.accumulate(corrected[:, :, middle::-1], axis=2)[:, :, ::-1]
    above = np.maximum.accumulate(corrected[:, :, middle:], axis=2)
    ordered = np.concatenate([below, above[:, :, 1:]], axis=2)
    low, high = bounds[:, :1], bounds[:, 1:]
    clipped: ndarray = np.clip(ordered, low, high)
    return clipped


def interpolated(
    quantiles: Float[ndarray, " level"],
    levels: tuple[float, ...],
    shares: Float[ndarray, " share"],
) -> Float[ndarray, " share"]:
    """A quantile function between its known levels, constant beyond the outermost.

    It is a monotone cubic in the normal quantile of the share: that of a normal
    distribution comes out exactly.

    Example:
        >>> ends = np.array([-1.0, 0.0, 1.0])
        >>> interpolated(ends, (0.05, 0.5, 0.95), np.array([0.01, 0.5, 0.95])).tolist()
        [-1.0, 0.0, 1.0]
    """
    place, known = ndtri(shares), ndtri(np.array(levels))
    curve = PchipInterpolator(known, quantiles)
    inside = curve(np.clip(place, known[0], known[-1]))
    values: ndarray = np.clip(inside, quantiles[0], quantiles[-1])
    return values


def conformal_p(
    known: Float[ndarray, " calibration"], new: Float[ndarray, " curve"]
) -> Float[ndarray, " curve"]:
    """Share of calibration curves at least as strange as a new one, itself included.

    A curve of the same distribution has p below 0.01 in one case of a hundred at most.

    Args:
        known: How strange each calibration curve is.
        new: How strange the new curves are, on the same scale.
    """
    below = np.searchsorted(np.sort(known), new, side="left")
    p: ndarray = (1 + len(known) - below) / (1 + len(known))
    return p
