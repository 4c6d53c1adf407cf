"""Mirrors src/saxinfer/inference/trees/conformal.py."""

import math

import numpy as np
import pytest
from scipy import stats

from saxinfer.inference.trees.conformal import (
    conformal_p,
    corrections,
    honest_quantiles,
    interpolated,
    split,
)

WIDE = np.array([[-1e9, 1e9]])
LEVELS = (0.05, 0.5, 0.95)

# Two-sided share of seeds on which a right result fails a test here.
FALSE_ALARM = 1e-4


def within_chance(hits: int, count: int, share: float) -> bool:
    low, high = stats.binom.interval(1 - FALSE_ALARM, count, share)
    return bool(low <= hits <= high)


def test_a_split_parts_all_rows_and_is_the_same_for_the_same_seed() -> None:
    training, calibration = split(101, 0.2, seed=42)
    assert sorted([*training, *calibration]) == list(range(101))
    assert len(calibration) == 20
    again, other = split(101, 0.2, seed=42), split(101, 0.2, seed=43)
    assert (again[1] == calibration).all()
    assert (other[1] != calibration).any()


def test_the_correction_is_the_miss_of_the_right_rank() -> None:
    misses = np.arange(1.0, 20.0)
    guess = np.zeros((19, 1, 3))
    # 19 curves: of 20 ranks the 19th at 0.95, the tenth at one half, the first at 0.05.
    found = corrections(guess, misses[::-1, None].copy(), LEVELS)
    assert found.tolist() == [[1.0, 10.0, 19.0]]


def test_too_few_curves_for_a_level_leave_it_open() -> None:
    found = corrections(np.zeros((18, 1, 3)), np.arange(18.0)[:, None], LEVELS)
    assert found[0, 0] == -math.inf
    assert found[0, 2] == math.inf
    bounds = np.array([[2.0, 7.0]])
    ends = honest_quantiles(np.zeros((1, 1, 3)), found, bounds)
    assert ends[0, 0, 0] == 2.0
    assert ends[0, 0, 2] == 7.0


@pytest.mark.parametrize("count", [19, 30, 200])
def test_any_guess_becomes_honest_at_each_end(count: int) -> None:
    # Each repeat has its own calibration curves and one new curve: trials are
    # independent. Where (n + 1) s is whole, the share is s exactly; elsewhere it is
    # above at the upper end, by 1 / (n + 1) at most.
    repeats, rng = 4000, np.random.default_rng(5)
    truth = rng.exponential(size=(count + 1, repeats)) ** 2
    guess = np.stack([truth * 0 + 3.0, np.sin(truth), truth * 0 - 1.0], -1)
    fixed = corrections(guess[:-1], truth[:-1], LEVELS)
    ends = guess[-1] + fixed
    for place, level in enumerate(LEVELS):
        rank = math.ceil(max(level, 1 - level) * (count + 1) - 1e-9) / (count + 1)
        share = rank if level >= 0.5 else 1 - rank
        hits = int((truth[-1] <= ends[:, place]).sum())
        assert within_chance(hits, repeats, share)


def test_quantiles_are_in_order_and_an_outer_end_never_moves_inwards() -> None:
    rng = np.random.default_rng(1)
    guess = rng.normal(size=(200, 2, 7))
    bounds = np.array([[-1e9, 1e9], [-0.3, 0.8]])
    found = honest_quantiles(guess, np.zeros((2, 7)), bounds)
    assert (np.diff(found, axis=2) >= 0).all()
    assert (found[:, 0, :3] <= guess[:, 0, :3]).all()
    assert (found[:, 0, 4:] >= guess[:, 0, 4:]).all()
    assert found[:, 1].min() == -0.3
    assert found[:, 1].max() == 0.8


def test_a_normal_quantile_function_is_interpolated_exactly() -> None:
    levels = (0.01, 0.05, 0.25, 0.5, 0.75, 0.95, 0.99)
    known = stats.norm.ppf(levels, 3.0, 2.0)
    shares = np.linspace(0.01, 0.99, 37)
    # Nothing but rounding.
    assert interpolated(known, levels, shares) == pytest.approx(
        stats.norm.ppf(shares, 3.0, 2.0), abs=1e-12
    )
    assert interpolated(known, levels, np.array([0.001]))[0] == known[0]


def test_p_values_of_the_same_kind_are_as_rare_as_they_say() -> None:
    rng = np.random.default_rng(2)
    repeats, count = 4000, 99
    scores = rng.exponential(size=(repeats, count + 1))
    p = [conformal_p(row[:-1], row[-1:])[0] for row in scores]
    assert within_chance(int((np.array(p) <= 0.1).sum()), repeats, 0.1)
    assert min(p) == 0.01


def test_ties_are_never_strange() -> None:
    assert conformal_p(np.zeros(50), np.zeros(1))[0] == 1.0
    assert conformal_p(np.zeros(50), np.ones(1))[0] == 1 / 51
