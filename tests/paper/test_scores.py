"""Scores mean what they say, and what cannot be told is named for a reason."""

from dataclasses import replace

import numpy as np
import pytest
from numpy import ndarray

from saxinfer.paper.data import Column, LabelledCurves
from saxinfer.paper.scores import (
    DEGENERATE,
    Predictions,
    Score,
    r_squared,
    reason_not_identifiable,
    scores_of,
)
from saxinfer.structures import get_structure

COUNT = 400


def curves_of(truth: ndarray) -> LabelledCurves:
    """Curves of which only one column matters, from 0 to 1 nm."""
    one = np.ones((len(truth), 2))
    column = Column("phi_grf1", "nm", 0.0, 1.0)
    return LabelledCurves(np.array([0.1, 0.2]), one, one, truth[:, None], (column,))


def score_of(truth: ndarray, value: ndarray, half: float = 0.1) -> Score:
    value = value[:, None]
    found = Predictions(
        np.arange(len(truth)), value, value - half, value + half, value, value
    )
    (score,) = scores_of(
        curves_of(truth), found, learner="ours", scale="absolute", sample="fitted"
    )
    return score


@pytest.fixture
def truth() -> ndarray:
    return np.random.default_rng(3).random(COUNT)


def test_a_perfect_prediction_has_r2_one_and_the_mean_has_zero(truth: ndarray) -> None:
    perfect, mean = score_of(truth, truth), score_of(truth, truth * 0 + truth.mean())
    assert (perfect.r2, perfect.rmse, perfect.coverage) == (1, 0, 1)
    assert mean.r2 == pytest.approx(0, abs=1e-12)
    assert mean.rmse == pytest.approx(truth.std(), rel=1e-12)


def test_r2_of_a_known_error_is_one_less_its_share_of_the_variance() -> None:
    truth, value = np.array([[0.0], [1.0], [2.0]]), np.array([[0.0], [1.0], [3.0]])
    assert r_squared(truth, value).tolist() == [0.5]


def test_the_error_of_r2_is_that_of_repeated_experiments() -> None:
    rng = np.random.default_rng(4)
    scores = []
    for _ in range(200):
        truth = rng.random(COUNT)
        value = truth + 0.1 * rng.standard_normal(COUNT)
        scores.append(r_squared(truth[:, None], value[:, None])[0])
    found = score_of(truth, value)
    # The spread of 200 is known to 5 %, one bootstrap of 400 curves to about 10 %:
    # three of these together, a false alarm in 400.
    assert found.r2_error == pytest.approx(np.std(scores), rel=0.35)


def test_predictions_beyond_the_prior_are_counted(truth: ndarray) -> None:
    value = truth.copy()
    value[:10], value[10:30] = -0.01, 1.5
    assert score_of(truth, value).outside == 30 / COUNT


def test_rounding_at_a_bound_is_not_out_of_range(truth: ndarray) -> None:
    value = truth.copy()
    value[0], value[1] = -1e-9, 1 + 1e-9
    assert score_of(truth, value).outside == 0


def test_one_sample_out_of_range_counts_against_a_posterior(truth: ndarray) -> None:
    value = truth[:, None]
    least = value.copy()
    least[5] = -0.2
    found = Predictions(np.arange(COUNT), value, value, value, least, value)
    (score,) = scores_of(
        curves_of(truth), found, learner="ours", scale="absolute", sample="fitted"
    )
    assert score.outside == 1 / COUNT


def test_coverage_and_width_are_those_of_the_intervals(truth: ndarray) -> None:
    rng = np.random.default_rng(5)
    score = score_of(truth, truth + rng.uniform(-0.125, 0.125, COUNT))
    assert score.width == pytest.approx(0.2)
    # True coverage 0.8: four binomial standard errors, a false alarm in 16,000.
    assert score.coverage == pytest.approx(0.8, abs=4 * np.sqrt(0.16 / COUNT))
    assert score.coverage_error == pytest.approx(np.sqrt(0.09 / COUNT))


def test_predictions_are_chosen_by_row_not_by_place(truth: ndarray) -> None:
    value = truth[:4, None]
    found = Predictions(np.array([7, 3, 9, 1]), value, value, value, value, value)
    chosen = found.of(np.array([9, 7]))
    assert chosen.rows.tolist() == [9, 7]
    assert chosen.value[:, 0].tolist() == [truth[2], truth[0]]
    with pytest.raises(KeyError):
        found.of(np.array([2]))


def test_a_column_is_given_up_only_if_it_is_degenerate_and_badly_told(
    truth: ndarray,
) -> None:
    told = score_of(truth, truth)
    badly = replace(told, r2=0.29)
    assert reason_not_identifiable([told], "phi_grf1", "absolute") is None
    reason = reason_not_identifiable([badly], "phi_grf1", "absolute")
    assert reason is not None
    assert "same curve" in reason
    hard = replace(badly, column="pow_exp")
    assert reason_not_identifiable([hard], "pow_exp", "absolute") is None


def test_the_degenerate_columns_are_columns_of_the_model() -> None:
    model = get_structure("cellulose")
    names = {*model.space.names, *(each.name for each in model.dependent)}
    assert all(names.issuperset(columns) for columns in DEGENERATE.values())


def test_the_bayes_limit_is_the_error_of_an_exact_posterior(truth: ndarray) -> None:
    rng = np.random.default_rng(7)
    # Truths about known means with known errors: the posterior is exact.
    sd = 0.02 + 0.2 * rng.random(COUNT)
    value = (truth - sd * rng.standard_normal(COUNT))[:, None]
    found = Predictions(
        np.arange(COUNT), value, value, value, value, value, sd=sd[:, None]
    )
    (score,) = scores_of(
        curves_of(truth), found, learner="ours", scale="absolute", sample="fitted"
    )
    assert score.limit == pytest.approx(float(np.sqrt(np.square(sd).mean())))
    # Four hundred squared errors: 5 % is their standard error at most.
    assert score.rmse == pytest.approx(score.limit, rel=0.15)


def test_what_has_no_posterior_has_no_limit(truth: ndarray) -> None:
    assert score_of(truth, truth).limit is None
