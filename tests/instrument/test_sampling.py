"""Mirrors src/saxinfer/instrument/sampling.py."""

import functools
import math

import pytest
import torch
from torch import Generator, Tensor

from saxinfer.instrument.groups import Groups
from saxinfer.instrument.observation import Observation
from saxinfer.instrument.sampling import Sampling
from saxinfer.structures import MODELS, get_structure

# A shared error of this size moves the log likelihood of a curve with errors of a
# percent by less than a hundredth.
RELATIVE = 1e-4

Q = torch.logspace(-2, math.log10(3), 800, dtype=torch.float64)


def observed(q: Tensor, resolution: Tensor | None = None) -> Observation:
    """A curve at q; of its intensities only the points matter here."""
    ones = torch.ones_like(q)
    return Observation.of(q, ones, 0.01 * ones, resolution, "measured")


def prior_draws(model: str, count: int, seed: int) -> Tensor:
    """Parameters from the prior."""
    generator = Generator().manual_seed(seed)
    return get_structure(model).space.sample(count, generator)


KINKED = ["wood"]


@pytest.mark.parametrize("model", [name for name in MODELS if name not in KINKED])
def test_curves_through_nodes_are_those_at_every_point(model: str) -> None:
    structure, theta = get_structure(model), prior_draws(model, 200, 4)
    assert structure.kink(theta) is None
    ladder = Sampling(observed(Q), structure.smooth_to)
    exact = structure.intensity(Q, theta)
    rungs = ladder.rung(structure.reach(theta))
    coarse = 0
    for rung in set(rungs.tolist()):
        rows = (rungs == rung).nonzero()[:, 0]
        nodes = ladder.nodes(rung)
        coarse += len(rows) * (len(nodes) < len(Q))
        found = ladder.at_points(structure.intensity(nodes, theta[rows]), rung)
        gaps = (found / exact[rows] - 1).abs().amax(1)
        assert float(gaps.max()) < RELATIVE, rung
        assert float(gaps.median()) < RELATIVE / 30, rung
    assert coarse > 0.4 * len(theta)


@pytest.mark.parametrize("model", KINKED)
def test_so_are_curves_with_a_kink(model: str) -> None:
    structure, theta = get_structure(model), prior_draws(model, 1000, 4)
    ladder = Sampling(observed(Q), structure.smooth_to)
    exact, kink = structure.intensity(Q, theta), structure.kink(theta)
    assert kink is not None
    rungs = ladder.rung(structure.reach(theta))
    for rung in set(rungs.tolist()):
        rows = (rungs == rung).nonzero()[:, 0]
        assert ladder.crosses(rung)
        assert len(ladder.nodes(rung)) < 0.5 * len(Q)
        sides = functools.partial(structure.sides, theta=theta[rows])
        found = ladder.across(sides, kink[rows], rung)
        gaps = (found / exact[rows] - 1).abs().amax(1)
        assert float(gaps.max()) < RELATIVE, rung
        assert float(gaps.median()) < RELATIVE / 30, rung


def test_sharp_minima_of_equal_spheres_are_kept() -> None:
    structure = get_structure("sphere")
    theta = torch.tensor([[9.0, 0.009], [12.0, 0.0121], [15.9, 0.02]]).double()
    ladder = Sampling(observed(Q), structure.smooth_to)
    (rung,) = set(ladder.rung(structure.reach(theta[1:])).tolist())
    exact = structure.intensity(Q, theta)
    found = ladder.at_points(structure.intensity(ladder.nodes(rung), theta), rung)
    assert len(ladder.nodes(rung)) < 0.5 * len(Q)
    assert float((found / exact - 1).abs().max()) < 1e-4


def test_the_resolution_is_part_of_the_matrix() -> None:
    structure, theta = get_structure("sphere"), torch.tensor([[8.0, 0.4]]).double()
    data = observed(Q, 0.03 * Q)
    assert data.smear is not None
    ladder = Sampling(data, math.inf)
    rung = int(ladder.rung(structure.reach(theta))[0])
    found = ladder.at_points(structure.intensity(ladder.nodes(rung), theta), rung)
    assert torch.allclose(
        found, structure.intensity(data.grid, theta) @ data.smear, rtol=1e-5
    )
    assert len(ladder.nodes(rung)) < len(data.grid)


def test_long_reaches_few_points_and_band_limits_keep_the_own_grid() -> None:
    far = torch.tensor([math.inf, 1e5]).double()
    whole, few = observed(Q), observed(Q[::20])
    ladder = Sampling(whole, math.inf)
    assert all(ladder.nodes(rung) is whole.grid for rung in ladder.rung(far).tolist())
    assert Sampling(few, math.inf).nodes(3) is few.grid
    assert len(Sampling(whole, 3.5).nodes(3)) < len(Q)
    assert Sampling(whole, 3.0).nodes(3) is whole.grid


def grouped(members: int) -> Observation:
    """Means of so many neighbours of ``Q`` each."""
    index = torch.arange(len(Q)) // members
    groups = Groups(
        q=Q,
        share=torch.full_like(Q, 1 / members),
        index=index,
        resolution=None,
        members=torch.full((len(Q) // members,), float(members)).double(),
    )
    q = Q @ groups.matrix()
    ones = torch.ones_like(q)
    return Observation.of(q, ones, 0.01 * ones, None, "measured", groups)


def bowed(q: Tensor, kink: Tensor) -> tuple[Tensor, Tensor]:
    """Two curves that part from where they meet, by a parabola."""
    gap = q - kink[:, None]
    above = (2 + (3 * q).sin()).expand(len(kink), -1)
    return above - 4 * gap + 3 * gap.square(), above


@pytest.mark.parametrize(
    "data",
    [observed(Q), grouped(5), observed(Q, 0.005 * Q)],
    ids=["points", "means", "resolution"],
)
def test_a_kink_is_kept_wherever_it_lies(data: Observation) -> None:
    # On a point, beside one, amid a group, and beyond either end of the curve.
    few = [0.005, float(Q[200]), 0.3, 0.7001, float(Q[402]) + 1e-9, 1.3, 4.0]
    kink = torch.tensor(few, dtype=torch.float64)
    ladder, rung = Sampling(data, math.inf), 3
    assert ladder.crosses(rung)
    below, above = bowed(data.grid, kink)
    exact = data.smeared(torch.where(data.grid < kink[:, None], below, above))
    found = ladder.across(functools.partial(bowed, kink=kink), kink, rung)
    assert torch.allclose(found, exact, rtol=1e-6)
    # Without the kink's own terms the means beside it would be off.
    one, two = (ladder.at_points(s, rung) for s in bowed(ladder.nodes(rung), kink))
    plain = torch.where(data.q < kink[:, None], one, two)
    assert data.smear is None or not torch.allclose(plain, exact, rtol=1e-4)


def test_points_that_see_a_wide_range_of_q_keep_the_own_grid_at_a_kink() -> None:
    assert not Sampling(observed(Q, 0.03 * Q), math.inf).crosses(3)
    assert not Sampling(observed(Q[::20]), math.inf).crosses(3)
