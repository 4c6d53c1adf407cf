"""Each expectation can be met and can fail."""

import importlib.util
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from types import ModuleType

import pytest

from saxinfer.paper.experiment import Outcome
from saxinfer.paper.scores import Score
from saxinfer.report.paper_findings import Finding, findings, untold


@pytest.fixture(scope="module")
def outcome() -> Outcome:
    path = Path(__file__).with_name("made_paper.py")
    spec = importlib.util.spec_from_file_location(path.stem, path)
    assert spec is not None
    assert spec.loader is not None
    made: ModuleType = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(made)
    found: Outcome = made.made_outcome()
    return ideal(found)


def changed(outcome: Outcome, change: Callable[[Score], Score]) -> Outcome:
    return replace(outcome, scores=tuple(change(score) for score in outcome.scores))


def ideal(outcome: Outcome) -> Outcome:
    """Scores that meet every expectation."""
    trees = {"alpha_mean": 0.95, "mu": 0.5}

    def change(score: Score) -> Score:
        if score.learner == "ours":
            return replace(score, r2=0.97, outside=0.0, coverage=0.9)
        return replace(score, r2=trees.get(score.column, 0.2), outside=0.01)

    return changed(outcome, change)


def one(outcome: Outcome, words: str) -> Finding:
    """The finding on a subject."""
    (found,) = (each for each in findings(outcome) if words in each.expected)
    return found


def test_all_expectations_can_be_met(outcome: Outcome) -> None:
    found = findings(outcome)
    assert len(found) == 7
    assert all(each.met for each in found)


def test_the_paper_s_pattern_is_an_order(outcome: Outcome) -> None:
    def change(score: Score) -> Score:
        return replace(score, r2=0.6) if score.column == "pow_exp" else score

    found = one(changed(outcome, change), "learn alpha mean well")
    assert not found.met
    assert "alpha mean 0.950, mu 0.500, pow exp 0.600" in found.found


def test_no_prediction_out_of_range_is_not_the_paper_s_pattern(
    outcome: Outcome,
) -> None:
    found = one(changed(outcome, lambda score: replace(score, outside=0.0)), "Some")
    assert not found.met
    assert "None of them is" in found.found


def test_a_column_in_which_the_trees_are_better_is_named(outcome: Outcome) -> None:
    def change(score: Score) -> Score:
        ours = (score.learner, score.scale, score.column)
        return replace(score, r2=0.1) if ours == ("ours", "absolute", "mu") else score

    worse = changed(outcome, change)
    assert not one(worse, "identifiable column, scale known").met
    assert "Not mu, of 10" in one(worse, "identifiable column, scale known").found
    assert one(worse, "identifiable column, scale unknown").met


def test_a_column_that_cannot_be_told_is_not_held_against_the_posterior(
    outcome: Outcome,
) -> None:
    def change(score: Score) -> Score:
        ours = (score.learner, score.column) == ("ours", "phi_grf1")
        return replace(score, r2=0.1) if ours else score

    worse = changed(outcome, change)
    assert list(untold(worse, "absolute")) == ["phi_grf1"]
    found = one(worse, "identifiable column, scale known")
    assert found.met
    assert found.found.endswith("not identifiable: phi grf1.")


def test_one_sample_out_of_range_is_one_too_many(outcome: Outcome) -> None:
    def change(score: Score) -> Score:
        ours = (score.learner, score.scale, score.column)
        bad = ours == ("ours", "unknown", "mu")
        return replace(score, outside=0.005) if bad else score

    assert not one(changed(outcome, change), "No sample").met


@pytest.mark.parametrize("coverage", [0.6, 1.0])
def test_coverage_may_be_too_low_and_too_high(
    outcome: Outcome, coverage: float
) -> None:
    def change(score: Score) -> Score:
        ours = score.learner == "ours" and score.scale == "absolute"
        return replace(score, coverage=coverage) if ours else score

    worse = changed(outcome, change)
    assert not one(worse, "standard errors, scale known").met
    assert one(worse, "standard errors, scale unknown").met


def test_one_column_far_off_is_named(outcome: Outcome) -> None:
    def change(score: Score) -> Score:
        ours = (score.learner, score.column) == ("ours", "alpha_std")
        return replace(score, coverage=0.7) if ours else score

    found = one(changed(outcome, change), "standard errors, scale known")
    assert not found.met
    assert "further off: alpha std 0.700" in found.found
