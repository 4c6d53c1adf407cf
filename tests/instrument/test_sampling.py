"""Mirrors src/saxinfer/instrument/sampling.py."""

import math

import pytest
import torch
from torch import Generator, Tensor

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


@pytest.mark.parametrize("model", MODELS)
def test_curves_through_nodes_are_those_at_every_point(model: str) -> None:
    structure, theta = get_structure(model), prior_draws(model, 200, 4)
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
    if bool(structure.reach(theta).isinf().any()):
        # Unknown: such a model is evaluated at every point.
        assert coarse == 0
    else:
        assert coarse > 0.4 * len(theta)


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
