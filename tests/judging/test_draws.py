"""Curves come from the prior and the tier, each from a random stream of its own."""

import math

import pytest
import torch

from saxinfer.curve import Curve
from saxinfer.judging.draws import Column, Draw, Prior, drawn, prior_of, seed_of
from saxinfer.structures import MODELS, get_structure


@pytest.mark.parametrize("tier", ["standard", "hard"])
def test_a_curve_follows_from_model_tier_seed_and_row(tier: str) -> None:
    first, again, other = (
        drawn("sphere", tier, 3, row)  # type: ignore[arg-type]
        for row in (5, 5, 6)
    )
    assert torch.equal(first.curve.intensity, again.curve.intensity)
    assert torch.equal(first.truth, again.truth)
    assert first.truth[0] != other.truth[0]
    assert first.decades > 0.29


def test_standard_curves_are_within_the_tier() -> None:
    for row in range(20):
        draw = drawn("sphere", "standard", 1, row)
        assert 50 <= len(draw.curve) <= 2000
        assert 0.02 <= float(draw.curve.q[0]) <= 0.2
        assert 0.001 < draw.noise < 0.4
        assert 0 <= draw.model_error <= 0.05


def test_streams_of_rows_seeds_and_purposes_are_all_different() -> None:
    seeds = {seed_of(s, r, p) for s in range(8) for r in range(8) for p in range(3)}
    assert len(seeds) == 8 * 8 * 3


@pytest.mark.parametrize("model", sorted(MODELS))
def test_truths_of_the_prior_fill_the_unit_cube(model: str) -> None:
    prior, structure = prior_of(model), get_structure(model)
    theta = structure.space.sample(400, torch.Generator().manual_seed(1))
    rows = torch.cat([theta, structure.dependent_values(theta)], 1)
    assert rows.shape[1] == len(prior.columns)
    cube = prior.in_cube(rows)
    assert cube.shape == (400, len(structure.space))
    # The mean of 400 uniform numbers has a standard deviation of 0.0144.
    assert torch.allclose(cube.mean(0), torch.full((1,), 0.5).double(), atol=5 * 0.0144)
    assert bool(((cube >= 0) & (cube <= 1)).all())


def test_without_a_cube_the_ranges_are_stretched() -> None:
    prior = Prior((Column("a", "nm", 2, 4), Column("b", "1", -1, 1)))
    found = prior.in_cube(torch.tensor([[2.0, 1.0], [3.0, 0.0]]))
    assert found.tolist() == [[0.0, 1.0], [0.5, 0.5]]


def test_a_curve_without_errors_has_no_noise_level() -> None:
    q = torch.tensor([0.1, 1.0]).double()
    assert math.isnan(Draw(0, q, Curve(q, q)).noise)
