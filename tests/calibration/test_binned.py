"""Coverage is counted where it belongs, and found where it is wrong."""

import numpy as np

from saxinfer.calibration.binned import adjusted, binned
from saxinfer.calibration.ranks import VALUES


def test_every_curve_is_in_the_bin_of_its_value() -> None:
    ranks = np.array([[50], [0], [50], [99], [5]])
    values = np.array([0.5, 1.0, 1.5, 3.0, np.nan])
    found = binned(ranks, values, (1.0, 2.0, 2.5))
    assert [(b.low, b.high, b.count) for b in found] == [
        (-np.inf, 1.0, 1),
        (1.0, 2.0, 2),
        (2.5, np.inf, 1),
    ]
    assert [b.inside[0].count for b in found] == [1, 1, 0]


def test_a_method_that_is_right_on_average_only_is_found_out() -> None:
    # Too narrow for noisy curves and too wide for others, 0.90 on average.
    rng = np.random.default_rng(1)
    wide = rng.integers(2, 98, size=(300, 2))
    narrow = rng.integers(-6, VALUES + 6, size=(300, 2)).clip(0, VALUES - 1)
    ranks, noise = np.concatenate([wide, narrow]), np.repeat([0.01, 0.2], 300)
    bins = binned(ranks, noise, (0.1,))
    assert min(min(row) for row in adjusted(bins)) < 0.01


def test_p_values_account_for_all_bins_and_columns() -> None:
    # Exact ranks: a false alarm in 1 of 100 seeds.
    rng = np.random.default_rng(2)
    ranks = rng.integers(VALUES, size=(400, 5))
    bins = binned(ranks, rng.random(400), (0.25, 0.5, 0.75))
    found = adjusted(bins)
    assert [len(row) for row in found] == [5] * 4
    assert min(min(row) for row in found) > 0.01
    raw = [part.p_value(0.9) for b in bins for part in b.inside]
    assert min(min(row) for row in found) == min(1.0, 20 * min(raw))
    assert adjusted([]) == ()
