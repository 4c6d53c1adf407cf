"""The joint test sees what marginal ranks cannot, and passes what is right."""

import numpy as np
import pytest
from numpy import ndarray
from scipy.special import ndtr

from saxinfer.calibration.ranks import SAMPLES, VALUES
from saxinfer.calibration.tarp import joint_rank
from saxinfer.calibration.uniformity import distribution, uniform_ranks

CURVES, NOISE = 600, 0.15


def judged(seed: int, correlation: float, width: float = 1.0) -> tuple[float, float]:
    """p-values of the joint and of the first marginal ranks.

    Two standard normal numbers, of which the sum is seen; exactly, they are correlated
    by nearly -1 once it is. The posterior's correlation is multiplied by
    ``correlation``, its standard deviations by ``width``.
    """
    rng = np.random.default_rng(seed)
    design, variance = np.ones(2), NOISE**2
    covariance = np.linalg.inv(np.eye(2) + np.outer(design, design) / variance)
    told = covariance * width**2
    told[0, 1] *= correlation
    told[1, 0] *= correlation
    root = np.linalg.cholesky(told)
    truth = rng.standard_normal((CURVES, 2))
    seen = truth.sum(1) + NOISE * rng.standard_normal(CURVES)
    mean = np.outer(seen, covariance @ design) / variance
    drawn = mean[:, None] + rng.standard_normal((CURVES, SAMPLES, 2)) @ root.T
    samples, cube = ndtr(drawn), ndtr(truth)
    joint = np.array(
        [joint_rank(s, t, rng) for s, t in zip(samples, cube, strict=True)]
    )
    first = (drawn[:, :, 0] < truth[:, None, 0]).sum(1)
    null = uniform_ranks(CURVES, VALUES)

    def p_value(ranks: ndarray) -> float:
        return null.p_value(null.distance(distribution(ranks, VALUES)))

    return p_value(joint), p_value(first)


def test_the_exact_joint_posterior_passes() -> None:
    # False alarms in 1 of 100 seeds each.
    assert min(judged(3, 1.0)) > 0.01


def test_lost_correlations_are_caught_although_marginals_are_right() -> None:
    joint, first = judged(4, 0.0)
    assert joint < 0.001
    assert first > 0.01


@pytest.mark.parametrize("width", [0.6, 1.6])
def test_a_wrong_width_is_caught(width: float) -> None:
    assert judged(5, 1.0, width)[0] < 0.001


def test_the_prior_itself_passes_as_it_must() -> None:
    rng = np.random.default_rng(6)
    ranks = np.array(
        [
            joint_rank(rng.random((SAMPLES, 3)), rng.random(3), rng)
            for _ in range(CURVES)
        ]
    )
    null = uniform_ranks(CURVES, VALUES)
    # A false alarm in 1 of 100 seeds.
    assert null.p_value(null.distance(distribution(ranks, VALUES))) > 0.01
