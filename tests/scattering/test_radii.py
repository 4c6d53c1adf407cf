"""Mirrors src/saxinfer/scattering/radii.py."""

import math

import numpy as np
from numpy.random import default_rng

from saxinfer.scattering.radii import drawn_radii


def test_drawn_radii_have_the_means_of_the_distribution() -> None:
    rng, std = default_rng(6), 0.3
    draws = np.array([drawn_radii(12, std, rng) for _ in range(4000)])
    # Means of R, R² and R⁴ of a log-normal radius of mean one.
    for order in (1, 2, 4):
        powers = (draws**order).mean(1)
        exact = (1 + std**2) ** (order * (order - 1) / 2)
        error = powers.std() / math.sqrt(len(powers))
        assert abs(powers.mean() - exact) < 4 * error
    assert (np.diff(draws, axis=1) >= 0).all()
