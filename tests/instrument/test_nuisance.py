"""Mirrors src/saxinfer/instrument/nuisance.py."""

import math

import pytest
import torch
from torch import Tensor

from saxinfer.instrument.nuisance import (
    ESTIMATED_SIGMA,
    MEASURED_SIGMA,
    Ends,
    compose,
    log_q_weights,
)

Q = torch.logspace(-2, 1, 80, dtype=torch.float64)
WEIGHTS = log_q_weights(Q)
STRUCTURE = torch.stack([1 / (1 + (3 * Q) ** 4), torch.exp(-((2 * Q) ** 2) / 3) + 0.01])


def nuisances(count: int) -> Tensor:
    return MEASURED_SIGMA.sample(count, torch.Generator().manual_seed(0))


def composed() -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Structure's part, background, power law over q, and the nuisances of 40 rows."""
    nuisance = nuisances(40)
    rows = STRUCTURE.repeat(20, 1)
    parts = compose(rows, Q, WEIGHTS, nuisance)
    law = parts.power_law[:, None] * (Q / Q[0]) ** -nuisance[:, 3:4]
    own = parts.scale[:, None] * rows
    total = own + parts.background[:, None] + law
    assert torch.allclose(parts.total, total, rtol=1e-12)
    return own, parts.background, law, nuisance


def test_the_mean_over_ln_q_is_the_level() -> None:
    nuisance = nuisances(2)
    total = compose(STRUCTURE, Q, WEIGHTS, nuisance).total
    found = torch.trapezoid(total, Q.log()) / (Q[-1] / Q[0]).log()
    assert torch.allclose(found, nuisance[:, 0], rtol=1e-12)


def test_the_parts_add_up_to_the_whole() -> None:
    composed()


def test_the_signal_share_is_the_structures_at_the_upper_end() -> None:
    own, background, _, nuisance = composed()
    end = own[:, -Ends.of(len(Q)).count :].mean(-1)
    assert torch.allclose(end / (end + background), nuisance[:, 1], rtol=1e-9)


def test_a_signal_share_above_one_is_a_background_below_zero() -> None:
    _, background, _, nuisance = composed()
    assert torch.equal(background < 0, nuisance[:, 1] > 1)


def test_the_power_law_share_is_that_of_the_lower_end() -> None:
    own, background, law, nuisance = composed()
    count = Ends.of(len(Q)).count
    start = law[:, :count].mean(-1)
    rest = own[:, :count].mean(-1) + background
    share = torch.where(rest > 0, nuisance[:, 2], torch.ones_like(rest))
    assert torch.allclose(start / (start + rest.clamp(min=0)), share, rtol=1e-9)


def test_the_scale_of_the_structure_drops_out() -> None:
    nuisance = nuisances(2)
    one = compose(STRUCTURE, Q, WEIGHTS, nuisance)
    other = compose(1e6 * STRUCTURE, Q, WEIGHTS, nuisance)
    assert torch.allclose(one.total, other.total, rtol=1e-12)
    assert torch.allclose(one.scale, 1e6 * other.scale, rtol=1e-12)


def test_a_grid_for_each_row_gives_what_a_shared_one_does() -> None:
    nuisance = nuisances(2)
    shared = compose(STRUCTURE, Q, WEIGHTS, nuisance).total
    grids = Q.expand(2, -1).contiguous()
    own = compose(STRUCTURE, grids, log_q_weights(grids), nuisance).total
    assert torch.allclose(shared, own, rtol=1e-12)


@pytest.mark.parametrize("q", [Q, torch.linspace(0.1, 3, 51, dtype=torch.float64)])
def test_the_weights_are_those_of_a_trapezoid_in_ln_q(q: Tensor) -> None:
    values = torch.sin(q) + 2
    mean = torch.trapezoid(values, q.log()) / (q[-1] / q[0]).log()
    assert float((log_q_weights(q) * values).sum()) == pytest.approx(float(mean))
    assert float(log_q_weights(q).sum()) == pytest.approx(1)


@pytest.mark.parametrize(("points", "count"), [(10, 3), (39, 3), (40, 4), (400, 40)])
def test_an_end_is_a_tenth_of_the_points_but_three_at_least(
    points: int, count: int
) -> None:
    assert Ends.of(points).count == count


def test_estimated_errors_may_be_wrong_by_more_than_measured_ones() -> None:
    generator = torch.Generator().manual_seed(0)
    for space, width in ((MEASURED_SIGMA, 0.1), (ESTIMATED_SIGMA, 0.7)):
        found = space.sample(4000, generator)[:, 4].log().abs().median()
        # Half of a Cauchy distribution cut at +-limit lies within this of its centre.
        limit = math.log(100)
        expected = width * math.tan(math.atan(limit / width) / 2)
        assert float(found) == pytest.approx(expected, rel=0.1)
