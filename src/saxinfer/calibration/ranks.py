r"""The rank of the truth among samples of its posterior: simulation-based calibration.

With :math:`\theta \sim p(\theta)`, :math:`x \sim p(x|\theta)` and L independent samples
of :math:`p(\theta|x)`, the number of samples below :math:`\theta` is uniform on 0 .. L,
for each parameter. This is exact for any L and any x; a method that is too narrow puts
too many truths at the ends, one that is shifted too many at one of them. L is the same
for all curves: of the many samples of a posterior, some are taken at random, which
also makes them as good as independent where neighbours of a walk are not.

References:
    Talts, Betancourt, Simpson, Vehtari & Gelman, arXiv:1804.06788 (2018).
    Modrak et al., Bayesian Analysis 20, 461 (2025): ties are broken at random.
"""

from typing import Final

import numpy as np
from jaxtyping import Float, Int
from numpy import ndarray
from numpy.random import Generator

__all__ = ["SAMPLES", "VALUES", "rank_of", "ranks_of", "thinned"]

SAMPLES: Final = 99
"""Samples that the truth is ranked among."""

VALUES: Final = SAMPLES + 1
"""Ranks that are possible, 0 to 99: intervals of 2 %, 4 % .. 98 % end on one."""


def thinned(
    samples: Float[ndarray, "sample column"],
    weights: Float[ndarray, " sample"] | None,
    rng: Generator,
) -> Float[ndarray, "kept column"]:
    """Some rows of a posterior, equally weighted: no row twice unless weights differ.

    Args:
        samples: Of the posterior.
        weights: Of the samples; None where all are equal.
        rng: Source of the choice.

    Raises:
        ValueError: If there are too few samples.
    """
    count = len(samples)
    if count < SAMPLES:
        raise ValueError(
            f"a posterior needs at least {SAMPLES} samples for the truth to be ranked "
            f"among, got {count}. Draw more."
        )
    if weights is None or np.ptp(weights) <= 1e-9 * weights.max():
        return samples[rng.choice(count, SAMPLES, replace=False)]
    return samples[rng.choice(count, SAMPLES, p=weights / weights.sum())]


def rank_of(values: Float[ndarray, " sample"], truth: float, rng: Generator) -> int:
    """Number of samples below the truth; equal ones fall to either side by chance."""
    equal = int((values == truth).sum())
    return int((values < truth).sum() + rng.integers(equal + 1))


def ranks_of(
    samples: Float[ndarray, "sample column"],
    truth: Float[ndarray, " column"],
    rng: Generator,
) -> Int[ndarray, " column"]:
    """Rank of the truth in every column.

    Example:
        >>> three = np.array([[1.0, 5.0], [2.0, 6.0], [3.0, 7.0]])
        >>> ranks_of(three, np.array([2.5, 4.0]), np.random.default_rng(0)).tolist()
        [2, 0]
    """
    pairs = zip(samples.T, truth.tolist(), strict=True)
    return np.array([rank_of(column, value, rng) for column, value in pairs], dtype=int)
