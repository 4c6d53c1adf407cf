"""Ranks of the truth are counted right, ties fall either way, thinning is fair."""

import numpy as np
import pytest

from saxinfer.calibration.ranks import SAMPLES, VALUES, rank_of, ranks_of, thinned


def test_a_rank_is_the_number_of_samples_below() -> None:
    rng = np.random.default_rng(0)
    values = np.arange(SAMPLES) + 0.5
    for truth, rank in ((-1.0, 0), (0.6, 1), (40.0, 40), (1000.0, SAMPLES)):
        assert rank_of(values, truth, rng) == rank
    assert VALUES == SAMPLES + 1


def test_equal_samples_fall_to_either_side_alike() -> None:
    rng = np.random.default_rng(1)
    values = np.array([0.0, 1.0, 1.0, 1.0, 2.0])
    counts = np.bincount([rank_of(values, 1.0, rng) for _ in range(400)], minlength=5)
    assert counts[0] == 0
    # Each of 1, 2, 3, 4 is found 100 times with standard deviation 8.7; four and a
    # half of them are exceeded in fewer than 1 of 10,000 tries.
    assert np.abs(counts[1:] - 100).max() < 4.5 * 8.7


def test_every_column_has_its_own_rank() -> None:
    rng = np.random.default_rng(2)
    samples = np.stack([np.arange(5.0), -np.arange(5.0)], 1)
    assert ranks_of(samples, np.array([2.5, -0.5]), rng).tolist() == [3, 4]


def test_thinning_takes_no_row_twice_where_weights_are_equal() -> None:
    rng = np.random.default_rng(3)
    samples = np.arange(150.0)[:, None]
    for weights in (None, np.full(150, 1 / 150)):
        kept = thinned(samples, weights, rng)
        assert kept.shape == (SAMPLES, 1)
        assert len(np.unique(kept)) == SAMPLES


def test_thinning_follows_the_weights() -> None:
    rng = np.random.default_rng(4)
    samples = np.arange(200.0)[:, None]
    weights = np.where(samples[:, 0] < 100, 3.0, 1.0)
    low = sum(int((thinned(samples, weights, rng) < 100).sum()) for _ in range(100))
    # 9,900 draws, three quarters of them low: standard deviation 43.
    assert abs(low - 0.75 * 9900) < 5 * 43


def test_too_few_samples_are_refused() -> None:
    few = np.zeros((98, 2))
    with pytest.raises(ValueError, match="among, got 98"):
        thinned(few, None, np.random.default_rng(0))
