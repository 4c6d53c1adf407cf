"""A number seen through noise: its posterior is known in closed form."""

import numpy as np
from numpy import ndarray

from saxinfer.calibration import SAMPLES

NOISE = 0.5


def ranks(
    curves: int,
    seed: int,
    *,
    columns: int = 1,
    width: float = 1.0,
    shift: float = 0.0,
) -> ndarray:
    """Ranks of truths from N(0, 1) in normal posteriors.

    Args:
        curves: How many.
        seed: Of everything.
        columns: Independent numbers.
        width: Factor on the exact standard deviation.
        shift: Added to the exact mean [exact standard deviations].
    """
    rng = np.random.default_rng(seed)
    truth = rng.standard_normal((curves, columns))
    seen = truth + NOISE * rng.standard_normal(truth.shape)
    sd = NOISE / np.sqrt(1 + NOISE**2)
    mean = seen / (1 + NOISE**2) + shift * sd
    normal = rng.standard_normal((curves, SAMPLES, columns))
    samples = mean[:, None] + width * sd * normal
    # As ranks_of counts them, all curves at once.
    return np.asarray((samples < truth[:, None]).sum(1))
