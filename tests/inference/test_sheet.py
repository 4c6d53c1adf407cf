"""Mirrors src/saxinfer/inference/sheet.py."""

import math
from dataclasses import replace

import pytest
import torch
from torch import Generator, Tensor

from saxinfer.inference import sheet as module
from saxinfer.inference.direct import Demand, Draws, Source, draw
from saxinfer.inference.effort import Effort, Rounds
from saxinfer.inference.search import mixture_of, searched
from saxinfer.inference.sheet import Sheet, on_the_sheet
from saxinfer.inference.target import Target

# A right sampler is off by this many standard errors at one seed in 15,000.
ERRORS = 4.0


def sampled(target: Target, proposals: Tensor, effort: Effort, seed: int = 0) -> Sheet:
    generator = Generator().manual_seed(seed)
    search = searched(target, proposals, effort, generator)
    mixture = mixture_of(target, search, proposals)
    return on_the_sheet(target, search, mixture, proposals, effort, generator)


def test_a_posterior_in_closed_form_is_found(
    linear: Target, exact: tuple[Tensor, Tensor, float], proposals: Tensor
) -> None:
    sheet = sampled(linear, proposals, Effort())
    found = sheet.ensemble
    assert sheet.good
    assert found is not None
    gap = found.weights @ found.points[:, :3] - exact[0]
    gap = gap / exact[1].diagonal().sqrt()
    assert float(gap.abs().max()) < ERRORS / math.sqrt(found.effective)
    assert found.log_evidence == pytest.approx(
        exact[2], abs=ERRORS * found.log_evidence_sd
    )
    assert found.effective >= Effort().demand.enough
    # Each draw takes several curves, and all of them count.
    assert found.drawn > 6 * len(found.points)


def test_both_arms_of_a_bow_get_their_share(bent: Target) -> None:
    proposals = torch.randn(
        200, bent.dimension, generator=Generator().manual_seed(1), dtype=torch.float64
    )
    found = sampled(bent, proposals, Effort()).ensemble
    assert found is not None
    along = found.points[:, 0]
    right = float(found.weights[along > 0].sum())
    assert right == pytest.approx(0.5, abs=ERRORS * 0.5 / math.sqrt(found.effective))


def test_where_too_few_draws_count_there_is_no_answer(
    linear: Target, proposals: Tensor
) -> None:
    never = Effort(demand=Demand(most=0), loose=Rounds(1, 100, 1.0))
    sheet = sampled(linear, proposals, never)
    assert sheet.ensemble is None
    assert not sheet.good


def test_draws_that_are_not_good_enough_are_something_to_make_do_with(
    linear: Target, proposals: Tensor
) -> None:
    effort = Effort(demand=Demand(enough=1e9, most=4000, share=0.0))
    sheet = sampled(linear, proposals, effort)
    assert not sheet.good
    assert sheet.ensemble is not None
    assert effort.demand.least < sheet.ensemble.effective < 1e9


def test_the_same_seed_gives_the_same_samples(
    linear: Target, proposals: Tensor
) -> None:
    one, two = (sampled(linear, proposals, Effort(), seed=3).ensemble for _ in range(2))
    assert one is not None
    assert two is not None
    assert torch.equal(one.points, two.points)
    assert torch.equal(one.weights, two.weights)


def test_the_best_of_what_is_not_good_enough_is_kept(
    bent: Target, monkeypatch: pytest.MonkeyPatch
) -> None:
    proposals = torch.randn(
        200, bent.dimension, generator=Generator().manual_seed(1), dtype=torch.float64
    )
    evidences = iter([2.0, 1.0, None])

    def rough(source: Source, generator: Generator, demand: Demand) -> Draws:
        draws = draw(source, generator, Demand(500.0, share=0.0, shape=math.inf))
        evidence = next(evidences)
        assert draws.ensemble is not None
        found = replace(draws.ensemble, log_evidence=evidence or 0.0)
        return replace(draws, ensemble=None, rough=None if evidence is None else found)

    monkeypatch.setattr(module, "draw", rough)
    sheet = sampled(bent, proposals, Effort())
    assert not sheet.good
    assert sheet.ensemble is not None
    assert sheet.ensemble.log_evidence == 2.0
    assert next(evidences, "all") == "all"
