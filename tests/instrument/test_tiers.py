"""Mirrors src/saxinfer/instrument/tiers.py."""

from typing import get_args

import pytest
import torch
from scipy import stats

from saxinfer.instrument.nuisance import MEASURED_SIGMA, TRAINING, log_q_weights
from saxinfer.instrument.tiers import (
    NOISE,
    Q_MAX,
    Q_MIN,
    Measurement,
    Setting,
    Tier,
    draw_setting,
    measure,
)

every_tier = pytest.mark.parametrize("tier", get_args(Tier))
ROWS, POINTS = 200, 101


def drawn(tier: Tier, seed: int = 0) -> Setting:
    return draw_setting(tier, ROWS, POINTS, torch.Generator().manual_seed(seed))


def measured(setting: Setting, seed: int = 1) -> Measurement:
    structure = 1 / (1 + (2 * setting.q) ** 4) + 0.01
    return measure(structure, setting, torch.Generator().manual_seed(seed))


@every_tier
def test_q_rises_within_what_any_instrument_reaches(tier: Tier) -> None:
    q = drawn(tier).q
    assert bool((torch.diff(q) > 0).all())
    assert float(q.min()) >= Q_MIN * (1 - 1e-12)
    assert float(q.max()) <= Q_MAX * (1 + 1e-12)


def test_the_standard_window_is_what_it_is_said_to_be() -> None:
    q = drawn("standard").q
    assert bool(((q[:, 0] >= 0.02) & (q[:, 0] <= 0.2)).all())
    assert bool(((q[:, -1] >= 1.5) & (q[:, -1] <= 6)).all())


def test_a_hard_window_spans_three_tenths_of_a_decade_or_more() -> None:
    q = drawn("hard").q
    assert float((q[:, -1] / q[:, 0]).log10().min()) >= 0.3 - 1e-9


@every_tier
def test_grids_are_linear_or_logarithmic_half_each(tier: Tier) -> None:
    q = drawn(tier).q
    linear = torch.diff(q).std(-1) < 1e-9
    logarithmic = torch.diff(q.log()).std(-1) < 1e-9
    assert bool((linear ^ logarithmic).all())
    # A fair coin fails this at one seed in a thousand.
    assert stats.binomtest(int(linear.sum()), ROWS, 0.5).pvalue > 1e-3


@every_tier
def test_the_noise_is_within_the_range_of_its_tier(tier: Tier) -> None:
    noise = drawn(tier).noise
    low, high = NOISE[tier]
    assert bool(((noise >= low) & (noise <= high)).all())
    assert float(noise.min()) < 1.2 * low
    assert float(noise.max()) > high / 1.2


def test_a_standard_instrument_states_its_errors_rightly() -> None:
    nuisance = drawn("standard").nuisance
    level, signal, power, _, factor, error = nuisance.unbind(-1)
    assert bool((level == 1).all())
    assert bool(((signal >= 0.7) & (signal <= 1)).all())
    assert bool((power == 0).all())
    assert bool((factor == 1).all())
    assert bool(((error >= 0) & (error <= 0.05)).all())


def test_a_hard_instrument_is_drawn_from_the_prior_of_inference() -> None:
    nuisance = drawn("hard").nuisance
    assert bool((nuisance[:, 0] == 1).all())
    assert bool(MEASURED_SIGMA.admits(nuisance).all())
    assert float(nuisance[:, 5].max()) > 0.5


def test_the_nuisances_of_a_hard_instrument_may_have_other_priors() -> None:
    setting = draw_setting(
        "hard", ROWS, POINTS, torch.Generator().manual_seed(0), TRAINING
    )
    assert bool(TRAINING.admits(setting.nuisance).all())
    # Seven tenths of MEASURED_SIGMA's power laws are weaker than any of these.
    assert float(setting.nuisance[:, 2].min()) >= 1e-4


def test_the_median_error_of_a_point_is_the_noise_of_its_instrument() -> None:
    setting = drawn("standard")
    found = measured(setting)
    median = (found.sigma / found.truth).median(-1).values
    assert torch.allclose(median, setting.noise, rtol=1e-9)


@every_tier
def test_the_mean_over_ln_q_before_noise_is_one(tier: Tier) -> None:
    found = measured(drawn(tier))
    mean = (log_q_weights(found.q) * found.truth).sum(-1)
    assert torch.allclose(mean, torch.ones_like(mean), rtol=1e-9)


@every_tier
def test_the_noise_has_the_spread_that_is_stated(tier: Tier) -> None:
    setting = drawn(tier)
    found = measured(setting)
    factor, error = setting.nuisance[:, 4:5], setting.nuisance[:, 5:6]
    spread = torch.hypot(factor * found.sigma, error * found.truth)
    scaled = (found.intensity - found.truth) / spread
    square = float(scaled.square().sum())
    # Right noise lies outside of these quantiles at one seed in five hundred.
    low, high = stats.chi2(ROWS * POINTS).ppf([1e-3, 1 - 1e-3])
    assert low < square < high
    assert stats.kstest(scaled.flatten().numpy(), "norm").pvalue > 1e-3


@every_tier
def test_the_same_seed_measures_the_same(tier: Tier) -> None:
    first, again = (measured(drawn(tier)) for _ in "ab")
    assert torch.equal(first.intensity, again.intensity)
    assert not torch.equal(first.intensity, measured(drawn(tier), seed=2).intensity)
