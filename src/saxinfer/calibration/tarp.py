r"""Tests of accuracy with random points: is the joint posterior right?

Marginal ranks do not see how parameters go together. Here a point is thrown into the
unit cube of the prior, blindly; the ball about it that reaches to the truth holds a
share of the posterior, and for the exact posterior that share is uniform. Counted among
L samples it is a rank, that of the truth's distance among the samples' distances.

A posterior that says the same for every curve, the prior itself, passes this test too,
as it passes every test of coverage: accuracy has to be looked at beside it.

References:
    Lemos, Coogan, Hezaveh & Perreault-Levasseur, ICML 2023, arXiv:2302.03026.
"""

import numpy as np
from jaxtyping import Float
from numpy import ndarray
from numpy.random import Generator

from saxinfer.calibration.ranks import rank_of

__all__ = ["joint_rank"]


def joint_rank(
    samples: Float[ndarray, "sample axis"],
    truth: Float[ndarray, " axis"],
    rng: Generator,
) -> int:
    """Number of samples closer to a random point than the truth is.

    Args:
        samples: Of the posterior, in the unit cube.
        truth: Likewise.
        rng: Throws the point.
    """
    point = rng.random(len(truth))
    distances = np.linalg.norm(samples - point, axis=1)
    return rank_of(distances, float(np.linalg.norm(truth - point)), rng)
