"""Mirrors src/saxinfer/inference/label_free/likelihood.py."""

import math

import pytest
import torch
from torch import Generator, Tensor

from saxinfer.inference.label_free.likelihood import Points, curve_of, fitting
from saxinfer.instrument.nuisance import TRAINING, compose, log_q_weights
from saxinfer.instrument.observation import Observation, log_likelihood
from saxinfer.structures import MODELS

SPHERE = MODELS["sphere"]
Q = torch.logspace(-1, 0.3, 50, dtype=torch.float64)
THETA = torch.tensor([[6.0, 0.6]], dtype=torch.float64)
NUISANCE = torch.tensor([[1.0, 0.9, 0.01, 3.5, 1.2, 0.02]], dtype=torch.float64)


@pytest.fixture
def measured() -> tuple[Points, Observation, Tensor]:
    """A curve, twice, and the structure's curve behind it."""
    structure = SPHERE.intensity(Q, THETA)
    truth = compose(structure, Q, log_q_weights(Q), NUISANCE).total[0]
    sigma = 0.03 * truth
    noise = torch.randn(50, generator=Generator().manual_seed(2)).double()
    data = Observation.of(Q, truth + sigma * noise, sigma, None, "measured")
    one = torch.ones_like(Q)[None]
    shown = data.intensity[None], data.sigma[None]
    points = Points(Q[None], *shown, members=one, spread=0 * one, number=one)
    return points, data, structure


def integrated(data: Observation, structure: Tensor, floor: float = 0.0) -> float:
    """The likelihood over all levels, by brute force."""
    levels = torch.linspace(math.log(0.2), math.log(5), 20_001, dtype=torch.float64)
    nuisance = NUISANCE.repeat(len(levels), 1)
    nuisance[:, 0] = levels.exp()
    nuisance[:, 5] = math.hypot(float(NUISANCE[0, 5]), floor)
    rows = structure.expand(len(levels), -1)
    total = compose(rows, Q, log_q_weights(Q), nuisance).total
    found = log_likelihood(total, data, nuisance[:, 4], nuisance[:, 5])
    return float(torch.logsumexp(found, 0)) - math.log(len(levels))


@pytest.mark.parametrize("floor", [0.0, 0.1])
def test_the_level_is_integrated_out(
    measured: tuple[Points, Observation, Tensor], floor: float
) -> None:
    points, data, structure = measured
    found = fitting(structure, points, NUISANCE, floor).likelihood
    # Laplace's formula errs by a part of one over the number of points.
    assert float(found) == pytest.approx(integrated(data, structure, floor), abs=0.02)


def test_the_gradient_is_that_of_the_integral(
    measured: tuple[Points, Observation, Tensor],
) -> None:
    points = measured[0]

    def value(theta: Tensor) -> Tensor:
        return fitting(curve_of(SPHERE, theta, points), points, NUISANCE).likelihood

    at = (THETA * 1.01).requires_grad_(True)
    (found,) = torch.autograd.grad(value(at).sum(), at)
    step = torch.tensor([[1e-5, 0.0]], dtype=torch.float64)
    change = (value(THETA * 1.01 + step) - value(THETA * 1.01 - step)) / 2e-5
    # That the level moves as well changes next to nothing at its optimum.
    assert float(found[0, 0]) == pytest.approx(float(change), rel=0.01)


def test_a_point_that_stands_for_three_counts_three_times(
    measured: tuple[Points, Observation, Tensor],
) -> None:
    points, _, structure = measured
    thrice = Points(**{**vars(points), "number": 3 * points.number})
    one, three = (
        float(fitting(structure, each, NUISANCE).likelihood)
        for each in (points, thrice)
    )
    prior = -math.log(math.log(25))
    # Three times the points know the level by the root of three better.
    assert three - prior == pytest.approx(
        3 * (one - prior) - 2 * _width(points, structure) - 0.5 * math.log(3), abs=0.05
    )


def _width(points: Points, structure: Tensor) -> float:
    """Logarithm of what the level's integral is wide."""
    unit = compose(structure, Q, log_q_weights(Q), NUISANCE).total
    variance = (1.2 * points.sigma).square() + (0.02 * unit).square()
    share = (0.02 * unit).square() / variance
    known = (unit.square() / variance + 2 * share.square()).sum()
    return 0.5 * math.log(2 * math.pi / float(known))


def test_a_spread_in_q_smears_the_curve(
    measured: tuple[Points, Observation, Tensor],
) -> None:
    points = measured[0]
    smeared = Points(**{**vars(points), "spread": 0.02 * points.q})
    sharp, blurred = (curve_of(SPHERE, THETA, each) for each in (points, smeared))
    offsets = torch.randn(4000, 1, generator=Generator().manual_seed(0)).double()
    sampled = SPHERE.intensity(Q * (1 + 0.02 * offsets), THETA.expand(4000, -1))
    expected = sampled.mean(0)
    # 4,000 draws leave a per cent.
    assert float(((blurred - expected) / expected).abs().max()) < 0.03
    assert float(((sharp - expected) / expected).abs().max()) > 0.03


def test_guides_are_zero_for_the_true_curve_and_negative_for_others(
    measured: tuple[Points, Observation, Tensor],
) -> None:
    points, _, structure = measured
    other = SPHERE.intensity(Q, 1.5 * THETA)
    true, false = (fitting(each, points, NUISANCE) for each in (structure, other))
    assert -3 < float(true.invariant) <= 0
    assert -3 < float(true.porod) <= 0
    assert float(false.porod) < -20
    assert TRAINING.names[4] == "sigma_factor"
