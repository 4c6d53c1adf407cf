"""Mirrors src/saxinfer/inference/weights.py."""

import math

import pytest
import torch
from scipy import stats
from torch import Generator

from saxinfer.inference.weights import effective_curves, pareto_smoothed, tempered


def test_equal_weights_all_count_and_copies_of_a_curve_count_once() -> None:
    even = torch.zeros(60, dtype=torch.float64)
    assert effective_curves(even, 1) == pytest.approx(60)
    assert effective_curves(even, 3) == pytest.approx(20)
    # All weight on the copies of one curve.
    even[3:] = -math.inf
    assert effective_curves(even, 3) == pytest.approx(1)


def test_effective_samples_follow_the_spread_of_the_weights() -> None:
    generator = Generator().manual_seed(0)
    log_weight = 0.8 * torch.randn(40_000, generator=generator, dtype=torch.float64)
    # For log-normal weights the share is exp(-variance).
    share = effective_curves(log_weight, 1) / 40_000
    assert share == pytest.approx(math.exp(-0.64), rel=0.05)


@pytest.mark.parametrize("spread", [0.1, 3.0, 30.0])
def test_tempered_weights_leave_enough_and_no_more_than_needed(spread: float) -> None:
    generator = Generator().manual_seed(0)
    log_weight = spread * torch.randn(4000, generator=generator, dtype=torch.float64)
    log_weight[:10] = -math.inf
    weights = tempered(log_weight, 2)
    assert float(weights.sum()) == pytest.approx(1)
    assert float(weights[:10].sum()) == 0
    left = effective_curves(weights.log(), 2)
    if spread < 1:
        assert torch.allclose(weights, torch.softmax(log_weight, 0))
    else:
        assert left == pytest.approx(150, rel=0.05)


def test_smoothing_keeps_the_order_and_all_but_the_largest_weights() -> None:
    generator = Generator().manual_seed(0)
    log_weight = 2 * torch.randn(2000, generator=generator, dtype=torch.float64)
    smooth = pareto_smoothed(log_weight)
    assert torch.equal(torch.argsort(smooth), torch.argsort(log_weight))
    changed = smooth != log_weight
    assert int(changed.sum()) <= int(3 * math.sqrt(2000))
    assert float(smooth.max()) <= float(log_weight.max())


def test_smoothing_makes_a_heavy_tail_estimate_its_mean_better() -> None:
    # A Pareto tail of index 0.6 has no variance: raw means scatter wildly.
    errors = []
    for seed in range(40):
        ratio = stats.pareto(1 / 0.6).rvs(1000, random_state=seed)
        log_weight = torch.from_numpy(ratio).log()
        raw, smooth = log_weight.exp().mean(), pareto_smoothed(log_weight).exp().mean()
        errors.append([abs(float(m) - 2.5) for m in (raw, smooth)])
    raw_error, smooth_error = torch.tensor(errors).square().mean(0).sqrt().tolist()
    assert smooth_error < raw_error


def test_few_or_forbidden_weights_are_left_alone() -> None:
    few = torch.randn(30, generator=Generator().manual_seed(0), dtype=torch.float64)
    assert torch.equal(pareto_smoothed(few), few)
    forbidden = torch.full((500,), -math.inf, dtype=torch.float64)
    forbidden[:20] = 0.0
    assert torch.equal(pareto_smoothed(forbidden), forbidden)
