"""Mirrors src/saxinfer/scattering/log_normal.py."""

import numpy as np
import pytest
import torch

from saxinfer.scattering.log_normal import LARGEST_SIGMA, LogNormal


@pytest.mark.parametrize("sigma", [0.001, 0.05, 0.3, LARGEST_SIGMA])
@pytest.mark.parametrize("power", [0, 1, 2, 6])
def test_moments_are_those_of_a_sum_over_radii(sigma: float, power: int) -> None:
    z = np.linspace(-12, 12, 4001)
    weight = np.exp(-0.5 * z**2)
    exact = (weight * np.exp(power * sigma * z)).sum() / weight.sum()
    found = LogNormal(torch.tensor([sigma], dtype=torch.float64)).moment(power)
    assert float(found.squeeze()) == pytest.approx(exact, rel=1e-9)


def test_a_spread_beyond_the_table_is_refused_with_what_to_do() -> None:
    with pytest.raises(ValueError, match=r"at most 0\.48, got 0\.6"):
        LogNormal(torch.tensor([0.6], dtype=torch.float64))
