"""Errors and widths of posteriors that are known."""

import numpy as np
import pytest

from saxinfer.calibration.accuracy import Accuracy


def test_numbers_are_those_of_their_definitions() -> None:
    truth, mean = np.array([0.0, 1.0, 2.0]), np.array([0.0, 1.0, 5.0])
    found = Accuracy.of(truth, mean, np.array([1.0, 1.0, 4.0]))
    assert found.rmse == pytest.approx(np.sqrt(3.0))
    assert found.r2 == pytest.approx(1 - 9 / 2)
    assert found.mean_sd == pytest.approx(2.0)
    assert found.ratio == pytest.approx(np.sqrt(3 / 6))


def test_the_exact_posterior_errs_as_much_as_it_says() -> None:
    rng = np.random.default_rng(0)
    truth = rng.standard_normal(4000)
    mean = (truth + rng.standard_normal(4000)) / 2
    sd = np.full(4000, np.sqrt(0.5))
    found = Accuracy.of(truth, mean, sd)
    # The relative error of a root mean square of 4,000 is 0.011.
    assert found.ratio == pytest.approx(1, abs=5 * 0.0112)
    assert found.r2 == pytest.approx(0.5, abs=0.07)
    assert Accuracy.of(truth, mean, sd / 2).ratio == pytest.approx(2, abs=0.12)


def test_what_does_not_vary_has_no_score() -> None:
    ones = np.ones(3)
    found = Accuracy.of(ones, ones, 0 * ones)
    assert found.r2 is None
    assert found.ratio is None
