"""Mirrors src/saxinfer/inference/sketched.py."""

import math

import pytest
import torch
from torch import Generator, Tensor

from saxinfer.inference.direct import Demand
from saxinfer.inference.effort import Effort, Sketches
from saxinfer.inference.ensemble import Ensemble
from saxinfer.inference.record import Recorded
from saxinfer.inference.search import mixture_of, searched
from saxinfer.inference.sketched import sketched
from saxinfer.inference.target import Target

# A right sampler is off by this many standard errors at one seed in 15,000.
ERRORS = 4.0

# Each way of the five, by what is asked of the ways before it.
WAYS = {
    "first mixture": Effort(),
    "second mixture": Effort(worth=2.0, many=300),
    "walkers on the sketch": Effort(worth=2.0, least_worth=2.0, many=300),
    "exact walkers": Effort(
        worth=2.0, least_worth=2.0, many=300, least=1e9, attempts=0
    ),
}


def sampled(target: Target, proposals: Tensor, effort: Effort) -> Ensemble:
    generator = Generator().manual_seed(0)
    recorded = Recorded.of(target)
    search = searched(recorded, proposals, effort, generator)
    mixture = mixture_of(recorded, search, proposals)
    return sketched(recorded, search, mixture, effort, generator)


@pytest.mark.parametrize("way", list(WAYS))
def test_every_way_ends_as_the_closed_form_says(
    linear: Target, exact: tuple[Tensor, Tensor, float], proposals: Tensor, way: str
) -> None:
    found = sampled(linear, proposals, WAYS[way])
    gap = found.weights @ found.points[:, :3] - exact[0]
    gap = gap / exact[1].diagonal().sqrt()
    assert float(gap.abs().max()) < ERRORS / math.sqrt(found.effective)
    assert found.log_evidence == pytest.approx(
        exact[2], abs=ERRORS * found.log_evidence_sd
    )
    assert found.log_evidence_sd < 0.15
    assert found.drawn >= len(found.points)


def test_where_draws_are_forbidden_walkers_take_over(
    linear: Target, proposals: Tensor
) -> None:
    none = Effort(demand=Demand(most=0), many=200, sketches=Sketches(most=1))
    found = sampled(linear, proposals, none)
    # Walkers on a sketch have weights that are nearly even.
    even = 1 / len(found.weights)
    assert float(found.weights.median()) == pytest.approx(even, rel=0.2)


def test_a_window_that_leaves_little_is_sampled(linear: Target) -> None:
    space = linear.space.narrow("first", 0.75, 0.751)
    narrow = Target(linear.structure, space, linear.observation)
    start = torch.randn(
        100, narrow.dimension, generator=Generator().manual_seed(0)
    ).double()
    found = sampled(narrow, start, Effort())
    theta = space.theta_from_latent(found.points[:, :3])
    assert 0.75 - 1e-9 <= float(theta[:, 0].min()) <= float(theta[:, 0].max())
    assert float(theta[:, 0].max()) <= 0.751 + 1e-9
    assert found.effective > 300
