"""Sizes of the particles in a box."""

import math

import numpy as np
from jaxtyping import Float
from numpy import ndarray
from numpy.random import Generator
from scipy import special

__all__ = ["drawn_radii"]


def drawn_radii(count: int, std: float, rng: Generator) -> Float[ndarray, " particle"]:
    """Rising log-normal radii of mean one, one from each of as many equal shares.

    Means over them are those of the distribution, in the mean over draws, and scatter
    far less than those of independent radii.

    Args:
        count: Number of particles.
        std: Standard deviation [mean radius].
        rng: Source of randomness.
    """
    sigma = math.sqrt(math.log1p(std**2))
    share = (np.arange(count) + rng.random(count)) / count
    return np.asarray(np.exp(sigma * special.ndtri(share) - 0.5 * sigma**2))
