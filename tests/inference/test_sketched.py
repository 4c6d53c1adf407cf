"""Mirrors src/saxinfer/inference/sketched.py."""

import math

import pytest
import torch
from jaxtyping import Float
from torch import Generator, Tensor

from saxinfer.inference.direct import Demand
from saxinfer.inference.effort import Effort, Sketches
from saxinfer.inference.record import Recorded
from saxinfer.inference.search import mixture_of, searched
from saxinfer.inference.sketch import Sketch
from saxinfer.inference.sketched import Attempt, sketched
from saxinfer.inference.target import Target

# A right sampler is off by this many standard errors at one seed in 15,000.
ERRORS = 4.0

# Either way, by what is asked of the one before it.
WAYS = {"first mixture": Effort(), "second mixture": Effort(worth=2.0)}


def sampled(target: Target, proposals: Tensor, effort: Effort) -> Attempt:
    generator = Generator().manual_seed(0)
    recorded = Recorded.of(target)
    search = searched(recorded, proposals, effort, generator)
    mixture = mixture_of(recorded, search, proposals)
    return sketched(recorded, search, mixture, effort, generator)


@pytest.mark.parametrize("way", list(WAYS))
def test_every_way_ends_as_the_closed_form_says(
    linear: Target, exact: tuple[Tensor, Tensor, float], proposals: Tensor, way: str
) -> None:
    attempt = sampled(linear, proposals, WAYS[way])
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


def test_where_no_mixture_is_good_enough_there_is_no_answer(
    linear: Target, exact: tuple[Tensor, Tensor, float], proposals: Tensor
) -> None:
    none = Effort(demand=Demand(most=0), sketches=Sketches(most=1))
    attempt = sampled(linear, proposals, none)
    assert attempt.ensemble is None
    # Its samples are good enough to start walkers from.
    assert attempt.places is not None
    assert attempt.places.shape == (none.walkers, linear.dimension)
    gap = attempt.places[:, :3].mean(0) - exact[0]
    assert float((gap / exact[1].diagonal().sqrt()).abs().max()) < 0.5
    inside = attempt.mixture.log_density(attempt.places[:, linear.proposed])
    assert bool(inside.isfinite().all())


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
    assert attempt.places is None


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
