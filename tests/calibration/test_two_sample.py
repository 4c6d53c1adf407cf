"""Two sets of draws: told apart where they differ, by no more than chance where not.

With n draws a side chance moves the score by about 0.5 / sqrt(2 n); folds share what
they train on, which adds half of that. Four of these, 1.5 times as wide, are exceeded
by one score in ten thousand.
"""

import math
import sys

import numpy as np
import pytest
from jaxtyping import Float
from numpy import ndarray

from saxinfer.calibration.two_sample import (
    TwoSample,
    distinct,
    missed,
    score,
    two_sample,
)

COLUMNS = 8


def normal(count: int, seed: int) -> Float[ndarray, "count column"]:
    """Draws with correlated columns of very different sizes."""
    rng = np.random.default_rng(seed)
    mix = np.random.default_rng(99).standard_normal((COLUMNS, COLUMNS))
    drawn: ndarray = rng.standard_normal((count, COLUMNS)) @ mix
    return drawn * np.logspace(-3, 3, COLUMNS)


def test_draws_of_one_distribution_are_told_apart_by_chance_only() -> None:
    found = two_sample(normal(500, 1), normal(1000, 2), count=500, halves=2)
    assert found.draws == 500
    assert found.chance == pytest.approx(0.5 / math.sqrt(1000))
    assert abs(found.score - 0.5) < 6 * found.chance
    assert found.noise < 6 * found.chance


def test_half_a_standard_deviation_in_one_column_of_eight_is_seen() -> None:
    rng = np.random.default_rng(0)
    one, two = rng.standard_normal((2, 2000, COLUMNS))
    two[:, 3] += 0.5
    # The best classifier is right in Phi(0.25) = 0.599 of the cases; 0.55 is six times
    # what chance does.
    assert 0.55 < score(one, two) < 0.63


def test_a_width_that_is_wrong_is_seen() -> None:
    one, two = normal(1000, 1), 1.4 * normal(1000, 2)
    assert score(one, two) > 0.55


def test_what_has_nothing_in_common_is_always_told() -> None:
    one = normal(300, 1)
    assert score(one, normal(300, 2) + 20 * one.std(0)) > 0.99


def test_the_same_draws_and_seed_give_the_same_score() -> None:
    one, two = normal(200, 1), normal(200, 2)
    assert score(one, two, 3) == score(one, two, 3)


def test_the_noise_is_the_distance_of_halves_from_a_guess() -> None:
    assert TwoSample(0.7, (0.53, 0.46), 2000).noise == pytest.approx(
        math.sqrt((0.03**2 + 0.04**2) / 2)
    )


def test_draws_that_are_there_twice_are_refused() -> None:
    one, two = normal(200, 1), normal(200, 2)
    one[7] = one[3]
    with pytest.raises(ValueError, match=r"1 of 400 repeat others"):
        score(one, two)
    one[7] = two[11]
    with pytest.raises(ValueError, match=r"repeat others"):
        score(one, two)


def test_repeated_draws_can_be_left_out() -> None:
    drawn = normal(5, 1)
    rows = np.array([2, 0, 2, 4, 0, 1])
    np.testing.assert_array_equal(distinct(drawn[rows]), drawn[[2, 0, 4, 1]])


def test_sides_of_different_size_are_refused() -> None:
    with pytest.raises(ValueError, match="as many draws on either side, got 30 and 40"):
        score(normal(30, 1), normal(40, 2))


def test_too_few_draws_are_refused() -> None:
    with pytest.raises(ValueError, match="needs 50 draws and 100 of the reference"):
        two_sample(normal(50, 1), normal(99, 2), count=50)


def test_a_mode_of_five_percent_is_missed() -> None:
    reference = normal(4000, 1)
    far = 15 * reference.std(0)[0]
    reference[:200, 0] += far
    found = missed(normal(1000, 2), reference)
    assert found
    assert found[0].share == pytest.approx(0.05, abs=0.001)
    assert found[0].other == 0
    assert found[0].centre[0] == pytest.approx(far, rel=0.1)


def test_a_mode_that_is_thin_but_there_is_not_missed() -> None:
    reference, drawn = normal(4000, 1), normal(1000, 2)
    far = 15 * reference.std(0)[0]
    reference[:200, 0] += far
    # A fifth of its share.
    drawn[:10, 0] += far
    assert missed(drawn, reference) == ()


def test_nothing_of_one_distribution_is_missed() -> None:
    assert missed(normal(1000, 2), normal(4000, 1)) == ()


def test_a_clump_of_chance_is_no_region() -> None:
    # A sixteenth of so few draws in many columns is fitted closer than it lies.
    rng = np.random.default_rng(4)
    reference, drawn = rng.standard_normal((2, 400, 14))
    assert missed(drawn, reference) == ()


def test_without_scikit_learn_one_sentence_says_what_to_install(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setitem(sys.modules, "sklearn", None)
    with pytest.raises(ImportError, match=r"pip install 'saxinfer\[baseline\]'"):
        score(normal(20, 1), normal(20, 2))
    with pytest.raises(ImportError, match=r"pip install 'saxinfer\[baseline\]'"):
        missed(normal(20, 1), normal(40, 2))
