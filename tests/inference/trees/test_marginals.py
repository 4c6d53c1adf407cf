"""Mirrors src/saxinfer/inference/trees/marginals.py."""

import numpy as np
import pytest
import torch
from torch import Generator

from saxinfer.inference.trees.marginals import POINTS, Marginals, marginals_of
from saxinfer.posterior import Posterior, Quantity

LEVELS = (0.05, 0.25, 0.5, 0.75, 0.95)
LENGTH = Quantity("length", "nm", "A length.", "parameter", 0, 10)
SHARE = Quantity("share", "1", "A share.", "parameter", 0, 1)
# The share piles up at its lower bound, and beyond its median.
KNOWN = np.array([[2.0, 4.0, 4.5, 5.0, 9.0], [0.0, 0.0, 0.6, 0.62, 0.64]])


@pytest.fixture
def belief() -> Marginals:
    prior = torch.rand(500, 2, generator=Generator().manual_seed(0)).double()
    prior = prior * torch.tensor([10.0, 1.0]).double()
    return marginals_of(
        (LENGTH, SHARE), KNOWN, LEVELS, prior, Generator().manual_seed(1)
    )


def test_the_summary_states_the_quantiles_that_were_given(belief: Marginals) -> None:
    for name, known in (("length", KNOWN[0]), ("share", KNOWN[1])):
        found = belief.summary(name)
        # Between the two points next to a share lies a thousandth of the belief.
        width = 0.01 * (known[-1] - known[0])
        assert found.q05 == pytest.approx(known[0], abs=width)
        assert found.median == pytest.approx(known[2], abs=width)
        assert found.q95 == pytest.approx(known[-1], abs=width)


def test_points_are_equally_likely_and_within_the_outermost_quantiles(
    belief: Marginals,
) -> None:
    assert len(belief.samples) == POINTS
    assert belief.weights.tolist() == [1 / POINTS] * POINTS
    assert float(belief.column("length").min()) == 2.0
    assert float(belief.column("length").max()) == pytest.approx(9.0, rel=1e-12)


def test_columns_are_independent(belief: Marginals) -> None:
    correlation = belief.correlation(("length", "share"))
    # Of 1010 independent pairs it stays below this but for one seed in 10,000.
    assert abs(float(correlation[0, 1])) < 3.9 / POINTS**0.5
    other = marginals_of(
        (LENGTH, SHARE), KNOWN, LEVELS, belief.prior, Generator().manual_seed(1)
    )
    assert (other.samples == belief.samples).all()


def test_no_second_solution_is_claimed_where_points_pile_up(belief: Marginals) -> None:
    plain = Posterior(belief.quantities, belief.samples, belief.weights, belief.prior)
    assert plain.modes("share") == 2
    assert belief.modes("share") == 1
    assert len(belief.solutions("share")) == 1
    with pytest.raises(KeyError, match="no quantity 'width'"):
        belief.modes("width")


def test_a_logarithmic_quantity_is_interpolated_in_its_logarithm() -> None:
    radius = Quantity("radius", "nm", "A radius.", "parameter", 0.1, 1000, True)
    known = np.array([[1.0, 10.0, 100.0]])
    found = marginals_of(
        (radius,), known, (0.05, 0.5, 0.95), torch.ones(3, 1).double(), Generator()
    )
    # A normal distribution of the logarithm: its quartile is at 0.6745 / 1.6449 of the
    # way. A point is a thousandth of the belief wide.
    expected = 10 ** (1 - 0.67449 / 1.64485)
    assert found.quantile("radius", 0.25) == pytest.approx(expected, rel=0.005)
