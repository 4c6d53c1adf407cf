"""What is kept of one curve is what was found."""

from types import ModuleType

import pytest
import torch

from saxinfer.judging import Belief, JudgedCurve, judged


def test_a_judged_curve_survives_being_stored(toy: ModuleType) -> None:
    (draw,) = toy.draws(1, 1)
    belief = Belief(
        toy.posterior()(draw.curve), verdict="poor", reasons=("Why not.",), effective=80
    )
    found = judged(lambda curve: belief, draw, toy.PRIOR)
    assert JudgedCurve.from_json(found.as_json()) == found
    assert found.verdict == "poor"
    assert found.effective == 80
    assert found.points == 12
    assert found.decades == pytest.approx(1.30103, abs=1e-5)
    assert found.noise == pytest.approx(draw.noise)
    mean = belief.samples.mean(0)
    assert found.mean == pytest.approx(tuple(mean.tolist()))


def test_a_refused_curve_survives_as_well(toy: ModuleType) -> None:
    (draw,) = toy.draws(1, 2)

    def refuses(curve: object) -> torch.Tensor:
        raise ValueError("no\n  way.")

    found = judged(refuses, draw, toy.PRIOR)
    assert found.refused == "no way."
    assert found.ranks == ()
    assert JudgedCurve.from_json(found.as_json()) == found


def test_ranks_depend_on_the_seed_and_the_row_alone(toy: ModuleType) -> None:
    (draw,) = toy.draws(1, 3)
    samples = draw.truth + torch.linspace(-1, 1, 150).double()[:, None].expand(150, 2)
    first, again = (judged(lambda c: samples, draw, toy.PRIOR, 7) for _ in range(2))
    assert (first.ranks, first.joint) == (again.ranks, again.joint)
    ranks = {judged(lambda c: samples, draw, toy.PRIOR, s).ranks for s in range(8)}
    assert len(ranks) > 1


def test_weights_count(toy: ModuleType) -> None:
    (draw,) = toy.draws(1, 4)
    values = torch.cat([draw.truth - 1, draw.truth + 3]).reshape(2, 2)
    samples = values.repeat_interleave(100, 0)
    weights = torch.tensor([0.75, 0.25]).double().repeat_interleave(100) / 100
    belief = Belief(samples, weights)
    found = judged(lambda curve: belief, draw, toy.PRIOR)
    assert found.mean == pytest.approx(tuple(draw.truth.tolist()))
    # Three quarters of 99 samples, five standard deviations either way.
    assert found.ranks[0] == pytest.approx(74, abs=22)
