"""Mirrors src/saxinfer/inference/direct.py."""

import math

import pytest
import torch
from torch import Generator, Tensor

from saxinfer.inference.direct import BATCH, Demand, draw, mixed
from saxinfer.inference.mixture import StudentMixture
from saxinfer.inference.target import Target

# A right sampler is off by this many standard errors at one seed in 15,000.
ERRORS = 4.0


def around(target: Target, exact: tuple[Tensor, Tensor, float], width: float) -> Tensor:
    """Factors of scale matrices so many times as wide as the exact posterior."""
    rest = [column for column in target.proposed if column > 2]
    factor = torch.eye(len(target.proposed), dtype=torch.float64)
    factor[:3, :3] = torch.linalg.cholesky(exact[1])
    assert target.proposed == [0, 1, 2, *rest]
    return width * factor


def mixture(
    target: Target, exact: tuple[Tensor, Tensor, float], width: float, off: float = 0.0
) -> StudentMixture:
    centre = torch.zeros(1, len(target.proposed), dtype=torch.float64)
    centre[0, :3] = exact[0] + off * exact[1].diagonal().sqrt()
    factor = around(target, exact, width)[None]
    return StudentMixture(torch.ones(1, dtype=torch.float64), centre, factor)


def test_a_near_mixture_gives_the_exact_posterior_and_its_evidence(
    linear: Target, exact: tuple[Tensor, Tensor, float]
) -> None:
    demand = Demand()
    near = mixture(linear, exact, 1.1)
    drawn = draw(mixed(linear, near), Generator().manual_seed(0), demand)
    found = drawn.ensemble
    assert found is not None
    assert torch.equal(drawn.points, found.points)
    assert found.effective >= demand.enough
    assert found.drawn == len(found.points) == len(found.weights)
    assert float(found.weights.sum()) == pytest.approx(1)
    gap = (found.weights @ found.points[:, :3] - exact[0]) / exact[1].diagonal().sqrt()
    assert float(gap.abs().max()) < ERRORS / math.sqrt(found.effective)
    allowed = ERRORS * found.log_evidence_sd
    assert found.log_evidence == pytest.approx(exact[2], abs=allowed)
    assert 0 < allowed < 0.2


def test_the_error_of_the_evidence_is_its_scatter(
    linear: Target, exact: tuple[Tensor, Tensor, float]
) -> None:
    wide = mixture(linear, exact, 1.6)
    demand = Demand(enough=400)
    every = [
        draw(mixed(linear, wide), Generator().manual_seed(k), demand).ensemble
        for k in range(60)
    ]
    pulls = [(e.log_evidence - exact[2]) / e.log_evidence_sd for e in every if e]
    assert len(pulls) == 60
    # The square of a normal number has the variance two.
    spread = float(torch.tensor(pulls).square().mean())
    assert spread == pytest.approx(1, abs=ERRORS * math.sqrt(2 / 60))


@pytest.mark.parametrize(("width", "off"), [(1.0, 8.0), (0.15, 0.0), (12.0, 0.0)])
def test_a_mixture_that_is_far_from_the_posterior_is_given_up(
    linear: Target, exact: tuple[Tensor, Tensor, float], width: float, off: float
) -> None:
    far = mixture(linear, exact, width, off)
    found = draw(mixed(linear, far), Generator().manual_seed(0), Demand())
    assert found.ensemble is None
    assert len(found.points) == len(found.values) == Demand().patience


def test_no_more_is_drawn_than_was_allowed(
    linear: Target, exact: tuple[Tensor, Tensor, float]
) -> None:
    near, generator = mixture(linear, exact, 1.1), Generator().manual_seed(0)
    for demand in (Demand(enough=1e9, most=2 * BATCH), Demand(most=0)):
        drawn = draw(mixed(linear, near), generator, demand)
        assert drawn.ensemble is None
        assert len(drawn.points) == len(drawn.values) == demand.most
    # Nothing was drawn by the last call.
    state = generator.get_state()
    draw(mixed(linear, near), generator, Demand(most=0))
    assert torch.equal(generator.get_state(), state)


def test_where_a_mixture_becomes_no_better_it_is_drawn_from_for_longer(
    linear: Target, exact: tuple[Tensor, Tensor, float]
) -> None:
    far = mixture(linear, exact, 1.0, off=1.2)
    demand = Demand(most=4000, share=0.1)
    short = draw(mixed(linear, far), Generator().manual_seed(0), demand)
    assert short.ensemble is None
    longer = draw(mixed(linear, far), Generator().manual_seed(0), demand.relaxed())
    assert len(short.points) < len(longer.points) <= 8000
    assert demand.relaxed() == Demand(most=8000, share=0.05, patience=4000)
    assert Demand(most=0).relaxed().most == 0
