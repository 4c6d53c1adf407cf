"""Mirrors src/saxinfer/inference/sketched.py."""

import math

import pytest
import torch
from jaxtyping import Float
from torch import Generator, Tensor

from saxinfer.inference.direct import Demand
from saxinfer.inference.effort import Effort
from saxinfer.inference.record import Recorded
from saxinfer.inference.search import mixture_of, searched
from saxinfer.inference.sketch import Sketch
from saxinfer.inference.sketched import Attempt, sketched
from saxinfer.inference.target import Target

# A right sampler is off by this many standard errors at one seed in 15,000.
ERRORS = 4.0


def sampled(target: Target, proposals: Tensor, effort: Effort) -> Attempt:
    generator = Generator().manual_seed(0)
    recorded = Recorded.of(target)
    search = searched(recorded, proposals, effort, generator)
    mixture = mixture_of(recorded, search, proposals)
    return sketched(recorded, search, mixture, effort, generator)


def test_it_ends_as_the_closed_form_says(
    linear: Target, exact: tuple[Tensor, Tensor, float], proposals: Tensor
) -> None:
    attempt = sampled(linear, proposals, Effort())
    found = attempt.ensemble
    assert found is not None
    gap = found.weights @ found.points[:, :3] - exact[0]
    gap = gap / exact[1].diagonal().sqrt()
    assert float(gap.abs().max()) < ERRORS / math.sqrt(found.effective)
    assert found.log_evidence == pytest.approx(
        exact[2], abs=ERRORS * found.log_evidence_sd
    )
    assert found.log_evidence_sd < 0.15
    assert attempt.tried >= len(found.points)


@pytest.mark.parametrize("effort", [Effort(worth=2.0), Effort(demand=Demand(most=0))])
def test_where_no_mixture_is_good_enough_there_is_no_answer(
    linear: Target,
    exact: tuple[Tensor, Tensor, float],
    proposals: Tensor,
    effort: Effort,
) -> None:
    attempt = sampled(linear, proposals, effort)
    assert attempt.ensemble is None
    # Its mixture is good enough to go on from.
    drawn = attempt.mixture.sample(2000, Generator().manual_seed(1))
    assert attempt.mixture.means.shape[1] == len(linear.proposed)
    gap = drawn[:, :3].median(0).values - exact[0]
    assert float((gap / exact[1].diagonal().sqrt()).abs().max()) < 0.5


def test_a_sketch_that_is_wrong_at_places_that_fit_is_not_used(
    linear: Target, proposals: Tensor, monkeypatch: pytest.MonkeyPatch
) -> None:
    density = Sketch.log_density

    def tilted(
        sketch: Sketch, latent: Float[Tensor, "batch dimension"]
    ) -> Float[Tensor, " batch"]:
        return density(sketch, latent) + 20 * latent[:, 0]

    monkeypatch.setattr(Sketch, "log_density", tilted)
    attempt = sampled(linear, proposals, Effort())
    assert attempt.ensemble is None


def test_a_window_that_leaves_little_is_sampled(linear: Target) -> None:
    space = linear.space.narrow("first", 0.75, 0.751)
    narrow = Target(linear.structure, space, linear.observation)
    start = torch.randn(
        100, narrow.dimension, generator=Generator().manual_seed(0)
    ).double()
    found = sampled(narrow, start, Effort()).ensemble
    assert found is not None
    theta = space.theta_from_latent(found.points[:, :3])
    assert 0.75 - 1e-9 <= float(theta[:, 0].min()) <= float(theta[:, 0].max())
    assert float(theta[:, 0].max()) <= 0.751 + 1e-9
    assert found.effective > 300
