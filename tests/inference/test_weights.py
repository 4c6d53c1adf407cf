"""Mirrors src/saxinfer/inference/weights.py."""

import math

import pytest
import torch
from scipy import stats
from torch import Generator, Tensor

from saxinfer.inference.weights import (
    bridge,
    effective,
    excess,
    smoothed,
    tempered,
    worth_of,
)


def test_equal_weights_all_count_and_forbidden_ones_do_not() -> None:
    even = torch.zeros(60, dtype=torch.float64)
    assert effective(even) == pytest.approx(60)
    even[3:] = -math.inf
    assert effective(even) == pytest.approx(3)


def test_effective_samples_follow_the_spread_of_the_weights() -> None:
    generator = Generator().manual_seed(0)
    log_weight = 0.8 * torch.randn(40_000, generator=generator, dtype=torch.float64)
    # For log-normal weights the share is exp(-variance).
    share = effective(log_weight) / 40_000
    assert share == pytest.approx(math.exp(-0.64), rel=0.05)


@pytest.mark.parametrize("shape", [-0.3, 0.2, 0.5, 0.9])
def test_the_shape_of_a_tail_is_that_of_the_weights(shape: float) -> None:
    drawn = stats.genpareto(shape).rvs(20_000, random_state=1)
    log_weight = torch.from_numpy(drawn).log()
    found = smoothed(log_weight)[1]
    # Error of a shape from n members of a tail, and the prior's pull of ten members.
    tail = 3 * math.sqrt(20_000)
    error = (1 + shape) / math.sqrt(tail)
    assert found == pytest.approx(shape, abs=4 * error + 10 / tail)


def test_only_the_tail_is_smoothed_and_keeps_its_order() -> None:
    drawn = stats.genpareto(0.4).rvs(1000, random_state=2)
    log_weight = torch.from_numpy(drawn).log() + 700.0
    result = smoothed(log_weight)[0]
    order = torch.argsort(log_weight)
    tail = math.ceil(3 * math.sqrt(1000))
    assert torch.equal(result[order[:-tail]], log_weight[order[:-tail]])
    assert bool((result[order].diff() > 0)[-tail:].all())
    assert float(result.max()) <= float(log_weight.max())


def test_smoothed_weights_have_the_better_mean() -> None:
    errors = []
    for seed in range(100):
        drawn = stats.genpareto(0.65).rvs(1000, random_state=seed)
        expected = 1 / (1 - 0.65)
        log_weight = torch.from_numpy(drawn).log()
        both = (log_weight, smoothed(log_weight)[0])
        errors.append([float(part.exp().mean()) - expected for part in both])
    raw, found = torch.tensor(errors).square().mean(0).sqrt().tolist()
    assert found < 0.8 * raw


def test_equal_weights_have_no_tail_and_few_are_refused() -> None:
    even = torch.zeros(100, dtype=torch.float64)
    result, shape = smoothed(even)
    assert torch.equal(result, even)
    assert shape == -math.inf
    with pytest.raises(ValueError, match="25 weights at least, got 20"):
        smoothed(torch.randn(20))


def test_few_weights_among_forbidden_ones_have_a_tail_without_end() -> None:
    log_weight = torch.full((1000,), -math.inf, dtype=torch.float64)
    log_weight[:20] = 0.0
    kept, shape = smoothed(log_weight)
    assert shape == math.inf
    assert torch.equal(kept, log_weight)


@pytest.mark.parametrize("spread", [0.1, 3.0, 30.0])
def test_tempered_weights_leave_enough_and_no_more_than_needed(spread: float) -> None:
    generator = Generator().manual_seed(0)
    log_weight = spread * torch.randn(4000, generator=generator, dtype=torch.float64)
    log_weight[:10] = -math.inf
    weights = tempered(log_weight)
    assert float(weights.sum()) == pytest.approx(1)
    assert float(weights[:10].sum()) == 0
    left = effective(weights.log())
    if spread < 1:
        assert torch.allclose(weights, torch.softmax(log_weight, 0))
    else:
        assert left == pytest.approx(150, rel=0.05)


def ratios(count: int, width: float, seed: int) -> tuple[Tensor, Tensor]:
    """A normal posterior of evidence e³, seen from a proposal of another width."""
    generator = Generator().manual_seed(seed)

    def ratio(x: Tensor) -> Tensor:
        log_posterior = 3 - 0.5 * x.square().sum(-1)
        return log_posterior + 0.5 * (x / width).square().sum(-1) + 2 * math.log(width)

    inside = torch.randn(count, 2, generator=generator, dtype=torch.float64)
    outside = width * torch.randn(count, 2, generator=generator, dtype=torch.float64)
    return ratio(inside), ratio(outside)


@pytest.mark.parametrize("width", [0.6, 1.0, 2.0])
def test_the_bridge_finds_the_evidence_of_a_normal_posterior(width: float) -> None:
    found = bridge(*ratios(2000, width, 1), 2000)
    assert found.log == pytest.approx(3, abs=4 * found.sd + 1e-9)
    assert found.sd < 0.05


def test_the_bridge_knows_its_error() -> None:
    # A proposal narrower than half the posterior: the mean weight has no variance.
    each = [bridge(*ratios(400, 0.6, seed), 400) for seed in range(200)]
    gaps = torch.tensor([(b.log - 3) / b.sd for b in each])
    assert float(gaps.std()) == pytest.approx(1, abs=0.2)
    assert abs(float(gaps.mean())) < 0.3


def test_forbidden_draws_of_the_proposal_count_as_nothing() -> None:
    inside, outside = ratios(4000, 1.0, 2)
    outside[::2] = -math.inf
    found = bridge(inside, outside, 4000)
    assert found.log == pytest.approx(3 - math.log(2), abs=4 * found.sd)


def remembering(memory: float, times: int, walkers: int = 4000) -> Tensor:
    """Traces of an autoregressive process in two columns, the second without memory."""
    generator = Generator().manual_seed(0)
    fresh = torch.randn(times, walkers, 2, generator=generator, dtype=torch.float64)
    trace = fresh.clone()
    for time in range(1, times):
        new = math.sqrt(1 - memory**2) * fresh[time, :, 0]
        trace[time, :, 0] = memory * trace[time - 1, :, 0] + new
    return trace


@pytest.mark.parametrize("memory", [0.0, 0.5, 0.9])
def test_a_trace_is_worth_what_its_correlation_leaves(memory: float) -> None:
    times = 40
    lags = torch.arange(1, times, dtype=torch.float64)
    total = times + 2 * float(((times - lags) * memory**lags).sum())
    expected = 4000 * times**2 / total
    assert worth_of(remembering(memory, times)) == pytest.approx(expected, rel=0.1)


def test_walkers_that_still_know_where_they_started_are_worth_little() -> None:
    assert worth_of(remembering(0.999, 5)) < 0.05 * 4000
    still = torch.randn(1, 4000, 2, generator=Generator().manual_seed(0)).double()
    assert worth_of(still.expand(5, -1, -1)) == pytest.approx(0, abs=1e-6)


def test_the_excess_is_what_the_largest_weights_have_beyond_the_rest() -> None:
    even = torch.zeros(1000, dtype=torch.float64)
    assert excess(even) == pytest.approx(0)
    # One weight that is worth a hundred others.
    one = even.clone()
    one[17] = math.log(100.0)
    assert excess(one) == pytest.approx(99 / 1099)
    # It does not matter how finely a body of weights is spread.
    spread = torch.linspace(-0.01, 0.01, 1000, dtype=torch.float64)
    assert excess(spread) < 1e-3
